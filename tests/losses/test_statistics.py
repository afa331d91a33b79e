"""Style statistics against NumPy, and their gradients against differences, in float64."""

import numpy as np
import pytest
import tensorflow as tf

from tfstyle.losses import histogram, paper
from tfstyle.losses.measuring import STATISTICS, make_statistic
from tfstyle.losses.statistics import blended, normalised, trace_of_root

FILTERS = 3
ALL = pytest.mark.parametrize("name", STATISTICS)
MASKED = pytest.mark.parametrize("masked", [False, True])


def activations(batch, height, width, seed, filters=FILTERS):
    """Correlated, about a third of them 0, and of another size in each filter."""
    generator = np.random.default_rng(seed)
    mixed = generator.standard_normal((batch, height, width, filters)) @ generator.standard_normal(
        (filters, filters)
    )
    return np.maximum(mixed + 0.4, 0) * np.arange(1, filters + 1)


PICTURE, STYLE = activations(2, 4, 5, seed=0), activations(1, 6, 3, seed=1)
MASK = np.random.default_rng(2).random((1, 4, 5, 1))


def made(name, style=STYLE, scale=1.0):
    reference = normalised(make_statistic("moments").sums(tf.constant(style)))
    return make_statistic(name, reference, scale)


def described(measure, features, mask=None):
    mask = None if mask is None else tf.constant(mask)
    return normalised(measure.sums(tf.convert_to_tensor(features), mask))


def loss_of(measure, features, style=STYLE, mask=None):
    """And its gradient with respect to the features."""
    distance = measure.loss_to(described(measure, style))
    features = tf.convert_to_tensor(features)
    with tf.GradientTape() as tape:
        tape.watch(features)
        losses = distance(described(measure, features, mask))
        loss = tf.reduce_sum(losses)
    assert losses.shape == [features.shape[0]]
    return float(loss), tape.gradient(loss, features).numpy()


def same(one, other, rtol=1e-10):
    assert one.keys() == other.keys()
    for name, value in one.items():
        np.testing.assert_allclose(value, other[name], rtol=rtol, atol=1e-13, err_msg=name)


@ALL
@MASKED
def test_gradient_against_differences(name, masked):
    measure, mask = made(name, scale=1.5), MASK if masked else None
    _, gradient = loss_of(measure, PICTURE, mask=mask)
    places = np.argwhere(PICTURE > 0)[::3]  # at 0, a step to one side leaves a histogram's bin
    assert len(places) > 15
    for place in map(tuple, places):
        step = np.zeros_like(PICTURE)
        step[place] = 1e-6
        slope = (
            loss_of(measure, PICTURE + step, mask=mask)[0] - loss_of(measure, PICTURE - step, mask=mask)[0]
        ) / 2e-6
        assert gradient[place] == pytest.approx(slope, rel=1e-5, abs=1e-8)
    assert np.abs(gradient).max() > 1e-3


@ALL
def test_a_mask_counts_by_its_square(name):
    """Half a mask is a quarter of a position."""
    measure, part = made(name), PICTURE[:, :, :1]
    mask = np.ones([1, 4, 2, 1])
    mask[:, :, 1] = 0.5
    summed = measure.sums(tf.constant(np.concatenate([part, part], axis=2)), tf.constant(mask))
    same(summed, {key: 1.25 * value for key, value in measure.sums(tf.constant(part)).items()})


@ALL
@MASKED
def test_sums_over_disjoint_tiles_add_up(name, masked):
    measure, mask = made(name), MASK if masked else None
    whole = measure.sums(tf.constant(PICTURE), mask)
    tiles = [(slice(0, 3), slice(0, 2)), (slice(3, 4), slice(0, 2)), (slice(0, 4), slice(2, 5))]
    parts = [
        measure.sums(tf.constant(PICTURE[:, rows, columns]), mask if mask is None else mask[:, rows, columns])
        for rows, columns in tiles
    ]
    same(whole, {key: sum(part[key] for part in parts) for key in whole})


@ALL
def test_the_target_itself_is_no_loss(name):
    features, style = (well_conditioned(1), well_conditioned(2)) if name == "bures" else (PICTURE[:1], STYLE)
    measure = made(name, style=style)
    loss, gradient = loss_of(measure, style, style=style)
    other, elsewhere = loss_of(measure, features, style=style)
    assert abs(loss) < 1e-9 * other
    assert np.abs(gradient).max() < 1e-7 * np.abs(elsewhere).max()


