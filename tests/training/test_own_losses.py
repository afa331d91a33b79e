"""Losses of a network's own: what it changes with noise and places, and colours that a style does not have."""

import numpy as np
import pytest
import tensorflow as tf

from tfstyle.feedforward.networks import run, transformation_network
from tfstyle.training.own_losses import off_palette, outliers, palette, unsteadiness

from conftest import differing, picture

PHOTOGRAPHS = tf.constant(np.stack([picture(24, 24, seed) for seed in (1, 2, 3)]) / np.float32(255))
STYLE = tf.ones([3, 1])


def changes(paint, photographs=PHOTOGRAPHS):
    def network(inputs, training):
        return paint(inputs["image"])

    return unsteadiness(network, photographs, STYLE[: len(photographs)], paint(photographs)).numpy()


def test_of_what_keeps_pictures_it_is_the_noise_s():
    """Variance (2/255)^2, less where it is clipped; and twice the picture changes four times as much."""
    found = changes(lambda image: image)
    assert np.all(found > 0.7 * (2 / 255) ** 2) and np.all(found < 1.1 * (2 / 255) ** 2)
    np.testing.assert_allclose(changes(lambda image: 2 * image), 4 * found, rtol=1e-4)
    np.testing.assert_array_equal(changes(tf.zeros_like), 0)


def test_a_grid_is_seen():
    """Every fourth column white: moved by 1 to 3 columns, half of the white ones are others."""

    def grid(image):
        return tf.zeros_like(image) + tf.cast(tf.range(image.shape[2]) % 4 == 0, tf.float32)[:, tf.newaxis]

    found = np.concatenate(
        [changes(grid, PHOTOGRAPHS[:, row : row + 20, row : row + 20]) for row in range(4)]
    )
    # Of 17 columns left, 4 or 5 are white in each of the two.
    assert set(np.round(found * 17).astype(int)) <= {0, 8, 9} and found.max() > 0


def test_each_photograph_by_itself():
    """A part of a batch, on another device, has the losses that it has in the whole; and the same again."""
    network = transformation_network(1, width=2, residual_blocks=0)

    def of(part):
        contents, style = PHOTOGRAPHS[part], STYLE[part]
        return unsteadiness(network, contents, style, network({"image": contents, "style": style})).numpy()

    whole = of(slice(None))
    np.testing.assert_allclose(np.concatenate([of(slice(0, 1)), of(slice(1, 3))]), whole, rtol=1e-3)
    assert len(set(whole)) == 3 and np.all(whole > 0)


@pytest.mark.parametrize("name", ["image", "kernel"])
def test_it_has_gradients(name):
    network = transformation_network(1, width=2, residual_blocks=0)
    with tf.GradientTape() as tape:
        made = network({"image": PHOTOGRAPHS, "style": STYLE})
        loss = tf.reduce_sum(unsteadiness(network, PHOTOGRAPHS, STYLE, made))
    of = network.get_layer("last").kernel if name == "kernel" else network.get_layer("first").kernel
    assert np.abs(tape.gradient(loss, of)).max() > 0


def test_a_palette_is_of_pixels_all_over_the_picture():
    """Rows 0, 2, … of 64, and each of 16 twice; pictures of a batch have their own."""
    pictures = np.arange(2 * 64 * 16 * 3, dtype=np.float32).reshape(2, 64, 16, 3)
    found = palette(tf.constant(pictures)).numpy()
    np.testing.assert_array_equal(found, pictures[:, ::2].repeat(2, axis=2).reshape(2, 1024, 3))


def test_colors_that_a_style_does_not_have():
    """By hand: a quarter of the pixels is 0.3 and 0.4 from the nearest colour, and 13/255 of it is no matter."""
    colors = tf.constant([[[0.1, 0.2, 0.3], [0.9, 0.9, 0.9]]])
    made = np.full([1, 8, 8, 3], 0.9, np.float32)
    made[:, 4:, 4:] = [0.4, 0.2, 0.7]
    made[:, :2, :2] = [0.93, 0.9, 0.9]  # near enough
    found = off_palette(tf.constant(made), colors)
    np.testing.assert_allclose(found, [(0.5 - 13 / 255) / 4], rtol=1e-3)


def test_colors_of_each_picture_are_compared_with_its_own():
    made = tf.constant(np.stack([np.full([4, 6, 3], value, np.float32) for value in (0.0, 1.0)]))
    colors = tf.constant([[[0.0, 0.0, 0.0]], [[0.0, 0.0, 0.0]]])
    np.testing.assert_allclose(off_palette(made, colors), [0, 3**0.5 - 13 / 255], atol=2e-4)
    with tf.GradientTape() as tape:
        tape.watch(made)
        loss = tf.reduce_sum(off_palette(made, colors))
    slope = tape.gradient(loss, made).numpy()  # 1 a pixel away from the colour, in the mean of 24
    np.testing.assert_allclose(slope[1], 1 / 24 / 3**0.5, rtol=1e-3)
    np.testing.assert_array_equal(slope[0], 0)


def test_outliers_by_the_formula():
    """In NumPy, of a photograph with one bright point."""
    narrow = differing(transformation_network(2, width=2, residual_blocks=1))
    style = np.float32([[0.3, 0.7]] * 2)
    image = np.float32(0.3 + 0.01 * np.random.default_rng(0).uniform(size=(2, 24, 28, 3)))
    image[0, 10, 12] = 1.0
    made, far = outliers(narrow, image, style)
    np.testing.assert_array_equal(made, narrow({"image": image, "style": style}))
    seen = []

    def normalise(layer, activation, style):
        values = np.float64(activation)
        centred = values - values.mean(axis=(1, 2), keepdims=True)
        deviations = np.abs(centred) / np.sqrt(values.var(axis=(1, 2), keepdims=True) + 1e-3)
        seen.append((np.maximum(deviations - 5, 0) ** 2).mean(axis=(1, 2, 3)))
        return layer(activation, style)

    run(narrow, image, style, normalise)
    np.testing.assert_allclose(far, np.mean(seen, axis=0), rtol=1e-3, atol=1e-6)
    assert far[0] > 0.001 > far[1]
