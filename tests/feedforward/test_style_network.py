"""Networks for any style: what is read from a picture, and how the other network takes it."""

import numpy as np
import pytest
import tensorflow as tf

from tfstyle import feature_extractor
from tfstyle.feedforward.loading import load_style_network
from tfstyle.feedforward.networks import fingerprint, parameters, take_over, transformation_network
from tfstyle.feedforward.style_colors import color_values
from tfstyle.feedforward.style_network import LAYERS, StyleStatistics, like, style_network

from conftest import differing, noise

SIZES = [(1, 1), (7, 5), (33, 47)]


def painted(network, image, style):
    """What a transformation network makes."""
    return network({"image": tf.constant(image), "style": tf.constant(style)})


@pytest.fixture(scope="module")
def network():
    network = style_network(embedding=5, width=4, residual_blocks=1)
    network.measure([noise(2, 32, 24, 3, seed=seed) ** seed for seed in (1, 2, 3)])
    return network


def test_statistics_by_numpy():
    """Two layers, of three and of two filters."""
    layer = StyleStatistics(dtype="float64")
    one, two = noise(2, 5, 6, 3).astype(np.float64), noise(2, 3, 3, 2, seed=1).astype(np.float64)
    found = layer([one, two])
    parts = [one.mean((1, 2)), two.mean((1, 2)), *(np.sqrt(x.var((1, 2)) + 1e-5) for x in (one, two))]
    expected = np.concatenate(parts, axis=1)
    np.testing.assert_allclose(found, expected, rtol=1e-12)
    layer.mean.assign(np.arange(10.0))
    layer.deviation.assign(1 + np.arange(10.0))
    np.testing.assert_allclose(layer([one, two]), (expected - np.arange(10)) / (1 + np.arange(10)), rtol=1e-9)


