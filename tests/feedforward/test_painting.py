"""Painting with a trained network, and the layer that does it inside graphs and models."""

import json

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from tfstyle.feedforward import painting
from tfstyle.feedforward.cards import CARD
from tfstyle.feedforward.networks import fingerprint, layout, parameters, transformation_network
from tfstyle.feedforward.painting import Painter
from tfstyle.feedforward.stylizer import InstantStylizer

from conftest import differing, picture

NAMES = ["mosaic", "swirls", "dots"]
WEIGHTS = [0.5, 0.2, 0.3]
PICTURES = np.stack([picture(37, 51, 1), picture(37, 51, 2)])


@pytest.fixture(scope="module")
def network():
    return differing(transformation_network(3, width=4, residual_blocks=1))


@pytest.fixture(scope="module")
def folder(network, tmp_path_factory):
    """What is read of an exported network."""
    path = tmp_path_factory.mktemp("model")
    tf.train.Checkpoint(parameters=parameters(network)).write(str(path / "variables" / "variables"))
    card = {
        "model": "network", "styles": [f"{name}.jpg" for name in NAMES], "styles_known": 3,
        "layout": layout(network), "fingerprint": fingerprint(network),
    }  # fmt: skip
    (path / CARD).write_text(json.dumps(card))
    return path


@pytest.fixture(scope="module")
def stylize(folder):
    return InstantStylizer.load(folder)


def expected(network, pictures, weights=(1, 0, 0), strength=1.0):
    """By Keras' own call, in [0, 1]."""
    values = pictures / np.float32(255) if pictures.dtype == np.uint8 else pictures
    style = np.broadcast_to(np.float32(weights), (len(values), 3))
    return values + strength * (network({"image": values, "style": style}).numpy() - values)


def same(found, values):
    """Whether uint8 pictures are these values, but for where rounding is a toss-up."""
    found, levels = np.asarray(found), np.round(np.clip(values, 0, 1) * 255)
    assert found.dtype == np.uint8
    assert np.abs(found - levels).max() <= 1
    assert np.mean(found != levels) < 0.01


# Painter.


def test_whole_or_in_strips(network):
    values = PICTURES / np.float32(255)
    wanted = expected(network, values, WEIGHTS)
    whole, strips = Painter(network), Painter(network)
    strips.largest_whole = 51 * 8
    for paint in (whole, whole, strips):  # the second time, compiled
        made = paint(values, WEIGHTS)
        assert made.dtype == np.float32
        np.testing.assert_allclose(made, wanted, atol=1e-5)


def test_large_pictures_are_painted_in_strips(monkeypatch):
    asked = []
    monkeypatch.setattr(painting, "paint_in_strips", lambda *given: asked.append(given[3]) or [])
    paint = Painter(transformation_network(1, width=64, residual_blocks=0))
    assert paint.largest_whole == 2**31 // (50 * 64)
    paint.largest_whole = 100
    paint(np.zeros([1, 10, 10, 3], np.float32), [1.0])
    assert not asked
    paint(np.zeros([1, 10, 11, 3], np.float32), [1.0])
    assert asked == [100]


# The layer.


def test_type_and_shape_stay(network, stylize):
    wanted = expected(network, PICTURES)
    same(stylize(PICTURES), wanted)
    same(stylize(PICTURES[0]), wanted[0])
    np.testing.assert_allclose(stylize(PICTURES / np.float32(255)), wanted, atol=1e-5)
    for dtype, most in ((tf.float64, 1e-5), (tf.float16, 0.02)):
        made = stylize(tf.cast(PICTURES / 255, dtype))
        assert made.dtype == dtype
        np.testing.assert_allclose(tf.cast(made, tf.float32), wanted, atol=most)


@pytest.mark.parametrize(
    ("style", "weights"),
    [
        ("swirls", (0, 1, 0)),
        ([1, 1, 2], (0.25, 0.25, 0.5)),
        (np.float32([0, 1, 1]), (0, 0.5, 0.5)),
        (tf.constant([[0.0, 2.0, 2.0]]), (0, 0.5, 0.5)),
        (np.float64([[1, 0, 0], [0, 3, 1]]), ((1, 0, 0), (0, 0.75, 0.25))),
    ],
)
def test_styles(network, stylize, style, weights):
    same(stylize(PICTURES, style=style), expected(network, PICTURES, weights))


def test_strengths(network, stylize):
    own, wanted = expected(network, PICTURES), PICTURES / np.float32(255)
    same(stylize(PICTURES, strength=0.25), wanted + 0.25 * (own - wanted))
    made = stylize(PICTURES, strength=tf.constant([0.0, 1.0]))
    np.testing.assert_array_equal(made[0], PICTURES[0])
    same(made[1], own[1])


