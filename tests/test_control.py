"""Whole runs under every means of control, alone and combined, on the narrow network."""

import dataclasses

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from tfstyle import TransferConfig, gram_matrix, transfer
from tfstyle.io.images import load_image
from tfstyle.losses.photorealism import matting_loss
from tfstyle.vgg import feature_extractor

from conftest import Recorder, picture

CONTENT, STYLE, OTHER = (picture(64, 64, seed=seed) for seed in (1, 2, 5))


def half(first, second, size=64):
    pixels = np.zeros((size, size, 3), np.uint8)
    pixels[:, : size // 2], pixels[:, size // 2 :] = first, second
    return pixels


@pytest.fixture
def config(narrow_file):
    return TransferConfig(
        weights=narrow_file,
        image_size=0,
        iterations=60,
        log_every=60,
        precision="float32",
        optimizer="adam",  # which compiles several times faster
        content_layers=("block2_conv2",),
        style_layers=("block1_conv1", "block2_conv1"),
        content_weight=0.01,
    )


def mean_gram(extractor, image, layer, columns):
    """Of the positions well inside some columns of 64 pixels."""
    features = extractor(image)[layer]
    scale = features.shape[2] / 64
    part = features[:, :, int(columns.start * scale) : int(columns.stop * scale)]
    return gram_matrix(part)[0].numpy() / (part.shape[1] * part.shape[2])


def test_each_region_takes_its_own_style(config):
    """Each region's Gram error is at least five times smaller against its own style than the other's."""
    config = dataclasses.replace(config, iterations=150)
    result = transfer(CONTENT, [STYLE, OTHER], config, content_masks=[half(255, 0), half(0, 255)])
    extractor = feature_extractor(config.style_layers, weights=config.weights)
    targets = [
        [mean_gram(extractor, load_image(style), layer, slice(0, 64)) for style in (STYLE, OTHER)]
        for layer in config.style_layers
    ]
    for index, columns in enumerate((slice(4, 28), slice(36, 60))):
        for layer, target in zip(config.style_layers, targets):
            found = mean_gram(extractor, result.image, layer, columns)
            own, others = (np.linalg.norm(found - target[which]) for which in (index, 1 - index))
            assert own < others / 5, (layer, index, own, others)


def test_what_has_no_region_is_left_as_it_is(config):
    """Reporters see finished pictures, too."""
    recorder = Recorder()
    config = dataclasses.replace(config, iterations=6, log_every=3, color="content")
    result = transfer(CONTENT, STYLE, config, content_masks=[half(255, 0)], reporters=[recorder])
    content = load_image(CONTENT)
    for _, image in recorder.seen:
        np.testing.assert_array_equal(image[:, :, 34:], content[:, :, 34:])
    np.testing.assert_array_equal(recorder.seen[-1][1], result.image)
    assert np.abs(result.image - content)[:, :, :30].max() > 0.02


def test_transparent_content_stays_transparent(config):
    alpha = half(255, 0)[..., :1]
    content = Image.fromarray(np.concatenate([CONTENT, alpha], axis=-1))
    result = transfer(content, STYLE, dataclasses.replace(config, iterations=4))
    np.testing.assert_array_equal(result.alpha[0, ..., 0], alpha[..., 0] / 255)
    np.testing.assert_array_equal(result.image[:, :, 32:], np.ones((1, 64, 32, 3)))


def test_a_photograph_stays_one(config):
    """With the matting Laplacian, what the content does not have locally does not come in."""
    config = dataclasses.replace(config, iterations=20)
    free = transfer(CONTENT, STYLE, config)
    loss = matting_loss(load_image(CONTENT))
    held = transfer(
        CONTENT, STYLE, dataclasses.replace(config, photorealistic=True, photorealistic_weight=30.0)
    )
    assert float(loss(held.image)) < 0.5 * float(loss(free.image))
    # In its own unit: noise of deviation 0.05, whose loss is about 0.043 a pixel, costs the style at the start.
    first = held.history[0]
    style = sum(value for name, value in first.losses.items() if name.startswith("style/"))
    unit = first.losses["photorealism"] / first.unweighted["photorealism"]
    assert unit == pytest.approx(30 * style / 0.043, rel=1e-3)


def test_noise_of_a_twentieth_is_the_unit_of_photorealism():
    generator = np.random.default_rng(0)
    content = picture(60, 80)[np.newaxis].astype(np.float32) / 255
    noise = generator.normal(0, 0.05, content.shape).astype(np.float32)
    loss = float(matting_loss(tf.constant(content))(tf.constant(content + noise))) / (60 * 80)
    assert loss == pytest.approx(0.043, rel=0.1)


COMBINED = {
    "style_loss": ["moments", "bures", "histogram"],
    "color": ["style", "content", "matched"],
    "optimizer": ["lbfgs", "adam", "sgd"],
    "tv_loss": ["inner_squared", "absolute", "mean_squared"],
    "evaluation": ["auto", "recompute", "tiled"],
    "scales": [1, 2, 1],
    "blend": ["targets", "losses", "targets"],
    "postprocess": ["none", "guided", "none"],
    "padding": ["reflect", "zeros", "replicate"],
    "averaging": [0.0, 0.5, 0.5],
}


@pytest.mark.parametrize("index", range(3))
def test_all_of_it_together(config, index):
    """Every option at once, each in its turn."""
    config = dataclasses.replace(
        config, **{name: values[index] for name, values in COMBINED.items()}, iterations=4, style_scale=0.75,
        style_blend=(2, 1), style_strength=0.4, content_weight=1.0, tv_weight=1e-3, photorealistic=True,
    )  # fmt: skip
    result = transfer(CONTENT, [STYLE, OTHER], config, style_masks=[half(255, 0), half(0, 255)])
    assert np.isfinite(result.total) and result.image.shape == (1, 64, 64, 3)
    kinds = {name.split("/")[0] for name in result.losses}
    assert kinds == {"content", "style", "total_variation", "photorealism"}
    assert float(tf.reduce_max(tf.abs(result.image - load_image(CONTENT)))) > 1e-4
