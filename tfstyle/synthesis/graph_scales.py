"""Sizes that are known only when a graph runs: what `images` and `schedule` compute, in tensors."""

from __future__ import annotations

from collections.abc import Sequence

import tensorflow as tf

from tfstyle.config import TransferConfig
from tfstyle.io import images
from tfstyle.synthesis.scales import coarsest


def fitted(picture: tf.Tensor, longer_side: int, scale: float = 1.0) -> tf.Tensor:
    """Returns (height, width) as `inputs.fitted` has it, `[2]` int32."""
    size = tf.shape(picture)[1:3]
    if longer_side:
        sides = tf.cast(size, tf.float64)
        size = _whole(sides * (longer_side / tf.reduce_max(sides)))
    return _whole(tf.cast(size, tf.float64) * scale)


def number_of_scales(
    size: tf.Tensor, config: TransferConfig, *, least: int, pictures: Sequence[tf.Tensor]
) -> tf.Tensor:
    """Returns what `scales.number_of_scales` does."""
    longer = tf.cast(tf.reduce_max(size), tf.float64)

    def goes_on(level: tf.Tensor) -> tf.Tensor:
        if config.scales:
            is_wanted = level < config.scales
        else:
            share = tf.constant(config.scale_factor, tf.float64) ** tf.cast(level - 1, tf.float64)
            is_wanted = longer > coarsest(config) * share
        shortest = [tf.reduce_min(at_level(each, config, level)) for each in pictures]
        return is_wanted & (tf.reduce_min(tf.stack(shortest)) >= least)

    (scales,) = tf.while_loop(goes_on, lambda level: (level + 1,), (tf.constant(1),))
    return scales


def at_level(size: tf.Tensor, config: TransferConfig, level: tf.Tensor) -> tf.Tensor:
    """Returns the size of a scale, so many before the last, as `scales.scale_sizes` does."""
    share = tf.constant(config.scale_factor, tf.float64) ** -tf.cast(level, tf.float64)
    return _whole(tf.cast(size, tf.float64) * share)


def share_of(steps: tf.Tensor, share: float) -> tf.Tensor:
    """Returns so much of a number of iterations, at least 1."""
    return _whole(tf.cast(steps, tf.float64) * share)


def resized(picture: tf.Tensor, size: tf.Tensor) -> tf.Tensor:
    """Returns what `images.resize` does."""
    same = tf.reduce_all(tf.shape(picture)[1:3] == size)
    found = tf.cond(same, lambda: picture, lambda: images.resize(picture, size))
    return tf.ensure_shape(found, [None, None, None, picture.shape[-1]])


def _whole(values: tf.Tensor) -> tf.Tensor:
    return tf.cast(tf.maximum(tf.round(values), 1), tf.int32)
