import numpy as np
import pytest
import tensorflow as tf

from tfstyle.optimizers import cosine_transform
from tfstyle.optimizers.cosine_transform import Bands
from tfstyle.optimizers.preconditioner import Knowledge, Metric

from whole_pictures import coefficients, from_coefficients

SIZE = (12, 16)
METRIC = Metric(*SIZE)
IGNORANCE = METRIC.ignorance(1)


def applied(image, known=IGNORANCE):
    return METRIC.apply(image, known.levels)


def noise(seed):
    return tf.constant(np.random.default_rng(seed).standard_normal((1, *SIZE, 3)), tf.float32)


def product(one, other):
    return float(tf.reduce_sum(one * other))


def taught(curvature, steps=4):
    """What is known after steps on a quadratic whose Hessian multiplies coefficients `[3, H, W]` by `curvature`."""
    known = IGNORANCE
    for seed in range(steps):
        step = noise(seed)
        known, length = METRIC.learn(step, from_coefficients(coefficients(step) * curvature), known)
    return known, length


def test_symmetric_and_positive_before_and_after_learning():
    for known in (IGNORANCE, taught(np.geomspace(1, 9, 16))[0]):
        one, other = noise(10), noise(11)
        np.testing.assert_allclose(
            product(one, applied(other, known)), product(other, applied(one, known)), rtol=1e-4
        )
        assert product(one, applied(one, known)) > 0


def test_starts_as_a_power_of_frequency():
    gains = (coefficients(applied(noise(0))) / coefficients(noise(0))).numpy()
    np.testing.assert_allclose(gains[0], gains[1], rtol=1e-2)
    # From 4/32 to 8/32 cycles a pixel along the width: 2^-0.75.
    np.testing.assert_allclose(gains[0, 0, 8] / gains[0, 0, 4], 2**-0.75, rtol=1e-2)
    np.testing.assert_allclose(np.mean(np.log(gains)), 0, atol=1e-2)


def test_learns_the_inverse_hessian_where_it_is_diagonal():
    """One curvature for light, two for the opponent colours: the gains are their inverses."""
    curvature = tf.constant([4.0, 0.5, 0.25], shape=[3, 1, 1]) * tf.ones([3, *SIZE])
    known, length = taught(curvature)
    vector = noise(20)
    expected = from_coefficients(coefficients(vector) / curvature)
    np.testing.assert_allclose(applied(vector, known), expected, atol=1e-4)
    # y P y of the last pair, where P is the inverse Hessian: y s.
    step = noise(3)
    np.testing.assert_allclose(
        length, [product(step, from_coefficients(coefficients(step) * curvature))], rtol=1e-4
    )


def test_learns_band_by_band():
    bands = Bands.of(*SIZE)
    by_band = tf.constant(np.geomspace(1, 50, len(bands.frequency)), tf.float32)
    known, _ = taught(tf.gather(by_band, tf.cast(bands.nearest, tf.int32)))
    vector = noise(21)
    expected = from_coefficients(
        coefficients(vector) * tf.exp(bands.interpolated(-tf.math.log(by_band)[tf.newaxis]))
    )
    np.testing.assert_allclose(applied(vector, known), expected, atol=1e-3)


def test_pictures_learn_for_themselves():
    """Two of them, one for the second time: each then is as it would be alone."""
    steps = [noise(seed) for seed in range(2)]
    differences = [steps[0] * 2.0, from_coefficients(coefficients(steps[1]) * np.geomspace(1, 5, 16))]
    before = [IGNORANCE, METRIC.learn(steps[1], differences[1], IGNORANCE)[0]]
    joined = Knowledge(*(tf.concat(values, 0) for values in zip(*before)))
    known, lengths = METRIC.learn(tf.concat(steps, 0), tf.concat(differences, 0), joined)
    both = METRIC.apply(tf.concat(steps, 0), known.levels)
    for index in range(2):
        alone, length = METRIC.learn(steps[index], differences[index], before[index])
        np.testing.assert_allclose(lengths[index], length[0], rtol=1e-5)
        np.testing.assert_allclose(both[index], applied(steps[index], alone)[0], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("size", [(1, 1), (5, 7), (37, 30)])
def test_the_same_where_the_size_is_not_known_before(size):
    image = tf.constant(np.random.default_rng(1).standard_normal((2, *size, 3)), tf.float32)

    @tf.function(input_signature=[tf.TensorSpec([None, None, None, 3])])
    def graph(image):
        metric = Metric(*tf.unstack(tf.shape(image)[1:3]))
        known = metric.ignorance(tf.shape(image)[0])
        known, length = metric.learn(image, 2.0 * image, known)
        return metric.apply(image, known.levels), length

    metric = Metric(*size)
    known, length = metric.learn(image, 2.0 * image, metric.ignorance(2))
    found, found_length = graph(image)
    np.testing.assert_allclose(found, metric.apply(image, known.levels), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(found_length, length, rtol=1e-5)


def test_large_planes_take_turns_to_the_same(monkeypatch):
    known, length = METRIC.learn(noise(0), noise(0) * 2.0, IGNORANCE)
    at_once = (applied(noise(1), known), length, *known)
    monkeypatch.setattr(cosine_transform, "_LARGE", 0)
    known, length = METRIC.learn(noise(0), noise(0) * 2.0, IGNORANCE)
    for one, other in zip((applied(noise(1), known), length, *known), at_once):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-6)
