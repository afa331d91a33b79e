"""Light and colour against values by hand and NumPy's statistics."""

import numpy as np
import pytest
import tensorflow as tf

from tfstyle.config.transfer import choices
from tfstyle.io.color import grey, luminance, match_colors, match_luminance, with_luminance

GENERATOR = np.random.default_rng(0)
IMAGE = GENERATOR.random((2, 5, 7, 3))
# Red, green, blue to I and Q.
CHROMINANCE = np.array([[0.5959, -0.2746, -0.3213], [0.2115, -0.5227, 0.3112]])
FORMS = pytest.mark.parametrize("form", choices("color_matching"))


def colors(pixels, mean, mixing):
    """`[1, h, w, 3]` about a mean, correlated by a matrix; far enough from 0 and 1 for any map between two."""
    return np.clip(GENERATOR.normal(size=(1, *pixels, 3)), -2.5, 2.5) @ np.array(mixing).T + mean


SOURCE = colors((20, 30), [0.4, 0.5, 0.55], [[0.05, 0, 0], [0.03, 0.03, 0], [0.01, 0.02, 0.02]])
REFERENCE = colors((25, 16), [0.55, 0.5, 0.45], [[0.06, 0.01, 0], [-0.02, 0.03, 0.01], [0, 0.03, 0.03]])


def statistics(image, weights=None):
    """Mean and covariance, by a loop over the pixels."""
    pixels = np.asarray(image, np.float64).reshape(-1, 3)
    weights = np.ones(len(pixels)) if weights is None else np.ravel(weights)
    mean = sum(w * p for w, p in zip(weights, pixels)) / sum(weights)
    return mean, sum(w * np.outer(p - mean, p - mean) for w, p in zip(weights, pixels)) / sum(weights)


def assert_same_statistics(one, other, **tolerance):
    for mine, its in zip(one, other):
        np.testing.assert_allclose(mine, its, **tolerance)


def inside(image):
    return np.min(image) > 0 and np.max(image) < 1


def test_luminance_by_hand():
    image = tf.constant([[[[1, 0, 0], [0, 1, 0], [0, 0, 1], [1, 1, 1], [0.5, 0.25, 0.75]]]], tf.float64)
    expected = [0.299, 0.587, 0.114, 1, 0.1495 + 0.14675 + 0.0855]
    np.testing.assert_allclose(luminance(image)[0, 0, :, 0], expected, rtol=1e-12)
    np.testing.assert_allclose(grey(image)[0, 0], np.repeat(np.transpose([expected]), 3, axis=1), rtol=1e-12)


@pytest.mark.parametrize("dtype", [tf.float32, tf.float64])
def test_everything_works_in_the_dtype_given(dtype):
    image = tf.cast(IMAGE[:1], dtype)
    light = luminance(image)
    made = (
        light,
        grey(image),
        with_luminance(image, light),
        match_luminance(light, light[:, :3]),
        match_colors(image, image),
    )
    assert all(value.dtype == dtype for value in made)


def test_with_luminance_keeps_chrominance():
    image = (0.3 + 0.4 * IMAGE).astype(np.float32)
    light = np.clip(luminance(image) + 0.25 * (GENERATOR.random((2, 5, 7, 1)) - 0.5), 0.3, 0.7).astype(
        np.float32
    )
    made = with_luminance(tf.constant(image), tf.constant(light)).numpy()
    assert inside(made) and np.abs(light - luminance(image)).max() > 0.1
    np.testing.assert_allclose(made @ CHROMINANCE.T, image @ CHROMINANCE.T, atol=0.001 / 255)
    np.testing.assert_allclose(made @ [0.299, 0.587, 0.114], light[..., 0], atol=1e-6)


def test_with_luminance_is_clipped():
    blue = tf.constant([[[[0.0, 0.0, 1.0]]]])
    np.testing.assert_allclose(
        with_luminance(blue, tf.ones([1, 1, 1, 1])), [[[[0.886, 0.886, 1]]]], atol=1e-6
    )
    np.testing.assert_allclose(with_luminance(blue, tf.zeros([1, 1, 1, 1])), [[[[0, 0, 0.886]]]], atol=1e-6)


def test_match_luminance():
    """Each picture of a batch by itself, to a reference of another size."""
    light = tf.constant(0.1 + 0.2 * GENERATOR.random((2, 6, 8, 1)) * [[[[1]]], [[[3]]]])
    reference = tf.constant(0.3 + 0.4 * GENERATOR.random((1, 9, 5, 1)))
    made = match_luminance(light, reference).numpy()
    assert inside(made)
    for picture, before in zip(made, light.numpy()):
        assert picture.mean() == pytest.approx(np.mean(reference), rel=1e-12)
        assert picture.std() == pytest.approx(np.std(reference), rel=1e-12)
        np.testing.assert_allclose(
            np.corrcoef(picture.ravel(), before.ravel()), 1, rtol=1e-12
        )  # an affine map


def test_match_luminance_is_clipped_and_of_a_constant_picture_the_references_mean():
    light = tf.constant([0.1, 0.1, 0.1, 0.1, 0.9], shape=[1, 5, 1, 1])
    reference = tf.constant([0.0, 1.0], shape=[1, 2, 1, 1])  # mean and deviation 1/2
    np.testing.assert_allclose(
        np.ravel(match_luminance(light, reference)), [0.25, 0.25, 0.25, 0.25, 1], atol=1e-6
    )
    # Also where float32 makes its deviation a little more than 0.
    for value in (0.0, 0.3, 0.7, 0.9):
        made = match_luminance(tf.fill([1, 37, 41, 1], value), tf.constant(IMAGE[:1, :, :, :1], tf.float32))
        np.testing.assert_allclose(made, np.full((1, 37, 41, 1), IMAGE[:1, :, :, :1].mean()), atol=1e-4)


