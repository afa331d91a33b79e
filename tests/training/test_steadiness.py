"""The loss of what a network changes with noise and places."""

import numpy as np
import pytest
import tensorflow as tf

from tfstyle.feedforward.networks import transformation_network
from tfstyle.training.tasks import unsteadiness

from conftest import picture

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
