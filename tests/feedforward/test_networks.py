"""Feed-forward networks: any size, no frame, one normalisation per style."""

import numpy as np
import pytest
import tensorflow as tf

from tfstyle.feedforward.layers import (
    ConditionalInstanceNormalization,
    CutToSize,
    DoublingConv2D,
    ReflectedConv2D,
    ReflectedUp,
    reflected_up,
)
from tfstyle.feedforward.networks import run, transformation_network

from conftest import differing, noise

MIXED = np.float32([[0.2, 0.5, 0.3]])
SIZES = [(1, 1), (1, 7), (5, 3), (16, 16), (33, 47)]


def network(**options):
    return differing(transformation_network(3, **{"width": 4, "residual_blocks": 1, **options}))


def made_of(made, image, style=MIXED):
    style = np.broadcast_to(style, (len(image), 3))
    return made({"image": image, "style": style}).numpy()


@pytest.fixture(scope="module")
def narrow():
    return network()


# The network.


@pytest.mark.parametrize("size", SIZES)
def test_any_size_comes_back_in_range(size, narrow):
    made = made_of(narrow, noise(2, *size, 3))
    assert made.shape == (2, *size, 3)
    assert made.dtype == np.float32
    assert made.min() >= 0
    assert made.max() <= 1
    # A single position has no variance: the picture does not show.
    assert size == (1, 1) or made.std(axis=(1, 2)).max() > 0.01


def test_pictures_of_a_batch_do_not_see_each_other(narrow):
    images, styles = noise(2, 17, 22, 3), np.float32([[0, 1, 0], [0.2, 0.5, 0.3]])
    together = made_of(narrow, images, styles)
    singles = [made_of(narrow, images[i : i + 1], styles[i : i + 1]) for i in range(2)]
    np.testing.assert_allclose(together, np.concatenate(singles), atol=1e-5)


@pytest.mark.parametrize("size", [(6, 9), (33, 47)])
def test_has_no_frame(size, narrow, monkeypatch):
    """Rounding at a border is none: nothing may divide it by the deviation of an even area, which is 0."""
    for layer in narrow.layers:
        if isinstance(layer, ConditionalInstanceNormalization):
            monkeypatch.setattr(layer, "epsilon", 1.0)
    image = np.broadcast_to(np.float32([1, 0.5, 0.2]), (1, *size, 3))
    made = made_of(narrow, image)
    np.testing.assert_allclose(made, np.broadcast_to(made[:, :1, :1], made.shape), atol=1e-5)


def test_parameters_counted_by_hand(narrow):
    kernels = 81 * 3 * 4 + 9 * (4 * 8 + 8 * 16 + 2 * 16 * 16 + 16 * 8 + 8 * 4) + 81 * 4 * 3 + 3
    normalised = 4 + 8 + 16 + 2 * 16 + 8 + 4
    assert narrow.count_params() == kernels + 3 * 2 * normalised == 9867


def test_the_seed_is_that_of_the_kernels():
    same, again, other = (transformation_network(width=4, residual_blocks=2, seed=s) for s in (3, 3, 4))
    for one, two, three in zip(same.get_weights(), again.get_weights(), other.get_weights()):
        np.testing.assert_array_equal(one, two)
        if one.ndim == 4:
            assert not np.any(one == three)
    kernels = [layer.kernel.numpy() for layer in same.layers if layer.name.startswith("residual1_") and hasattr(layer, "kernel")]  # fmt: skip
    assert len(kernels) == 2
    assert not np.any(kernels[0] == kernels[1])


@pytest.mark.parametrize("dtype", ["mixed_bfloat16", "mixed_float16"])
def test_half_precision_is_close_and_inside_only(narrow, dtype, tmp_path):
    half, image = network(dtype=dtype), noise(1, 21, 30, 3)
    half.set_weights(narrow.get_weights())
    made = made_of(half, image)
    assert made.dtype == np.float32
    assert {variable.dtype for variable in half.variables} == {"float32"}
    assert half.get_layer("first").compute_dtype == dtype.removeprefix("mixed_")
    assert np.abs(made - made_of(narrow, image)).mean() < 0.02
    half.save(tmp_path / "half.keras")
    np.testing.assert_array_equal(made_of(tf.keras.models.load_model(tmp_path / "half.keras"), image), made)