@ALL
def test_scale_is_that_of_activations(name):
    scaled = loss_of(made(name, scale=40.0), PICTURE)
    divided = loss_of(made(name, style=STYLE / 40), PICTURE / 40, style=STYLE / 40)
    assert scaled[0] == pytest.approx(divided[0], rel=1e-9)
    np.testing.assert_allclose(scaled[1], divided[1] / 40, rtol=1e-8, atol=1e-14)
    assert scaled[0] < 0.1 * loss_of(made(name), PICTURE)[0]


@ALL
def test_a_blend_is_a_mixture(name):
    """Of equal shares: what one picture with the positions of both has."""
    measure, others = made(name), activations(1, 6, 3, seed=5)
    blend = blended([described(measure, STYLE), described(measure, others)], [0.5, 0.5])
    same(blend, described(measure, np.concatenate([STYLE, others], axis=1)))
    skewed = blended([described(measure, STYLE), described(measure, others)], [0.75, 0.25])
    same(skewed, described(measure, np.concatenate([STYLE] * 3 + [others], axis=1)))


@ALL
@MASKED
def test_compiled_for_any_size_each_picture_for_itself(name, masked):
    """Pictures may have targets and masks of their own."""
    measure, styles = made(name), activations(2, 3, 3, seed=3)
    masks = np.random.default_rng(4).random((2, 4, 5, 1)) if masked else None
    distance = measure.loss_to(described(measure, styles))
    grid = [None, None, None]

    @tf.function(
        input_signature=[tf.TensorSpec([*grid, FILTERS], tf.float64)]
        + [tf.TensorSpec([*grid, 1], tf.float64)] * masked
    )
    def value_and_gradient(features, masks=None):
        with tf.GradientTape() as tape:
            tape.watch(features)
            losses = distance(normalised(measure.sums(features, masks)))
        return losses, tape.gradient(losses, features)

    for rows in (4, 3):
        given = [tf.constant(each[:, :rows]) for each in (PICTURE, masks)[: 1 + masked]]
        losses, gradient = value_and_gradient(*given)
        for index, style in enumerate(styles):
            alone = [each[index : index + 1] for each in given]
            expected = loss_of(measure, alone[0], style[np.newaxis], *alone[1:])
            assert float(losses[index]) == pytest.approx(expected[0], rel=1e-10)
            np.testing.assert_allclose(gradient[index], expected[1][0], rtol=1e-8, atol=1e-13)


@ALL
def test_float32_is_near_float64(name):
    measure, mask = made(name), MASK.astype(np.float32)
    loss, gradient = loss_of(measure, PICTURE, mask=mask)
    narrow = described(measure, STYLE.astype(np.float32))
    assert {value.dtype for value in described(measure, PICTURE, mask).values()} == {tf.float64}
    assert {value.dtype for value in narrow.values()} == {tf.float32}
    close, slope = loss_of(measure, PICTURE.astype(np.float32), style=STYLE.astype(np.float32), mask=mask)
    assert close == pytest.approx(loss, rel=1e-4) and slope.dtype == np.float32
    np.testing.assert_allclose(slope, gradient, rtol=1e-3, atol=1e-4 * np.abs(gradient).max())


@ALL
@MASKED
def test_bfloat16_is_summed_in_float32(name, masked):
    """Alone it stops counting at 256."""
    assert float(made(name).sums(tf.ones([1, 200, 200, FILTERS], tf.bfloat16))["count"][0]) == 40_000
    measure, mask = made(name), tf.constant(MASK, tf.bfloat16) if masked else None
    features = tf.cast(PICTURE, tf.bfloat16)
    exact = measure.sums(tf.cast(features, tf.float64), None if mask is None else tf.cast(mask, tf.float64))
    sums = measure.sums(features, mask)
    assert {value.dtype for value in sums.values()} == {tf.float32}
    for key, value in sums.items():
        np.testing.assert_allclose(value, exact[key], rtol=1e-5, atol=1e-5, err_msg=key)
    _, gradient = loss_of(measure, features, style=tf.cast(STYLE, tf.bfloat16))
    _, expected = loss_of(
        measure, tf.cast(features, tf.float64), style=tf.cast(tf.cast(STYLE, tf.bfloat16), tf.float64)
    )
    assert gradient.dtype == tf.bfloat16.as_numpy_dtype
    np.testing.assert_allclose(gradient.astype(float), expected, atol=0.02 * np.abs(expected).max())


