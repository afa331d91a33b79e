"""The matting loss against the matrix it stands for, the guided filter against loops, in float64."""

import numpy as np
import pytest
import tensorflow as tf

from tfstyle.losses.photorealism import edges_of, guided_filter, matting_loss

GENERATOR = np.random.default_rng(0)
CONTENT, IMAGE = GENERATOR.random((2, 1, 6, 7, 3))
EPSILON = 1e-3


def laplacian(content, epsilon, radius=1):
    """Levin et al. 2008: sum over windows of delta_ij - 1/|w| (1 + (I_i - mu)^T (S + eps/|w| U)^-1 (I_j - mu))."""
    height, width = content.shape[:2]
    matrix, pixels = np.zeros((height * width,) * 2), content.reshape(-1, 3)
    reach, size = range(-radius, radius + 1), (2 * radius + 1) ** 2
    for row in range(radius, height - radius):
        for column in range(radius, width - radius):
            window = [(row + i) * width + column + j for i in reach for j in reach]
            colors = pixels[window] - pixels[window].mean(0)
            inverse = np.linalg.inv(colors.T @ colors / size + epsilon / size * np.eye(3))
            matrix[np.ix_(window, window)] += np.eye(size) - (1 + colors @ inverse @ colors.T) / size
    return matrix


def value_and_gradient(loss, image):
    with tf.GradientTape() as tape:
        tape.watch(image)
        value = loss(image)
    return value, tape.gradient(value, image)


@pytest.mark.parametrize(("epsilon", "radius", "compiled"), [(1e-7, 1, True), (EPSILON, 2, False)])
def test_it_is_the_quadratic_form_of_the_matting_laplacian(epsilon, radius, compiled):
    """Summed over a batch; its gradient may be weighted."""
    matrix = laplacian(CONTENT[0], epsilon, radius)
    batch = np.concatenate([IMAGE, IMAGE[:, ::-1]])
    values = batch.reshape(2, -1, 3)
    loss = matting_loss(tf.constant(CONTENT), radius=radius, epsilon=epsilon)
    both = tf.function(value_and_gradient) if compiled else value_and_gradient
    value, gradient = both(lambda image: 3.0 * loss(image), tf.constant(batch))
    np.testing.assert_allclose(value, 3 * np.einsum("bic,ij,bjc", values, matrix, values), rtol=1e-10)
    np.testing.assert_allclose(gradient.numpy().reshape(2, -1, 3), 6 * matrix @ values, rtol=1e-8, atol=1e-11)


def test_second_derivative():
    """Of a quadratic form: 2 L along any direction."""
    along = GENERATOR.normal(size=IMAGE.shape)
    loss = matting_loss(tf.constant(CONTENT), epsilon=EPSILON)

    def second(image):
        with tf.GradientTape() as tape:
            tape.watch(image)
            slope = tf.reduce_sum(value_and_gradient(loss, image)[1] * along)
        return tape.gradient(slope, image)

    found = tf.function(second)(tf.constant(IMAGE))
    expected = 2 * laplacian(CONTENT[0], EPSILON) @ along.reshape(-1, 3)
    np.testing.assert_allclose(found[0].numpy().reshape(-1, 3), expected, rtol=1e-8, atol=1e-10)


def test_a_picture_smaller_than_a_window_has_no_loss():
    small = tf.constant(IMAGE[:, :4])
    value, gradient = value_and_gradient(matting_loss(small, radius=2), small)
    assert float(value) == 0
    np.testing.assert_array_equal(gradient, np.zeros((1, 4, 7, 3)))
    assert float(matting_loss(small, radius=1)(small)) > 0


def test_float32_is_enough_on_a_flat_sky():
    """Small contrasts on light: where sums of squares would leave nothing in float32."""
    content = (0.9 + 0.004 * GENERATOR.random((1, 40, 50, 3))).astype(np.float32)
    image = (0.8 + 0.02 * GENERATOR.random((1, 40, 50, 3))).astype(np.float32)
    exact = matting_loss(tf.constant(content.astype(np.float64)))(tf.constant(image.astype(np.float64)))
    single = tf.function(matting_loss(tf.constant(content)))(tf.constant(image))
    assert single.dtype == tf.float32
    np.testing.assert_allclose(single, exact, rtol=1e-4)


