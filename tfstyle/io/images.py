"""Pictures in and out: files and arrays to `[1, H, W, 3]` float32 and back.

Inside the package a picture is a float32 tensor `[B, H, W, 3]` of sRGB-encoded
RGB in [0, 1]. This module and `decode` are the only places that know of
anything else: file formats, transparency and integer pixels.
"""

from __future__ import annotations

import io
import pathlib
from collections.abc import Iterable

import numpy as np
import tensorflow as tf
from PIL import Image, PngImagePlugin

from tfstyle.io import decode, formats
from tfstyle.io.files import check_outputs, make_folder, require_writable_folder, write_atomically

# What carries a picture's origin: a PNG's text chunk; a JPEG's comment; elsewhere EXIF's ImageDescription.
_NOTE, _DESCRIPTION = "tfstyle", 0x010E
_QUALITY = {
    "JPEG": {"quality": 95, "subsampling": 0},
    "WEBP": {"quality": 95, "exact": True},
    "TIFF": {"compression": "tiff_adobe_deflate"},
    "AVIF": {"quality": 90, "subsampling": "4:4:4"},
    "HEIF": {"quality": 90},
}


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


def load_alpha(source, argument: str = "image") -> tf.Tensor | None:
    """Reads how opaque a picture is.

    Args:
      source, argument: as in `load_image`.

    Returns:
      `[1, H, W, 1]` float32 in [0, 1], of `load_image`'s size; None where it is opaque everywhere.

    Raises:
      ValueError, OSError: as in `load_image`.
    """
    return load_with_alpha(source, argument)[1]


def load_with_alpha(source, argument: str = "image") -> tuple[tf.Tensor, tf.Tensor | None]:
    """Returns what `load_image` and `load_alpha` do, but decodes the picture once."""
    pixels, opacity = decode.decode(source, argument)
    alpha = None if opacity is None else tf.constant(opacity[np.newaxis, ..., np.newaxis])
    return tf.constant(pixels[np.newaxis]), alpha


def size_of(source, argument: str = "image") -> tuple[int, int]:
    """Returns the height and width that `load_image` would give a picture, of a file by its header alone.

    Args:
      source, argument: as in `load_image`.

    Raises:
      ValueError, OSError: as in `load_image`; but what a file has behind its header is not seen.
    """
    return decode.size_of(source, argument)


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


def to_uint8(image) -> np.ndarray:
    """Returns `[H, W, C]` uint8 of `[1, H, W, C]` or `[H, W, C]`; floats are clipped to [0, 1], rounded."""
    values = np.asarray(image)
    values = values[0] if values.ndim == 4 else values
    if values.dtype == np.uint8:
        return values
    values = values.astype(np.float32)
    return np.round(np.clip(values, 0, 1) * 255).astype(np.uint8)


def check_writable(
    path, argument: str = "output", inputs: Iterable[tuple[str, object]] = (), side: int = 0
) -> None:
    """Finds out before a run whether its picture can be written, and makes its folder.

    Args:
      path: of the picture.
      argument: what to call it in errors.
      inputs: (argument, path) of what it must not replace; see `files.check_outputs`.
      side: its longer side in pixels, as far as that is known.

    Raises:
      ValueError: its suffix is of no format that can be written, or not in that size, or it is an input.
      OSError: it is read-only, or no file can be made in its folder.
    """
    path = pathlib.Path(path)
    named = f"{argument}={str(path)!r}"
    formats.written(path, named, side)
    if path.is_dir():
        raise IsADirectoryError(f"{named}: is a folder; name a file")
    check_outputs([path], inputs, argument)
    require_writable_folder(make_folder(path.parent, argument), named)


def save_image(path, image, note: str | None = None, alpha=None) -> None:
    """Writes a picture in the format of its suffix; the file is whole or unchanged.

    Args:
      path: ends as `formats.written` knows, such as in .png; an existing file is replaced.
      image: an array or tensor of one picture, as `load_image` takes it.
      note: text to carry inside the file (`read_note` reads it back).
      alpha: likewise, `[1, H, W, 1]` or `[H, W, 1]`; a JPEG is laid on white by it.

    Raises:
      ValueError: the image or alpha has another shape, type or range, or there is no such format.
      OSError: the file cannot be written; what stood there before is intact.
    """
    kind = formats.written(path, f"path={str(path)!r}")
    pixels = to_uint8(decode.values_of(image, "image"))
    picture = Image.fromarray(np.repeat(pixels, 3, -1) if pixels.shape[-1] == 1 else pixels)
    if alpha is not None:
        picture.putalpha(Image.fromarray(to_uint8(decode.values_of(alpha, "alpha"))[..., 0]))
    if kind == "JPEG" and picture.mode == "RGBA":
        white = Image.new("RGB", picture.size, "white")
        picture = Image.composite(picture.convert("RGB"), white, picture.getchannel("A"))
    write_drawing(path, picture, **_QUALITY.get(kind, {}), **_noted(kind, note))


def _noted(kind: str, note: str | None) -> dict:
    """Returns the options with which Pillow puts a note into a file."""
    if note is None:
        return {}
    if kind == "JPEG":
        return {"comment": note}
    if kind == "PNG":
        text = PngImagePlugin.PngInfo()
        text.add_itxt(_NOTE, note)
        return {"pnginfo": text}
    exif = Image.Exif()
    exif[_DESCRIPTION] = note.encode()
    return {"exif": exif}


def write_drawing(path, picture: Image.Image, **options) -> None:
    """Writes a Pillow image with Pillow's options; the file is whole or unchanged.

    Raises:
      OSError: the file cannot be written; what stood there before is intact.
    """
    encoded = io.BytesIO()
    picture.save(encoded, formats.written(path, f"path={str(path)!r}"), **options)
    write_atomically(pathlib.Path(path), encoded.getvalue())


def read_note(path, argument: str = "from") -> str:
    """Returns the text that `save_image` put into a picture; Pillow bounds that of a PNG at 1 MB.

    Raises:
      ValueError: the file is no picture, or carries no such text.
      OSError: the file cannot be opened.
    """
    named = f"{argument}={str(path)!r}"
    picture = decode.open_picture(pathlib.Path(path), named)
    if picture.format == "PNG":
        note = str(picture.info.get(_NOTE, ""))
    elif picture.format == "JPEG":
        note = picture.info.get("comment", b"").decode("utf-8", "replace")
    else:  # Pillow reads EXIF's bytes as Latin-1
        text = str(picture.getexif().get(_DESCRIPTION, ""))
        note = text.encode("latin-1", "replace").decode("utf-8", "replace")
    if not note:
        raise ValueError(f"{named}: carries no tfstyle settings")
    return note
