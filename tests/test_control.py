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

from conftest import picture

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
    config = dataclasses.replace(config, optimizer="lbfgs")
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


@pytest.mark.parametrize("optimizer", ["lbfgs", "adam", "sgd"])
def test_what_has_no_region_is_left_as_it_is(config, optimizer):
    config = dataclasses.replace(config, optimizer=optimizer, iterations=8)
    result = transfer(CONTENT, STYLE, config, content_masks=[half(255, 0)])
    content = load_image(CONTENT)
    np.testing.assert_array_equal(result.image[:, :, 34:], content[:, :, 34:])
    assert np.abs(result.image - content)[:, :, :30].max() > 0.02


def test_reporters_see_finished_pictures(config):
    class Seen:
        def __init__(self):
            self.images = []

        def report(self, progress, image):
            self.images.append(image.numpy())

    seen = Seen()
    config = dataclasses.replace(config, iterations=6, log_every=3, color="content")
    result = transfer(CONTENT, STYLE, config, content_masks=[half(255, 0)], reporters=[seen])
    for image in seen.images:
        np.testing.assert_array_equal(image[:, :, 34:], load_image(CONTENT)[:, :, 34:])
    np.testing.assert_array_equal(seen.images[-1], result.image)


def test_transparent_content_stays_transparent(config):
    alpha = half(255, 0)[..., :1]
    content = Image.fromarray(np.concatenate([CONTENT, alpha], axis=-1))
    result = transfer(content, STYLE, dataclasses.replace(config, iterations=4))
    np.testing.assert_array_equal(result.alpha[0, ..., 0], alpha[..., 0] / 255)
    np.testing.assert_array_equal(result.image[:, :, 32:], np.ones((1, 64, 32, 3)))


def test_light_alone(config):
    """Chrominance is the content's to 1/255 where nothing is clipped."""
    content = (96 + CONTENT / 4).astype(np.uint8)  # far from the bounds
    result = transfer(content, STYLE, dataclasses.replace(config, color="content", iterations=15))
    image, before = result.image.numpy(), load_image(content).numpy()
    change = image - before
    unclipped = (image > 0).all(-1) & (image < 1).all(-1)
    assert unclipped.mean() > 0.5
    # Only light changes: all three channels by the same.
    assert np.ptp(change, axis=-1)[unclipped].max() < 1 / 255
    assert np.abs(change).max() > 0.05


def test_a_photograph_stays_one(config):
    """With the matting Laplacian, what the content does not have locally does not come in."""
    config = dataclasses.replace(config, optimizer="lbfgs", iterations=12)
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
    "style_loss": ["gram", "moments", "bures", "histogram"],
    "color": ["style", "content", "matched"],
    "optimizer": ["lbfgs", "adam", "sgd"],
    "tv_loss": ["squared", "inner_squared", "absolute", "mean_squared"],
}


@pytest.mark.parametrize("index", range(4))
def test_all_of_it_together(config, index):
    """Every option at once, each in its turn; tiled, recomputed and plain."""
    chosen = {name: values[index % len(values)] for name, values in COMBINED.items()}
    config = dataclasses.replace(
        config, **chosen, evaluation=("plain", "recompute", "tiled", "auto")[index], iterations=4,
        scales=(2, 1, 1, 1)[index], style_scale=0.75, style_blend=(2, 1),
        blend=("targets", "losses")[index % 2], style_strength=0.4, content_weight=1.0, tv_weight=1e-3,
        photorealistic=True, postprocess=("none", "guided")[index % 2],
        averaging=0.5 if chosen["optimizer"] != "lbfgs" else 0.0, padding=("zeros", "reflect")[index % 2],
    )  # fmt: skip
    result = transfer(CONTENT, [STYLE, OTHER], config, style_masks=[half(255, 0), half(0, 255)])
    assert np.isfinite(result.total) and result.image.shape == (1, 64, 64, 3)
    assert {name.split("/")[0] for name in result.losses} == {
        "content",
        "style",
        "total_variation",
        "photorealism",
    }
    assert float(tf.reduce_max(tf.abs(result.image - load_image(CONTENT)))) > 1e-4
