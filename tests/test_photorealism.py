"""The matting loss against the matrix it stands for, the guided filter against loops, in float64."""

import numpy as np
import pytest
import tensorflow as tf

from tfstyle.photorealism import edges_of, guided_filter, matting_loss

GENERATOR = np.random.default_rng(0)
CONTENT, IMAGE = GENERATOR.random((2, 1, 6, 7, 3))
EPSILON = 1e-3


def laplacian(content, epsilon):
    """Levin et al. 2008, eq. 12: sum over windows of delta_ij - 1/9 (1 + (I_i - mu)^T (S + eps/9 U)^-1 (I_j - mu))."""
    height, width = content.shape[:2]
    matrix, pixels = np.zeros((height * width,) * 2), content.reshape(-1, 3)
    for row in range(1, height - 1):
        for column in range(1, width - 1):
            window = [(row + i) * width + column + j for i in (-1, 0, 1) for j in (-1, 0, 1)]
            colors = pixels[window] - pixels[window].mean(0)
            inverse = np.linalg.inv(colors.T @ colors / 9 + epsilon / 9 * np.eye(3))
            matrix[np.ix_(window, window)] += np.eye(9) - (1 + colors @ inverse @ colors.T) / 9
    return matrix


def test_it_is_the_quadratic_form_of_the_matting_laplacian():
    matrix = laplacian(CONTENT[0], EPSILON)
    values = IMAGE[0].reshape(-1, 3)
    image = tf.constant(IMAGE)
    with tf.GradientTape() as tape:
        tape.watch(image)
        loss = matting_loss(tf.constant(CONTENT), epsilon=EPSILON)(image)
    np.testing.assert_allclose(loss, np.einsum("ic,ij,jc", values, matrix, values), rtol=1e-10)
    np.testing.assert_allclose(
        tape.gradient(loss, image)[0].numpy().reshape(-1, 3), 2 * matrix @ values, rtol=1e-8
    )


def test_a_batch_is_summed():
    loss = matting_loss(tf.constant(CONTENT))
    batch = tf.concat([IMAGE, IMAGE[:, ::-1]], axis=0)
    np.testing.assert_allclose(loss(batch), loss(batch[:1]) + loss(batch[1:]), rtol=1e-12)


def test_an_affine_function_of_the_content_is_no_loss():
    recolored = CONTENT @ GENERATOR.normal(size=(3, 3)) + 0.2
    loss = matting_loss(tf.constant(CONTENT), epsilon=1e-8)
    assert float(loss(tf.constant(recolored))) < 1e-5 * float(loss(tf.constant(IMAGE)))


def test_float32_is_enough_on_a_flat_sky():
    """Small contrasts on light: where sums of squares would leave nothing in float32."""
    content = (0.9 + 0.004 * GENERATOR.random((1, 40, 50, 3))).astype(np.float32)
    image = (0.8 + 0.02 * GENERATOR.random((1, 40, 50, 3))).astype(np.float32)
    exact = matting_loss(tf.constant(content.astype(np.float64)))(tf.constant(image.astype(np.float64)))
    single = tf.function(matting_loss(tf.constant(content)))(tf.constant(image))
    assert single.dtype == tf.float32
    np.testing.assert_allclose(single, exact, rtol=1e-4)


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


@pytest.mark.parametrize("radius", [1, 2])
def test_guided_filter(radius):
    found = guided_filter(tf.constant(IMAGE), tf.constant(CONTENT), radius=radius, epsilon=EPSILON)
    np.testing.assert_allclose(found[0], expected_filter(IMAGE[0], CONTENT[0], radius, EPSILON), rtol=1e-9)


def test_what_is_constant_stays():
    flat = tf.fill([2, 6, 7, 3], 0.25)
    np.testing.assert_allclose(edges_of(flat, tf.constant(CONTENT, tf.float32)), flat, atol=1e-6)
