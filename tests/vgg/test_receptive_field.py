import numpy as np
import pytest
import tensorflow as tf

from tfstyle.vgg import feature_extractor, normalize_activations
from tfstyle.vgg.receptive_field import Reach, reaches

layers = tf.keras.layers

# By hand: a 3x3 convolution adds the stride at which it works, a pooling doubles the stride.
VGG19 = {
    "block1_conv1": Reach(1, 1), "block1_conv2": Reach(1, 2), "block2_conv1": Reach(2, 4),
    "block3_conv1": Reach(4, 10), "block4_conv2": Reach(8, 38), "block5_conv1": Reach(16, 70),
    "block5_conv4": Reach(16, 118),
}  # fmt: skip


@pytest.mark.parametrize("padding", ["zeros", "reflect", "replicate"])
@pytest.mark.parametrize("pooling", ["max", "average"])
def test_vgg19_by_hand(narrow_file, padding, pooling):
    extractor = feature_extractor(VGG19, weights=narrow_file, padding=padding, pooling=pooling)
    assert reaches(extractor) == VGG19
    assert reaches(normalize_activations(extractor, tf.zeros([1, 32, 32, 3]))) == VGG19


@pytest.mark.parametrize("layer", ["block1_conv2", "block3_conv1", "block4_conv2"])
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