def test_an_embedding_by_an_independent_path(network):
    style = noise(2, 20, 31, 3)
    activations = feature_extractor(LAYERS, weights="mini")(style)
    moments = [activations[name].numpy().mean((1, 2)) for name in LAYERS]
    moments += [np.sqrt(activations[name].numpy().var((1, 2)) + 1e-5) for name in LAYERS]
    of = {layer.name: layer for layer in network.predictor.layers}
    values = (np.concatenate(moments, 1) - of["statistics"].mean) / of["statistics"].deviation
    hidden = np.maximum(values @ of["hidden"].kernel + of["hidden"].bias, 0)
    own = (hidden @ of["embedding"].kernel + of["embedding"].bias) / 2  # the root of the four
    found = network.embedding(style)
    assert found.shape == (2, 17)
    np.testing.assert_array_equal(found[:, 0], 1)
    np.testing.assert_allclose(found[:, 5:], color_values(style), atol=1e-6)
    np.testing.assert_allclose(found[:, 1:5], own, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("size", SIZES)
def test_any_size_of_either_picture(network, size):
    made = network({"image": noise(2, *size, 3), "style": noise(2, 9, 20, 3, seed=1)}).numpy()
    assert made.shape == (2, *size, 3) and made.min() >= 0 and made.max() <= 1
    # A style smaller than 8 x 8 is reflected up to it.
    style = noise(1, *size, 3, seed=2)
    more = [(0, max(8 - side, 0)) for side in size]
    whole = np.pad(style, [(0, 0), *more, (0, 0)], mode="reflect")
    np.testing.assert_array_equal(network.embedding(style), network.embedding(whole))


def test_pictures_are_the_other_network_s(network):
    """One style for all, or one for each."""
    images, styles = noise(2, 16, 20, 3), noise(2, 24, 24, 3, seed=1) ** 2
    embeddings = network.embedding(styles)
    expected = painted(network.network, images, embeddings)
    np.testing.assert_allclose(network({"image": images, "style": styles}), expected, atol=1e-6)
    one = network({"image": images, "style": styles[:1]})
    alike = tf.repeat(embeddings[:1], 2, axis=0)
    np.testing.assert_allclose(one, painted(network.network, images, alike), atol=1e-6)
    assert np.abs(one[1] - expected[1]).max() > 1e-3


def test_what_is_usual_is_measured():
    """Over pictures, statistics then have mean 0 and deviation 1."""
    own = style_network(embedding=3, width=2, residual_blocks=0)
    styles = [noise(1, 24, 24, 3, seed=seed) ** (1 + seed / 4) for seed in range(6)]
    own.measure(styles)
    seen = tf.keras.Model(own.predictor.input, own.predictor.get_layer("statistics").output)
    values = np.concatenate([seen(style) for style in styles])
    np.testing.assert_allclose(values.mean(0), 0, atol=1e-3)
    assert values.std(0).max() < 1.01 and np.median(values.std(0)) == pytest.approx(1, abs=1e-3)


def test_the_encoder_alone_is_not_trained(network):
    with tf.GradientTape() as tape:
        made = network({"image": noise(1, 32, 32, 3), "style": noise(1, 32, 32, 3, seed=1)}, training=True)
        loss = tf.reduce_sum(tf.square(made - 0.3))
    gradients = tape.gradient(loss, network.trainable_variables)
    names = {name for name, own in parameters(network).items() if own.trainable}
    predictor = {f"style_predictor/{name}" for name in
                 ("hidden/kernel", "hidden/bias", "embedding/kernel", "embedding/bias")}  # fmt: skip
    assert {name for name in names if name.startswith("style_predictor")} == predictor
    assert len(names) == len(gradients) and all(np.abs(gradient).max() > 0 for gradient in gradients[:-4])


def test_begins_with_a_network_for_known_styles():
    known = differing(transformation_network(2, width=4, residual_blocks=1))
    own = style_network(embedding=4, width=4, residual_blocks=1)
    own.begin_with(known)
    colored = transformation_network(2, width=4, residual_blocks=1, colors=True)  # all 0, as below
    take_over(colored, known)
    image = noise(1, 12, 16, 3)
    # Numbers after the first lead from the mean to the first style, the second, and the first again.
    for embedding, weights in (([1, 0, 0, 0], [0.5, 0.5]), ([1, 1, 0, 0], [1, 0]), ([1, 0, 0.5, 0], [0.25, 0.75]),
                               ([1, 0, 0, 1], [1, 0])):  # fmt: skip
        made = painted(own.network, image, np.float32([embedding + [0] * 12]))
        expected = painted(colored, image, np.float32([weights]))
        np.testing.assert_allclose(made, expected, atol=1e-5)
    with pytest.raises(ValueError, match=r"^start: has other layers"):
        own.begin_with(transformation_network(2, width=4, residual_blocks=2))


def test_known_styles_of_pictures(network):
    styles = [noise(1, 30, 20, 3, seed=1), noise(1, 16, 16, 3, seed=2) ** 3]
    known, image = network.for_known(styles), noise(1, 12, 16, 3)
    assert known.input["style"].shape[-1] == 2
    for index, style in enumerate(styles):
        made = painted(known, image, tf.one_hot([index], 2))
        np.testing.assert_allclose(made, network({"image": image, "style": style}), atol=1e-5)


def test_seeds_and_precision():
    one, same, other = (style_network(embedding=3, width=2, residual_blocks=0, seed=s) for s in (1, 1, 2))
    assert fingerprint(one) == fingerprint(same) != fingerprint(other)
    half = style_network(embedding=3, width=2, residual_blocks=0, seed=1, dtype="mixed_bfloat16")
    assert half.network.get_layer("first").compute_dtype == "bfloat16"
    take_over(half, one)
    inputs = {"image": noise(1, 16, 16, 3), "style": noise(1, 16, 16, 3, seed=1)}
    assert half(inputs).dtype == tf.float32
    assert np.abs(half(inputs) - one(inputs)).mean() < 0.02


@pytest.mark.parametrize(("options", "message"), [
    ({"embedding": 1}, "^embedding=1: must be a whole number, 2 or above"),
    ({"dtype": "float16"}, "^dtype='float16': must be one of"),
    ({"seed": -1}, "^seed=-1"),
])  # fmt: skip
def test_bad_arguments(options, message):
    with pytest.raises(ValueError, match=message):
        style_network(**{"width": 2, "residual_blocks": 0, **options})


def test_a_network_without_colors_is_of_an_older_version():
    with pytest.raises(ValueError, match=r"^it does not take a style's colours, .* train it again"):
        like({"styles": 5, "width": 4, "residual_blocks": 1, "dtype": "float32"})


def test_a_folder_of_the_other_kind(tmp_path):
    (tmp_path / "tfstyle.json").write_text('{"model": "network"}')
    with pytest.raises(ValueError, match="is of a model of another kind, 'network'"):
        load_style_network(tmp_path)
