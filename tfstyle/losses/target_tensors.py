"""Targets as tensors that a graph may be called with, one after the other, without a new trace.

A stack is a `Measured` whose tensors have one more axis in front.
"""

from __future__ import annotations

from collections.abc import Sequence

import tensorflow as tf

from tfstyle.losses.targets import Measured, StyleTargets


def stacked(targets: StyleTargets) -> Measured:
    """Returns all scales in one stack, finest first."""
    scales = [targets.at(level) for level in range(len(targets.scales))]
    return tf.nest.map_structure(lambda *values: tf.stack(values), *scales)


def levels(stack: Measured) -> tf.Tensor:
    """Returns how many there are in a stack."""
    return tf.shape(tf.nest.flatten(stack)[0])[0]


def chosen(stack: Measured, numbers: tf.Tensor) -> Measured:
    """Returns one of a stack, by its number, or some, by numbers `[B]`."""
    return tf.nest.map_structure(lambda values: tf.gather(values, numbers), stack)


def finest(styles: Sequence[StyleTargets]) -> Measured:
    """Returns the finest scales of several targets, as those of a batch of pictures."""
    return tf.nest.map_structure(lambda *values: tf.concat(values, 0), *(targets.at(0) for targets in styles))
