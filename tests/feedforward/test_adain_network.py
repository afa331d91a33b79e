"""Networks for any style: encoder, AdaIN, decoder; any size, no frame, strengths and mixtures."""

import numpy as np
import pytest
import tensorflow as tf

from tfstyle import feature_extractor
from tfstyle.feedforward.adain import mixed
from tfstyle.feedforward.adain_network import style_network
from tfstyle.feedforward.layers import DoublingConv2D, ReflectedConv2D

from conftest import narrow_weights

SIZES = [(1, 1), (7, 5), (16, 16), (33, 47)]


def noise(*shape, seed=0):
    return np.random.default_rng(seed).uniform(size=shape).astype(np.float32)


def logits(picture):
    wide = np.asarray(picture, np.float64)
    return np.log(wide / (1 - wide))


def made_of(network, image, style, strength=1.0):
    return network({"image": image, "style": style, "strength": tf.constant(strength, image.dtype)}).numpy()


@pytest.fixture(scope="module")
def narrow(narrow_file):
    return style_network(weights=narrow_file)


@pytest.fixture(scope="module")
def linear(narrow_file):
    """A network whose decoder is one convolution: logits are linear in the features."""
    return style_network(weights=narrow_file, layer="conv1_1", dtype="float64")


@pytest.mark.parametrize("size", SIZES)
def test_any_size_comes_back_in_range(narrow, size):
    made = made_of(narrow, noise(2, *size, 3), noise(2, 9, 20, 3, seed=1))
    assert made.shape == (2, *size, 3) and made.dtype == np.float32
    assert made.min() >= 0 and made.max() <= 1
    for style in SIZES:
        assert made_of(narrow, noise(1, 8, 9, 3), noise(1, *style, 3)).shape == (1, 8, 9, 3)