def test_every_parameter_is_trained_that_can_be(narrow):
    """A shift at the end of a residual block is the same everywhere, and the next normalisation takes it off."""
    with tf.GradientTape() as tape:
        made = narrow({"image": noise(1, 11, 14, 3), "style": MIXED}, training=True)
        loss = tf.reduce_sum(tf.square(made - 0.3))
    gradients = tape.gradient(loss, narrow.trainable_variables)
    assert len(gradients) == len(narrow.variables)
    idle = {own.path for own, gradient in zip(narrow.variables, gradients) if np.abs(gradient).max() < 1e-4}
    assert idle == {"residual1_b_norm/shift"}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"styles": 0}, r"^styles=0: must be a whole number, 1 or above$"),
        ({"width": 2.5}, r"^width=2\.5: "),
        ({"residual_blocks": -1}, r"^residual_blocks=-1: must be a whole number, 0 or above$"),
        ({"seed": -1}, r"^seed=-1: "),
        ({"dtype": "int8"}, r"^dtype='int8': must be one of float32, "),
    ],
)
def test_what_cannot_be_is_refused(options, message):
    with pytest.raises(ValueError, match=message):
        transformation_network(**options)


# Layer by layer.


def test_statistics_of_the_whole_make_its_parts(narrow):
    """A part with corners at multiples of 4 is, from 28 pixels inside it, what the whole is there."""
    image = noise(1, 90, 101, 3)
    statistics = {}

    def measured(layer, activation, style):
        statistics[layer.name] = layer.moments(activation)
        return layer.normalise(activation, *statistics[layer.name], style)

    run(narrow, image, MIXED, measured)

    def given(layer, activation, style):
        return layer.normalise(activation, *statistics[layer.name], style)

    whole = made_of(narrow, image)
    np.testing.assert_allclose(run(narrow, image, MIXED, given), whole, atol=1e-5)
    # The upper left corner, and the lower right one, whose sides are odd.
    part = run(narrow, image[:, :64, :68], MIXED, given)
    np.testing.assert_allclose(part[:, :36, :40], whole[:, :36, :40], atol=1e-5)
    part = run(narrow, image[:, 24:, 32:], MIXED, given)
    np.testing.assert_allclose(part[:, 28:, 28:], whole[:, 52:, 60:], atol=1e-5)
    assert np.abs(part[:, :4] - whole[:, 24:28, 32:]).max() > 1e-3


@pytest.mark.parametrize("blocks", [0, 1])
def test_a_pixel_reaches_as_far_as_is_said(blocks):
    made = network(residual_blocks=blocks)
    for layer in made.layers:
        if isinstance(layer, ReflectedConv2D):
            layer.kernel.assign(tf.abs(layer.kernel) + 0.01)
    furthest, image = 0, tf.constant(noise(1, 80, 80, 3))
    for position in range(40, 44):
        with tf.GradientTape() as tape:
            tape.watch(image)
            logits = run(made, image, MIXED, lambda layer, activation, style: activation * 0.1)
            value = logits[0, position, position, 0]
        rows = np.nonzero(np.any(tape.gradient(value, image)[0], axis=(1, 2)))[0]
        furthest = max(furthest, position - rows[0], rows[-1] - position)
    assert furthest == 20 + 8 * blocks


# The layers.


def test_normalisation_by_the_formula():
    layer = ConditionalInstanceNormalization(3)
    activation, style = 5 + 2 * noise(2, 4, 7, 6), np.float32([[0, 0, 1], [0.2, 0.5, 0.3]])
    layer(activation, style)
    scale, shift = noise(3, 6, seed=1), noise(3, 6, seed=2)
    layer.scale.assign(scale)
    layer.shift.assign(shift)
    expected = np.empty(activation.shape)
    for picture in range(2):
        for channel in range(6):
            values = activation[picture, ..., channel].astype(np.float64)
            normal = (values - values.mean()) / np.sqrt(values.var() + 1e-3)
            expected[picture, ..., channel] = (
                normal * (style[picture] @ scale)[channel] + (style[picture] @ shift)[channel]
            )
    np.testing.assert_allclose(layer(activation, style), expected, atol=2e-5)


@pytest.mark.parametrize("dtype", ["mixed_bfloat16", "mixed_float16"])
def test_only_the_result_is_rounded_to_half_precision(dtype):
    """Sums over 4096 positions, and numbers such as 0.3, are beyond half precision."""
    layer = ConditionalInstanceNormalization(2, dtype=dtype)
    activation, style = tf.cast(3 + noise(1, 64, 64, 2), layer.compute_dtype), np.float32([[0.3, 0.7]])
    layer(activation, style)
    scale, shift = np.float32([[1.001, 1], [2.003, 2]]), np.float32([[0, 20.01], [0, 30.03]])
    layer.scale.assign(scale)
    layer.shift.assign(shift)
    mean, variance = layer.moments(activation)
    wide = np.float64(activation)
    np.testing.assert_allclose(mean, wide.mean(axis=(1, 2)), rtol=1e-6)
    np.testing.assert_allclose(variance, wide.var(axis=(1, 2)), rtol=1e-4)
    normal = (wide - wide.mean(axis=(1, 2))) / np.sqrt(wide.var(axis=(1, 2)) + 1e-3)
    expected = tf.cast(normal * (style @ scale) + style @ shift, layer.compute_dtype)
    same = np.equal(layer(activation, style), expected)
    assert same.mean() > 0.98  # the others lie between two numbers of that precision


