"""A style's colours in a painted picture: those of the photograph, moved to where the style has its own."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from tfstyle.feedforward.cards import COLOR_VALUES
from tfstyle.feedforward.layers import instance_moments
from tfstyle.io.pixels import LUMA

# From RGB to light, red against green, and yellow against blue.
OPPONENTS = np.transpose([LUMA, [0.5, -0.5, 0.0], [0.25, 0.25, -0.5]])
LIGHT = OPPONENTS[:, :1]
HUES = np.linalg.inv(OPPONENTS)[1:]  # from the two opponents to RGB without light
REACH = 12  # of each of two means over squares, in pixels to each side
ROOT_STEPS, LEAST_VARIANCE = 14, 1e-6  # of `symmetric_root`; the second is added to the whole variance


@tf.keras.utils.register_keras_serializable("tfstyle")
class StyleColors(tf.keras.layers.Layer):
    """Colours of a photograph, brought to those of a style, in place of a painted picture's own.

    A network for any style reads a style from few numbers, and paints all of a picture in the colour that
    is the most frequent there; and large even areas, of which it sees the borders alone, in light that may be
    the contrary of theirs. Where a photograph is red and green, a painting has two colours as well.
    So the photograph's colours, light and two opponents, each of mean 0 and variance 1, become the
    style's by its mean and its covariance's symmetric root (Reinhard et al., "Color Transfer between Images",
    2001, with the root of Gatys et al. 2016); of the painted picture, light is kept but for
    its means over some fifty pixels, which are the photograph's.

    Args:
      styles: how many.
      epsilon: what is added to variances, so that the noise of a grey photograph is not made colourful.
      options: `name` and `dtype`, as for every layer of Keras.

    Call args:
      painted: `[B, H, W, 3]` in [0, 1].
      image: the photograph, of the same shape, or a smoothed one: noise is amplified as colours are.
      style: `[B, styles]` weights of the styles.

    Attributes:
      colors: `[styles, 12]`, not trained, see `color_values`.
    """

    def __init__(self, styles: int, *, epsilon: float = 1e-3, **options):
        super().__init__(autocast=False, **options)
        self.styles = styles
        self.epsilon = epsilon

    def build(self, *shapes):
        self.colors = self.add_weight(
            shape=(self.styles, COLOR_VALUES), initializer="zeros", name="colors", trainable=False,
            autocast=False,
        )  # fmt: skip

    def call(self, painted, image, style):
        return self.colored(painted, image, *self.moments(image), style)

    def moments(self, image: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Returns mean and variance over positions of light and opponents, `[B, 3]` each."""
        return instance_moments(pointwise(image, OPPONENTS))

    def colored(self, painted, image, mean: tf.Tensor, variance: tf.Tensor, style: tf.Tensor) -> tf.Tensor:
        """Does as a call, with given statistics of the photograph, as for parts of it."""
        colors = tf.matmul(tf.cast(style, self.colors.dtype), self.colors)
        return with_colors(painted, image, mean, variance, colors, self.epsilon)

    def compute_output_shape(self, painted_shape, image_shape, style_shape):
        return painted_shape

    def get_config(self):
        return {**super().get_config(), "styles": self.styles, "epsilon": self.epsilon}


def with_colors(painted, image, mean, variance, colors, epsilon: float) -> tf.Tensor:
    """Returns what `StyleColors` does, from `moments` and the colours of each picture's style, `[B, 12]`."""
    root = tf.reshape(colors[:, 3:], [-1, 3, 3]) * tf.math.rsqrt(variance + epsilon)[:, :, tf.newaxis]
    shift = colors[:, tf.newaxis, :3] - tf.matmul(mean[:, tf.newaxis], root)
    change = tf.matmul(tf.constant(OPPONENTS, image.dtype), root)  # of each picture, from RGB
    moved = tf.matmul(tf.reshape(image, [tf.shape(image)[0], -1, 3]), change) + shift
    moved = tf.reshape(moved, tf.shape(image))
    light = pointwise(painted, LIGHT)
    light += smooth(moved[..., :1] - light)
    return tf.clip_by_value(light + pointwise(moved[..., 1:], HUES), 0.0, 1.0)


def smooth(activation: tf.Tensor) -> tf.Tensor:
    """Returns means of means over squares of `[B, H, W, C]`; at the border, over what there is of them."""
    side = 2 * REACH + 1
    for window in ([side, 1], [1, side]) * 2:
        activation = tf.nn.avg_pool2d(activation, window, 1, "SAME")
    return activation


def pointwise(pictures: tf.Tensor, matrix: np.ndarray) -> tf.Tensor:
    """Returns channels `[..., C]` times a matrix `[C, D]`."""
    return tf.tensordot(pictures, tf.constant(matrix, pictures.dtype), 1)


def color_values(pictures: tf.Tensor) -> tf.Tensor:
    """Returns what `StyleColors` takes for the colours of styles `[B, H, W, 3]`, `[B, 12]`.

    Means of light and the two opponents; then, row by row, the symmetric root of their covariance.
    """
    opponents = pointwise(pictures, OPPONENTS)
    mean, _ = instance_moments(opponents)
    centred = opponents - mean[:, tf.newaxis, tf.newaxis]
    products = tf.matmul(centred, centred, transpose_a=True)  # of each row of the picture
    width = tf.cast(tf.shape(pictures)[2], pictures.dtype)
    root = symmetric_root(tf.reduce_mean(products, axis=1) / width)
    return tf.concat([mean, tf.reshape(root, [-1, 9])], axis=-1)


def symmetric_root(matrix: tf.Tensor) -> tf.Tensor:
    """Returns symmetric roots of covariances `[B, 3, 3]`, by what every runtime has.

    The coupled Newton-Schulz iteration (Higham, "Stable Iterations for the Matrix Square Root", Numerical
    Algorithms, 1997). Directions of less than a thousandth of the whole variance come out a little small.
    """
    whole = tf.linalg.trace(matrix)[:, tf.newaxis, tf.newaxis] + LEAST_VARIANCE
    unit = tf.eye(3, dtype=matrix.dtype)
    root, inverse = matrix / whole, unit[tf.newaxis]
    for _ in range(ROOT_STEPS):
        step = 1.5 * unit - 0.5 * tf.matmul(inverse, root)
        root, inverse = tf.matmul(root, step), tf.matmul(step, inverse)
    return root * tf.sqrt(whole)
