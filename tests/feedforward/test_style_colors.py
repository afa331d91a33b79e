"""Colours of photographs brought to those of styles, by formulas of NumPy in float64."""

import numpy as np
import pytest
import tensorflow as tf

from tfstyle.feedforward.style_colors import StyleColors, color_values, smooth, symmetric_root

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
    assert found.shape == (2, 12)
    for own, values in zip(style, found.numpy()):
        np.testing.assert_allclose(values[:3], opponents(own).mean(0), atol=1e-12)
        root = root_of(np.cov(opponents(own).T, bias=True))
        np.testing.assert_allclose(values[3:].reshape(3, 3), root, atol=1e-4)


def test_roots():
    axes = np.linalg.qr(np.random.default_rng(0).normal(size=[3, 3]))[0]
    for scales in ([0.2, 0.1, 0.05], [0.3, 0.01, 0.01], [1e-3, 1e-3, 1e-3], [0, 0, 0]):
        matrix = (axes * np.square(scales)) @ axes.T
        found = symmetric_root(tf.constant(matrix[np.newaxis]))[0]
        np.testing.assert_allclose(found, (axes * scales) @ axes.T, atol=2e-3 * max(scales) + 1e-9)


def means(values):
    """Of values `[H, W]`, over 25 x 25 positions, of which there may be fewer at the border."""
    parts = np.lib.stride_tricks.sliding_window_view(np.pad(values, 12, constant_values=np.nan), (25, 25))
    return np.nanmean(parts, axis=(2, 3))


def test_smooth_is_a_mean_of_means():
    values = np.random.default_rng(0).normal(size=[40, 31])
    found = smooth(tf.constant(values[np.newaxis, ..., np.newaxis]))
    np.testing.assert_allclose(found[0, ..., 0], means(means(values)), atol=1e-12)


def test_hues_and_the_light_of_large_areas_are_the_photograph_s_and_the_style_s():
    photograph, painted, style = picture(1, 30, 9), picture(1, 30, 9, seed=1), picture(1, 7, 7, seed=2) ** 2
    made = layer_of(style)(*map(tf.constant, (painted, photograph, np.ones([1, 1])))).numpy()
    seen, wanted = opponents(photograph), opponents(style)
    units = (seen - seen.mean(0)) / np.sqrt(seen.var(0) + 1e-3)
    moved = units @ root_of(np.cov(wanted.T, bias=True)) + wanted.mean(0)
    light = opponents(painted)[:, 0]
    light = light + means(means((moved[:, 0] - light).reshape(30, 9))).ravel()
    expected = np.concatenate([light[:, np.newaxis], moved[:, 1:]], axis=1)
    expected = np.clip(expected @ np.linalg.inv(OPPONENTS).T, 0, 1)
    np.testing.assert_allclose(made.reshape(-1, 3), expected, atol=1e-4)


def test_detail_is_the_painted_picture_s_and_a_grey_style_has_no_hue():
    """Of what is as large as the window, nothing is left of the photograph but its mean."""
    photograph, painted = picture(2, 8, 8), 0.4 + 0.2 * picture(2, 8, 8, seed=1, colors=0.0)
    layer = layer_of(picture(1, 9, 9, colors=0.0), picture(1, 9, 9, seed=3, colors=0.2))
    made = layer(*map(tf.constant, (painted, photograph, np.eye(2)))).numpy()
    np.testing.assert_allclose(np.ptp(made[0], axis=-1), 0, atol=1e-4)
    light = [each @ OPPONENTS[0] for each in (made, painted)]
    np.testing.assert_allclose(*(each - each.mean((1, 2), keepdims=True) for each in light), atol=1e-9)
    np.testing.assert_allclose(light[0][0].mean(), picture(1, 9, 9, colors=0.0).mean(), atol=1e-3)
    assert np.ptp(made[1], axis=-1).max() > 0.02


def test_the_noise_of_a_grey_photograph_is_not_made_colorful():
    painted = picture(1, 32, 32, colors=0.0)
    photograph = painted + np.random.default_rng(2).normal(scale=0.004, size=painted.shape)
    layer = layer_of(picture(1, 40, 40, seed=1))
    made = opponents(layer(*map(tf.constant, (painted, photograph, np.ones([1, 1])))))
    wanted = np.sqrt(np.cov(opponents(picture(1, 40, 40, seed=1)).T)[1, 1])
    assert made[:, 1].std() < 0.5 * wanted


def test_mixtures_and_gradients():
    styles = picture(1, 9, 9, seed=1), 0.1 + 0.8 * picture(1, 9, 9, seed=2)
    layer = layer_of(*styles)
    painted, photograph = tf.constant(0.4 + 0.2 * picture(1, 6, 6)), tf.constant(picture(1, 6, 6, seed=3))
    one, other, middle = (
        layer(painted, photograph, tf.constant([weights], tf.float64)).numpy()
        for weights in ([1.0, 0.0], [0.0, 1.0], [0.5, 0.5])
    )
    np.testing.assert_allclose(middle, (one + other) / 2, atol=1e-9)
    with tf.GradientTape() as tape:
        tape.watch(painted)
        light = layer(painted, photograph, tf.constant([[1.0, 0.0]], tf.float64)) @ OPPONENTS[0][:, None]
        corner = light[0, 0, 0, 0]
    # Of 36 pixels the means are all the same, and taken away.
    expected = np.zeros([1, 6, 6, 3]) - OPPONENTS[0] / 36
    expected[0, 0, 0] += OPPONENTS[0]
    np.testing.assert_allclose(tape.gradient(corner, painted), expected, atol=1e-9)
