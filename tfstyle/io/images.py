"""Pictures as tensors: files and arrays to `[1, H, W, 3]` float32, and other sizes.

Inside the package a picture is a float32 tensor `[B, H, W, 3]` of sRGB-encoded
RGB in [0, 1]. This module, `decode` and `encode` are the only places that know of
anything else: file formats, transparency and integer pixels.
"""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from tfstyle.io import decode


def load_image(source, argument: str = "image") -> tf.Tensor:
    """Reads a picture.

    Files are turned upright (EXIF), brought to sRGB (ICC profile), laid on
    white where they are transparent, and keep all of 16 bits.

    Args:
      source: a path, a PIL image, or an array or tensor of shape `[H, W]`,
        `[H, W, 1|3|4]` or `[1, H, W, 1|3|4]`: uint8, uint16, or float in [0, 1].
      argument: what to call the picture in errors.

    Returns:
      `[1, H, W, 3]` float32, sRGB-encoded RGB in [0, 1].

    Raises:
      ValueError: it is not a picture in one of `formats.formats`, is damaged,
        has more pixels than Pillow holds to be safe (179 million, unless
        `PIL.Image.MAX_IMAGE_PIXELS` says otherwise), or the array has another
        shape or range.
      OSError: the file cannot be opened.
    """
    return load_with_alpha(source, argument)[0]


def load_with_alpha(source, argument: str = "image") -> tuple[tf.Tensor, tf.Tensor | None]:
    """Returns what `load_image` does, and how opaque the picture is.

    That is `[1, H, W, 1]` float32 in [0, 1]; None where it is opaque everywhere.
    """
    pixels, opacity = decode.decode(source, argument)
    alpha = None if opacity is None else tf.constant(opacity[np.newaxis, ..., np.newaxis])
    return tf.constant(pixels[np.newaxis]), alpha


def scaled(length, share):
    """Returns a number, or each of a tuple, times a share: rounded, at least 1; of scalar tensors, int32."""
    if isinstance(length, tuple):
        return tuple(scaled(each, share) for each in length)
    if tf.is_tensor(length):
        return tf.cast(tf.maximum(tf.round(tf.cast(length, tf.float64) * share), 1), tf.int32)
    return max(1, round(length * share))


def longest(size) -> int | tf.Tensor:
    """Returns the longer of (height, width); of scalar tensors, in float64."""
    return tf.cast(tf.maximum(*size), tf.float64) if tf.is_tensor(size[0]) else max(size)


def fitted_size(height, width, longer_side: int, scale: float = 1.0) -> tuple:
    """Returns (height, width) at the same aspect with the given longer side (0: unchanged), times a scale.

    Sides are numbers or, inside a graph, scalar tensors.
    """
    size = (height, width)
    if longer_side:
        size = scaled(size, longer_side / longest(size))
    return scaled(size, scale)


def resize(image: tf.Tensor, size) -> tf.Tensor:
    """Resizes `[B, H, W, C]` to (height, width), numbers or tensors: bicubic, antialiased, in [0, 1]."""

    def resized() -> tf.Tensor:
        found = tf.image.resize(image, size, method="bicubic", antialias=True)
        return tf.clip_by_value(found, 0.0, 1.0)

    if tf.is_tensor(size[0]):
        same = tf.reduce_all(tf.shape(image)[1:3] == tf.stack(size))
        return tf.ensure_shape(tf.cond(same, lambda: image, resized), [None, None, None, image.shape[-1]])
    return image if tuple(image.shape[1:3]) == tuple(size) else resized()


def load_fitted(source, argument: str, longer_side: int) -> tf.Tensor:
    """Reads a picture as `load_image` does, and brings its longer side to a size (0: unchanged)."""
    picture = load_image(source, argument)
    return resize(picture, fitted_size(*picture.shape[1:3], longer_side))


def cover(image: tf.Tensor, size: tuple[int, int]) -> tf.Tensor:
    """Resizes to fill `(height, width)` at the picture's own aspect, and cuts what stands over."""
    height, width = size
    scale = max(height / image.shape[1], width / image.shape[2])
    filled = (max(height, round(image.shape[1] * scale)), max(width, round(image.shape[2] * scale)))
    return tf.image.resize_with_crop_or_pad(resize(image, filled), height, width)
