"""Photographs to training batches, read while the network is trained.

Element i of the stream depends on (seed, i) alone, so that it can be entered
anywhere: a resumed training sees what an uninterrupted one would have seen.
"""

from __future__ import annotations

from collections.abc import Sequence

import tensorflow as tf

from tfstyle import encoded
from tfstyle.instant.recipe import InstantRecipe

# A crop shows at least so much of the photograph's shorter side.
_LEAST_SHARE = 0.6


def batches(paths: Sequence, styles: int, recipe: InstantRecipe, first_step: int = 0) -> tf.data.Dataset:
    """Returns the stream of batches from a step on to the recipe's last.

    Args:
      paths: JPEG or PNG files, in an order of their own.
      styles: how many there are.
      recipe: sizes and seed are read from it.
      first_step: steps that were made before.

    Returns:
      A dataset of `(photographs [B, S, S, 3] float32 in [0, 1], styles [B] int32)`;
      styles take turns.

    Raises:
      tf.errors.InvalidArgumentError: while it is read, where a file is no picture; it names the file.
    """
    files, count = tf.constant([str(path) for path in paths]), len(paths)

    def example(index: tf.Tensor):
        seed = tf.constant(recipe.shuffle, tf.int64)
        epoch = tf.stack([seed, index // count])
        path = files[tf.random.experimental.index_shuffle(index % count, epoch, count - 1)]
        uniform = tf.unstack(tf.random.stateless_uniform([4], tf.stack([seed, index])))
        pixels = encoded.decode(tf.io.read_file(path))
        return _crop(pixels, recipe.crop_size, uniform), tf.cast(index % styles, tf.int32)

    indices = tf.data.Dataset.range(first_step * recipe.batch_size, recipe.steps * recipe.batch_size)
    examples = indices.map(example, num_parallel_calls=tf.data.AUTOTUNE, deterministic=True)
    return examples.batch(recipe.batch_size, drop_remainder=True).prefetch(2)


def _crop(pixels: tf.Tensor, size: int, uniform: Sequence[tf.Tensor]) -> tf.Tensor:
    """Returns a square part of a photograph, anywhere and perhaps mirrored, `[size, size, 3]`."""
    shape = tf.cast(tf.shape(pixels)[:2], tf.float32)
    side = tf.reduce_min(shape) * (_LEAST_SHARE + (1 - _LEAST_SHARE) * uniform[0])
    side = tf.maximum(tf.floor(side), 1.0)
    top, left = tf.unstack(tf.cast(tf.floor((shape - side) * tf.stack(uniform[1:3])), tf.int32))
    whole = tf.cast(side, tf.int32)
    part = tf.cast(pixels[top : top + whole, left : left + whole], tf.float32) / 255.0
    crop = tf.image.resize(part, [size, size], method="bicubic", antialias=True)
    crop = tf.clip_by_value(tf.ensure_shape(crop, [size, size, 3]), 0.0, 1.0)
    return tf.where(uniform[3] < 0.5, crop, crop[:, ::-1])