def test_in_a_graph_and_in_datasets(network, stylize):
    by_style = tf.function(
        lambda image, style, strength: stylize(image, style=style, strength=strength),
        input_signature=[
            tf.TensorSpec(None, tf.uint8), tf.TensorSpec(None, tf.float32), tf.TensorSpec([], tf.float32),
        ],
        autograph=False,
    )  # fmt: skip
    with pytest.raises(ValueError, match=r"image: a tensor of shape <unknown>"):
        by_style(PICTURES, WEIGHTS, 1.0)
    single = [picture(21, 33, 3), PICTURES[0]]
    dataset = tf.data.Dataset.from_generator(
        lambda: single, output_signature=tf.TensorSpec([None, None, 3], tf.uint8)
    )
    painted = dataset.map(stylize)
    assert painted.element_spec == dataset.element_spec
    for made, content in zip(painted, single, strict=True):
        same(made, expected(network, content[np.newaxis])[0])
    batches = tf.data.Dataset.from_tensor_slices(PICTURES).batch(2).map(lambda image: stylize(image, style=1))
    assert batches.element_spec.shape.as_list() == [None, 37, 51, 3]
    same(next(iter(batches)), expected(network, PICTURES, (0, 1, 0)))


def test_in_models_that_are_saved(network, folder, stylize, tmp_path):
    named = InstantStylizer.load(folder, style={"dots": 1, "mosaic": 3}, strength=0.5, name="painter")
    image = tf.keras.Input((None, None, 3), dtype="uint8")
    style = tf.keras.Input((3,))
    for inputs, output, given, wanted in (
        (image, named(image), PICTURES, expected(network, PICTURES, (0.75, 0, 0.25), 0.5)),
        (image, stylize(image, style={"swirls": 1}), PICTURES, expected(network, PICTURES, (0, 1, 0))),
        (
            [image, style],
            stylize(image, style=style),
            [PICTURES, np.float32([[0, 0, 1], [0, 1, 1]])],
            expected(network, PICTURES, ((0, 0, 1), (0, 0.5, 0.5))),
        ),
    ):
        model = tf.keras.Model(inputs, output)
        assert model.output.dtype == "uint8" and model.output.shape == (None, None, None, 3)
        model.save(tmp_path / "model.keras")
        loaded = tf.keras.models.load_model(tmp_path / "model.keras")
        same(loaded(given), wanted)
        assert len(loaded.trainable_variables) == len(network.trainable_variables)


def test_half_precision_is_kept(folder, network):
    half = InstantStylizer.load(folder, dtype="mixed_bfloat16")
    again = InstantStylizer.from_config(half.get_config())
    assert again.network.get_layer("first").compute_dtype == "bfloat16"
    made = half(PICTURES / np.float32(255))
    assert made.dtype == tf.float32
    assert 0 < np.abs(made - expected(network, PICTURES)).mean() < 0.02


def test_files_are_painted(network, stylize, tmp_path):
    Image.fromarray(PICTURES[0]).save(tmp_path / "a.png")
    made = stylize.paint(tmp_path / "a.png", style="dots", strength=0.5)
    np.testing.assert_allclose(made, expected(network, PICTURES[:1], (0, 0, 1), 0.5), atol=1e-5)
    np.testing.assert_array_equal(stylize.paint(PICTURES[0]), stylize.paint(PICTURES[:1], strength=1))
    with pytest.raises(FileNotFoundError):
        stylize.paint(tmp_path / "b.png")


@pytest.mark.parametrize(
    ("image", "options", "message"),
    [
        (
            PICTURES.astype(np.int32),
            {},
            r"^image: a tensor of shape \(2, 37, 51, 3\) and type int32: must be ",
        ),
        (PICTURES[..., :2], {}, r"^image: "),
        (PICTURES[0, 0], {}, r"^image: "),
        (PICTURES, {"style": "dot"}, r"^style='dot': must be one of mosaic, swirls, dots$"),
        (PICTURES, {"style": tf.zeros([2, 4])}, r"^style: a tensor of shape \(2, 4\): must be \[3\] or "),
        (PICTURES.astype(np.float32), {}, r"^image: floats must be in \[0, 1\], not from 0 to 255; divide"),
        (
            PICTURES * np.float32("nan"),
            {},
            r"^image: floats must be in \[0, 1\], not from nan to nan; divide",
        ),
        (PICTURES, {"strength": -0.1}, r"^strength=-0\.1: must be from 0 to 1$"),
    ],
)
def test_what_is_refused(stylize, image, options, message):
    with pytest.raises(ValueError, match=message):
        stylize.call(image, **options)


@pytest.mark.parametrize(
    ("image", "options", "message"),
    [
        (PICTURES, {"style": np.zeros(3)}, "style: shares must be numbers, none below 0, and not all 0"),
        (PICTURES, {"style": tf.constant([[1.0, -1.0, 1.0]])}, "style: shares must be"),
        (PICTURES, {"strength": tf.constant(2.0)}, "strength: must be from 0 to 1"),
    ],
)
def test_what_is_refused_when_it_runs(stylize, image, options, message):
    with pytest.raises(tf.errors.InvalidArgumentError, match=message):
        stylize.call(image, **options)
