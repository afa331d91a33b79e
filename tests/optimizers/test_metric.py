import numpy as np
import tensorflow as tf

from tfstyle.optimizers.metric import Metric
from tfstyle.optimizers.spectrum import Bands

from whole_pictures import coefficients, from_coefficients

SIZE = (12, 16)


def noise(seed):
    return tf.constant(np.random.default_rng(seed).standard_normal((1, *SIZE, 3)), tf.float32)


def product(one, other):
    return float(tf.reduce_sum(one * other))


def taught(curvature, steps=4):
    """A metric after steps on a quadratic whose Hessian multiplies coefficients `[3, H, W]` by `curvature`."""
    metric = Metric(*SIZE)
    for seed in range(steps):
        step = noise(seed)
        length = metric.learn(step, from_coefficients(coefficients(step) * curvature))
    return metric, length


def test_symmetric_and_positive_before_and_after_learning():
    for metric in (Metric(*SIZE), taught(np.geomspace(1, 9, 16))[0]):
        one, other = noise(10), noise(11)
        np.testing.assert_allclose(
            product(one, metric.apply(other)), product(other, metric.apply(one)), rtol=1e-4
        )
        assert product(one, metric.apply(one)) > 0


def test_starts_as_a_power_of_frequency():
    gains = (coefficients(Metric(*SIZE).apply(noise(0))) / coefficients(noise(0))).numpy()
    np.testing.assert_allclose(gains[0], gains[1], rtol=1e-2)
    # From 4/32 to 8/32 cycles a pixel along the width: 2^-0.75.
    np.testing.assert_allclose(gains[0, 0, 8] / gains[0, 0, 4], 2**-0.75, rtol=1e-2)
    np.testing.assert_allclose(np.mean(np.log(gains)), 0, atol=1e-2)


def test_learns_the_inverse_hessian_where_it_is_diagonal():
    """One curvature for light, two for the opponent colours: the gains are their inverses."""
    curvature = tf.constant([4.0, 0.5, 0.25], shape=[3, 1, 1]) * tf.ones([3, *SIZE])
    metric, length = taught(curvature)
    vector = noise(20)
    expected = from_coefficients(coefficients(vector) / curvature)
    np.testing.assert_allclose(metric.apply(vector), expected, atol=1e-4)
    # y P y of the last pair, where P is the inverse Hessian: y s.
    step = noise(3)
    np.testing.assert_allclose(
        length, product(step, from_coefficients(coefficients(step) * curvature)), rtol=1e-4
    )


def test_learns_band_by_band():
    bands = Bands.of(*SIZE)
    by_band = tf.constant(np.geomspace(1, 50, len(bands.frequency)), tf.float32)
    metric, _ = taught(tf.gather(by_band, tf.cast(bands.nearest, tf.int32)))
    vector = noise(21)
    expected = from_coefficients(coefficients(vector) * tf.exp(bands.interpolated(-tf.math.log(by_band))))
    np.testing.assert_allclose(metric.apply(vector), expected, atol=1e-3)


def test_forgets():
    metric, _ = taught(tf.fill([3, *SIZE], 9.0))
    metric.forget()
    np.testing.assert_array_equal(metric.apply(noise(0)), Metric(*SIZE).apply(noise(0)))
    assert {name: value.numpy().any() for name, value in metric.variables().items()} == {
        "levels": True,
        "energies": False,
        "seen": False,
    }
