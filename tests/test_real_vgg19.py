"""The real VGG19 against the NumPy of `test_conformance.py`, in float64, and a transfer with it: known answers.

The weights are fetched once, 18.5 MB; where they cannot be had, these tests are
left out, unless TFSTYLE_VGG19=required.
"""

import os

import numpy as np
import pytest
import tensorflow as tf
from test_conformance import gram, vgg

from tfstyle import TransferConfig, feature_extractor, gram_matrix, transfer
from tfstyle.vgg import sources, weights
from tfstyle.vgg.network import layout, vgg19

from conftest import picture

LAYERS = [f"block{block}_conv1" for block in range(1, 6)] + ["block4_conv2"]
PICTURE = picture(48, 64, seed=7)


@pytest.fixture(scope="module")
def source():
    try:
        return sources.fetch()
    except OSError as error:
        if os.environ.get("TFSTYLE_VGG19") == "required":
            raise
        pytest.skip(str(error))


@pytest.fixture(scope="module")
def arrays(source):
    return weights.load("imagenet", layout(vgg19()))


def test_activations_and_gram_matrices(arrays):
    expected = vgg(PICTURE, arrays)
    found = feature_extractor(LAYERS)(tf.constant(PICTURE[np.newaxis] / 255, tf.float32))
    for layer in LAYERS:
        values = expected[layer]
        flat = np.reshape(found[layer], values.shape)
        np.testing.assert_allclose(flat, values, atol=2e-5 * values.max())
        np.testing.assert_allclose(
            np.linalg.norm(gram_matrix(found[layer])[0]), np.linalg.norm(values.T @ values), rtol=1e-5
        )


def test_the_numbers_are_those_of_imagenet(arrays):
    """Field-known statistics of the kernels: another network would not have them."""
    kernel, bias = arrays["block1_conv1"]
    assert kernel.mean() == pytest.approx(-0.0020493, rel=2e-2)
    assert kernel.std() == pytest.approx(0.1913770, rel=1e-3)
    assert bias.mean() == pytest.approx(0.4678207, rel=1e-5)
    assert arrays["block5_conv1"][0].std() == pytest.approx(0.0081818, rel=1e-3)


def test_a_transfer(arrays):
    """Its first losses are those of the formulas in NumPy; and it goes down."""
    content, style = picture(32, 48, seed=1), picture(32, 48, seed=2)
    config = TransferConfig(
        image_size=48, padding="zeros", precision="float32", scales=1, iterations=10, style_weight=30.0,
        optimizer="adam",
    )  # fmt: skip
    result = transfer(content, style, config)
    start, goal = (vgg(pixels, arrays) for pixels in (content, style))
    expected = {"content/block4_conv2": 0.0}
    for layer in config.style_layers:
        own, wanted = (gram(each[layer]) for each in (start, goal))
        expected[f"style/{layer}"] = 30 / 5 * np.sum((own - wanted) ** 2) / np.sum(wanted**2)
    assert result.history[0].losses == pytest.approx(expected, rel=1e-3, abs=1e-9)
    assert result.total < 0.5 * result.history[0].total
