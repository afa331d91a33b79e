"""What keeps a photograph a photograph: colours that change as local affine functions of the content's.

In a window of the content, a picture that was only relit or recoloured is an
affine function of the content's colours (Levin, Lischinski & Weiss 2008). What
is left of it beside the best such function is the loss; the guided filter (He,
Sun & Tang 2013) is that function, averaged over the windows that hold a pixel.
"""

from __future__ import annotations

from collections.abc import Callable

import tensorflow as tf

# Added to the content's variances in a window, in squares of picture values: 8 bits and
# JPEG leave about that in a flat area, to which nothing should cling.
_MATTING_EPSILON = 1e-4
# The filter's: contrasts of a root of this, 0.03, are smoothed by half.
_FILTER_EPSILON = 1e-3
_FILTER_SHARE = 1 / 96  # of the longer side, its radius


def matting_loss(
    content: tf.Tensor, *, radius: int = 1, epsilon: float = _MATTING_EPSILON
) -> Callable[[tf.Tensor], tf.Tensor]:
    """Returns V^T L V of the content's matting Laplacian L, as a function of a picture, without the matrix.

    In each window w that lies inside, with the content's colours I, it is the
    residual of the best affine fit,
    |w| (var V - cov(I, V)^T (cov I + epsilon/|w| U)^-1 cov(I, V)), summed over
    windows and channels (Levin et al. 2008, section 3). Variances are of values
    less their window's middle pixel: of small differences rather than of small
    differences of large numbers, which float32 would lose.

    Args:
      content: `[1, H, W, 3]` in [0, 1].
      radius: of the windows; 1: 3 x 3 pixels. A picture smaller than a window has no loss.
      epsilon: the regulariser of the affine maps.

    Returns:
      `picture [B, H, W, 3] -> scalar`, in squares of picture values, summed over the batch.
    """
    side = 2 * radius + 1
    count = side * side

    def offsets(values: tf.Tensor) -> list[tf.Tensor]:
        """The window's other pixels less the middle one, each `[B, h, w, 3]`."""
        height, width = values.shape[1] - side + 1, values.shape[2] - side + 1
        middle = values[:, radius : radius + height, radius : radius + width]
        return [
            values[:, row : row + height, column : column + width] - middle
            for row in range(side)
            for column in range(side)
            if (row, column) != (radius, radius)
        ]

    guide = offsets(tf.cast(content, tf.float64))
    center = tf.add_n(guide) / count
    covariance = tf.add_n([_outer(d, d) for d in guide]) / count - _outer(center, center)
    inverse = tf.linalg.inv(covariance + epsilon / count * tf.eye(3, dtype=tf.float64))

    def loss(image: tf.Tensor) -> tf.Tensor:
        dtype, own = image.dtype, offsets(image)
        guide = offsets(tf.cast(content, dtype))
        means = tf.add_n(own) / count
        variance = tf.add_n([tf.square(d) for d in own]) / count - tf.square(means)
        shared = tf.add_n([_outer(i, v) for i, v in zip(guide, own)]) / count
        shared -= _outer(tf.cast(center, dtype), means)
        explained = tf.reduce_sum(shared * tf.matmul(tf.cast(inverse, dtype), shared), axis=-2)
        return count * tf.reduce_sum(variance - explained)

    return loss


def guided_filter(image: tf.Tensor, guide: tf.Tensor, *, radius: int, epsilon: float) -> tf.Tensor:
    """Returns a picture as local affine functions of a guide's colours (He et al. 2013, eqs. 11 to 13).

    Args:
      image: `[B, H, W, 3]`.
      guide: `[1, H, W, 3]`, whose edges the result has.
      radius: of the square windows; at the border they are cut off.
      epsilon: variance of the guide below which it counts as flat.

    Returns:
      `[B, H, W, 3]`, of the picture's dtype, not clipped. Computed in float64.
    """
    guide, values = tf.cast(guide, tf.float64), tf.cast(image, tf.float64)
    size = 2 * radius + 1

    def mean(of: tf.Tensor) -> tf.Tensor:
        # TensorFlow's mean over a window is over what of it lies inside.
        return tf.nn.avg_pool2d(of, size, 1, "SAME")

    def mean_products(one: tf.Tensor, other: tf.Tensor) -> tf.Tensor:
        columns = [mean(one[..., channel : channel + 1] * other) for channel in range(3)]
        return tf.stack(columns, axis=-2)

    center, means = mean(guide), mean(values)
    covariance = mean_products(guide, guide) - _outer(center, center)
    shared = mean_products(guide, values) - _outer(center, means)
    slopes = tf.linalg.solve(
        covariance + epsilon * tf.eye(3, dtype=tf.float64) + tf.zeros_like(shared), shared
    )
    shifts = means - tf.reduce_sum(slopes * center[..., tf.newaxis], axis=-2)
    slopes = tf.stack([mean(slopes[..., row, :]) for row in range(3)], axis=-2)
    filtered = tf.reduce_sum(slopes * guide[..., tf.newaxis], axis=-2) + mean(shifts)
    return tf.cast(filtered, image.dtype)


def edges_of(image: tf.Tensor, content: tf.Tensor) -> tf.Tensor:
    """Returns a picture with the content's edges and none of its own.

    It is a guided filter with a radius of 1/96 of the longer side.
    """
    radius = max(1, round(_FILTER_SHARE * max(content.shape[1:3])))
    return guided_filter(image, content, radius=radius, epsilon=_FILTER_EPSILON)


def _outer(one: tf.Tensor, other: tf.Tensor) -> tf.Tensor:
    """Products of channels, `[B, h, w, 3, 3]`."""
    return one[..., tf.newaxis] * other[..., tf.newaxis, :]
