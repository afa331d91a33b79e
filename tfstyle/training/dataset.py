"""Photographs to training batches, read while the network is trained.

Element i of the stream depends on (seed, i) alone, so that it can be entered
anywhere: a resumed training sees what an uninterrupted one would have seen,
and several workers see together what one would see alone.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from tfstyle.io import encode, graph_decode, images
from tfstyle.training.recipe import InstantRecipe

# A crop shows at least so much of the photograph's shorter side.
_LEAST_SHARE = 0.35

# From a picture's height and width, floats, and a uniform number in [0, 1) to the side of a square in it.
Side = Callable[[tf.Tensor, tf.Tensor], tf.Tensor]
# Crops whose values deviate by less are of one colour, such as the white around a thing: they teach nothing,
# and through many normalisations of what does not vary, gradients grow beyond all bounds.
_LEAST_DEVIATION = 0.02


class Share(NamedTuple):
    """Which part of each batch is read here.

    Attributes:
      worker: index of this worker; it reads the worker-th of equal parts.
      workers: how many there are.
      replicas: devices that share a batch, of all workers; each gets its part as a batch of its own.
    """

    worker: int = 0
    workers: int = 1
    replicas: int = 1


WHOLE = Share()


def some_share(shape: tf.Tensor, uniform: tf.Tensor) -> tf.Tensor:
    """A `Side`: from about a third of the shorter one to all of it."""
    return tf.reduce_min(shape) * (_LEAST_SHARE + (1 - _LEAST_SHARE) * uniform)


def batches(
    paths: Sequence,
    styles: int,
    recipe: InstantRecipe,
    first_step: int = 0,
    share: Share = WHOLE,
    side: Side = some_share,
) -> tf.data.Dataset:
    """Returns the stream of batches from a step on to the recipe's last.

    Args:
      paths: picture files, in an order of their own.
      styles: how many there are.
      recipe: sizes and seed are read from it.
      first_step: steps that were made before.
      share: what is read here; all by default. The recipe's batch must be
        divisible by its replicas.
      side: of crops, before they are brought to the recipe's size.

    Returns:
      A dataset of `(photographs [B, S, S, 3] float32 in [0, 1], styles [B] int32)`;
      styles take turns. B is the recipe's batch over the replicas; there are as
      many of them a step as this worker has replicas.

    Raises:
      tf.errors.InvalidArgumentError: while it is read, where a file is no picture; `require_readable`
        tells which.
    """
    files, count = tf.constant([str(path) for path in paths]), len(paths)
    part = recipe.batch_size // share.workers

    def example(place: tf.Tensor):
        index = (place // part) * recipe.batch_size + share.worker * part + place % part
        seed = tf.constant(recipe.shuffle, tf.int64)
        epoch = tf.stack([seed, index // count])
        path = files[tf.random.experimental.index_shuffle(index % count, epoch, count - 1)]
        uniform = tf.unstack(tf.random.stateless_uniform([4], tf.stack([seed, index])))
        return _crop(_read(path), recipe.crop_size, side, uniform), tf.cast(index % styles, tf.int32)

    places = tf.data.Dataset.range(first_step * part, recipe.steps * part)
    examples = places.map(example, num_parallel_calls=tf.data.AUTOTUNE, deterministic=True)
    return examples.batch(recipe.batch_size // share.replicas, drop_remainder=True).prefetch(2)


def held_out(paths: Sequence, validation: int) -> tuple[list, list]:
    """Returns the photographs to train on, and so many others, evenly spread.

    Raises:
      ValueError: there are not that many, and one to train on.
    """
    if validation >= len(paths):
        raise ValueError(
            f"validation={validation}: must be below the number of photographs, which is {len(paths)}"
        )
    kept = {(2 * index + 1) * len(paths) // (2 * validation) for index in range(validation)}
    return (
        [path for index, path in enumerate(paths) if index not in kept],
        [path for index, path in enumerate(paths) if index in kept],
    )


def centers(paths: Sequence, size: int, side: Side | None = None) -> tf.Tensor:
    """Returns the middle of each picture, `[N, size, size, 3]` in [0, 1].

    Args:
      paths: picture files.
      size: what the middle is brought to.
      side: of the middle; None: the picture's shorter one.

    Raises:
      tf.errors.InvalidArgumentError: a file is no picture; `require_readable` tells which.
    """
    middle = [tf.constant(value) for value in (0.5, 0.5, 0.5, 0.0)]
    side = side or (lambda shape, _: tf.reduce_min(shape))
    return tf.stack([_crop(_read(tf.constant(str(path))), size, side, middle) for path in paths])


def require_readable(paths: Sequence) -> None:
    """Checks that files are pictures, by reading them, which may take long.

    Raises:
      ValueError: one is none; the message names it.
      OSError: one cannot be read.
    """
    for path in paths:
        try:
            _read(tf.constant(str(path)))
        except tf.errors.InvalidArgumentError:
            raise ValueError(f"photos: {str(path)!r} is no picture, or a damaged one") from None
        except tf.errors.OpError as error:
            raise OSError(f"photos: {str(path)!r} cannot be read ({type(error).__name__})") from None


def _read(path: tf.Tensor) -> tf.Tensor:
    def in_python(path):  # bytes, or an array of them
        return encode.to_uint8(images.load_image(os.fsdecode(np.asarray(path).item()), "photos"))

    data = tf.io.read_file(path)
    return tf.ensure_shape(
        tf.cond(
            graph_decode.is_known(data),
            lambda: graph_decode.decode(data),
            lambda: tf.numpy_function(in_python, [path], tf.uint8, stateful=False),
        ),
        [None, None, 3],
    )


def _crop(pixels: tf.Tensor, size: int, side_of: Side, uniform: Sequence[tf.Tensor]) -> tf.Tensor:
    """Returns a square part of a picture, anywhere and perhaps mirrored, `[size, size, 3]`.

    Where that is of one colour, it is the widest part in the middle.
    """
    shape = tf.cast(tf.shape(pixels)[:2], tf.float32)
    side = side_of(shape, uniform[0])
    crop = _square(pixels, size, side, (shape - side) * tf.stack(uniform[1:3]))
    flat = tf.reduce_max(tf.math.reduce_std(crop, axis=[0, 1])) < _LEAST_DEVIATION
    widest = tf.reduce_min(shape)
    crop = tf.cond(flat, lambda: _square(pixels, size, widest, (shape - widest) / 2), lambda: crop)
    return tf.where(uniform[3] < 0.5, crop, crop[:, ::-1])


def _square(pixels: tf.Tensor, size: int, side: tf.Tensor, corner: tf.Tensor) -> tf.Tensor:
    """Returns the square of a side at a corner, as `[size, size, 3]` in [0, 1]."""
    whole = tf.cast(tf.maximum(tf.floor(side), 1.0), tf.int32)
    top, left = tf.unstack(tf.cast(tf.floor(corner), tf.int32))
    part = tf.cast(pixels[top : top + whole, left : left + whole], tf.float32) / 255.0
    crop = tf.image.resize(part, [size, size], method="bicubic", antialias=True)
    return tf.clip_by_value(tf.ensure_shape(crop, [size, size, 3]), 0.0, 1.0)
