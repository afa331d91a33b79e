"""The one-call functions on the narrow network: they do what the paper says, on any kind of input."""

import dataclasses

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from tfstyle import reconstruct_content, reconstruct_style, transfer
from tfstyle.config.layer_names import canonical_name
from tfstyle.io.images import load_image, resize
from tfstyle.synthesis.term_options import extractor_of
from tfstyle.vgg import feature_extractor

from conftest import picture, shallow

CONTENT, STYLE = picture(36, 48, seed=1), picture(40, 30, seed=2)


@pytest.fixture
def config(narrow_file):
    return shallow(narrow_file, image_size=0, iterations=12, log_every=6, precision="auto")


@pytest.mark.parametrize(("optimizer", "init"), [("adam", "style"), ("lbfgs", "0.5*content+0.5*noise")])
def test_transfer_from_every_start(config, optimizer, init):
    config = dataclasses.replace(config, optimizer=optimizer, init=init)
    result = transfer(CONTENT, STYLE, config)
    assert result.image.shape == (1, 36, 48, 3)
    assert result.image.dtype == tf.float32
    assert result.image.numpy().min() >= 0 and result.image.numpy().max() <= 1
    assert result.history[-1].total < result.history[0].total
    assert set(result.losses) == {"content/block2_conv1", "style/block1_conv1", "style/block2_conv1"}


def test_network_options_reach_the_network(config):
    """Normalisation: test_objectives.py."""
    changes = ({}, {"pooling": "average"}, {"padding": "replicate"})
    networks = [extractor_of(dataclasses.replace(config, **change)) for change in changes]
    sums = {float(tf.reduce_sum(network(load_image(CONTENT))["block2_conv1"])) for network in networks}
    assert len(sums) == 3


class SizeNote(tf.keras.layers.Layer):
    """Lets pictures through and keeps their sizes."""

    def __init__(self):
        super().__init__()
        self.sizes = set()

    def call(self, image):
        self.sizes.add(tuple(image.shape[1:3]))
        return image


def test_image_size_is_the_longer_side_of_both(config):
    config = dataclasses.replace(config, image_size=32)
    network = feature_extractor([*config.content_layers, *config.style_layers], weights=config.weights)
    note, image = SizeNote(), tf.keras.Input((None, None, 3))
    result = transfer(CONTENT, STYLE, config, extractor=tf.keras.Model(image, network(note(image))))
    assert result.image.shape == (1, 24, 32, 3)
    assert note.sizes - {(None, None)} == {(24, 32), (32, 24)}


def test_content_reconstruction_comes_near_and_nearer_for_shallower_layers(config):
    config = dataclasses.replace(config, iterations=60)
    errors = []
    for layer in ("conv1_1", "conv3_1"):
        result = reconstruct_content(CONTENT, layer, config)
        assert set(result.losses) == {f"content/{canonical_name(layer)}"}
        assert result.history[-1].total < 0.1 * result.history[0].total
        errors.append(float(tf.reduce_mean(tf.square(result.image - load_image(CONTENT)))))
    assert errors[0] < 0.2 * errors[1]


def test_style_reconstruction_meets_the_gram_matrices(config):
    config = dataclasses.replace(config, iterations=60)
    result = reconstruct_style(STYLE, ["conv1_1", "conv2_1"], config)
    assert result.image.shape == (1, 40, 30, 3)
    assert set(result.losses) == {"style/block1_conv1", "style/block2_conv1"}
    assert result.history[-1].total < 0.01 * result.history[0].total


def test_noise_starts_differ_by_seed_only(config, tmp_path):
    """And not by the kind of the inputs: arrays, a file and a Pillow picture, a tensor."""
    config = dataclasses.replace(config, init="noise", iterations=3)
    Image.fromarray(CONTENT).save(tmp_path / "content.png")
    one, same, other = (
        transfer(content, style, dataclasses.replace(config, seed=seed)).image
        for content, style, seed in (
            (CONTENT, STYLE, 1),
            (tmp_path / "content.png", Image.fromarray(STYLE), 1),
            (tf.constant(CONTENT)[tf.newaxis], str(tmp_path / "content.png"), 2),
        )
    )
    np.testing.assert_array_equal(one, same)
    assert np.abs(one - other).mean() > 0.01


def test_own_extractor(config):
    image = tf.keras.Input((None, None, 3))
    model = tf.keras.Model(image, {"mine": tf.keras.layers.Conv2D(4, 3)(image)})
    config = dataclasses.replace(config, content_layers=("mine",), style_layers=("mine",))
    result = transfer(CONTENT, STYLE, config, extractor=model)
    assert set(result.losses) == {"content/mine", "style/mine"}
    with pytest.raises(
        ValueError, match="style_layers: unknown layer 'block1_conv1'; the nearest names are mine"
    ):
        transfer(CONTENT, STYLE, dataclasses.replace(config, style_layers=("conv1_1",)), extractor=model)


@pytest.mark.parametrize(
    ("content", "style", "options", "problem"),
    [
        (picture(15, 40), STYLE, {}, r"^content: is 40 x 15 pixels, but these layers need at least 16"),
        (CONTENT, picture(40, 12), {}, r"^style: is 12 x 40 pixels"),
        (CONTENT, STYLE, {"padding": "reflect", "image_size": 40}, r"^content: is 40 x 30 .* at least 32"),
    ],
)
def test_pictures_too_small_for_the_layers(config, content, style, options, problem):
    with pytest.raises(ValueError, match=problem):
        transfer(content, style, dataclasses.replace(config, style_layers="conv1_1,conv5_1", **options))


def test_a_config_of_another_kind_of_task(config):
    with pytest.raises(ValueError, match="content_weight=0 and style_weight=0"):
        reconstruct_content(CONTENT, "conv1_1", dataclasses.replace(config, content_weight=0.0))


def test_resume_through_transfer(config, tmp_path):
    whole = transfer(CONTENT, STYLE, config, checkpoint_dir=tmp_path)
    again = transfer(CONTENT, STYLE, config, checkpoint_dir=tmp_path)
    np.testing.assert_array_equal(whole.image, again.image)
    with pytest.raises(ValueError, match="another run: style was"):
        transfer(CONTENT, resize(load_image(STYLE), (30, 40)), config, checkpoint_dir=tmp_path)
