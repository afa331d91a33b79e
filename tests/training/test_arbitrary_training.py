"""Training networks for any style: the stream of pairs, the objective, steps on it."""

import dataclasses

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from tfstyle import TransferConfig
from tfstyle.feedforward.networks import fingerprint, transformation_network
from tfstyle.training.arbitrary_training import ArbitraryTask, pairs, shown_at
from tfstyle.training.dataset import Share, batches
from tfstyle.training.recipe import InstantRecipe
from tfstyle.training.training import train_arbitrary

from conftest import picture, values_of_transfers

RECIPE = InstantRecipe(
    steps=6, batch_size=2, crop_size=24, style_crop_size=32, embedding=4, width=4, residual_blocks=1,
    report_every=3, validation=1,
)  # fmt: skip


def floats(*seeds, size=24):
    return tf.constant(np.stack([picture(size, size, seed) for seed in seeds]) / np.float32(255))


@pytest.fixture(scope="module")
def config(narrow_file):
    layers = {"content_layers": "conv2_1", "style_layers": "conv1_1,conv2_1"}
    return TransferConfig(weights=narrow_file, scales=1, tv_weight=0.1, style_loss="moments", **layers)


@pytest.fixture(scope="module")
def task(config, files):
    return ArbitraryTask(files[1], config, RECIPE)


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Photographs, and styles of one colour each."""
    folder = tmp_path_factory.mktemp("pairs")
    for seed in range(4):
        Image.fromarray(picture(40, 50, seed)).save(folder / f"photograph{seed}.png")
    for level in (50, 100, 150):
        Image.fromarray(np.full([30, 40, 3], level, np.uint8)).save(folder / f"style{level}.png")
    return sorted(folder.glob("photograph*")), sorted(folder.glob("style*"))


@pytest.fixture(scope="module")
def stream(files):
    return list(pairs(*files, RECIPE, 40))


def test_the_stream_may_be_entered_anywhere_and_shared(files, stream):
    """The second of two workers sees the second half of what one sees alone."""
    assert len(stream) == 6
    assert stream[0][0].shape == [2, 24, 24, 3] and stream[0][1].shape == [2, 32, 32, 3]
    second = pairs(*files, RECIPE, 40, 2, Share(1, workers=2, replicas=2))
    for batch, half in zip(stream[2:], second, strict=True):
        for whole, part in zip(batch, half):
            np.testing.assert_array_equal(part, whole[1:])


def test_photographs_are_those_of_any_training_and_styles_take_turns(files, stream):
    for (contents, _), (expected, _) in zip(stream, batches(files[0], 1, RECIPE)):
        np.testing.assert_array_equal(contents, expected)
    styles = np.concatenate([pictures for _, pictures in stream])
    levels = np.round(styles[:, 0, 0, 0] * 255).astype(int)
    assert np.abs(styles - levels[:, None, None, None] / 255).max() < 1e-5
    # Twelve of them: each style once in each round of three.
    for begin in range(0, 12, 3):
        assert set(levels[begin : begin + 3]) == {50, 100, 150}
    assert len({tuple(levels[begin : begin + 3]) for begin in range(0, 12, 3)}) > 1


def test_a_picture_is_not_its_own_style(files):
    """Also where photographs are styles, too."""
    stream = list(pairs(files[0], files[0], dataclasses.replace(RECIPE, style_crop_size=24), 40))
    same = [np.array_equal(*pair) for batch in stream for pair in zip(*batch)]
    assert len(same) == 12 and not any(same)


def test_the_objective_is_that_of_a_transfer(config, task):
    """Each picture of a batch in the style that it came with."""
    contents, styles, images = floats(3, 4), floats(1, 2, size=32), floats(5, 6)
    found = task.objective((contents, styles))
    found = found.weighted(found.weights)(images)
    for index, expected in enumerate(values_of_transfers(config, contents, styles[:, tf.newaxis], images)):
        assert set(found) == set(expected)
        for name, value in expected.items():
            np.testing.assert_allclose(found[name][index], value, rtol=1e-4)


def test_style_pictures_are_shown_at_a_size():
    """Crops of 32 pixels of pictures shown 64 pixels wide are half as wide, give or take a quarter."""
    side = shown_at(64, RECIPE)
    for uniform, share in ((0.0, 0.375), (0.5, 0.5), (1.0, 0.625)):
        assert float(side(tf.constant([300.0, 400.0]), tf.constant(uniform))) == pytest.approx(400 * share)
    assert float(side(tf.constant([100.0, 400.0]), tf.constant(0.5))) == 100  # and no larger than the picture


@pytest.mark.parametrize("statistic", ["gram", "histogram"])
def test_every_statistic_has_a_strength(config, files, statistic):
    task = ArbitraryTask(
        files[1], dataclasses.replace(config, style_loss=statistic, style_strength=0.5), RECIPE
    )
    balanced = tf.function(lambda *batch: task.objective(batch).balanced(), autograph=False)
    for name, weight in balanced(floats(3, 4), floats(1, 2, size=32)).items():
        assert np.all(np.isfinite(weight)) and np.all(np.asarray(weight) > 0), name


def test_begins_with_another_network(config, files, task):
    again = ArbitraryTask(files[1], config, dataclasses.replace(RECIPE, shuffle=3), task.network)
    assert fingerprint(again.network) == fingerprint(task.network)
    known = transformation_network(2, width=4, residual_blocks=1, seed=7)
    begun = ArbitraryTask(files[1], config, RECIPE, known)
    kernels = [each.get_layer("half").kernel.numpy() for each in (begun.network.network, known)]
    np.testing.assert_array_equal(*kernels)


@pytest.mark.parametrize(
    ("change", "recipe", "message"),
    [
        ({"color": "content"}, {}, r"^color=content: must be style"),
        ({"style_scale": 2.0}, {}, r"^style_scale=2: must be 1 in training"),
        ({"normalize": True}, {}, r"^normalize=True: is not possible in a graph"),
        ({"style_layers": "conv1_1,conv5_1"}, {}, r"^crop_size=24: too small; .* 32"),
        ({"style_layers": "conv1_1,conv5_1"}, {"crop_size": 32, "style_crop_size": 16},
         r"^style_crop_size=16: too small; .* 32"),
        ({}, {"only_styles": True}, r"^only_styles=true: is for the styles of a network=conditional"),
    ],
)  # fmt: skip
def test_objectives_that_pairs_cannot_have_are_refused(config, files, change, recipe, message):
    given = files[1], dataclasses.replace(config, **change), dataclasses.replace(RECIPE, **recipe)
    with pytest.raises(ValueError, match=message):
        ArbitraryTask(*given)


def test_a_training_from_files(config, files):
    """What is kept from training is painted in its styles."""
    recipe = dataclasses.replace(RECIPE, steps=12, training_rate=3e-3, steadiness_weight=1.0)
    network, history = train_arbitrary(*files, config, recipe)
    assert [progress.step for progress in history] == [1, 3, 6, 9, 12]
    assert history[-1].total < history[0].total
    assert history[-1].metrics["validation loss"] < history[0].metrics["validation loss"]
    assert network({"image": floats(8), "style": floats(9, size=30)}).shape == (1, 24, 24, 3)


def test_nothing_to_train_on_is_refused(config, files):
    for given in ((files[0], []), ([], files[1])):
        with pytest.raises(ValueError, match=r"^photographs, styles: must be at least one of each"):
            train_arbitrary(*given, config, RECIPE)
    for name in ("style_crop_size", "embedding"):
        with pytest.raises(ValueError, match=f"^{name}=1: must be a whole number"):
            dataclasses.replace(RECIPE, **{name: 1})