def photograph(height, width):
    """Nearly grey, with sharp edges and the rounding of 8 bits: covariances are almost singular."""
    light, tint = GENERATOR.random((1, 6, 8, 1)), GENERATOR.random((1, 6, 8, 3))
    picture = tf.image.resize(0.95 * light + 0.05 * tint, (height, width), "bicubic").numpy()
    picture[:, :, width // 3 : width // 2] = 1 - picture[:, :, width // 3 : width // 2]
    return np.round(np.clip(picture, 0, 1) * 255) / 255


def test_float32_is_enough_on_a_grey_photograph():
    content = photograph(120, 160)
    image = np.clip(0.7 * content + 0.1 + GENERATOR.normal(0, 0.03, content.shape), 0, 1)
    exact = value_and_gradient(matting_loss(tf.constant(content)), tf.constant(image))
    single = value_and_gradient(
        matting_loss(tf.constant(content, tf.float32)), tf.constant(image, tf.float32)
    )
    np.testing.assert_allclose(single[0], exact[0], rtol=1e-5)
    np.testing.assert_allclose(single[1], exact[1], atol=1e-4 * np.abs(exact[1]).max())
    filtered = [edges_of(tf.constant(image, t), tf.constant(content, t)) for t in (tf.float32, tf.float64)]
    assert filtered[0].dtype == tf.float32
    np.testing.assert_allclose(*filtered, atol=1e-5)


def test_a_picture_of_another_size_is_named():
    other = IMAGE[:, :5]
    for function in (matting_loss(CONTENT), lambda image: edges_of(image, CONTENT)):
        with pytest.raises(ValueError, match=r"^image: of shape \[1, 5, 7, 3\]: must be \[B, 6, 7, 3\]"):
            function(other)


def expected_filter(image, guide, radius, epsilon):
    height, width = image.shape[:2]

    def window(place):
        return tuple(slice(max(0, middle - radius), middle + radius + 1) for middle in place)

    slopes, shifts = np.zeros((height, width, 3, 3)), np.zeros((height, width, 3))
    for place in np.ndindex(height, width):
        colors, values = (each[window(place)].reshape(-1, 3) for each in (guide, image))
        center, mean = colors.mean(0), values.mean(0)
        covariance = (colors - center).T @ (colors - center) / len(colors)
        shared = colors.T @ values / len(colors) - np.outer(center, mean)
        slopes[place] = np.linalg.solve(covariance + epsilon * np.eye(3), shared)
        shifts[place] = mean - center @ slopes[place]
    found = np.zeros(image.shape)
    for place in np.ndindex(height, width):
        near = window(place)
        found[place] = guide[place] @ slopes[near].mean((0, 1)) + shifts[near].mean((0, 1))
    return found


@pytest.mark.parametrize("radius", [1, 2, 9])
def test_guided_filter(radius):
    """Up to windows that are cut off on all sides; each of a batch is its own."""
    batch = np.concatenate([IMAGE, IMAGE[:, ::-1]])
    found = guided_filter(tf.constant(batch), tf.constant(CONTENT), radius=radius, epsilon=EPSILON)
    for one, image in zip(found, batch):
        np.testing.assert_allclose(one, expected_filter(image, CONTENT[0], radius, EPSILON), rtol=1e-9)


def test_noise_goes_and_edges_of_the_content_stay():
    """A strong one, and one of 0.05 that is fainter than the noise."""
    content = np.full((1, 128, 256, 3), 0.3)
    content[:, :, 128:], content[:, :, 192:] = 0.7, 0.75
    content = np.round((content + GENERATOR.normal(0, 0.003, content.shape)) * 255) / 255
    recolored = content @ np.diag([0.8, 1, 0.6]) + 0.1
    noise = GENERATOR.normal(0, 0.08, content.shape)
    made = edges_of(tf.constant(recolored + noise, tf.float32), tf.constant(content, tf.float32)).numpy()
    assert np.std((made - recolored)[:, 16:-16, 16:96]) < 0.15 * 0.08
    for column, least in ((128, 0.95), (192, 0.8)):
        steps = [
            p[0, :, column : column + 3].mean((0, 1)) - p[0, :, column - 3 : column].mean((0, 1))
            for p in (made, recolored)
        ]
        assert np.all(steps[0] > least * steps[1]) and np.all(steps[0] < 1.1 * steps[1])
