"""Which pixels an activation depends on; and masks, which in a layer are the share of it that lies in the region."""

import numpy as np
import pytest
import tensorflow as tf

from tfstyle.vgg import feature_extractor, normalize_activations
from tfstyle.vgg.receptive_field import Reach, propagated, reaches

layers = tf.keras.layers

# By hand: a 3x3 convolution adds the stride at which it works, a pooling doubles the stride.
VGG19 = {
    "block1_conv1": Reach(1, 1), "block1_conv2": Reach(1, 2), "block2_conv1": Reach(2, 4),
    "block3_conv1": Reach(4, 10), "block4_conv2": Reach(8, 38), "block5_conv1": Reach(16, 70),
    "block5_conv4": Reach(16, 118),
}  # fmt: skip


@pytest.mark.parametrize(("padding", "pooling"), [("zeros", "average"), ("reflect", "max")])
def test_vgg19_by_hand(narrow_file, padding, pooling):
    extractor = feature_extractor(VGG19, weights=narrow_file, padding=padding, pooling=pooling)
    assert reaches(extractor) == VGG19
    assert reaches(normalize_activations(extractor, tf.zeros([1, 32, 32, 3]))) == VGG19


@pytest.mark.parametrize("layer", ["block1_conv2", "block4_conv2"])
def test_is_where_the_gradient_ends(narrow_file, layer):
    """With average pooling and weights all positive, a position's gradient is its whole receptive field."""
    extractor = feature_extractor([layer], weights=narrow_file, pooling="average", dtype="float64")
    for variable in extractor.variables:
        variable.assign(tf.abs(variable) + 0.1)
    stride, radius = reaches(extractor)[layer]
    image = tf.ones([1, 160, 160, 3], tf.float64)
    position = 80 // stride
    with tf.GradientTape() as tape:
        tape.watch(image)
        value = tf.reduce_sum(extractor(image)[layer][0, position, position])
    rows = np.nonzero(np.any(tape.gradient(value, image)[0], axis=(1, 2)))[0]
    assert (rows[0], rows[-1]) == (position * stride - radius, (position + 1) * stride - 1 + radius)


def model(*operations, inputs=(None, None, 3)):
    start = end = layers.Input(inputs)
    for operation in operations:
        end = operation(end)
    return tf.keras.Model(start, {"out": end})


def test_other_networks_by_hand():
    wide = layers.Conv2D(2, 5, padding="same", dilation_rate=2)  # sees 4 positions to each side
    pooled = layers.AveragePooling2D(3)
    assert reaches(model(wide, layers.ReLU(), pooled, wide.__class__(2, 1)))["out"] == Reach(3, 4)
    start = layers.Input((None, None, 3))
    one, other = layers.Conv2D(3, 3, padding="same")(start), layers.Conv2D(3, 7, padding="same")(start)
    joined = tf.keras.Model(
        start, {"sum": layers.Add()([one, other]), "both": layers.Concatenate()([start, one])}
    )
    assert reaches(joined) == {"sum": Reach(1, 3), "both": Reach(1, 1)}


class Shift(layers.Layer):
    def call(self, x):
        return tf.roll(x, 1, axis=1)


TWICE = layers.Conv2D(3, 3, padding="same", name="twice")
THRICE = layers.ReLU(name="thrice")


@pytest.mark.parametrize(
    ("operations", "problem"),
    [
        ([Shift(name="mine")], "Shift 'mine' is of no known kind"),
        ([type("Add", (Shift,), {})(name="posing")], "Add 'posing' is of no known kind"),
        ([layers.Conv2D(3, 3, strides=2, name="c")], "Conv2D 'c' must have a square kernel of odd size"),
        ([layers.Conv2D(3, (3, 5), name="c")], "Conv2D 'c' must have a square kernel of odd size"),
        ([layers.Conv2D(3, 4, padding="same", name="c")], "Conv2D 'c' must have a square kernel of odd"),
        ([layers.Conv2D(3, 3, name="c")], "output 'out' loses or gains positions"),
        ([layers.MaxPooling2D(3, strides=2, name="p")], "MaxPooling2D 'p' must have windows side by side"),
        ([layers.MaxPooling2D(2, padding="same", name="p")], "MaxPooling2D 'p' must have windows"),
        ([lambda x: tf.keras.ops.pad(x, ((0, 0), (1, 0), (1, 0), (0, 0)))], "Pad 'pad.*' must pad rows and columns alike"),
        ([lambda x: tf.keras.ops.flip(x, axis=1)], "Flip 'flip.*' is of no known kind"),
        ([layers.GlobalAveragePooling2D(name="g")], "GlobalAveragePooling2D 'g' is of no known kind"),
        ([THRICE, layers.ReLU(name='r'), THRICE], "before '(r|thrice|out)', a layer is used"),
        ([TWICE, TWICE], "before '(twice|out)', a layer is used that is used elsewhere"),
    ],
)  # fmt: skip
def test_what_cannot_be_told_is_named(operations, problem):
    with pytest.raises(ValueError, match=f"^extractor: {problem}"):
        reaches(model(*operations))


def test_a_model_without_a_graph():
    for extractor in (lambda image: {"out": image}, tf.keras.Sequential([layers.ReLU()])):
        with pytest.raises(ValueError, match="must be a functional Keras model from one picture"):
            reaches(extractor)


# Masks.

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


@pytest.mark.parametrize(("padding", "size"), [("zeros", (33, 47)), ("reflect", (50, 95))])
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