@FORMS
def test_colors_have_the_references_mean_and_covariance(form):
    made = match_colors(tf.constant(SOURCE), tf.constant(REFERENCE), form).numpy()
    assert made.shape == SOURCE.shape and inside(made)
    assert np.abs(statistics(SOURCE)[1] - statistics(REFERENCE)[1]).max() > 5e-4
    assert_same_statistics(statistics(made), statistics(REFERENCE), rtol=1e-7, atol=1e-10)


def fitted(made):
    """The linear map between the two pictures, and how well it fits."""
    x, y = (image.reshape(-1, 3) - image.reshape(-1, 3).mean(0) for image in (SOURCE, made))
    found, residual, *_ = np.linalg.lstsq(x, y, rcond=None)
    assert residual.max() < 1e-20
    return found.T


def test_each_form_has_its_own_map():
    made = {
        form: fitted(match_colors(tf.constant(SOURCE), tf.constant(REFERENCE), form).numpy())
        for form in ("pca", "cholesky")
    }
    covariances = [statistics(image)[1] for image in (SOURCE, REFERENCE)]
    factor, wanted = (np.linalg.cholesky(matrix) for matrix in covariances)
    np.testing.assert_allclose(made["cholesky"], wanted @ np.linalg.inv(factor), atol=1e-8)
    roots = []
    for matrix in covariances:
        u, s, _ = np.linalg.svd(matrix)  # symmetric: both sides are the same
        roots.append(u * np.sqrt(s) @ u.T)
    np.testing.assert_allclose(made["pca"], roots[1] @ np.linalg.inv(roots[0]), atol=1e-8)
    assert np.abs(made["pca"] - made["cholesky"]).max() > 0.1


@FORMS
def test_own_colors_stay(form):
    image = SOURCE.astype(np.float32)
    np.testing.assert_allclose(match_colors(image, image, form), image, atol=1e-6)


@FORMS
def test_masks_say_how_much_pixels_count(form):
    """In part, as well: statistics are those of weighted pixels."""
    mask, reference_mask = GENERATOR.random((1, 20, 30, 1)), GENERATOR.random((1, 25, 16, 1))
    mask[:, :8], reference_mask[:, :, :5] = 0, 0
    # Where they do not count, anything may be.
    source, reference = np.where(mask == 0, 0.9, SOURCE), np.where(reference_mask == 0, 0.1, REFERENCE)
    made = match_colors(
        tf.constant(source), tf.constant(reference), form, tf.constant(mask), tf.constant(reference_mask)
    )
    assert inside(made.numpy()[:, 8:])
    assert_same_statistics(
        statistics(made, mask), statistics(reference, reference_mask), rtol=1e-7, atol=1e-10
    )


@pytest.mark.parametrize("name", ["mask", "reference_mask"])
def test_a_mask_of_nothing_is_named(name):
    with pytest.raises(ValueError, match=rf"^{name}: is 0 everywhere"):
        match_colors(SOURCE, SOURCE, **{name: tf.zeros([1, 20, 30, 1])})


@FORMS
def test_a_grey_picture_keeps_its_order_and_is_not_blown_up(form):
    """All it can have of the reference's covariance is one direction."""
    shade = SOURCE[..., :1]
    made = match_colors(tf.constant(np.repeat(shade, 3, -1)), tf.constant(REFERENCE), form).numpy()
    mean, covariance = statistics(made)
    np.testing.assert_allclose(mean, statistics(REFERENCE)[0], atol=1e-6)
    assert np.linalg.eigvalsh(covariance)[-1] <= 1.05 * np.trace(statistics(REFERENCE)[1])
    assert np.linalg.matrix_rank(covariance, 1e-10) == 1


@FORMS
def test_noise_is_scaled_by_no_more_than_its_limit(form):
    """Of a picture that is grey but for rounding: 0.003, rather than that, becomes the reference's deviation."""
    noisy = 0.5 + 1e-4 * GENERATOR.normal(size=SOURCE.shape)
    made = match_colors(tf.constant(noisy), tf.constant(REFERENCE), form).numpy()
    most = 1e-4 / 1e-5**0.5 * np.sqrt(np.trace(statistics(REFERENCE)[1]))
    assert 0 < np.std(made.reshape(-1, 3), axis=0).max() < 1.1 * most


@FORMS
def test_a_grey_reference_makes_grey(form):
    shade = np.repeat(REFERENCE[..., :1], 3, axis=-1)
    made = match_colors(tf.constant(SOURCE), tf.constant(shade), form).numpy()
    assert_same_statistics(statistics(made), statistics(shade), rtol=1e-5)
    np.testing.assert_allclose(np.ptp(made, axis=-1), 0, atol=1e-4)


@FORMS
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_constant_pictures(form, dtype):
    constant = np.full((1, 6, 7, 3), [0.2, 0.7, 0.4], dtype)
    source, reference = SOURCE.astype(dtype), REFERENCE.astype(dtype)
    wanted = np.broadcast_to(statistics(reference)[0], constant.shape)
    np.testing.assert_allclose(match_colors(constant, reference, form), wanted, atol=1e-6)
    np.testing.assert_allclose(
        match_colors(source, constant, form), np.broadcast_to(constant[:, :1, :1], source.shape), atol=1e-4
    )


@FORMS
def test_matched_colors_are_clipped(form):
    wide = 10 * (REFERENCE - 0.5) + 0.5
    made = match_colors(tf.constant(SOURCE), tf.constant(wide), form).numpy()
    assert made.min() == 0 and made.max() == 1


def test_an_unknown_form_is_named():
    with pytest.raises(ValueError, match=r"^color_matching='svd': must be one of pca, cholesky"):
        match_colors(SOURCE, REFERENCE, "svd")
