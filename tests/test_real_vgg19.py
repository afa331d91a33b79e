"""The real VGG19 against independent NumPy in float64, and a transfer with it: known answers.

The weights are fetched once, 18.5 MB; where they cannot be had, these tests are
left out, unless TFSTYLE_VGG19=required.
"""

import os

import numpy as np
import pytest
import tensorflow as tf

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


def in_numpy(pixels, arrays):
    """{layer: activation [h, w, C]} in float64, by the paper's network and nothing of TensorFlow's."""
    values = pixels[..., ::-1].astype(np.float64) - [103.939, 116.779, 123.68]
    found, block = {}, "block1"
    for name, (kernel, bias) in arrays.items():
        if not name.startswith(block):
            height, width = (side // 2 for side in values.shape[:2])
            cells = values[: 2 * height, : 2 * width].reshape(height, 2, width, 2, -1)
            values, block = cells.max((1, 3)), name[:6]
        padded = np.pad(values, ((1, 1), (1, 1), (0, 0)))
        height, width = values.shape[:2]
        values = sum(
            padded[row : row + height, column : column + width] @ kernel[row, column].astype(np.float64)
            for row in range(3)
            for column in range(3)
        )
        found[name] = values = np.maximum(values + bias, 0)
        if name == LAYERS[-2]:  # the deepest
            break
    return found


def test_activations_and_gram_matrices(arrays):
    expected = in_numpy(PICTURE, arrays)
    found = feature_extractor(LAYERS)(tf.constant(PICTURE[np.newaxis] / 255, tf.float32))
    for layer in LAYERS:
        values = expected[layer]
        np.testing.assert_allclose(found[layer][0], values, atol=2e-5 * values.max())
        flat = values.reshape(-1, values.shape[-1])
        np.testing.assert_allclose(
            np.linalg.norm(gram_matrix(found[layer])[0]), np.linalg.norm(flat.T @ flat), rtol=1e-5
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
    start, goal = (in_numpy(pixels, arrays) for pixels in (content, style))
    expected = {"content/block4_conv2": 0.0}
    for layer in config.style_layers:
        own, wanted = (
            np.einsum("hwi,hwj->ij", each[layer], each[layer]) / each[layer][..., 0].size
            for each in (start, goal)
        )
        expected[f"style/{layer}"] = 30 / 5 * np.sum((own - wanted) ** 2) / np.sum(wanted**2)
    assert result.history[0].losses == pytest.approx(expected, rel=1e-3, abs=1e-9)
    assert result.total < 0.5 * result.history[0].total
