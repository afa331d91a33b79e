import numpy as np
import tensorflow as tf

from tfstyle.optimizers.spectrum import filtered, spectral_gains

HEIGHT, WIDTH = 5, 7


def cosine_basis(size):
    """`[frequency, position]`, orthonormal: the DCT-II written out."""
    positions, frequencies = np.arange(size), np.arange(size)[:, np.newaxis]
    basis = np.cos(np.pi * (positions + 0.5) * frequencies / size) * np.sqrt(2 / size)
    basis[0] /= np.sqrt(2)
    return basis


def test_gains_are_a_power_of_the_frequency():
    gains = spectral_gains(HEIGHT, WIDTH, power=0.5)
    assert gains.shape == (HEIGHT, WIDTH) and gains.dtype == np.float32
    # Twice the frequency, 2^-0.5 times the gain; the slowest change stands for none at all.
    np.testing.assert_allclose(gains[0, 2] / gains[0, 4], np.sqrt(2), rtol=1e-6)
    np.testing.assert_allclose(gains[0, 0], gains[0, 1], rtol=1e-6)
    np.testing.assert_allclose(np.mean(np.log(gains)), 0, atol=1e-6)
    np.testing.assert_array_equal(spectral_gains(3, 4, power=0.0), np.ones((3, 4)))


def test_filter_is_diagonal_in_the_cosine_basis():
    generator = np.random.default_rng(0)
    image = generator.standard_normal((2, HEIGHT, WIDTH, 3)).astype(np.float32)
    gains = generator.uniform(0.1, 3, (HEIGHT, WIDTH)).astype(np.float32)
    rows, columns = cosine_basis(HEIGHT), cosine_basis(WIDTH)
    coefficients = np.einsum("fh,gw,bhwc->bfgc", rows, columns, image) * gains[..., np.newaxis]
    expected = np.einsum("fh,gw,bfgc->bhwc", rows, columns, coefficients)
    np.testing.assert_allclose(filtered(tf.constant(image), gains), expected, atol=1e-5)


def test_filter_is_symmetric_and_positive():
    generator = np.random.default_rng(1)
    one, other = generator.standard_normal((2, 1, HEIGHT, WIDTH, 3)).astype(np.float32)
    gains = spectral_gains(HEIGHT, WIDTH, power=1.0)
    left = np.sum(one * filtered(tf.constant(other), gains))
    right = np.sum(other * filtered(tf.constant(one), gains))
    np.testing.assert_allclose(left, right, rtol=1e-4)
    assert np.sum(one * filtered(tf.constant(one), gains)) > 0
