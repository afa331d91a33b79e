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


@pytest.mark.parametrize("compiled", [False, True])
@pytest.mark.parametrize("radius", [1, 2])
@pytest.mark.parametrize("epsilon", [1e-7, EPSILON])
def test_it_is_the_quadratic_form_of_the_matting_laplacian(epsilon, radius, compiled):
    matrix = laplacian(CONTENT[0], epsilon, radius)
    values = IMAGE[0].reshape(-1, 3)
    loss = matting_loss(tf.constant(CONTENT), radius=radius, epsilon=epsilon)
    both = tf.function(value_and_gradient) if compiled else value_and_gradient
    value, gradient = both(loss, tf.constant(IMAGE))
    np.testing.assert_allclose(value, np.einsum("ic,ij,jc", values, matrix, values), rtol=1e-10)
    np.testing.assert_allclose(gradient[0].numpy().reshape(-1, 3), 2 * matrix @ values, rtol=1e-8, atol=1e-12)


def test_gradient_of_a_weighted_loss():
    loss = matting_loss(tf.constant(CONTENT))
    plain = value_and_gradient(loss, tf.constant(IMAGE))[1]
    weighted = value_and_gradient(lambda image: 3.0 * loss(image) + tf.reduce_sum(image), tf.constant(IMAGE))[
        1
    ]
    np.testing.assert_allclose(weighted, 3 * plain + 1, rtol=1e-12)


@pytest.mark.parametrize("compiled", [False, True])
def test_second_derivative(compiled):
    """Of a quadratic form: 2 L along any direction."""
    along = GENERATOR.normal(size=IMAGE.shape)
    loss = matting_loss(tf.constant(CONTENT), epsilon=EPSILON)

    def second(image):
        with tf.GradientTape() as tape:
            tape.watch(image)
            slope = tf.reduce_sum(value_and_gradient(loss, image)[1] * along)
        return tape.gradient(slope, image)

    found = (tf.function(second) if compiled else second)(tf.constant(IMAGE))
    expected = 2 * laplacian(CONTENT[0], EPSILON) @ along.reshape(-1, 3)
    np.testing.assert_allclose(found[0].numpy().reshape(-1, 3), expected, rtol=1e-8, atol=1e-10)


def test_a_batch_is_summed():
    loss = matting_loss(tf.constant(CONTENT))
    batch = tf.concat([IMAGE, IMAGE[:, ::-1]], axis=0)
    value, gradient = value_and_gradient(loss, batch)
    ones = [value_and_gradient(loss, batch[index : index + 1]) for index in range(2)]
    np.testing.assert_allclose(value, ones[0][0] + ones[1][0], rtol=1e-12)
    np.testing.assert_allclose(gradient, tf.concat([one[1] for one in ones], axis=0), rtol=1e-12)


def test_an_affine_function_of_the_content_is_no_loss():
    """But for epsilon, which makes it in proportion; a texture of the picture's own is one."""
    recolored = CONTENT @ GENERATOR.normal(size=(3, 3)) + 0.2
    losses = [
        float(matting_loss(tf.constant(CONTENT), epsilon=e)(tf.constant(recolored))) for e in (1e-8, 1e-7)
    ]
    assert 0 < losses[0] < 1e-5 and losses[1] == pytest.approx(10 * losses[0], rel=1e-3)
    texture = recolored + 0.01 * (np.indices((6, 7)).sum(0) % 2)[..., np.newaxis]
    assert float(matting_loss(tf.constant(CONTENT), epsilon=1e-8)(tf.constant(texture))) > 1e-3


def test_a_constant_is_no_loss_at_all():
    loss = matting_loss(tf.constant(CONTENT, tf.float32))
    value, gradient = value_and_gradient(loss, tf.fill([1, 6, 7, 3], 0.7))
    assert float(value) == 0
    np.testing.assert_allclose(gradient, np.zeros(CONTENT.shape), atol=5e-6)


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


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"radius": 0}, "^radius=0: must be 1 or above"),
        ({"radius": 1, "epsilon": 0.0}, "^epsilon=0: must be above 0"),
    ],
)
def test_options_out_of_range_are_named(options, message):
    with pytest.raises(ValueError, match=message):
        matting_loss(CONTENT, **options)
    with pytest.raises(ValueError, match=message):
        guided_filter(IMAGE, CONTENT, **{"epsilon": 1.0, **options})


def test_a_picture_of_another_size_is_named():
    other = IMAGE[:, :5]
    for function in (matting_loss(CONTENT), lambda image: edges_of(image, CONTENT)):
        with pytest.raises(ValueError, match=r"^image: of shape \[1, 5, 7, 3\]: must be \[B, 6, 7, 3\]"):
            function(other)


def expected_filter(image, guide, radius, epsilon):
    height, width = image.shape[:2]

    def window(row, column):
        return slice(max(0, row - radius), row + radius + 1), slice(
            max(0, column - radius), column + radius + 1
        )

    slopes, shifts = np.zeros((height, width, 3, 3)), np.zeros((height, width, 3))
    for row in range(height):
        for column in range(width):
            inside = window(row, column)
            colors, values = guide[inside].reshape(-1, 3), image[inside].reshape(-1, 3)
            center, mean = colors.mean(0), values.mean(0)
            covariance = (colors - center).T @ (colors - center) / len(colors)
            slope = np.linalg.solve(
                covariance + epsilon * np.eye(3), colors.T @ values / len(colors) - np.outer(center, mean)
            )
            slopes[row, column], shifts[row, column] = slope, mean - center @ slope
    found = np.zeros(image.shape)
    for row in range(height):
        for column in range(width):
            inside = window(row, column)
            found[row, column] = guide[row, column] @ slopes[inside].mean((0, 1)) + shifts[inside].mean(
                (0, 1)
            )
    return found


@pytest.mark.parametrize("radius", [1, 2, 3, 9])
def test_guided_filter(radius):
    """Up to windows that are cut off on all sides."""
    found = guided_filter(tf.constant(IMAGE), tf.constant(CONTENT), radius=radius, epsilon=EPSILON)
    np.testing.assert_allclose(found[0], expected_filter(IMAGE[0], CONTENT[0], radius, EPSILON), rtol=1e-9)


def test_guided_filter_of_a_batch_is_each_ones_own():
    batch, content = tf.concat([IMAGE, IMAGE[:, ::-1]], axis=0), tf.constant(CONTENT)
    together = guided_filter(batch, content, radius=2, epsilon=EPSILON)
    for index in range(2):
        alone = guided_filter(batch[index : index + 1], content, radius=2, epsilon=EPSILON)
        np.testing.assert_allclose(together[index], alone[0], rtol=1e-12)


def test_guided_filter_of_the_guide_is_the_guide():
    content = tf.constant(CONTENT)
    np.testing.assert_allclose(guided_filter(content, content, radius=2, epsilon=1e-9), CONTENT, atol=1e-6)


def test_what_is_constant_stays():
    flat = tf.fill([2, 6, 7, 3], 0.25)
    np.testing.assert_allclose(edges_of(flat, tf.constant(CONTENT, tf.float32)), flat, atol=1e-6)


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
