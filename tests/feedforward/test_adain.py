"""Adaptive instance normalisation: equations (5), (6), (8) and (15) of Huang & Belongie 2017."""

import numpy as np
import pytest
import tensorflow as tf

from tfstyle.feedforward.adain import Moments, adaptive_instance_normalization, mixed, moments


def noise(*shape, seed=0):
    return np.random.default_rng(seed).normal(3, 2, shape).astype(np.float32)


def by_formula(content, style, epsilon=1e-5):
    """Eq. (8), picture by picture and channel by channel, in double precision."""
    made = np.empty(content.shape)
    for picture in range(len(content)):
        for channel in range(content.shape[-1]):
            x = content[picture, ..., channel].astype(np.float64)
            y = style[picture % len(style), ..., channel].astype(np.float64)
            normal = (x - x.mean()) / np.sqrt(x.var() + epsilon)
            made[picture, ..., channel] = normal * np.sqrt(y.var() + epsilon) + y.mean()
    return made


@pytest.mark.parametrize("styles", [1, 2])
def test_by_the_formula(styles):
    content, style = noise(2, 4, 7, 5), 3 * noise(styles, 6, 3, 5, seed=1)
    expected = by_formula(content, style)
    np.testing.assert_allclose(adaptive_instance_normalization(content, style), expected, atol=1e-4)
    given = moments(tf.constant(style))
    np.testing.assert_allclose(adaptive_instance_normalization(content, given), expected, atol=1e-4)
    wide = adaptive_instance_normalization(content.astype(np.float64), style.astype(np.float64), 0.5)
    np.testing.assert_allclose(wide, by_formula(content, style, 0.5), rtol=1e-12)


def test_by_hand():
    content = np.float64([0, 2, 4, 6]).reshape(1, 2, 2, 1)  # mean 3, deviation sqrt(5)
    style = np.float64([9, 11]).reshape(1, 2, 1, 1)  # mean 10, deviation 1
    made = adaptive_instance_normalization(content, style, epsilon=0.0)
    np.testing.assert_allclose(made[0, ..., 0] * 5**0.5, 10 * 5**0.5 + np.array([[-3, -1], [1, 3]]))


def test_its_own_style_changes_nothing():
    content = noise(2, 5, 6, 3)
    np.testing.assert_allclose(adaptive_instance_normalization(content, content), content, atol=1e-5)


def test_a_silent_filter_takes_the_styles_mean():
    content, style = np.full([1, 3, 4, 2], 7.0, np.float32), noise(1, 5, 5, 2)
    made = adaptive_instance_normalization(content, style)
    np.testing.assert_allclose(made, np.broadcast_to(style.mean(axis=(1, 2)), made.shape), atol=1e-5)


def test_mixed_moments_give_the_mixture_of_features():
    content = noise(2, 4, 4, 3).astype(np.float64)
    styles = [noise(size, 3, 5, 3, seed=seed).astype(np.float64) for size, seed in ((1, 1), (2, 2), (1, 3))]
    single = [adaptive_instance_normalization(content, style) for style in styles]
    measured = [moments(tf.constant(style)) for style in styles]
    for weights, shares in (
        ([0.2, 0.5, 0.3], [0.2, 0.5, 0.3]),
        ([2, 6, 0], [0.25, 0.75, 0]),
        (None, [1 / 3] * 3),
    ):
        found = adaptive_instance_normalization(content, mixed(measured, weights))
        np.testing.assert_allclose(found, sum(s * each for s, each in zip(shares, single)), rtol=1e-10)


def test_impossible_mixtures_are_refused():
    style = Moments(np.ones([1, 2]), np.ones([1, 2]))
    with pytest.raises(ValueError, match=r"^styles: must be at least one"):
        mixed([])
    for weights in ([1], [1, 2, 3], [0, 0]):
        with pytest.raises(ValueError, match=r"^weights=.*: must be one for each of the 2 styles"):
            mixed([style, style], weights)
    with pytest.raises(ValueError, match=r"^weights=-1: must be a finite number, 0 or above"):
        mixed([style, style], [2, -1])


def test_statistics_are_not_rounded_to_half_precision():
    """Sums over 4096 positions are beyond it."""
    content, style = (
        tf.cast(noise(1, 64, 64, 2), tf.bfloat16),
        tf.cast(noise(1, 64, 64, 2, seed=1), tf.bfloat16),
    )
    made = adaptive_instance_normalization(content, style)
    assert made.dtype == tf.bfloat16
    expected = by_formula(np.float32(content), np.float32(style))
    same = np.float32(made) == np.float32(tf.cast(expected, tf.bfloat16))
    assert same.mean() > 0.98  # the others lie between two numbers of that precision
