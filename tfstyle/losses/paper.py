"""The paper's losses, as pure functions of tensors.

Gatys, Ecker & Bethge, "Image Style Transfer Using Convolutional Neural
Networks", CVPR 2016, writes a layer's activations as a matrix F of N filters
by M positions. Here they are `[B, h, w, N]` tensors with h*w = M. Losses
carry no weights: those belong to the objective. What is named in the plural
gives one for each picture of a batch, the paper's names give their sum.

Everything is computed in the dtype that comes in, except that half-precision
activations are summed in float32.
"""

from __future__ import annotations

from collections.abc import Callable

import tensorflow as tf


def gram_matrix(features: tf.Tensor, mask: tf.Tensor | None = None) -> tf.Tensor:
    """Correlations between filters: the paper's eq. (3), G_ij = sum_k F_ik F_jk.

    Args:
      features: `[B, h, w, N]` activations.
      mask: optional `[B, h, w]` or `[B, h, w, 1]` guidance in [0, 1] that
        multiplies the activations first (Gatys et al. 2017, eq. 4).

    Returns:
      `[B, N, N]`, float32 or wider: sums over positions, not means.
    """
    features = tf.convert_to_tensor(features)
    if mask is not None:
        features = accumulable(features)
        mask = tf.cast(mask, features.dtype)
        features *= mask if mask.shape.rank == 4 else mask[..., tf.newaxis]
    shape = tf.shape(features)
    return _correlations(tf.reshape(features, [shape[0], shape[1] * shape[2], features.shape[-1]]))


@tf.custom_gradient
def _correlations(rows: tf.Tensor):
    """Returns `[B, N, N]` sums over the positions of `[B, M, N]`.

    For an upstream gradient S, that with respect to F is F (S + S^T): one
    product where automatic differentiation makes two. It is multiplied in the
    dtype of F, which the result has in any case; nothing wider than F is kept
    for it.
    """
    wide = accumulable(rows)

    def gradient(upstream):
        symmetric = upstream + tf.linalg.matrix_transpose(upstream)
        return tf.linalg.matmul(rows, tf.cast(symmetric, rows.dtype))

    return tf.linalg.matmul(wide, wide, transpose_a=True), gradient


def content_loss(features: tf.Tensor, target: tf.Tensor) -> tf.Tensor:
    """The paper's eq. (1): 1/2 sum (F - P)^2.

    Its gradient is eq. (2) except where F = 0: there the ReLU before F makes
    it 0, and the automatic gradient of the whole network does the same.

    Args:
      features: `[B, h, w, N]` activations F of the picture being made.
      target: activations P of the content, of the same shape.

    Returns:
      A scalar, the sum over the batch.
    """
    return tf.reduce_sum(content_losses(features, target))


def content_losses(features: tf.Tensor, target: tf.Tensor) -> tf.Tensor:
    """Returns `content_loss` of each picture, `[B]`; the target may be `[1, h, w, N]` for all of them."""
    difference = accumulable(features) - accumulable(target)
    return 0.5 * _of_each(tf.square(difference))


def style_loss(features: tf.Tensor, target_gram: tf.Tensor) -> tf.Tensor:
    """One layer's style loss, the paper's eq. (4): 1/(4 N^2 M^2) sum (G - A)^2.

    Args:
      features: `[B, h, w, N]` activations of the picture being made.
      target_gram: `[B or 1, N, N]` Gram matrix A. The paper resizes the style
        picture to the content's size, so A too is a sum over M positions. For
        a style picture of M' positions, pass its Gram matrix times M/M'.

    Returns:
      A scalar, the sum over the batch.
    """
    gram = gram_matrix(features)
    positions = tf.cast(tf.shape(features)[1] * tf.shape(features)[2], gram.dtype)
    return tf.reduce_sum(gram_losses(gram, target_gram, positions))


def gram_losses(gram: tf.Tensor, target_gram: tf.Tensor, positions: tf.Tensor) -> tf.Tensor:
    """The paper's eq. (4) from the Gram matrix itself: 1/(4 N^2 M^2) sum (G - A)^2.

    Args:
      gram: `[B, N, N]` Gram matrix G of the picture being made.
      target_gram: `[B or 1, N, N]` A, as in `style_loss`.
      positions: M, a scalar of their dtype.

    Returns:
      `[B]`, one for each picture.
    """
    # The factor is inside the square: sums over a large picture, squared,
    # would use up the range of float32.
    difference = (gram - target_gram) / (2.0 * gram.shape[-1] * positions)
    return _of_each(tf.square(difference))


