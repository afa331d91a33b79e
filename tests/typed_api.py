"""What a user's type checker is to make of the public names; read by mypy in `test_typed_api.py`, never run.

TensorFlow has no types of its own: tensors, models and datasets are `Any` here.
"""

import pathlib
from collections.abc import Callable, Sequence
from typing import Any, assert_type

import numpy as np

import tfstyle
from tfstyle import PRESETS, InstantStylizer, Progress, Result, StyleTargets, TransferConfig, Workshop

assert_type(tfstyle.__version__, str)
assert_type(PRESETS, dict[str, TransferConfig])
config = TransferConfig(
    weights="mini", style_layers=("conv1_1", "conv2_1"), style_strength=0.7, iterations=100
)
assert_type(config.image_size, int)
TransferConfig(iteration=100)  # type: ignore[call-arg]
TransferConfig(weights=1)  # type: ignore[arg-type]
print(tfstyle.transfers)  # type: ignore[attr-defined]


class Watcher:
    def report(self, progress: Progress, image: Any) -> None:
        assert_type(progress.losses, dict[str, float])


watcher: tfstyle.Reporter = Watcher()
deaf: tfstyle.Reporter = object()  # type: ignore[assignment]
reporters: list[tfstyle.Reporter] = [
    watcher,
    tfstyle.ConsoleReporter(),
    tfstyle.SnapshotReporter(pathlib.Path("snapshots")),
    tfstyle.TensorBoardReporter("logs", settings=config.to_dict()),
    tfstyle.ProfileReporter("logs"),
]

made = tfstyle.transfer(
    "photo.jpg", np.zeros((8, 8, 3), np.uint8), config, reporters=reporters, workshop=Workshop()
)
assert_type(made, Result)
assert_type(made.losses, dict[str, float])
assert_type(made.history[0].seconds, float)
assert_type(made.total, float)
tfstyle.transfer("photo.jpg")  # type: ignore[call-arg]
tfstyle.transfer("photo.jpg", "painting.jpg", "paper")  # type: ignore[arg-type]
assert_type(tfstyle.transfer_batch(["a.jpg"], ["b.jpg", "c.jpg"], config)[0][1], Result)
assert_type(tfstyle.reconstruct_content("photo.jpg", "conv4_2", config), Result)
assert_type(tfstyle.reconstruct_style("painting.jpg", ["conv1_1"], config), Result)
assert_type(tfstyle.plan_transfer("photo.jpg", "painting.jpg").describe(), str)
assert_type(tfstyle.explain_transfer("photo.jpg", "painting.jpg"), str)
assert_type(tfstyle.style_targets("painting.jpg", config), StyleTargets)
assert_type(StyleTargets.load("targets.npz"), StyleTargets)
assert_type(tfstyle.stylizer("painting.jpg", config), Callable[[Any], Any])

extractor = tfstyle.feature_extractor(["conv4_2"], weights="mini")
picture = tfstyle.load_image("photo.jpg")
tfstyle.normalize_activations(extractor, [picture])
activation = extractor(picture)["block4_conv2"]
tfstyle.style_loss(activation, tfstyle.gram_matrix(activation))
dark = tfstyle.ImageTerm("darkness", 1.0, value=tfstyle.total_variation)
content = tfstyle.Term(
    "content", 1.0, loss=lambda image, at: tfstyle.content_loss(at["block4_conv2"], activation)
)
assert_type(content.weight, float | Sequence[float])  # of several pictures, one for each
objective = tfstyle.Objective(extractor, [dark, content], evaluation="plain")
assert_type(tfstyle.synthesize(lambda size: objective, picture, config), Result)
tfstyle.synthesize(lambda size: dark, picture, config)  # type: ignore[arg-type, return-value]
plan: tfstyle.Plan = tfstyle.plan_transfer("photo.jpg", "painting.jpg", config)
assert_type(plan.fits, bool)
sums: list[tfstyle.SummedTerm] = [dark]  # type: ignore[list-item]
tfstyle.Objective(extractor, list[tfstyle.SummedTerm]())

losses = [
    tfstyle.ContentLoss(extractor, ["conv4_2"]),
    tfstyle.StyleLoss(extractor, "painting.jpg", layers=["conv4_2"]),
    tfstyle.TotalVariationLoss(),
    tfstyle.GramMatrix(),
]
assert_type(InstantStylizer.load(style="mosaic"), InstantStylizer)
assert_type(InstantStylizer.load().strength, float)
assert_type(tfstyle.export_transfer("model", config), pathlib.Path)
assert_type(tfstyle.export_extractor("model", extractor), pathlib.Path)
assert_type(tfstyle.write_records("pictures.tfrecord", [("a", b"")]), int)
pictures = tfstyle.stylize_dataset(tfstyle.read_records("pictures.tfrecord"), "painting.jpg", config)
assert_type(tfstyle.write_dataset(pictures, "painted.tfrecord"), int)
tfstyle.save_image("out.png", made.image, note=None)
