import numpy as np
import pytest
import tensorflow as tf

from tfstyle.vgg import feature_extractor, random_weights
from tfstyle.vgg.network import layout
from tfstyle.vgg.network import vgg19 as application

from conftest import picture

LAYOUT = layout(application())

EVERY_BLOCK = ["conv1_1", "conv2_1", "conv3_1", "conv4_1", "conv5_1"]


@pytest.mark.parametrize("pooling", ["max", "average"])
def test_activations_live_and_keep_their_size_at_every_depth(pooling):
    extractor = feature_extractor(EVERY_BLOCK, weights="random", pooling=pooling)
    activations = extractor(picture(96, 128)[np.newaxis] / np.float32(255))
    for layer, activation in activations.items():
        values = activation.numpy()
        assert 0.1 < np.mean(values > 0) < 0.9, layer
        # E[relu(z)] = 0.4 deviations of a centred z; another picture than the
        # reference may differ by some factor, but not by orders.
        assert 0.1 < values.mean() / (0.4 * random_weights.MAGNITUDE) < 4, layer


def test_seed_decides():
    def first(seed):
        return feature_extractor(["conv1_1"], weights="random", seed=seed).get_weights()[0]

    np.testing.assert_array_equal(first(0), first(0))
    assert np.abs(first(0) - first(1)).max() > 0


def test_a_layer_does_not_depend_on_how_many_are_asked_for():
    shallow = random_weights.calibrated(LAYOUT, ["block2_conv1"], "max", 0)
    deep = random_weights.calibrated(LAYOUT, ["block3_conv2"], "max", 0)
    for name, arrays in shallow.items():
        for one, other in zip(arrays, deep[name]):
            np.testing.assert_array_equal(one, other)


def test_calibration_is_exact_on_the_reference_pictures():
    values = random_weights.calibrated(LAYOUT, ["block1_conv1"], "max", 0)
    kernel, bias = values["block1_conv1"]
    pictures = random_weights.reference_pictures(0)
    response = tf.nn.conv2d(random_weights.caffe_pixels(pictures), kernel, 1, "SAME") + bias
    np.testing.assert_allclose(np.mean(response, axis=(0, 1, 2)), 0, atol=0.05)
    np.testing.assert_allclose(np.std(response, axis=(0, 1, 2)), random_weights.MAGNITUDE, rtol=1e-3)