@pytest.mark.parametrize(
    ("own", "size"), [((5, 7), (8, 8)), ((8, 9), (8, 12)), ((2, 1), (8, 8)), ((4, 4), (4, 4))]
)
def test_reflection_as_by_numpy(own, size):
    pictures = noise(2, *own, 3)
    more = [(0, after - before) for before, after in zip(own, size)]
    expected = np.pad(pictures, [(0, 0), *more, (0, 0)], mode="reflect")
    np.testing.assert_array_equal(reflected_up(pictures, size), expected)


@pytest.mark.parametrize(("own", "size"), [((1, 7), (8, 8)), ((8, 9), (8, 12)), ((13, 16), (16, 16))])
def test_sides_become_multiples_of_four_and_are_cut_again(own, size):
    pictures, layer = noise(2, *own, 3), ReflectedUp()
    made = layer(pictures)
    assert made.shape == layer.compute_output_shape(pictures.shape) == (2, *size, 3)
    np.testing.assert_array_equal(CutToSize()(made, pictures), pictures)


@pytest.mark.parametrize("strides", [1, 2])
@pytest.mark.parametrize("size", [(2, 5), (8, 9)])
def test_a_convolution_sees_the_reflection(size, strides):
    layer = ReflectedConv2D(4, 3, strides=strides)
    activation = noise(1, *size, 2)
    padded = np.pad(activation, [(0, 0), (1, 1), (1, 1), (0, 0)], mode="reflect")
    made = layer(activation)
    np.testing.assert_allclose(made, tf.nn.conv2d(padded, layer.kernel, strides, "VALID"), atol=1e-6)
    assert layer.compute_output_shape((None, *size, 2)) == (None, *made.shape[1:])
    assert layer.compute_output_shape((None, None, None, 2)) == (None, None, None, 4)


@pytest.mark.parametrize("size", [(1, 1), (2, 2), (5, 3), (6, 7)])
def test_doubled_as_by_bilinear_resizing(size):
    layer = DoublingConv2D(4, activation="relu", bias_initializer="normal", dtype="float64")
    activation = noise(2, *size, 3).astype(np.float64)
    made = layer(activation)
    doubled = tf.image.resize(activation, [2 * side for side in size])
    bordered = np.pad(doubled, [(0, 0), (1, 1), (1, 1), (0, 0)], mode="edge").astype(np.float64)
    expected = tf.nn.relu(tf.nn.conv2d(bordered, layer.kernel, 1, "VALID") + layer.bias)
    np.testing.assert_allclose(made, expected, atol=1e-6)
    assert made.shape == layer.compute_output_shape(activation.shape)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: ReflectedConv2D(4, 4), r"^kernel_size=4: must be odd"),
        (lambda: ReflectedConv2D(4, 3, data_format="channels_first"), r"^data_format='channels_first': "),
        (
            lambda: DoublingConv2D(4, 5),
            r"^kernel_size, strides, data_format: must be 3, 1 and channels_last$",
        ),
    ],
)
def test_convolutions_that_are_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_colors_are_those_of_the_mean_of_pixels_around():
    """What noise there is in single pixels is not made colourful; at the border, of those that there are."""
    made = network(colors=True, dtype="float64")
    image, style = noise(1, 16, 12, 3).astype(np.float64), np.float64([[0.2, 0.5, 0.3]])
    around = np.pad(image, [(0, 0), (2, 2), (2, 2), (0, 0)], constant_values=np.nan)
    shifted = [around[:, row : row + 16, column : column + 12] for row in range(5) for column in range(5)]
    layer = made.get_layer("style_colors")
    layer.colors.assign(np.random.default_rng(1).normal(scale=0.1, size=layer.colors.shape))
    painted = tf.keras.Model(made.input, layer.input[0])({"image": image, "style": style})
    expected = layer(painted, tf.constant(np.nanmean(shifted, axis=0)), tf.constant(style))
    np.testing.assert_allclose(made({"image": image, "style": style}), expected, atol=1e-12)
