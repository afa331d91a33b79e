import numpy as np
import pytest
import tensorflow as tf
from encoder.recipe import EncoderRecipe
from encoder.trunk import calibrate, folded, trunk
from encoder.units import ROOT_MEAN_SQUARE, in_usual_units

from tfstyle.io import images
from tfstyle.vgg import network

from conftest import picture

TINY = {"widths": (4, 6, 8, 8, 8), "precision": "float32", "crop_size": 32}
VIEWS = tf.constant(np.stack([picture(32, 32, seed) for seed in range(4)]) / np.float32(255))


def plain(weights):
    return network.build(
        network.vgg19(), weights, list(weights), pooling="average", padding="zeros", dtype="float32"
    )


@pytest.mark.parametrize("normalization", ["weight", "batch"])
def test_what_is_folded_computes_the_same(normalization):
    tf.keras.utils.set_random_seed(1)
    model = trunk(EncoderRecipe(**TINY, normalization=normalization))
    if normalization == "weight":
        calibrate(model, VIEWS)
    else:
        for _ in range(3):
            model(VIEWS, training=True)  # moves the running statistics away from 0 and 1
    expected = model(VIEWS, training=False)
    found = plain(folded(model))(VIEWS)
    assert list(found) == [
        f"block{b}_conv{c}" for b, d in enumerate((2, 2, 4, 4, 2), 1) for c in range(1, d + 1)
    ]
    for layer, activation in found.items():
        np.testing.assert_allclose(activation, expected[layer], rtol=1e-3, atol=1e-4)


def test_calibration_gives_unit_responses():
    tf.keras.utils.set_random_seed(1)
    model = trunk(EncoderRecipe(**TINY))
    calibrate(model, VIEWS)
    for layer in ("block1_conv1", "block3_conv2", "block5_conv1"):
        convolution = model.get_layer(layer)
        inputs = tf.keras.Model(model.input, convolution.input)(VIEWS)
        response = tf.nn.conv2d(inputs, convolution.normalized_kernel(), 1, "SAME") + convolution.bias
        np.testing.assert_allclose(
            tf.reduce_mean(response, [0, 1, 2]), np.zeros(response.shape[-1]), atol=1e-3
        )
        np.testing.assert_allclose(
            tf.math.reduce_std(response, [0, 1, 2]), np.ones(response.shape[-1]), rtol=1e-3
        )


def test_filters_are_centred_but_for_those_that_see_colours():
    tf.keras.utils.set_random_seed(1)
    model = trunk(EncoderRecipe(**TINY))
    sums = tf.reduce_sum(model.get_layer("block1_conv1").normalized_kernel(), [0, 1, 2]).numpy()
    assert abs(sums[0]) > 1e-2 and np.allclose(sums[1:], 0, atol=1e-5)
    assert np.allclose(
        tf.reduce_sum(model.get_layer("block2_conv1").normalized_kernel(), [0, 1, 2]), 0, atol=1e-5
    )


def test_usual_units_change_scale_only():
    tf.keras.utils.set_random_seed(1)
    model = trunk(EncoderRecipe(**TINY))
    calibrate(model, VIEWS)
    photographs = [picture(40, 32, seed) for seed in range(3)]
    before, after = plain(folded(model)), plain(in_usual_units(folded(model), photographs))
    batches = [
        images.resize(photograph[None] / np.float32(255), (zoom * 40, zoom * 32))
        for photograph in photographs
        for zoom in (1, 2)
    ]
    sizes = {}
    for layer, output in after.output.items():
        filters = output.shape[-1]
        values = np.concatenate([after(batch)[layer].numpy().reshape(-1, filters) for batch in batches])
        sizes[layer] = np.sqrt(np.mean(np.square(values), 0))
    for layer, activation in after(batches[0]).items():
        fired = sizes[layer] > 0
        np.testing.assert_allclose(sizes[layer][fired], ROOT_MEAN_SQUARE, rtol=1e-2)
        # Each filter is a constant multiple of what it was.
        old, new = before(batches[0])[layer].numpy(), activation.numpy()
        scale = new.sum((0, 1, 2)) / np.maximum(old.sum((0, 1, 2)), 1e-9)
        np.testing.assert_allclose(new, old * scale, rtol=2e-2, atol=1e-1)