@ALL
def test_large_activations_stay_in_the_range_of_float32(name):
    style = (STYLE * 1e5).astype(np.float32)
    loss, gradient = loss_of(made(name, style=style), (PICTURE * 1e5).astype(np.float32), style=style)
    assert np.isfinite(loss) and loss > 0 and np.isfinite(gradient).all()


@ALL
def test_silence_in_picture_and_style(name):
    """Of a filter in either or both: the gradient is finite, and 0 where both are silent."""
    style, features = STYLE.copy(), PICTURE.copy()
    style[..., :2] = features[..., 1:] = 0
    loss, gradient = loss_of(made(name, style=style), features, style=style)
    assert np.isfinite(loss) and loss > 0 and np.isfinite(gradient).all()
    np.testing.assert_allclose(gradient[..., 1], 0, atol=1e-9)
    assert np.abs(gradient[..., 0]).max() > 0
    silent = np.zeros_like(STYLE)
    loss, gradient = loss_of(made(name, style=silent), np.zeros_like(PICTURE), style=silent)
    assert abs(loss) < 1e-9 and np.abs(gradient).max() < 1e-9


@ALL
def test_an_empty_mask(name):
    measure = made(name)
    empty = described(measure, PICTURE, np.zeros([1, 4, 5, 1]))
    assert all(np.all(value == 0) for value in empty.values())
    loss, gradient = loss_of(measure, PICTURE, mask=np.zeros([1, 4, 5, 1]))
    assert np.isfinite(loss) and np.all(gradient == 0)


def test_normalised_sums_by_hand():
    sums = {"count": tf.constant([2.0, 4.0]), "it": tf.constant([[6.0, 8.0], [4.0, 0.0]])}
    ((name, value),) = normalised(sums).items()
    assert name == "it"
    np.testing.assert_array_equal(value, [[3, 4], [1, 0]])


def test_statistics_that_cannot_be_made():
    with pytest.raises(
        ValueError, match=r"^style_loss='mean': must be one of gram, moments, bures, histogram$"
    ):
        make_statistic("mean")
    with pytest.raises(ValueError, match=r"^reference=None: must be normalised sums of Moments"):
        make_statistic("histogram")


# Gram matrices.


def test_gram_loss_is_equation_4_per_position():
    measure = made("gram")
    target = paper.gram_matrix(tf.constant(STYLE)) * (20 / 18)  # of as many positions as the picture's
    expected = paper.style_loss(tf.constant(PICTURE[:1]), target)
    assert loss_of(measure, PICTURE[:1])[0] == pytest.approx(float(expected), rel=1e-12)


# Moments.


def test_moments_against_numpy_and_a_variance_lost_in_rounding():
    measure, rows, style = made("moments"), PICTURE[0].reshape(20, FILTERS), STYLE.reshape(18, FILTERS)
    deviations = [np.sqrt(each.var(axis=0) + 1e-5) for each in (rows, style)]
    expected = np.mean((rows.mean(axis=0) - style.mean(axis=0)) ** 2 + (deviations[0] - deviations[1]) ** 2)
    assert loss_of(measure, PICTURE[:1])[0] == pytest.approx(expected, rel=1e-10)
    first = tf.constant([[100.0]])
    target = {"first": first, "second": tf.constant([[10_004.0]])}
    less = {"first": first, "second": tf.constant([[9_999.0]])}
    loss = make_statistic("moments").loss_to(target)(less)
    assert float(loss[0]) == pytest.approx((np.sqrt(4 + 1e-5) - np.sqrt(1e-5)) ** 2, rel=1e-6)


# The Bures distance.


def root(matrix):
    values, vectors = np.linalg.eigh(matrix)
    return vectors @ np.diag(np.sqrt(values)) @ vectors.T


def gaussian(features):
    rows = features.reshape(-1, features.shape[-1])
    return rows.mean(axis=0), np.cov(rows.T, bias=True) + 1e-4 * np.eye(rows.shape[-1])


