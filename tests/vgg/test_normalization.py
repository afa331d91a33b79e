import numpy as np
import pytest
import tensorflow as tf

from tfstyle.vgg import feature_extractor, normalize_activations

from conftest import picture

LAYERS = ["conv1_1", "conv1_2", "conv2_2", "conv3_3", "conv5_1"]
IMAGES = [
    picture(40, 48, seed=1)[np.newaxis] / np.float32(255),
    picture(33, 35, seed=2)[np.newaxis] / np.float32(255),
]


def means(extractor):
    """{layer: mean activation of each filter over all pictures and positions}."""
    sums, count = {}, {}
    for image in IMAGES:
        for layer, activation in extractor(image).items():
            sums[layer] = sums.get(layer, 0) + activation.numpy().astype(float).sum((0, 1, 2))
            count[layer] = count.get(layer, 0) + np.prod(activation.shape[:3])
    return {layer: sums[layer] / count[layer] for layer in sums}


@pytest.mark.parametrize("pooling", ["max", "average"])
@pytest.mark.parametrize("padding", ["zeros", "reflect"])
def test_means_become_1_and_nothing_else_changes(narrow_file, pooling, padding):
    extractor = feature_extractor(LAYERS, weights=narrow_file, pooling=pooling, padding=padding)
    before = means(extractor)
    normalized = normalize_activations(extractor, IMAGES)
    for layer, mean in means(normalized).items():
        # A filter that never fires keeps its mean of 0.
        np.testing.assert_allclose(mean, before[layer] > 0, rtol=1e-4, atol=1e-6)
    # The same pictures in, the same activations out, each filter in its own unit.
    for image in IMAGES:
        for layer, activation in normalized(image).items():
            unit = np.where(before[layer] > 0, before[layer], 1)
            expected = extractor(image)[layer] / unit
            np.testing.assert_allclose(activation, expected, rtol=1e-3, atol=1e-3)


def test_the_given_extractor_is_unchanged(narrow_file):
    extractor = feature_extractor(["conv2_1"], weights=narrow_file)
    before = [weight.copy() for weight in extractor.get_weights()]
    normalized = normalize_activations(extractor, tf.constant(IMAGES[0]))
    for one, other in zip(before, extractor.get_weights()):
        np.testing.assert_array_equal(one, other)
    assert not normalized.trainable_variables


def test_a_dead_filter_is_left_alone(narrow_file):
    extractor = feature_extractor(["conv1_1", "conv1_2"], weights=narrow_file)
    kernel, bias = extractor.get_layer("block1_conv1").get_weights()
    kernel[..., 0], bias[0] = 0, -1  # never fires
    extractor.get_layer("block1_conv1").set_weights([kernel, bias])
    normalized = normalize_activations(extractor, IMAGES)
    assert all(np.isfinite(weight).all() for weight in normalized.get_weights())
    np.testing.assert_array_equal(normalized(IMAGES[0])["block1_conv1"][..., 0], 0)
