"""Networks in training: the objective that they get, the stream of photographs, the loop, the scripts."""

import dataclasses
import json

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from tfstyle import TransferConfig, export, style_targets
from tfstyle.instant import training
from tfstyle.instant.photographs import batches
from tfstyle.instant.recipe import InstantRecipe
from tfstyle.instant.training import train
from tfstyle.objective import Objective
from tfstyle.regions import everywhere
from tfstyle.style import style_terms
from tfstyle.terms import content_terms, variation_terms

from conftest import picture, run_script

STYLES = [picture(40, 40, 1), picture(36, 44, 2)]
LAYERS = {"content_layers": "conv2_1", "style_layers": "conv1_1,conv2_1"}
RECIPE = InstantRecipe(
    steps=6, batch_size=2, crop_size=24, width=2, residual_blocks=1, report_every=2, training_rate=0.01
)


@pytest.fixture(scope="module")
def config(narrow_file):
    return TransferConfig(
        weights=narrow_file, image_size=40, scales=1, precision="float32", tv_weight=0.1, **LAYERS
    )


@pytest.fixture(scope="module")
def styles(config):
    return [style_targets(style, config) for style in STYLES]


@pytest.fixture(scope="module")
def photographs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("photographs")
    for seed in range(5):
        Image.fromarray(picture(40, 50, seed)).save(folder / f"{seed}.png")
    return sorted(folder.iterdir())


def test_the_stream_may_be_entered_anywhere(photographs):
    whole = list(batches(photographs, 2, RECIPE))
    later = list(batches(photographs, 2, RECIPE, first_step=4))
    assert len(whole) == 6 and len(later) == 2
    for (contents, numbers), (same, same_numbers) in zip(whole[4:], later):
        np.testing.assert_array_equal(contents, same)
        np.testing.assert_array_equal(numbers, same_numbers)
    contents, numbers = whole[0]
    assert contents.shape == [2, 24, 24, 3] and numbers.numpy().tolist() == [0, 1]
    assert 0 <= contents.numpy().min() < 0.3 and 0.7 < contents.numpy().max() <= 1
    other = next(iter(batches(photographs, 2, dataclasses.replace(RECIPE, shuffle=1))))
    assert np.abs(other[0] - contents).max() > 0.1


def test_the_objective_is_that_of_a_transfer(config, styles):
    """Each picture of a batch in its own style: the terms that `transfer` would make of it."""
    run = training._Run(styles, config, RECIPE)
    contents, images = (
        tf.constant(np.stack([picture(24, 24, seed) for seed in seeds]) / np.float32(255))
        for seeds in ((3, 4), (5, 6))
    )
    numbers = tf.constant([1, 0])
    composition = run._composition(contents, numbers)
    found = composition.weighted(composition.weights)(images)
    for index, number in enumerate(numbers.numpy()):
        style = tf.constant(STYLES[number][np.newaxis] / np.float32(255))
        style = tf.image.resize(
            style, [round(40 * s / max(style.shape)) for s in style.shape[1:3]], "bicubic", antialias=True
        )
        terms = [
            *content_terms(
                run._extractor,
                contents[index : index + 1],
                config.content_layers,
                weight=1.0,
                units=config.units,
            ),
            *style_terms(
                run._extractor,
                everywhere(style),
                config.style_layers,
                size=(24, 24),
                weight=1e3,
                units=config.units,
            ),
            *variation_terms(0.1, units=config.units),
        ]
        objective = Objective(run._extractor, terms)
        expected = objective.weighted(objective.losses(images[index : index + 1]))
        for name, value in expected.items():
            np.testing.assert_allclose(found[name][index], value, rtol=2e-3)


