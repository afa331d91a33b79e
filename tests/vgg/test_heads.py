"""Layers whose outputs are made by heads: activations, sums, normalisation, files, costs."""

import numpy as np
import pytest
import tensorflow as tf

from tfstyle.vgg import feature_extractor, minimum_size, normalize_activations, position_sums, weights
from tfstyle.vgg.blocks import pieces
from tfstyle.vgg.costs import costs
from tfstyle.vgg.network import convolutions, heads, layout, vgg19
from tfstyle.vgg.position_sums import Summand

from conftest import narrow_weights, picture

HEADS = {"block1_conv1": 7, "block2_conv1": 9, "block2_conv2": 5, "block3_conv1": 11}
LAYERS = ["block1_conv1", "block1_conv2", "block2_conv1", "block2_conv2", "block3_conv1"]
IMAGE = picture(37, 50)[np.newaxis] / np.float64(255)
LAYOUT = layout(vgg19())


def headed_weights():
    """`narrow_weights` up to block3_conv1, with heads."""
    arrays = {name: array for name, array in narrow_weights().items() if name.split("/")[0] in LAYERS}
    generator = np.random.default_rng(1)
    for layer, filters in HEADS.items():
        channels = arrays[f"{layer}/bias"].size
        kernel = generator.standard_normal((1, 1, channels, filters)) * np.sqrt(2 / channels)
        arrays[f"{layer}_head/kernel"] = kernel.astype(np.float32)
        arrays[f"{layer}_head/bias"] = generator.uniform(0, 0.3, filters).astype(np.float32)
    return arrays


@pytest.fixture(scope="module")
def headed_file(tmp_path_factory):
    path = tmp_path_factory.mktemp("weights") / "headed.npz"
    np.savez(path, **headed_weights())
    return str(path)


@pytest.fixture(scope="module")
def extractor(headed_file):
    return feature_extractor(LAYERS, weights=headed_file, dtype="float64")


def expected(image):
    """{layer: output} by TensorFlow's functions, zero padding and max pooling."""
    arrays, found = {name: array.astype(float) for name, array in headed_weights().items()}, {}
    activation = image[..., ::-1] * 255 - (103.939, 116.779, 123.68)
    for layer in LAYERS:
        if layer in ("block2_conv1", "block3_conv1"):
            activation = tf.nn.max_pool2d(activation, 2, 2, "VALID")
        convolved = tf.nn.conv2d(activation, arrays[f"{layer}/kernel"], 1, "SAME")
        activation = found[layer] = tf.nn.relu(convolved + arrays[f"{layer}/bias"])
        if layer in HEADS:
            headed = activation.numpy() @ arrays[f"{layer}_head/kernel"][0, 0]
            found[layer] = np.maximum(headed + arrays[f"{layer}_head/bias"], 0)
    return found


def test_outputs_are_heads_of_activations_and_only_wanted_layers_have_them(extractor, headed_file):
    outputs = extractor(IMAGE)
    assert list(outputs) == LAYERS
    for layer, output in expected(IMAGE).items():
        np.testing.assert_allclose(outputs[layer], output, rtol=1e-5, atol=1e-6)
    one = feature_extractor(["conv2_2"], weights=headed_file, padding="reflect")
    assert [layer.name for layer in convolutions(one)] == LAYERS[:4]
    assert {layer: head.name for layer, head in heads(one).items()} == {"block2_conv2": "block2_conv2_head"}
    assert minimum_size(one) == 4
    assert not one.trainable_variables


def squares(features, cut):
    """A Gram matrix, and a difference from a map of all positions."""
    return tf.einsum("bhwi,bhwj->bij", features, features), tf.reduce_sum(tf.square(features - cut(TARGETS)))


TARGETS = tf.constant(np.random.default_rng(2).random([1, 73, 90, 1]))
STYLE = Summand("block1_conv1", squares)
CONTENT = Summand("block2_conv2", lambda f, cut: tf.reduce_sum((f - cut(TARGETS[:, ::2, ::2][:, :36])) ** 2))
DEEP = Summand("block3_conv1", lambda f, cut: tf.einsum("bhwi,bhwj->bij", f, f))
SUMMANDS = {"style": STYLE, "content": CONTENT, "deep": DEEP, "bare": DEEP._replace(layer="block1_conv2")}


def evaluated(sums, image):
    """Sums, activations, and the gradient of a value of all sums."""
    with tf.GradientTape() as tape:
        tape.watch(image)
        found, activations = sums(image)
        scales = enumerate(tf.nest.flatten(found), 1)
        value = tf.add_n([tf.reduce_sum(tf.sqrt(tf.abs(part) + 1) * scale) for scale, part in scales])
    return found, activations, tape.gradient(value, image)


def test_all_ways_of_summing_agree(headed_file):
    extractor = feature_extractor(LAYERS, weights=headed_file, padding="reflect", dtype="float64")
    image = tf.constant(picture(73, 90, seed=3)[np.newaxis] / 255.0)
    direct = evaluated(position_sums.plain(lambda image: extractor(image), SUMMANDS), image)
    ways = {
        "plain": position_sums.plain(extractor, SUMMANDS),
        "recomputed": position_sums.recomputed(extractor, SUMMANDS),
        "kept": position_sums.recomputed(extractor, SUMMANDS, keep=True),
        "tiled": position_sums.tiled(extractor, SUMMANDS, 24),
    }
    for name, sums in ways.items():
        found, activations, gradient = tf.function(lambda image, sums=sums: evaluated(sums, image))(image)
        tf.nest.map_structure(lambda x, y: np.testing.assert_allclose(x, y, rtol=1e-11), found, direct[0])
        scale = np.abs(direct[2]).max()
        np.testing.assert_allclose(gradient / scale, direct[2] / scale, atol=1e-12)
        assert set(activations) == (set(LAYERS) if name in ("plain", "kept") else set())
        for layer, activation in activations.items():
            np.testing.assert_allclose(activation, extractor(image)[layer], rtol=1e-12)


