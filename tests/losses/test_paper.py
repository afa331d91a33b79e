"""Losses against NumPy, and their gradients against the paper's closed forms, in float64."""

import numpy as np
import pytest
import tensorflow as tf

from tfstyle.config.transfer import choices
from tfstyle.losses.paper import content_loss, gram_matrix, style_loss, total_variation

GENERATOR = np.random.default_rng(0)
# Before the ReLU: about half of the activations become 0.
BEFORE = GENERATOR.standard_normal((1, 5, 7, 4))
TARGET = np.maximum(GENERATOR.standard_normal((1, 5, 7, 4)), 0)
FILTERS, POSITIONS = 4, 35


def as_paper(features):
    """The paper's F: filters by positions."""
    return features.reshape(POSITIONS, FILTERS).T


def test_gram_matrix_by_hand_and_of_a_batch_each_ones_own():
    features = tf.constant([[[[1.0, 2.0]], [[3.0, -1.0]]]])  # two positions, two filters
    np.testing.assert_array_equal(gram_matrix(features), [[[10.0, -1.0], [-1.0, 5.0]]])
    batch = GENERATOR.standard_normal((3, 4, 5, 6))
    together = gram_matrix(tf.constant(batch))
    for index in range(3):
        np.testing.assert_allclose(together[index], gram_matrix(tf.constant(batch[index : index + 1]))[0])


@pytest.mark.parametrize("axes", [3, 4])
def test_masked_gram_matrix_counts_only_the_guided_positions(axes):
    features = np.maximum(BEFORE, 0)
    mask = (GENERATOR.random((1, 5, 7)) > 0.5).astype(float)
    rows = as_paper(features)[:, mask.ravel() == 1]
    given = tf.constant(mask if axes == 3 else mask[..., None])
    np.testing.assert_allclose(gram_matrix(tf.constant(features), given)[0], rows @ rows.T, rtol=1e-12)


@pytest.mark.parametrize("masked", [False, True])
def test_gram_matrix_gradient(masked):
    features, upstream = tf.constant(BEFORE), GENERATOR.standard_normal((1, 4, 4))  # not symmetric
    mask = GENERATOR.random((1, 5, 7)) if masked else None
    with tf.GradientTape() as tape:
        tape.watch(features)
        gram = gram_matrix(features, mask)
    gradient = tape.gradient(gram, features, output_gradients=tf.constant(upstream))
    weights = mask[..., None] ** 2 if masked else 1
    expected = weights * (BEFORE @ (upstream[0] + upstream[0].T))
    np.testing.assert_allclose(gradient, expected, rtol=1e-12)


def test_gram_matrix_second_derivative():
    """Of 1/2 |F^T F|^2, whose gradient is 2 F G, along V: 2 V G + 2 F (V^T F + F^T V)."""
    f, v = GENERATOR.standard_normal((2, 6, 4))
    features, along = tf.constant(f.reshape(1, 2, 3, 4)), tf.constant(v.reshape(1, 2, 3, 4))
    with tf.GradientTape() as outer:
        outer.watch(features)
        with tf.GradientTape() as inner:
            inner.watch(features)
            value = 0.5 * tf.reduce_sum(tf.square(gram_matrix(features)))
        slope = tf.reduce_sum(inner.gradient(value, features) * along)
    expected = 2 * v @ (f.T @ f) + 2 * f @ (v.T @ f + f.T @ v)
    np.testing.assert_allclose(outer.gradient(slope, features).numpy().reshape(6, 4), expected, rtol=1e-12)


@pytest.mark.parametrize("masked", [False, True])
def test_gram_matrix_gradient_of_bfloat16(masked):
    features = tf.cast(BEFORE, tf.bfloat16)
    upstream = GENERATOR.standard_normal((1, 4, 4)).astype(np.float32)
    with tf.GradientTape() as tape:
        tape.watch(features)
        gram = gram_matrix(features, tf.ones([1, 5, 7]) if masked else None)
    gradient = tape.gradient(gram, features, output_gradients=tf.constant(upstream))
    assert gram.dtype == tf.float32 and gradient.dtype == tf.bfloat16
    exact = features.numpy().astype(float) @ (upstream[0] + upstream[0].T)
    np.testing.assert_allclose(gradient.numpy().astype(float), exact, atol=0.02 * np.abs(exact).max())


def test_content_loss_is_equation_1_and_its_gradient_equation_2():
    before = tf.Variable(BEFORE)
    with tf.GradientTape() as tape:
        features = tf.nn.relu(before)
        loss = content_loss(features, tf.constant(TARGET))
    f, p = as_paper(np.maximum(BEFORE, 0)), as_paper(TARGET)
    np.testing.assert_allclose(loss, 0.5 * np.sum((f - p) ** 2), rtol=1e-12)
    expected = np.where(f > 0, f - p, 0)
    np.testing.assert_allclose(as_paper(tape.gradient(loss, before).numpy()), expected, rtol=1e-12)


