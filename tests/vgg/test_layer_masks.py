"""A mask in a layer is the share of what each position sees that lies in the region."""

import numpy as np
import pytest
import tensorflow as tf

from tfstyle.vgg import feature_extractor, normalize_activations
from tfstyle.vgg.receptive_field import propagated, reaches

layers = tf.keras.layers
LAYERS = ["block1_conv1", "block1_conv2", "block2_conv2", "block3_conv4", "block4_conv2", "block5_conv1"]


def spots(height, width, seed=0):
    return np.random.default_rng(seed).random([1, height, width, 1]).astype(np.float32)


def box(values, size, dilation=1):
    """By loops: the mean over the positions of a window that are in the map."""
    half, found = size // 2, np.zeros_like(values)
    steps = range(-half * dilation, half * dilation + 1, dilation)
    for row, column in np.ndindex(values.shape):
        near = [(row + down, column + right) for down in steps for right in steps]
        inside = [(r, c) for r, c in near if 0 <= r < values.shape[0] and 0 <= c < values.shape[1]]
        found[row, column] = np.mean([values[place] for place in inside])
    return found


def pooled(values, size):
    height, width = (side // size for side in values.shape)
    return np.array(
        [
            [values[r * size : (r + 1) * size, c * size : (c + 1) * size].mean() for c in range(width)]
            for r in range(height)
        ]
    )


def test_a_small_network_by_loops():
    """Zero and explicit padding, two poolings, holes in windows, and two ways to join."""
    start = layers.Input((None, None, 1))
    first = layers.Conv2D(2, 3, padding="same", activation="relu")(start)
    second = layers.ReLU()(layers.MaxPooling2D(2)(first))
    padded = tf.keras.ops.pad(second, ((0, 0), (1, 1), (1, 1), (0, 0)), "reflect")
    third = layers.Conv2D(2, 3)(padded)
    sparse = layers.Conv2D(2, 3, padding="same", dilation_rate=2)(third)
    both = layers.Concatenate()([layers.Add()([third, sparse]), second])
    last = layers.Conv2D(2, 5, padding="same")(layers.AveragePooling2D(3)(both))
    model = tf.keras.Model(start, {"first": first, "third": third, "both": both, "last": last})

    mask = spots(23, 20)
    one = box(mask[0, ..., 0].astype(np.float64), 3)
    two = pooled(one, 2)
    three = box(two, 3)
    joined = ((three + box(three, 3, dilation=2)) / 2 + two) / 2
    expected = {"first": one, "third": three, "both": joined, "last": box(pooled(joined, 3), 5)}
    found = propagated(model, mask, expected)
    assert list(found) == list(expected)
    for layer, values in expected.items():
        np.testing.assert_allclose(found[layer][0, ..., 0], values, atol=1e-6)


def test_is_the_activation_of_equal_weights():
    """Where nothing outside the picture is seen, a linear network of box kernels computes the same."""
    start = end = layers.Input((None, None, 1))
    for operation in (
        layers.Conv2D(1, 3, padding="same", use_bias=False),
        layers.Conv2D(1, 5, padding="same", use_bias=False),
        layers.AveragePooling2D(2),
        layers.Conv2D(1, 3, padding="same", use_bias=False),
        layers.AveragePooling2D(2),
        layers.Conv2D(1, 3, padding="same", use_bias=False),
    ):
        end = operation(end)
    model = tf.keras.Model(start, {"out": end})
    model.set_weights([np.full_like(kernel, 1 / kernel.size) for kernel in model.get_weights()])
    mask = spots(64, 71)
    found, activation = propagated(model, mask, ["out"])["out"].numpy(), model(mask)["out"].numpy()
    stride, radius = reaches(model)["out"]
    margin = -(-radius // stride)
    inside = (0, slice(margin, -margin), slice(margin, -margin))
    assert found[inside].size > 50
    np.testing.assert_allclose(found[inside], activation[inside], atol=1e-6)
    assert np.abs(found - activation)[:, 0].max() > 0.05  # the network sees zeros outside


@pytest.mark.parametrize("padding", ["zeros", "reflect", "replicate"])
@pytest.mark.parametrize("size", [(32, 32), (33, 47), (63, 34), (50, 95)])
def test_has_the_grid_of_the_activations(narrow_file, padding, size):
    extractor = feature_extractor(LAYERS, weights=narrow_file, padding=padding)
    activations = extractor(tf.zeros([1, *size, 3]))
    for layer, mask in propagated(extractor, tf.ones([1, *size, 1]), LAYERS).items():
        assert mask.shape == (*activations[layer].shape[:3], 1)
        np.testing.assert_array_equal(mask, 1)  # exactly


@pytest.mark.parametrize(("size", "dilation"), [(3, 3), (2, 2)])
def test_windows_with_holes(size, dilation):
    """Of which the smaller sees the four diagonal neighbours alone."""
    start = layers.Input((None, None, 1))
    end = layers.Conv2D(1, size, padding="same", dilation_rate=dilation)(start)
    model = tf.keras.Model(start, {"out": end})
    np.testing.assert_array_equal(
        propagated(model, tf.ones([1, 11, 8, 1]), ["out"])["out"], np.ones((1, 11, 8, 1))
    )
    point = np.zeros([1, 11, 8, 1], np.float32)
    point[0, 5, 4] = 1
    found = propagated(model, point, ["out"])["out"].numpy()[0, ..., 0]
    steps = np.array([-3, 0, 3] if size == 3 else [-1, 1])
    assert {*zip(*np.nonzero(found))} == {(r, c) for r in 5 + steps for c in 4 + steps if c < 8}
    # Both see four positions from there: the larger's other five are outside the map.
    np.testing.assert_allclose(found[5 + steps[0], 4 + steps[0]], 1 / 4, atol=1e-6)


def test_regions_share_what_lies_between_them(narrow_file):
    extractor = feature_extractor(LAYERS, weights=narrow_file, dtype="float64")
    left = np.zeros([1, 160, 320, 1], np.float32)
    left[:, :, :160] = 1
    found, others = (propagated(extractor, mask, LAYERS) for mask in (left, 1 - left))
    for layer, (stride, radius) in reaches(extractor).items():
        mask = found[layer].numpy()
        assert found[layer].dtype == tf.float32
        np.testing.assert_allclose(mask + others[layer], 1, atol=1e-6)
        # Of pixels 0 to 159: the last position that sees no others, and the first that sees none of them.
        last, first = (160 - radius) // stride - 1, -(-(160 + radius) // stride)
        np.testing.assert_allclose(mask[:, :, : last + 1], 1, atol=1e-6)
        np.testing.assert_array_equal(mask[:, :, first:], 0)
        assert (mask[:, :, last + 1] < 1).all() and (mask[:, :, first - 1] > 0).all()


def test_through_normalised_activations_and_in_the_order_asked_for(narrow_file):
    extractor = feature_extractor(LAYERS, weights=narrow_file)
    mask, asked = spots(40, 40), ["block3_conv4", "block1_conv1"]
    normalised = propagated(normalize_activations(extractor, tf.zeros([1, 40, 40, 3])), mask, asked)
    assert list(normalised) == asked
    for layer, found in propagated(extractor, mask, asked).items():
        np.testing.assert_array_equal(normalised[layer], found)


def test_complains_as_reaches_does():
    start = layers.Input((None, None, 1))
    strided = tf.keras.Model(start, {"out": layers.Conv2D(1, 3, strides=2, padding="same", name="c")(start)})
    with pytest.raises(ValueError, match=r"^extractor: Conv2D 'c' must have a square kernel"):
        propagated(strided, spots(8, 8), ["out"])
    with pytest.raises(ValueError, match=r"^extractor: .* must be a functional Keras model"):
        propagated(lambda image: {"out": image}, spots(8, 8), ["out"])