def total_variation(image: tf.Tensor, form: str = "squared") -> tf.Tensor:
    """How much neighbouring pixels differ; it is not part of the CVPR 2016 paper.

    For differences d to the pixel below and e to the one on the right, of each
    channel on its own:

    - ``squared``: sum d^2 + sum e^2. Smooth, which a quasi-Newton method needs.
    - ``inner_squared``: sum (d^2 + e^2) over the pixels that have both
      neighbours (jcjohnson/neural-style, whose gradient is half of this one's).
    - ``absolute``: sum |d| + sum |e|, as `tf.image.total_variation`; where a
      difference is 0, its gradient is 0.
    - ``mean_squared``: mean d^2 + mean e^2 (anishathalye/neural-style). The mean
      of no differences, in a picture of one row or column, is 0.
    - ``nine_point``: 2 (mean d^2 + mean e^2) / 3 + (mean f^2 + mean g^2) / 6, with
      differences f and g along the two diagonals, of a picture whose border is
      repeated once all around (crowsonkb/style-transfer-pytorch).
    - ``power``: sum (d^2 + e^2)^1.25 over the pixels that have both neighbours:
      V^beta of Mahendran & Vedaldi (CVPR 2015) at beta = 2.5 (Keras' example).

    Args:
      image: `[B, H, W, C]` with values in [0, 1].
      form: one of these.

    Returns:
      A scalar, the sum over the batch, in picture values to the power of 2; of
      1 for ``absolute``, of 2.5 for ``power``.

    Raises:
      ValueError: there is no such form; the message calls it tv_loss.
    """
    return tf.reduce_sum(total_variations(image, form))


def total_variations(image: tf.Tensor, form: str) -> tf.Tensor:
    """Returns `total_variation` of each picture, `[B]`, and raises what it does."""
    if form not in _VARIATIONS:
        raise ValueError(f"tv_loss={form!r}: must be one of {', '.join(_VARIATIONS)}")
    return _VARIATIONS[form](accumulable(image))


def _differences(image: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Returns d and e: `[B, H-1, W, C]` and `[B, H, W-1, C]`."""
    return image[:, 1:] - image[:, :-1], image[:, :, 1:] - image[:, :, :-1]


def _nine_point(image: tf.Tensor) -> tf.Tensor:
    wide = tf.pad(image, [[0, 0], [1, 1], [1, 1], [0, 0]], "SYMMETRIC")
    down = wide[:, 2:, 1:-1] - wide[:, 1:-1, 1:-1]
    right = wide[:, 1:-1, 2:] - wide[:, 1:-1, 1:-1]
    falling = wide[:, 1:, 1:] - wide[:, :-1, :-1]
    rising = wide[:, 1:, :-1] - wide[:, :-1, 1:]
    straight = _mean_of_squares(down) + _mean_of_squares(right)
    return 2 * straight / 3 + (_mean_of_squares(falling) + _mean_of_squares(rising)) / 6


def _sums(function: Callable[[tf.Tensor], tf.Tensor], image: tf.Tensor) -> tf.Tensor:
    return sum(_of_each(function(differences)) for differences in _differences(image))


def _mean_of_squares(differences: tf.Tensor) -> tf.Tensor:
    count = tf.maximum(tf.reduce_prod(tf.shape(differences)[1:]), 1)
    return _of_each(tf.square(differences)) / tf.cast(count, differences.dtype)


def _squared_gradients(image: tf.Tensor) -> tf.Tensor:
    """Returns d^2 + e^2 where there are both: `[B, H-1, W-1, C]`."""
    down, right = _differences(image)
    return tf.square(down[:, :, :-1]) + tf.square(right[:, :-1])


_VARIATIONS = {
    "squared": lambda image: _sums(tf.square, image),
    "inner_squared": lambda image: _of_each(_squared_gradients(image)),
    "absolute": lambda image: _sums(tf.abs, image),
    "mean_squared": lambda image: sum(map(_mean_of_squares, _differences(image))),
    "nine_point": _nine_point,
    "power": lambda image: _of_each(_squared_gradients(image) ** 1.25),
}


def _of_each(values: tf.Tensor) -> tf.Tensor:
    """Adds up each picture's values: `[B, ...]` to `[B]`."""
    return tf.reduce_sum(values, axis=list(range(1, values.shape.rank)))


def accumulable(tensor: tf.Tensor) -> tf.Tensor:
    """Returns a tensor, half precision widened: in that, a sum over positions would stop growing."""
    tensor = tf.convert_to_tensor(tensor)
    return tf.cast(tensor, tf.float32) if tensor.dtype in (tf.bfloat16, tf.float16) else tensor
