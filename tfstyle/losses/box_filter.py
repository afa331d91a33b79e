"""Sums, means and products of deviations in square windows around every pixel, in few and exact steps."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import tensorflow as tf


def window_moments(planes: list[tf.Tensor], pairs: list[tuple[int, int]], side: int, margin: int):
    """Returns means and sums of products of deviations from them, in all square windows.

    Windows are joined from halves: to the sums of products comes the product of
    the differences of means, times n m / (n + m) (Chan, Golub & LeVeque 1979).
    Means of products less products of means would be small differences of
    large numbers, of which float32 leaves little.

    Args:
      planes: `[H, W]` each.
      pairs: indices of the planes whose products are asked for.
      side: of the windows.
      margin: how far they reach past the border, where there is nothing.
    """
    dtype = planes[0].dtype
    moments = [tf.pad(plane, [[margin, margin]] * 2) for plane in planes], []
    lines = 1.0  # how many pixels each line across has
    for axis, length in enumerate(planes[0].shape):

        def along(counts: np.ndarray, axis=axis) -> tf.Tensor:
            # A number where all are alike: products with it are faster.
            alike = np.all(counts == counts[0])
            return tf.constant(counts[0] if alike else np.expand_dims(counts, 1 - axis), dtype)

        def join(one, other, start, width, length=length, along=along, lines=lines):
            first = overlaps(length, margin, start)[: length + 2 * margin - width + 1]
            second = overlaps(length, margin, width - start)[start:]
            share = second / np.maximum(first + second, 1)
            differences = [b - a for a, b in zip(one[0], other[0])]
            means = [a + along(share) * d for a, d in zip(one[0], differences)]
            between = [along(first * share) * lines * differences[i] * differences[j] for i, j in pairs]
            # Single pixels have no products yet.
            products = [tf.add_n(parts) for parts in zip(*filter(None, (one[1], other[1], between)))]
            return means, products

        moments = _joined(moments, side, axis, join)
        lines *= along(overlaps(length, margin, side))
    return moments


def window_sum(values: tf.Tensor, side: int, margin: int) -> tf.Tensor:
    """Returns sums over all square windows, which reach past the border by a margin of zeros."""
    values = tf.pad(values, [[margin, margin]] * 2)
    for axis in range(2):
        values = _joined(values, side, axis, lambda one, other, start, width: one + other)
    return values


def _joined(values, side: int, axis: int, join: Callable):
    """Joins `side` neighbours along an axis, in a number of steps that grows as the logarithm of it.

    Args:
      values: a nest of planes.
      side: how many.
      axis: along which.
      join: `(one, other, start, width) -> joined`, for runs of neighbours of
        which the other begins `start` after the one, and ends `width` after it begins.
    """
    if side == 1:
        return values

    def pair(one, start, other, width):
        length = tf.nest.flatten(values)[0].shape[axis] - width + 1

        def part(nest, begin: int):
            place = slice(begin, begin + length)
            return tf.nest.map_structure(lambda v: v[place] if axis == 0 else v[:, place], nest)

        return join(part(one, 0), part(other, start), start, width)

    half = side // 2
    run = _joined(values, half, axis, join)
    run = pair(run, half, run, 2 * half)
    return run if side % 2 == 0 else pair(run, side - 1, values, side)


def overlaps(length: int, margin: int, width: int) -> np.ndarray:
    """Returns how many of `length` pixels each run of `width` has, with a margin of none at both ends."""
    start = np.arange(length + 2 * margin - width + 1)
    return np.maximum(np.minimum(start + width, margin + length) - np.maximum(start, margin), 0)
