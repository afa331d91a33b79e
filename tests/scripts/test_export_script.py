"""The script as users run it: a folder with a model that works without tfstyle."""

import json
import re

import pytest
import tensorflow as tf

from tfstyle.config import TransferConfig
from tfstyle.synthesis.style_targets import style_targets

from conftest import one_line, picture, run_script, well

pytestmark = pytest.mark.slow
LAYERS = ["--content_layers=conv2_1", "--style_layers=conv1_1,conv2_1"]
FEW = [
    "--padding=zeros",
    "--optimizer=adam",
    "--precision=float32",
    "--iterations=2",
    "--image_size=40",
    "--scales=1",
]


@pytest.fixture(scope="module")
def folder(files, narrow_file, tmp_path_factory):
    """Where the scripts run, with a style's targets."""
    folder = tmp_path_factory.mktemp("export")
    config = TransferConfig(
        weights=narrow_file, content_layers=("conv2_1",), style_layers=("conv1_1", "conv2_1"),
        image_size=40, scales=1, padding="zeros",
    )  # fmt: skip
    style_targets(str(files / "style.png"), config).save(folder / "targets.npz")
    return folder


RUNS = {
    "extractor": ["--model=extractor", "--layers=conv2_2,conv1_1", "--noverify"],
    "transfer": ["--style_scale=0.5"],
    "targets": ["--style=targets.npz", "--output=models/style/1", "--noverify"],
}


def export(narrow_file, folder, *flags):
    return run_script("export.py", f"--weights={narrow_file}", *LAYERS, *FEW, *flags, cwd=folder)


@pytest.fixture(scope="module")
def runs(narrow_file, folder):
    return {name: well(export(narrow_file, folder, *flags)) for name, flags in RUNS.items()}


def test_prints_the_folder(runs):
    assert {name: process.stdout for name, process in runs.items()} == {
        "extractor": "saved_models/extractor\n",
        "transfer": "saved_models/transfer\n",
        "targets": "models/style/1\n",
    }


def test_says_what_it_does(runs):
    making, saved, works = runs["transfer"].stderr.splitlines()
    assert making == "transfer: making the graph, which may take a minute …"
    assert saved.startswith("saved: ") and " MB, " in saved
    assert works.startswith("works without tfstyle: 4 x 4 pixels, ")
    assert len(runs["targets"].stderr.splitlines()) == 2


def test_what_is_saved(runs, folder, narrow_file):
    extractor = json.loads((folder / "saved_models" / "extractor" / "tfstyle.json").read_text())
    assert extractor["layers"] == ["block1_conv1", "block2_conv2"]
    assert (extractor["weights"], extractor["pooling"]) == (narrow_file, "max")
    transfer = json.loads((folder / "saved_models" / "transfer" / "tfstyle.json").read_text())
    assert transfer["config"]["iterations"] == 2 and transfer["style"] is None
    model = tf.saved_model.load(folder / "models" / "style" / "1")
    image = tf.constant(picture(30, 50)[tf.newaxis])
    assert model.signatures["serving_default"](image=image)["picture"].shape == [1, 24, 40, 3]


# name: (flags, what the line says); of the function's own mistakes: test_savedmodel.py
MISTAKES = {
    "style of an extractor": (["--model=extractor", "--style=a.png"], "style='a.png': an extractor has none"),
    "layers of a transfer": (["--layers=conv1_1"], "layers='conv1_1': are an extractor's; give content_layers"),
    "unknown model": (["--model=style"], "flag --model=style: value should be one of"),
    "no style": (["--style=none.png"], "style='none.png': no such file"),
}  # fmt: skip


@pytest.mark.parametrize("name", MISTAKES)
def test_mistakes_are_one_line_and_leave_nothing(narrow_file, folder, name):
    """A flag given twice counts as given last."""
    flags, told = MISTAKES[name]
    process = export(narrow_file, folder, "--output=bad", *flags)
    # Before it, at most what is being made.
    process.stderr = re.sub("^.*making the graph.*\n", "", process.stderr)
    assert told in one_line(process)
    assert not (folder / "bad").exists() and not list(folder.glob(".*"))
