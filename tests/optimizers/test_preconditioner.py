import numpy as np
import pytest
import tensorflow as tf

from tfstyle.optimizers import preconditioner
from tfstyle.optimizers.preconditioner import (
    Bands,
    Knowledge,
    Metric,
    cosines,
    from_cosines,
    from_planes,
    planes,
)

SIZE = (12, 16)
METRIC = Metric(*SIZE)
IGNORANCE = METRIC.ignorance(1)
HEIGHT, WIDTH = 5, 7
IMAGE = np.random.default_rng(0).standard_normal((1, HEIGHT, WIDTH, 3)).astype(np.float32)


def coefficients(image):
    """Turns a picture `[1, H, W, 3]` into cosine coefficients of opponent colours `[3, H, W]`."""
    return cosines(planes(image))


def from_coefficients(values):
    """Turns coefficients `[3, H, W]` back into a picture `[1, H, W, 3]`."""
    return from_planes(from_cosines(values))


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


def test_the_same_where_the_size_is_not_known_before():
    @tf.function(input_signature=[tf.TensorSpec([None, None, None, 3])])
    def graph(image):
        metric = Metric(*tf.unstack(tf.shape(image)[1:3]))
        known = metric.ignorance(tf.shape(image)[0])
        known, length = metric.learn(image, 2.0 * image, known)
        return metric.apply(image, known.levels), length

    for size in ((1, 1), (13, 10)):
        image = tf.constant(np.random.default_rng(1).standard_normal((2, *size, 3)), tf.float32)
        metric = Metric(*size)
        known, length = metric.learn(image, 2.0 * image, metric.ignorance(2))
        found, found_length = graph(image)
        np.testing.assert_allclose(found, metric.apply(image, known.levels), rtol=1e-5, atol=1e-6)
        np.testing.assert_allclose(found_length, length, rtol=1e-5)


def test_large_planes_take_turns_to_the_same(monkeypatch):
    known, length = METRIC.learn(noise(0), noise(0) * 2.0, IGNORANCE)
    at_once = (applied(noise(1), known), length, *known)
    monkeypatch.setattr(preconditioner, "_LARGE", 0)
    known, length = METRIC.learn(noise(0), noise(0) * 2.0, IGNORANCE)
    for one, other in zip((applied(noise(1), known), length, *known), at_once):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-6)


def cosine_basis(size):
    """`[frequency, position]`, orthonormal: the DCT-II written out."""
    positions, frequencies = np.arange(size), np.arange(size)[:, np.newaxis]
    basis = np.cos(np.pi * (positions + 0.5) * frequencies / size) * np.sqrt(2 / size)
    basis[0] /= np.sqrt(2)
    return basis


def test_coefficients_are_cosines_of_opponent_colours_there_and_back():
    light = IMAGE[0].sum(-1) / np.sqrt(3)
    red_green = (IMAGE[0, ..., 0] - IMAGE[0, ..., 1]) / np.sqrt(2)
    blue = (IMAGE[0, ..., 0] + IMAGE[0, ..., 1] - 2 * IMAGE[0, ..., 2]) / np.sqrt(6)
    rows, columns = cosine_basis(HEIGHT), cosine_basis(WIDTH)
    expected = [rows @ plane @ columns.T for plane in (light, red_green, blue)]
    np.testing.assert_allclose(coefficients(tf.constant(IMAGE)), expected, atol=1e-5)
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