@pytest.mark.parametrize("size", [(16, 24), (33, 47), (5, 9)])
def test_by_an_independent_path(narrow, narrow_file, size):
    image, style = noise(1, *size, 3), noise(1, 32, 17, 3, seed=1)
    encode = feature_extractor(["conv4_1"], weights=narrow_file, padding="reflect")
    # Up to whole positions of 8 pixels; where the encoder reflects, it needs two.
    more = [max(-(-side // 8) * 8, 16) - side for side in size]
    whole = np.pad(image, [(0, 0), (0, more[0]), (0, more[1]), (0, 0)], mode="reflect")
    content, own = (encode(each)["block4_conv1"].numpy() / narrow._units for each in (whole, style))
    axes = {"axis": (1, 2), "keepdims": True}
    target = (content - content.mean(**axes)) / np.sqrt(content.var(**axes) + 1e-5)
    target = target * np.sqrt(own.var(**axes) + 1e-5) + own.mean(**axes)
    activation = 0.4 * content + 0.6 * target
    kinds = ReflectedConv2D | DoublingConv2D
    convolutions = iter([layer for layer in narrow.layers if isinstance(layer, kinds)])
    for count, doubled in ((1, False), (4, True), (2, True), (2, True)):
        for place in range(count):
            mode = "reflect"
            if doubled and place == 0:
                activation = tf.image.resize(activation, [2 * side for side in activation.shape[1:3]])
                mode = "edge"
            layer = next(convolutions)
            padded = np.pad(activation, [(0, 0), (1, 1), (1, 1), (0, 0)], mode=mode)
            linear = tf.nn.conv2d(padded, layer.kernel, 1, "VALID") + layer.bias
            activation = np.maximum(linear, 0)
    linear = linear[:, : size[0], : size[1]]
    assert next(convolutions, None) is None
    np.testing.assert_allclose(made_of(narrow, image, style, 0.6), 1 / (1 + np.exp(-linear)), atol=1e-5)


def test_strength_interpolates_features(linear):
    image, style = noise(2, 6, 7, 3).astype(np.float64), noise(1, 5, 5, 3, seed=1).astype(np.float64)
    without, whole = (made_of(linear, image, style, strength) for strength in (0.0, 1.0))
    np.testing.assert_allclose(without, made_of(linear, image, style[:, ::-1] ** 2, 0.0), rtol=1e-12)
    assert np.abs(whole - without).max() > 0.01
    for strength in (0.3, [0.2, 0.9]):
        share = np.reshape(strength, [-1, 1, 1, 1])
        expected = (1 - share) * logits(without) + share * logits(whole)
        np.testing.assert_allclose(logits(made_of(linear, image, style, strength)), expected, rtol=1e-8)
    np.testing.assert_array_equal(linear({"image": image, "style": style}), whole)


def test_styles_are_mixed_by_weights(linear):
    image = noise(2, 6, 7, 3).astype(np.float64)
    styles = [noise(1, 5, 5 + seed, 3, seed=seed).astype(np.float64) ** seed for seed in (1, 2)]
    single = [logits(made_of(linear, image, style)) for style in styles]
    found = logits(linear.paint(image, styles, [1, 3]))
    np.testing.assert_allclose(found, 0.25 * single[0] + 0.75 * single[1], rtol=1e-8)
    measured = [linear.measured(style) for style in styles]
    np.testing.assert_array_equal(logits(linear.restyled(image, mixed(measured, [1, 3]))), found)
    alone = linear.paint(image, styles[:1], strength=0.3)
    np.testing.assert_array_equal(alone, made_of(linear, image, styles[0], 0.3))


def test_pictures_of_a_batch_do_not_see_each_other(narrow):
    images, styles = noise(2, 17, 22, 3), noise(2, 20, 18, 3, seed=1) ** 2
    together = made_of(narrow, images, styles)
    singles = [made_of(narrow, images[i : i + 1], styles[i : i + 1]) for i in range(2)]
    np.testing.assert_allclose(together, np.concatenate(singles), atol=1e-5)


@pytest.mark.parametrize("size", [(6, 9), (33, 47)])
def test_has_no_frame(narrow, size):
    image = np.broadcast_to(np.float32([1, 0.5, 0.2]), (1, *size, 3))
    made = made_of(narrow, image, noise(1, 20, 20, 3))
    np.testing.assert_allclose(made, np.broadcast_to(made[:, :1, :1], made.shape), atol=1e-5)


def test_the_decoder_alone_is_trained(narrow):
    with tf.GradientTape() as tape:
        made = narrow({"image": noise(1, 32, 32, 3), "style": noise(1, 32, 32, 3, seed=1)}, training=True)
        loss = tf.reduce_sum(tf.square(made - 0.3))
    kinds = ReflectedConv2D | DoublingConv2D
    convolutions = [layer for layer in narrow.layers if isinstance(layer, kinds)]
    decoder = [variable for layer in convolutions for variable in (layer.kernel, layer.bias)]
    assert {id(variable) for variable in narrow.trainable_variables} == {id(variable) for variable in decoder}
    for gradient in tape.gradient(loss, narrow.trainable_variables):
        assert np.abs(gradient).max() > 0


def test_parameters_counted_by_hand(narrow, narrow_file):
    """The decoder of 3-4-4-6-6-8-8-8-8-8 goes back from 8 to 3."""
    trained = sum(int(tf.size(variable)) for variable in narrow.trainable_variables)
    assert trained == 9 * (4 * 64 + 48 + 36 + 24 + 16 + 12) + (4 * 8 + 6 + 6 + 4 + 4 + 3) == 3583
    half = style_network(weights=narrow_file, layer="conv2_1", width=0.5)
    assert [tuple(v.shape) for v in half.trainable_variables[::2]] == [
        (3, 3, 6, 2),
        (3, 3, 2, 2),
        (3, 3, 2, 3),
    ]


def test_the_seed_is_that_of_the_decoder(narrow_file):
    same, again, other = (style_network(weights=narrow_file, layer="conv2_1", seed=s) for s in (3, 3, 4))
    for one, two, three in zip(same.variables, again.variables, other.variables):
        np.testing.assert_array_equal(one, two)
        assert np.array_equal(one, three) == (not one.trainable or one.name == "bias")


def test_an_encoder_in_other_units_gives_the_same(narrow, tmp_path):
    arrays = narrow_weights()
    for part in ("kernel", "bias"):
        arrays[f"block4_conv1/{part}"] = arrays[f"block4_conv1/{part}"] * np.float32(700)
    np.savez(tmp_path / "loud.npz", **arrays)
    loud = style_network(weights=str(tmp_path / "loud.npz"))
    image, style = noise(1, 24, 17, 3), noise(1, 32, 32, 3, seed=1)
    np.testing.assert_allclose(made_of(loud, image, style), made_of(narrow, image, style), atol=1e-5)


def test_half_precision_is_close_and_inside_only(narrow, narrow_file):
    half, image, style = (
        style_network(weights=narrow_file, dtype="mixed_bfloat16"),
        noise(1, 33, 40, 3),
        noise(1, 32, 32, 3, seed=1),
    )
    made = made_of(half, image, style)
    assert made.dtype == np.float32
    assert {variable.dtype for variable in half.variables} == {"float32"}
    assert np.abs(made - made_of(narrow, image, style)).mean() < 0.02


def test_in_a_graph_of_any_size(narrow):
    picture = tf.TensorSpec([None, None, None, 3])
    painted = tf.function(
        lambda image, style: narrow({"image": image, "style": style}),
        input_signature=[picture, picture],
        autograph=False,
    )
    for size in SIZES:
        image, style = noise(2, *size, 3), noise(1, 12, 19, 3, seed=1)
        np.testing.assert_allclose(painted(image, style), made_of(narrow, image, style), atol=1e-5)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"dtype": "float16"}, r"^dtype='float16': must be one of float32, mixed_bfloat16, float64"),
        ({"width": 0}, r"^width=0: must be above 0"),
        ({"width": "wide"}, r"^width=wide: must be a finite number"),
        ({"seed": -1}, r"^seed=-1: must be a whole number, 0 or above"),
        ({"layer": "conv4_9"}, r"^layers: unknown layer 'block4_conv9'"),
        ({"pooling": "none"}, r"^pooling='none': must be one of"),
    ],
)
def test_impossible_networks_are_refused(narrow_file, options, message):
    with pytest.raises(ValueError, match=message):
        style_network(**{"weights": narrow_file, **options})
