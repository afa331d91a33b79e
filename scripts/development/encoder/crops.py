"""Photographs to training batches: seeded random views, two of each photograph.

Element i of the stream depends on (seed, i) alone, so a stream can be entered
anywhere: a resumed run sees exactly what an uninterrupted one would have seen.
"""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from encoder.footprint import require_room
from encoder.recipe import VIEWS, EncoderRecipe
from tfstyle.io import images

_LONGEST_SIDE = 400  # of a photograph in memory; crops are far smaller
_LOOK_EVERY = 50  # photographs between two looks at the memory that is left


def split(paths: list[str], holdout_every: int) -> tuple[list[str], list[str]]:
    """Returns the photographs to train on, and those held out: every so many-th (0: none)."""
    held_out = paths[::holdout_every] if holdout_every else []
    return [path for path in paths if path not in set(held_out)], held_out


def read_photographs(paths: list[str]) -> list[np.ndarray]:
    """Returns photographs as `[H, W, 3]` uint8, large ones scaled down.

    Raises:
      ValueError: one cannot be read, or all do not fit into memory.
    """
    pixels: list[np.ndarray] = []
    taken = 0
    for count, path in enumerate(paths, start=1):
        photograph = images.load_image(path, "photos")
        size = tuple(photograph.shape[1:3])
        if max(size) > _LONGEST_SIDE:
            photograph = images.resize(photograph, images.fitted_size(*size, _LONGEST_SIDE))
        pixels.append(images.to_uint8(photograph))
        taken += pixels[-1].nbytes
        if count % _LOOK_EVERY == 0 or count == len(paths):
            require_room(count, taken, len(paths))
    return pixels


def batches(photographs: list[np.ndarray], recipe: EncoderRecipe, first_step: int = 0) -> tf.data.Dataset:
    """Returns the stream of batches from a step on to the recipe's last.

    Returns:
      A dataset of `(views [B, S, S, 3] float32 in [0, 1], labels [B] int64)`.
      The second half of a batch shows the photographs of the first half
      again, in other views; a label is the photograph's index.
    """
    # Each photograph at full and at half size, so that no view is scaled down
    # from many more pixels than it needs; as byte strings, for their sizes differ.
    levels = [level for photograph in photographs for level in (photograph, _halved(photograph))]
    raw = tf.constant([level.tobytes() for level in levels])
    shapes = tf.constant([level.shape for level in levels])
    count, pairs = len(photographs), recipe.batch_size // VIEWS

    def view(index: tf.Tensor):
        batch, place = index // recipe.batch_size, index % recipe.batch_size
        position = batch * pairs + place % pairs
        epoch = tf.stack([tf.cast(recipe.seed, tf.int64), position // count])
        photograph = tf.random.experimental.index_shuffle(position % count, epoch, count - 1)
        uniform = tf.unstack(
            tf.random.stateless_uniform([11], tf.stack([tf.cast(recipe.seed, tf.int64), index]))
        )
        low, high = recipe.zoom
        zoom = low * (high / low) ** uniform[0]  # pixels of the view for one of the photograph
        half = tf.cast(zoom <= 0.5, tf.int64)
        level = 2 * photograph + half
        pixels = tf.reshape(tf.io.decode_raw(raw[level], tf.uint8), shapes[level])
        zoom *= tf.cast(1 + half, tf.float32)
        view = _random_crop(pixels, recipe.crop_size, zoom, uniform[1:5])
        return _random_colors(view, uniform[5:], recipe.color_jitter), photograph

    indices = tf.data.Dataset.range(first_step * recipe.batch_size, recipe.steps * recipe.batch_size)
    views = indices.map(view, num_parallel_calls=tf.data.AUTOTUNE, deterministic=True)
    return views.batch(recipe.batch_size, drop_remainder=True).prefetch(4)


def _halved(photograph: np.ndarray) -> np.ndarray:
    height, width = (max(1, side // 2) for side in photograph.shape[:2])
    return images.to_uint8(images.resize(photograph[np.newaxis] / np.float32(255), (height, width)))


def _random_crop(pixels: tf.Tensor, size: int, zoom: tf.Tensor, uniform: list[tf.Tensor]) -> tf.Tensor:
    """Returns `[size, size, 3]` from a random place of a photograph, antialiased, perhaps mirrored."""
    height, width = (tf.cast(side, tf.float32) for side in tf.unstack(tf.shape(pixels)[:2]))
    aspect = (4 / 3) ** (uniform[0] - 0.5)
    side = tf.cast(size, tf.float32) / zoom
    crop_height, crop_width = tf.minimum(side * aspect, height), tf.minimum(side / aspect, width)
    top, left = uniform[1] * (height - crop_height), uniform[2] * (width - crop_width)
    top, left, crop_height, crop_width = (
        tf.cast(tf.floor(value), tf.int32) for value in (top, left, crop_height, crop_width)
    )
    crop = pixels[top : top + crop_height, left : left + crop_width]
    view = tf.image.resize(crop, [size, size], "bilinear", antialias=True) / 255
    return view if uniform[3] < 0.5 else view[:, ::-1]


def _random_colors(view: tf.Tensor, uniform: list[tf.Tensor], strength: float) -> tf.Tensor:
    """Changes brightness, contrast and the channels' gains, and takes the colour from some views."""
    brightness, contrast, *gains, grey = uniform
    gains = 1 + strength * (tf.stack(gains) - 0.5)
    mean = tf.reduce_mean(view, [0, 1])
    view = (view - mean) * (1 + 2 * strength * (contrast - 0.5)) + mean + strength * (brightness - 0.5)
    view *= gains
    view = tf.where(grey < 0.25 * strength, tf.reduce_mean(view, -1, keepdims=True), view)
    return tf.clip_by_value(view, 0, 1)
