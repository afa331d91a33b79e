import numpy as np
import pytest
import tensorflow as tf

from tfstyle.optimizers.cosine_transform import Bands

from whole_pictures import coefficients, from_coefficients

HEIGHT, WIDTH = 5, 7
IMAGE = np.random.default_rng(0).standard_normal((1, HEIGHT, WIDTH, 3)).astype(np.float32)


def cosine_basis(size):
    """`[frequency, position]`, orthonormal: the DCT-II written out."""
    positions, frequencies = np.arange(size), np.arange(size)[:, np.newaxis]
    basis = np.cos(np.pi * (positions + 0.5) * frequencies / size) * np.sqrt(2 / size)
    basis[0] /= np.sqrt(2)
    return basis


def test_coefficients_are_cosines_of_opponent_colours():
    light = IMAGE[0].sum(-1) / np.sqrt(3)
    red_green = (IMAGE[0, ..., 0] - IMAGE[0, ..., 1]) / np.sqrt(2)
    blue = (IMAGE[0, ..., 0] + IMAGE[0, ..., 1] - 2 * IMAGE[0, ..., 2]) / np.sqrt(6)
    rows, columns = cosine_basis(HEIGHT), cosine_basis(WIDTH)
    expected = [rows @ plane @ columns.T for plane in (light, red_green, blue)]
    np.testing.assert_allclose(coefficients(tf.constant(IMAGE)), expected, atol=1e-5)


def test_there_and_back():
    back = from_coefficients(coefficients(tf.constant(IMAGE)))
    np.testing.assert_allclose(back, IMAGE, atol=1e-5)


def test_bands_of_a_small_picture():
    bands = Bands.of(1, 4)
    # Frequencies 1/8 (also for the constant), 1/8, 1/4, 3/8 cycles: 0, 0, 1, 1.58 octaves,
    # to the nearest of 2.4 bands an octave: 0, 0, 2 and 4.
    np.testing.assert_array_equal(bands.nearest, [[0, 0, 1, 2]])
    np.testing.assert_allclose(bands.frequency, [1 / 8, 2 ** (2 / 2.4) / 8, 2 ** (4 / 2.4) / 8])
    np.testing.assert_array_equal(bands.sums(tf.constant([[[1.0, 2.0, 4.0, 8.0]]])), [[3, 4, 8]])


@pytest.mark.parametrize("size", [(1, 1), (5, 7), (40, 30), (64, 64)])
def test_interpolation_gives_a_power_of_the_frequency_back(size):
    bands = Bands.of(*size)
    levels = tf.constant(-0.75 * np.log2(bands.frequency), tf.float32)[tf.newaxis]
    vertical, horizontal = (np.arange(side) / (2 * side) for side in size)
    frequency = np.maximum(np.hypot(vertical[:, np.newaxis], horizontal), 0.5 / max(size))
    # Nothing is said beyond the centres of the first and the last band.
    expected = -0.75 * np.log2(np.clip(frequency, bands.frequency[0], bands.frequency[-1]))
    np.testing.assert_allclose(bands.interpolated(levels)[0], expected, atol=1e-5)
    assert np.bincount(np.ravel(bands.nearest)).min() > 0
