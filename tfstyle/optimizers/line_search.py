"""Backtracking: shorter and shorter steps along a direction, for several pictures at once."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import tensorflow as tf

from tfstyle.optimizers.optimizer import Losses, where

_SUFFICIENT_DECREASE = 1e-4  # c_1 of Nocedal & Wright 2006, eq. (3.4)
_TRIALS = 12


class Point(NamedTuple):
    """An evaluation of B pictures.

    Attributes:
      image: `[B, H, W, 3]`, where the objective was evaluated.
      positions: `[B, H, W, 3]`, the numbers that stand for it (see `lbfgs`).
      value: `[B]`, the objective in the search's units.
      gradient: `[B, H, W, 3]`, of that with respect to the positions.
      losses: the objective's named parts, `[B]`, as they come.
    """

    image: tf.Tensor
    positions: tf.Tensor
    value: tf.Tensor
    gradient: tf.Tensor
    losses: Losses


def dot(a: tf.Tensor, b: tf.Tensor) -> tf.Tensor:
    """Returns the inner product of two pictures, for each of a batch: `[B]`."""
    return tf.reduce_sum(a * b, axis=[1, 2, 3])


def each(values: tf.Tensor) -> tf.Tensor:
    """Returns `[B]` as `[B, 1, 1, 1]`, a factor for each picture."""
    return values[:, tf.newaxis, tf.newaxis, tf.newaxis]


def backtrack(
    at: Callable[[tf.Tensor], Point], start: Point, direction: tf.Tensor, active: tf.Tensor
) -> tuple[Point, tf.Tensor, tf.Tensor]:
    """Tries the whole step, and then shorter ones until each picture goes down enough.

    Args:
      at: evaluates the objective at positions.
      start: where the search begins.
      direction: `[B, H, W, 3]`.
      active: `[B]`, the pictures that take part; others stay at the start.

    Returns:
      The points found, which of them are lower than the start, `[B]`, and the number of
      evaluations. Where no step was found, the point is the start.
    """
    slope = dot(start.gradient, direction)

    def wanted(accepted, trials):
        return ~accepted & active & (trials < _TRIALS) & (slope < 0)

    def going(length, found, rise, accepted, trials, evaluations):
        return tf.reduce_any(wanted(accepted, trials))

    def attempt(length, found, rise, accepted, trials, evaluations):
        tried = wanted(accepted, trials)
        length = tf.where(trials == 0, length, _shorter(length, rise, slope))
        # Also of pictures that do not take part: what is found there is not looked at.
        point = at(start.positions + each(length) * direction)
        rise = tf.where(tried, point.value - start.value, rise)
        finite = tf.math.is_finite(point.value) & tf.reduce_all(tf.math.is_finite(point.gradient), [1, 2, 3])
        enough = rise <= _SUFFICIENT_DECREASE * length * slope
        # Where rounding swallows the decrease asked for, equal is not lower.
        lower = tried & finite & enough & (point.value < start.value)
        # Without a copy where it is so for all, as it is nearly always.
        found = tf.cond(tf.reduce_all(lower), lambda: point, lambda: where(lower, point, found))
        return length, found, rise, accepted | lower, trials + tf.cast(tried, tf.int32), evaluations + 1

    nothing = tf.zeros_like(slope)
    first = (tf.ones_like(slope), start, nothing, nothing > 0, tf.cast(nothing, tf.int32), tf.constant(0))
    _, found, _, accepted, _, evaluations = tf.while_loop(going, attempt, first)
    return found, accepted, evaluations


def _shorter(length: tf.Tensor, rise: tf.Tensor, slope: tf.Tensor) -> tf.Tensor:
    """Returns the lowest point of the parabola through value, slope and rise, at 0.1 to 0.5 of the step."""
    lowest = -slope * length**2 / (2.0 * (rise - slope * length))
    lowest = tf.where(tf.math.is_finite(lowest), lowest, 0.0)
    return tf.clip_by_value(lowest, 0.1 * length, 0.5 * length)