def well_conditioned(seed):
    return np.random.default_rng(seed).standard_normal((1, 9, 8, 4)) * [1.0, 1.5, 0.8, 1.2] + seed


def wasserstein(features, style):
    """The loss and its gradient, by eigenvalues."""
    (mean, own), (target_mean, target) = gaussian(features), gaussian(style)
    cross = root(root(target) @ own @ root(target))
    loss = np.mean((mean - target_mean) ** 2) + np.trace(own + target - 2 * cross) / len(mean)
    # Knott & Smith 1984: the optimal map is linear, and each position is drawn to where it takes it.
    transport = root(target) @ np.linalg.inv(cross) @ root(target)
    moved = (features - mean) @ transport + target_mean
    return loss, 2 * (features - moved) / features.size


ONE = well_conditioned(1)
FEW, FEW_OF_STYLE = (0.1 * activations(1, *size, filters=24) for size in ((3, 3, 6), (2, 4, 7)))


@pytest.mark.parametrize(
    ("features", "style"), [(ONE, well_conditioned(2)), (FEW, FEW_OF_STYLE), (FEW + 10, FEW_OF_STYLE + 11)]
)
def test_bures_loss_against_eigenvalues(features, style):
    """Also of covariances of rank 8 and 7, but for what is added to them; means may be far larger."""
    expected, expected_slope = wasserstein(features, style)
    for dtype, tolerance, slope_tolerance in ((np.float64, 1e-7, 1e-5), (np.float32, 1e-4, 1e-2)):
        found, slope = loss_of(made("bures"), features.astype(dtype), style=style.astype(dtype))
        assert found == pytest.approx(expected, rel=tolerance)
        np.testing.assert_allclose(slope, expected_slope, atol=slope_tolerance * np.abs(slope).max())


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_bures_of_the_style_itself_of_fewer_positions_than_filters(dtype):
    style = activations(1, 2, 4, seed=7, filters=24).astype(dtype)
    other, elsewhere = loss_of(made("bures"), activations(1, 3, 3, 6, 24).astype(dtype), style=style)
    loss, gradient = loss_of(made("bures"), style, style=style)
    assert abs(loss) < 1e-5 * other
    assert np.abs(gradient).max() < 1e-2 * np.abs(elsewhere).max()


def test_bures_of_products_that_rounding_left_unsymmetric():
    """As those of float32 are on some processors."""
    measure, style = made("bures"), activations(1, 2, 4, seed=7, filters=24)
    sums = described(measure, style)
    noise = np.random.default_rng(11).uniform(-1, 1, (1, 24, 24))
    skewed = {"first": sums["first"], "second": sums["second"] + 1e-3 * (noise - noise.transpose(0, 2, 1))}
    others = described(measure, activations(1, 3, 3, seed=6, filters=24))
    for one, other in ((skewed, others), (others, skewed), (skewed, skewed)):
        exact = measure.loss_to(sums if one is skewed else one)(sums if other is skewed else other)
        assert measure.loss_to(one)(other).numpy() == pytest.approx(exact.numpy(), rel=1e-9, abs=1e-6)


def test_bures_of_pictures_without_any_variance():
    """Gaussians of covariance 1e-4 I, at the means."""
    flat = np.full((1, 3, 3, 4), 7.0, np.float32)
    loss, gradient = loss_of(made("bures"), flat, style=flat + 2)
    assert loss == pytest.approx(4, rel=1e-5)
    np.testing.assert_allclose(gradient, 2 * (flat - (flat + 2)) / flat.size, rtol=1e-5)


def test_traces_of_roots():
    """Eigenvalues 9, 4 and -1, which counts as 0.25."""
    basis = np.linalg.qr(np.random.default_rng(8).standard_normal((3, 3)))[0]
    matrix = tf.constant(basis @ np.diag([9.0, 4.0, -1.0]) @ basis.T)[tf.newaxis]
    with tf.GradientTape() as tape:
        tape.watch(matrix)
        trace = trace_of_root(matrix, 0.25)
    np.testing.assert_allclose(trace, [3 + 2 + 0.5])
    slope = basis @ np.diag([1 / 6, 1 / 4, 0]) @ basis.T
    np.testing.assert_allclose(tape.gradient(trace, matrix)[0], slope, atol=1e-12)


