"""Hues of photographs brought to those of styles, by formulas of NumPy in float64."""

import numpy as np
import pytest
import tensorflow as tf

from tfstyle.feedforward.style_colors import StyleColors, color_values, symmetric_root

# Light, red against green and yellow against blue, of RGB.
OPPONENTS = np.array([[0.299, 0.587, 0.114], [0.5, -0.5, 0], [0.25, 0.25, -0.5]])


def picture(*shape, seed=0, colors=1.0):
    """Pictures in [0, 1]; of less colour, the nearer that is to 0."""
    found = np.random.default_rng(seed).uniform(0.2, 0.8, size=(*shape, 3))
    grey = found.mean(-1, keepdims=True)
    return grey + colors * (found - grey)


def opponents(pictures):
    return np.reshape(pictures, [-1, 3]) @ OPPONENTS.T


def root_of(covariance):
    values, vectors = np.linalg.eigh(covariance)
    return (vectors * np.sqrt(np.maximum(values, 0))) @ vectors.T


def layer_of(*styles):
    layer = StyleColors(len(styles), dtype="float64")
    layer.build()
    layer.colors.assign(np.concatenate([color_values(tf.constant(style)) for style in styles]))
    return layer


@pytest.mark.parametrize("colors", [1.0, 0.3, 0.0])
def test_a_style_s_colors(colors):
    style = picture(2, 20, 31, colors=colors)
    found = color_values(tf.constant(style))
    assert found.shape == (2, 8)
    for own, values in zip(style, found.numpy()):
        np.testing.assert_allclose(values[:2], opponents(own).mean(0)[1:], atol=1e-12)
        root = root_of(np.cov(opponents(own).T, bias=True))
        np.testing.assert_allclose(values[2:].reshape(3, 2), root[:, 1:], atol=1e-4)


def test_roots():
    axes = np.linalg.qr(np.random.default_rng(0).normal(size=[3, 3]))[0]
    for scales in ([0.2, 0.1, 0.05], [0.3, 0.01, 0.01], [1e-3, 1e-3, 1e-3], [0, 0, 0]):
        matrix = (axes * np.square(scales)) @ axes.T
        found = symmetric_root(tf.constant(matrix[np.newaxis]))[0]
        np.testing.assert_allclose(found, (axes * scales) @ axes.T, atol=2e-3 * max(scales) + 1e-9)


def test_hues_are_the_photograph_s_and_the_style_s():
    photograph, painted, style = picture(1, 12, 9), picture(1, 12, 9, seed=1), picture(1, 7, 7, seed=2) ** 2
    made = layer_of(style)(*map(tf.constant, (painted, photograph, np.ones([1, 1])))).numpy()
    seen, wanted = opponents(photograph), opponents(style)
    units = (seen - seen.mean(0)) / np.sqrt(seen.var(0) + 1e-3)
    hues = units @ root_of(np.cov(wanted.T, bias=True)) + wanted.mean(0)
    expected = np.concatenate([opponents(painted)[:, :1], hues[:, 1:]], axis=1)
    expected = np.clip(expected @ np.linalg.inv(OPPONENTS).T, 0, 1)
    np.testing.assert_allclose(made.reshape(-1, 3), expected, atol=1e-4)


def test_light_is_the_painted_picture_s_and_a_grey_style_has_no_hue():
    photograph, painted = picture(2, 8, 8), picture(2, 8, 8, seed=1, colors=0.0)
    layer = layer_of(picture(1, 9, 9, colors=0.0), picture(1, 9, 9, seed=3, colors=0.2))
    made = layer(*map(tf.constant, (painted, photograph, np.eye(2)))).numpy()
    np.testing.assert_allclose(made[0], painted[0], atol=1e-4)
    light = [each[1] @ OPPONENTS[0] for each in (made, painted)]
    np.testing.assert_allclose(*light, atol=1e-9)
    assert np.abs(made[1] - painted[1]).max() > 0.02


def test_the_noise_of_a_grey_photograph_is_not_made_colorful():
    painted = picture(1, 32, 32, colors=0.0)
    photograph = painted + np.random.default_rng(2).normal(scale=0.004, size=painted.shape)
    layer = layer_of(picture(1, 40, 40, seed=1))
    made = opponents(layer(*map(tf.constant, (painted, photograph, np.ones([1, 1])))))
    wanted = np.sqrt(np.cov(opponents(picture(1, 40, 40, seed=1)).T)[1, 1])
    assert made[:, 1].std() < 0.5 * wanted


def test_mixtures_and_gradients():
    styles = picture(1, 9, 9, seed=1), picture(1, 9, 9, seed=2) ** 2
    layer, painted, photograph = (
        layer_of(*styles),
        tf.constant(picture(1, 6, 6)),
        tf.constant(picture(1, 6, 6, seed=3)),
    )
    ends = [
        layer(painted, photograph, tf.constant([weights])).numpy() for weights in ([1.0, 0.0], [0.0, 1.0])
    ]
    middle = layer(painted, photograph, tf.constant([[0.5, 0.5]], tf.float64))
    np.testing.assert_allclose(middle, (ends[0] + ends[1]) / 2, atol=1e-9)
    with tf.GradientTape() as tape:
        tape.watch(painted)
        light = tf.reduce_sum(
            layer(painted, photograph, tf.constant([[1.0, 0.0]], tf.float64)) @ OPPONENTS[0][:, None]
        )
    expected = np.broadcast_to(OPPONENTS[0], painted.shape)
    np.testing.assert_allclose(tape.gradient(light, painted), expected, atol=1e-9)