@pytest.mark.parametrize(("name", "kernel", "output"), [("a", 3, "a"), ("a", 1, "b"), ("b", 1, "a")])
def test_what_else_is_called_a_head_is_none(name, kernel, output):
    """It sees neighbours, makes another output, or has no layer."""
    image = tf.keras.Input((None, None, 3))
    before = tf.keras.layers.Conv2D(4, 3, padding="same", name=name)(image)
    made = tf.keras.layers.Conv2D(4, kernel, padding="same", name="a_head")(before)
    model = tf.keras.Model(image, {output: made})
    assert heads(model) == {}
    assert [layer.name for layer in convolutions(model)] == [name, "a_head"]
    assert [piece.layers for piece in pieces(model)] == [(output,)]


def test_normalized_outputs_have_mean_1_and_the_trunk_stays(extractor):
    normalized = normalize_activations(extractor, tf.constant(IMAGE))
    before, after = extractor(IMAGE), normalized(IMAGE)
    for layer in LAYERS:
        means = np.mean(before[layer], (0, 1, 2))
        np.testing.assert_allclose(np.mean(after[layer], (0, 1, 2)), means > 0, rtol=1e-5)
        np.testing.assert_allclose(
            after[layer], before[layer] / np.where(means > 0, means, 1), rtol=1e-4, atol=1e-4
        )
    trunk = tf.keras.Model(normalized.input, [layer.output for layer in convolutions(normalized)])(IMAGE)
    for activation in trunk:
        means = np.mean(activation, (0, 1, 2))
        np.testing.assert_allclose(means, means > 0, rtol=1e-5)


def test_files_are_in_network_order_and_saved_again(headed_file, tmp_path):
    values = weights.load(headed_file, LAYOUT)
    order = []
    for layer in LAYERS:
        order += [layer, f"{layer}_head"] if layer in HEADS else [layer]
    assert list(values) == order
    size = weights.save(tmp_path / "again.npz", values, {"recipe": {"steps": 3}})
    assert size == (tmp_path / "again.npz").stat().st_size
    again = weights.load(str(tmp_path / "again.npz"), LAYOUT)
    assert list(again) == order
    for name, arrays in again.items():
        for array, saved in zip(arrays, values[name]):
            np.testing.assert_array_equal(array, saved.astype(np.float16).astype(np.float32))


def test_heads_are_not_offered_as_layers(headed_file):
    with pytest.raises(ValueError, match="unknown layer 'block3_conv2'") as caught:
        feature_extractor(["conv3_2"], weights=headed_file)
    assert "head" not in str(caught.value).replace("headed.npz", "")
    with pytest.raises(ValueError, match="unknown layer 'block3_conv1_head'"):
        feature_extractor(["block3_conv1_head"], weights=headed_file)


@pytest.mark.parametrize(
    ("name", "shape", "problem"),
    [
        ("block3_conv1_head/kernel", (1, 1, 6, 11), r"block3_conv1_head has shapes .* not \[\(1, 1, 8, 11\)"),
        ("block3_conv1_head/kernel", (3, 3, 8, 11), r"block3_conv1_head has shapes .* not \[\(1, 1, 8, 11\)"),
        ("block3_conv1_head/bias", (0,), "block3_conv1_head has shapes"),
        ("block4_conv1_head", 4, "it has block4_conv1_head but not block4_conv1"),
        ("block6_conv1_head", 4, "block6_conv1_head is none of its layers"),
        ("block1_conv1_head_head", 7, "block1_conv1_head_head is none of its layers"),
        ("block3_conv1_head/bias", np.full(11, np.nan, np.float32), "block3_conv1_head .* not finite"),
        ("block3_conv1_head/bias", np.zeros(11, int), "block3_conv1_head .* no floating-point"),
    ],
)
def test_other_heads_are_refused(tmp_path, name, shape, problem):
    if isinstance(shape, int):
        more = {
            f"{name}/kernel": np.zeros((1, 1, shape, 4), np.float32),
            f"{name}/bias": np.zeros(4, np.float32),
        }
    else:
        more = {name: np.zeros(shape, np.float32) if isinstance(shape, tuple) else shape}
    np.savez(tmp_path / "wrong.npz", **headed_weights() | more)
    with pytest.raises(ValueError, match=f"another network than VGG19's layout: .*{problem}"):
        weights.load(str(tmp_path / "wrong.npz"), LAYOUT)


def test_heads_are_refused_where_widths_are_fixed():
    arrays = {name: [np.zeros((3, 3, 3, 64)), np.zeros(64)] for name in ("block1_conv1", "block1_conv1_head")}
    with pytest.raises(ValueError, match="block1_conv1_head is none of its layers"):
        weights._checked(arrays, LAYOUT, "file", widths_fixed=True)


def test_costs_by_hand(headed_file):
    """Filters 4 (head 7), 4, pool, 6 (head 9) on 8 x 12 pixels; 96 positions, then 24."""
    extractor = feature_extractor(["conv1_1", "conv2_1"], weights=headed_file)
    found = costs(extractor, ["block2_conv1"], (8, 12))
    trunk = 2 * 9 * (3 * 4 * 96 + 4 * 4 * 96 + 4 * 6 * 24)
    ends = 2 * (4 * 7 * 96 + 6 * 9 * 24)
    gram = 2 * 9 * 9 * 24
    assert found.operations == 2 * trunk + 3 * ends + 2 * gram
    assert found.kept == 4 * 96 + 4 * 96 + 4 * 24 + 6 * 24
    assert found.widest == 7 * 96