# Histograms.


def test_bins_by_hand():
    """The root mean square is 3.2, so that a bin is 0.1 wide."""
    measure = make_statistic(
        "histogram", {"first": tf.zeros([1, 1]), "second": tf.constant([[3.2**2]], tf.float64)}
    )
    values = [0.0, -5.0, 0.05, 0.08, 0.15, 25.35, 25.45, 1e12]
    sums = measure.sums(tf.constant(values, tf.float64)[tf.newaxis, tf.newaxis, :, tf.newaxis])
    positions, activation = np.zeros(256), np.zeros(256)
    positions[[0, 1, 2, 254, 255]] = [2, 2, 1, 1, 2]
    activation[[0, 1, 2, 254, 255]] = [-5, 0.13, 0.15, 25.35, 25.45 + 1e12]
    np.testing.assert_array_equal(sums["positions"][0, 0], positions)
    np.testing.assert_allclose(sums["values"][0, 0], activation, rtol=1e-12)


def exact(features, style):
    """Squared Wasserstein distances of sorted activations, their mean over filters, and M(F)."""
    own, target = (each.reshape(-1, each.shape[-1]) for each in (features, style))
    order = np.argsort(own, axis=0)
    # Each picture's activations as often as there are positions in the other.
    steps = np.repeat(np.sort(target, axis=0), len(own), axis=0).reshape(len(own), len(target), -1)
    places = np.take_along_axis(own, order, axis=0)[:, np.newaxis]
    moved = np.empty_like(own)
    np.put_along_axis(moved, order, steps.mean(axis=1), axis=0)
    return np.mean((places - steps) ** 2), moved.reshape(features.shape)


@pytest.mark.parametrize(("bins", "tolerance"), [(256, 2e-3), (8192, 2e-5)])
def test_histogram_loss_against_sorted_activations(bins, tolerance, monkeypatch):
    monkeypatch.setattr(histogram, "BINS", bins)
    generator = np.random.default_rng(9)
    features = np.maximum(generator.standard_normal((1, 30, 50, FILTERS)), 0)
    style = np.maximum(generator.gamma(2.0, 1.0, (1, 25, 40, FILTERS)) - 0.5, 0) * [0.5, 1, 3]
    expected, moved = exact(features, style)
    loss, gradient = loss_of(made("histogram", style=style), features, style=style)
    assert loss == pytest.approx(expected, rel=tolerance)
    zeros = features == 0
    difference = gradient * 1500 * FILTERS / 2 - (features - moved)
    spread = np.sqrt(np.mean(style**2, axis=(0, 1, 2)))
    assert np.mean(np.abs(difference / spread)[~zeros]) < 8 / bins + 5e-4
    # What begins at 0 has one gradient, and is drawn to the mean of where it should go.
    for index in range(FILTERS):
        pull = gradient[..., index][zeros[..., index]] * 1500 * FILTERS / 2
        np.testing.assert_allclose(pull, -moved[..., index][zeros[..., index]].mean(), rtol=1e-2)


def test_histogram_loss_of_few_values_by_hand():
    """Half the positions are 0, half 2; in the style a quarter is 0 and the rest 4."""
    features = np.array([0.0, 2.0, 0.0, 2.0]).reshape(1, 2, 2, 1)
    style = np.array([0.0, 4.0, 4.0, 4.0]).reshape(1, 1, 4, 1)
    measure = made("histogram", style=style)
    loss, gradient = loss_of(measure, features, style=style)
    # A zero stays, the other goes to 4 as all else.
    assert loss == pytest.approx((4**2 + 2 * 2**2) / 4, rel=1e-12)
    # But both are in one bin, and drawn to the mean of 0 and 4.
    np.testing.assert_allclose(gradient.ravel(), [-1, -1, -1, -1], rtol=1e-12)
    # Who leaves the bin changes nothing by that alone.
    features[0, 0, 0, 0] = 1e-9
    loss, gradient = loss_of(measure, features, style=style)
    assert loss == pytest.approx((4**2 + 2 * 2**2) / 4, rel=1e-8)
    np.testing.assert_allclose(gradient.ravel(), [-2, -1, 0, -1], rtol=1e-8)