def test_style_loss_is_equation_4_and_its_gradient_equation_6():
    gram_of_style = as_paper(TARGET) @ as_paper(TARGET).T
    before = tf.Variable(BEFORE)
    with tf.GradientTape() as tape:
        loss = style_loss(tf.nn.relu(before), tf.constant(gram_of_style[np.newaxis]))
    f = as_paper(np.maximum(BEFORE, 0))
    difference = f @ f.T - gram_of_style
    scale = FILTERS**2 * POSITIONS**2
    np.testing.assert_allclose(loss, np.sum(difference**2) / (4 * scale), rtol=1e-12)
    expected = np.where(f > 0, (f.T @ difference).T / scale, 0)
    np.testing.assert_allclose(
        as_paper(tape.gradient(loss, before).numpy()), expected, rtol=1e-10, atol=1e-16
    )


def test_style_loss_of_large_activations_stays_in_the_range_of_float32():
    features = tf.fill([1, 512, 512, 64], 3e3)
    assert np.isfinite(style_loss(features, tf.zeros([1, 64, 64])))


# One of three channels; the others are 0. Differences downwards: .5 0 .75, to the right: .5 -.25, 0 .5.
SMALL = np.zeros((1, 2, 3, 3))
SMALL[0, :, :, 1] = [[0, 0.5, 0.25], [0.5, 0.5, 1]]
BY_HAND = {
    "squared": 0.25 + 0.5625 + 0.25 + 0.0625 + 0.25,
    "inner_squared": (0.25 + 0.25) + (0 + 0.0625),
    "absolute": 0.5 + 0.75 + 0.5 + 0.25 + 0.5,
    "mean_squared": (0.25 + 0.5625) / 9 + (0.25 + 0.0625 + 0.25) / 12,
    # With its border around it, SMALL differs by 0 .5 -.25 0, .5 .5 .5 .75, 0 0 .5 0 along one diagonal
    # and by 0 -.5 .25 0, .5 0 .25 .75, 0 0 -.5 0 along the other.
    "nine_point": 2 * (0.8125 + 0.5625) / 18 / 3 + (1.875 + 1.4375) / 36 / 6,
    "power": 2**-1.25 + 2**-5,
}
# What doubling the contrast does to each.
DEGREES = {"squared": 2, "inner_squared": 2, "absolute": 1, "mean_squared": 2, "nine_point": 2, "power": 2.5}
FORMS = pytest.mark.parametrize("form", BY_HAND)


def test_every_form_of_total_variation_is_tested():
    assert set(BY_HAND) == set(DEGREES) == set(choices("tv_loss"))


@FORMS
def test_total_variation_by_hand(form):
    assert float(total_variation(tf.constant(SMALL), form)) == pytest.approx(BY_HAND[form], rel=1e-12)


@FORMS
def test_total_variation_of_a_batch_is_the_sum_of_each_ones_own(form):
    both = float(total_variation(tf.constant(np.concatenate([SMALL, SMALL / 2])), form))
    assert both == pytest.approx(BY_HAND[form] * (1 + 0.5 ** DEGREES[form]), rel=1e-12)


def test_total_variation_is_of_squares_where_nothing_is_said():
    assert float(total_variation(tf.constant(SMALL))) == pytest.approx(BY_HAND["squared"])


@FORMS
@pytest.mark.parametrize("shape", [(1, 1, 4, 3), (1, 4, 1, 3), (1, 1, 1, 3)])
def test_total_variation_where_there_are_no_neighbours(form, shape):
    image = np.zeros(shape)
    image.reshape(-1, 3)[0] = [0.5, 0, 0]  # differs from its only neighbour
    some = {"squared": 0.25, "absolute": 0.5, "mean_squared": 0.25 / 9}
    some["nine_point"] = 2 * 0.25 / 12 / 3 + (0.5 + 0.5) / 30 / 6
    expected = some if max(shape) > 3 else {}
    variable = tf.Variable(image)
    with tf.GradientTape() as tape:
        loss = total_variation(variable, form)
    assert float(loss) == pytest.approx(expected.get(form, 0))
    assert np.isfinite(tape.gradient(loss, variable)).all()


@FORMS
def test_total_variation_gradient_against_differences(form):
    image = GENERATOR.random((2, 4, 5, 3))
    variable = tf.Variable(image)
    with tf.GradientTape() as tape:
        loss = total_variation(variable, form)
    gradient = tape.gradient(loss, variable).numpy()
    for place in ((0, 0, 0, 0), (0, 2, 3, 1), (0, 3, 4, 2), (1, 3, 0, 0), (1, 1, 4, 1)):
        step = np.zeros_like(image)
        step[place] = 1e-6
        slope = (total_variation(image + step, form) - total_variation(image - step, form)) / 2e-6
        assert gradient[place] == pytest.approx(float(slope), rel=1e-6, abs=1e-7)


@FORMS
@pytest.mark.parametrize("dtype", [tf.float32, tf.float64])
def test_total_variation_pulls_nowhere_in_a_uniform_picture(form, dtype):
    image = tf.fill([1, 3, 4, 3], tf.constant(0.25, dtype))

    @tf.function
    def value_and_gradient(image):
        with tf.GradientTape() as tape:
            tape.watch(image)
            loss = total_variation(image, form)
        return loss, tape.gradient(loss, image)

    loss, gradient = value_and_gradient(image)
    assert float(loss) == 0
    np.testing.assert_array_equal(gradient, np.zeros(image.shape))


def test_an_unknown_total_variation_is_named():
    with pytest.raises(ValueError, match=r"^tv_loss='cubed': must be one of squared, "):
        total_variation(SMALL, "cubed")