@pytest.mark.slow
def test_the_loss_falls_and_the_network_is_exported(config, styles, photographs, tmp_path):
    recipe = dataclasses.replace(RECIPE, steps=40, report_every=10, width=4, training_rate=0.02)
    network, history = train(photographs, styles, dataclasses.replace(config, style_strength=0.5), recipe)
    assert [progress.step for progress in history] == [1, 10, 20, 30, 40]
    assert history[0].note.startswith(
        "style_strength=0.5 comes to content/block2_conv1=1, style/block1_conv1="
    )
    assert history[-1].total < 0.8 * history[0].total
    export.export_network(tmp_path / "model", network, {"styles": ["a", "b"]})
    loaded = tf.saved_model.load(str(tmp_path / "model"))
    for height, width in ((1, 1), (23, 37)):
        image = picture(max(height, 4), max(width, 4), 7)[:height, :width]
        weights = tf.constant([[0.25, 0.75]])
        expected = network({"image": tf.constant(image[np.newaxis] / np.float32(255)), "style": weights})
        found = loaded.signatures["with_style"](
            image=tf.constant(image[np.newaxis]), style=weights, strength=tf.constant(1.0)
        )["picture"]
        assert np.abs(found.numpy().astype(float) - expected * 255).max() <= 0.51
        half = loaded.paint(image[np.newaxis] / np.float32(255), weights, tf.constant(0.5))
        np.testing.assert_allclose(half, (expected + image / 255) / 2, atol=1e-5)
    assert json.loads((tmp_path / "model" / "tfstyle.json").read_text())["styles_known"] == 2


@pytest.mark.slow
def test_a_stopped_training_goes_on_to_the_same_losses(config, styles, photographs, tmp_path, monkeypatch):
    monkeypatch.setattr(training, "_CHECKPOINT_SECONDS", 0.0)
    whole, history = train(photographs, styles, config, RECIPE)

    class Stop:
        def report(self, progress, image):
            if progress.step == 4:
                raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(photographs, styles, config, RECIPE, reporters=[Stop()], checkpoint_dir=tmp_path)
    resumed, again = train(photographs, styles, config, RECIPE, checkpoint_dir=tmp_path)
    assert [progress.losses for progress in again] == [progress.losses for progress in history]
    for one, other in zip(whole.variables, resumed.variables):
        np.testing.assert_array_equal(one, other)
    with pytest.raises(ValueError, match="of another run: width was 2 and is 3"):
        train(photographs, styles, config, dataclasses.replace(RECIPE, width=3), checkpoint_dir=tmp_path)


def test_recipes_are_checked():
    for change in (
        {"steps": 0},
        {"crop_size": 8},
        {"computed_in": "float16"},
        {"training_rate": float("nan")},
    ):
        with pytest.raises(ValueError, match=f"{next(iter(change))}="):
            InstantRecipe(**change)


@pytest.mark.slow
def test_from_the_command_line(narrow_file, photographs, tmp_path):
    for index, style in enumerate(STYLES):
        Image.fromarray(style).save(tmp_path / f"style{index}.png")
    flags = [
        "--steps=2",
        "--batch_size=2",
        "--crop_size=24",
        "--width=2",
        "--residual_blocks=1",
        "--image_size=40",
    ]
    flags += [f"--{name}={value}" for name, value in LAYERS.items()] + [f"--weights={narrow_file}"]
    trained = run_script(
        "train_stylizer.py", f"--photos={photographs[0].parent}", "--styles=style0.png,style1.png",
        "--output=model", *flags, cwd=tmp_path,
    )  # fmt: skip
    assert trained.returncode == 0, trained.stderr
    assert trained.stdout == "model\n"
    one = run_script(
        "stylize.py",
        f"--content={photographs[0]}",
        "--model=model",
        "--style=1,1",
        "--output=a.jpg",
        cwd=tmp_path,
    )
    assert (one.returncode, one.stdout) == (0, "a.jpg\n"), one.stderr
    assert Image.open(tmp_path / "a.jpg").size == (50, 40)
    (tmp_path / "in").mkdir()
    Image.fromarray(picture(33, 21, 1)).save(tmp_path / "in" / "b.png")
    (tmp_path / "in" / "bad.png").write_text("no picture")
    several = run_script("stylize.py", "--content=in", "--model=model", "--output=out", cwd=tmp_path)
    assert several.returncode == 1 and "1 of 2 pictures could not be read" in several.stderr
    assert Image.open(tmp_path / "out" / "b.png").size == (21, 33)
    for wrong, message in (
        ("--model=in", "holds no network"),
        ("--style=1", "must be 2 numbers"),
        ("--strength=2", "from 0 to 1"),
    ):
        process = run_script(
            "stylize.py", "--content=in", "--model=model", "--output=out", wrong, cwd=tmp_path
        )
        assert process.returncode == 1 and message in process.stderr.splitlines()[-1]
