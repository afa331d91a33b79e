"""Pictures in and out: files and arrays to `[1, H, W, 3]` float32 and back.

Inside the package a picture is a float32 tensor `[B, H, W, 3]` of sRGB-encoded
RGB in [0, 1]. This module is the only place that knows of anything else: file
formats, orientation tags, colour profiles, transparency and integer pixels.
"""

from __future__ import annotations

import io
import os
import pathlib
import struct
import warnings

import numpy as np
import tensorflow as tf
from absl import logging
from PIL import Image, ImageCms, ImageOps, PngImagePlugin

from tfstyle.files import require_file, require_writable_folder, write_atomically

_FORMATS = {".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG"}
_NOTE = "tfstyle"  # the PNG text chunk that carries a picture's origin


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
      ValueError: it is not a picture, is damaged, has more pixels than Pillow
        holds to be safe, or the array has another shape or range.
      OSError: the file cannot be opened.
    """
    if isinstance(source, (str, os.PathLike)):
        named = f"{argument}={str(source)!r}"
        pixels = _pixels(_decode(pathlib.Path(source), named), named)
    elif isinstance(source, Image.Image):
        pixels = _pixels(ImageOps.exif_transpose(source), argument)
    else:
        pixels = _array_pixels(source, argument)
    return tf.constant(pixels[np.newaxis])


def load_alpha(source, argument: str = "image") -> tf.Tensor | None:
    """Reads how opaque a picture is.

    Args:
      source, argument: as in `load_image`.

    Returns:
      `[1, H, W, 1]` float32 in [0, 1], of `load_image`'s size; None where it is opaque everywhere.

    Raises:
      ValueError, OSError: as in `load_image`.
    """
    if isinstance(source, (str, os.PathLike)):
        picture = _decode(pathlib.Path(source), f"{argument}={str(source)!r}")
    elif isinstance(source, Image.Image):
        picture = ImageOps.exif_transpose(source)
    else:
        values = np.asarray(source)
        alpha = values[..., 3] if values.ndim in (3, 4) and values.shape[-1] == 4 else None
        if alpha is None:
            return None
        alpha = alpha.reshape(alpha.shape[-2:])
        full = np.iinfo(alpha.dtype).max if alpha.dtype.kind == "u" else 1
        return _unless_opaque(np.clip(alpha.astype(np.float32) / full, 0, 1))
    if not _has_alpha(picture):
        return None
    return _unless_opaque(np.asarray(picture.convert("RGBA").getchannel("A"), np.float32) / 255)


def _unless_opaque(alpha: np.ndarray) -> tf.Tensor | None:
    return None if alpha.min() >= 1 else tf.constant(alpha[np.newaxis, ..., np.newaxis])


def _has_alpha(picture: Image.Image) -> bool:
    return picture.mode in ("LA", "PA", "RGBA", "La", "RGBa") or "transparency" in picture.info


def _decode(path: pathlib.Path, named: str) -> Image.Image:
    """Reads a file, turned upright; errors begin with `named`."""
    require_file(path, named)
    try:
        with warnings.catch_warnings():
            # Between one and two times Pillow's limit it only warns; a large
            # photograph is what users of high resolution bring.
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            with Image.open(path) as picture:
                picture.load()
                ImageOps.exif_transpose(picture, in_place=True)
                return picture
    except Image.DecompressionBombError:
        limit = 2 * Image.MAX_IMAGE_PIXELS / 1e6
        raise ValueError(f"{named}: has more than {limit:.0f} million pixels; scale it down first") from None
    except Image.UnidentifiedImageError:
        raise ValueError(f"{named}: is not a picture that Pillow can read") from None
    except PermissionError:
        raise PermissionError(f"{named}: may not be read") from None
    except (OSError, ValueError, SyntaxError, EOFError, MemoryError, struct.error) as error:
        # Pillow's decoders raise any of these on damaged data.
        raise ValueError(f"{named}: is damaged or cut short ({error})") from None


def _pixels(picture: Image.Image, argument: str) -> np.ndarray:
    """Turns an upright PIL image of any mode into `[H, W, 3]` float32 in [0, 1]."""
    if picture.mode.startswith("I") or picture.mode == "F":
        return _deep_pixels(np.asarray(picture), argument)
    profile = picture.info.get("icc_profile")
    if _has_alpha(picture):
        picture = picture.convert("RGBA")
        alpha = picture.getchannel("A")
        color = _to_srgb(picture.convert("RGB"), profile, argument)
        picture = Image.composite(color, Image.new("RGB", color.size, "white"), alpha)
    else:
        picture = _to_srgb(
            picture.convert("RGB") if picture.mode in ("1", "P") else picture, profile, argument
        )
    return np.asarray(picture, np.float32) / 255


def _deep_pixels(values: np.ndarray, argument: str) -> np.ndarray:
    """Grey of more than 8 bits, which Pillow's own conversion would clip at 255."""
    values = values.astype(np.float32) / (1 if values.dtype.kind == "f" else 65535)
    if not (np.isfinite(values).all() and values.min() >= 0 and values.max() <= 1):
        raise ValueError(f"{argument}: holds values outside 0..65535 (integers) or 0..1 (floats)")
    return np.repeat(values[..., np.newaxis], 3, axis=-1)


def _to_srgb(picture: Image.Image, profile: bytes | None, argument: str) -> Image.Image:
    if profile:
        try:
            return ImageCms.profileToProfile(
                picture,
                ImageCms.ImageCmsProfile(io.BytesIO(profile)),
                ImageCms.createProfile("sRGB"),
                outputMode="RGB",
            )
        except (ImageCms.PyCMSError, OSError) as error:
            logging.warning("%s: its colour profile cannot be used (%s); it is read as sRGB", argument, error)
    return picture.convert("RGB")


def _array_pixels(source, argument: str) -> np.ndarray:
    values = np.asarray(source)
    given = f"{argument}: an array of shape {list(values.shape)} and type {values.dtype}"
    if values.ndim == 4 and values.shape[0] == 1:
        values = values[0]
    if values.ndim == 2:
        values = values[..., np.newaxis]
    if values.ndim != 3 or values.shape[-1] not in (1, 3, 4) or 0 in values.shape:
        raise ValueError(f"{given}: must be [H, W], [H, W, 1|3|4] or [1, H, W, 1|3|4]")
    if values.dtype in (np.uint8, np.uint16):
        values = values.astype(np.float32) / np.iinfo(values.dtype).max
    elif values.dtype.kind != "f" and values.dtype != tf.bfloat16.as_numpy_dtype:
        raise ValueError(f"{given}: must be uint8, uint16, or float in [0, 1]")
    values = values.astype(np.float32)
    # A resize may overshoot by rounding; more than that is another range.
    if not (np.isfinite(values).all() and values.min() >= -1e-3 and values.max() <= 1 + 1e-3):
        raise ValueError(f"{given}: float values must be finite and in [0, 1]; divide 0..255 by 255")
    values = np.clip(values, 0, 1)
    if values.shape[-1] == 4:
        alpha = values[..., 3:]
        values = values[..., :3] * alpha + (1 - alpha)
    return np.broadcast_to(values, (*values.shape[:2], 3))


def fitted_size(height: int, width: int, longer_side: int) -> tuple[int, int]:
    """Returns height and width at the same aspect with the given longer side (0: unchanged)."""
    if longer_side == 0:
        return height, width
    scale = longer_side / max(height, width)
    return max(1, round(height * scale)), max(1, round(width * scale))


def resize(image: tf.Tensor, size: tuple[int, int]) -> tf.Tensor:
    """Resizes `[B, H, W, C]` to `(height, width)`: bicubic, antialiased, kept in [0, 1]."""
    if tuple(image.shape[1:3]) == tuple(size):
        return image
    resized = tf.image.resize(image, size, method="bicubic", antialias=True)
    return tf.clip_by_value(resized, 0.0, 1.0)


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
    """Returns `[H, W, C]` uint8 of a `[1, H, W, C]` or `[H, W, C]` picture, rounded and clipped."""
    values = np.asarray(image, np.float32)
    values = values[0] if values.ndim == 4 else values
    return np.round(np.clip(values, 0, 1) * 255).astype(np.uint8)


def check_writable(path, argument: str = "output") -> None:
    """Finds out before a run whether its picture can be written.

    Raises:
      ValueError: the suffix is not .png, .jpg or .jpeg.
      OSError: the folder is missing or no file can be made in it.
    """
    path = pathlib.Path(path)
    named = f"{argument}={str(path)!r}"
    if path.suffix.lower() not in _FORMATS:
        raise ValueError(f"{named}: must end in {', '.join(_FORMATS)}")
    if path.is_dir():
        raise IsADirectoryError(f"{named}: is a folder; name a file")
    require_writable_folder(path.parent, named)


def save_image(path, image, note: str | None = None, alpha=None) -> None:
    """Writes a picture as PNG or JPEG, by its suffix; the file is whole or unchanged.

    Args:
      path: ends in .png, .jpg or .jpeg; an existing file is replaced.
      image: `[1, H, W, 3]` or `[H, W, 3]`, floats in [0, 1].
      note: text to carry inside the file (`read_note` reads it back).
      alpha: `[1, H, W, 1]` or `[H, W, 1]` in [0, 1]; a JPEG is laid on white by it.

    Raises:
      OSError: the file cannot be written; what stood there before is intact.
    """
    path = pathlib.Path(path)
    picture = Image.fromarray(to_uint8(image))
    if alpha is not None:
        picture.putalpha(Image.fromarray(to_uint8(alpha)[..., 0]))
    if _FORMATS[path.suffix.lower()] == "PNG":
        text = PngImagePlugin.PngInfo()
        if note is not None:
            text.add_itxt(_NOTE, note)
        options = {"format": "PNG", "pnginfo": text}
    else:
        if alpha is not None:
            picture = Image.composite(
                picture.convert("RGB"), Image.new("RGB", picture.size, "white"), picture.getchannel("A")
            )
        options = {"format": "JPEG", "quality": 95, "subsampling": 0, "comment": note or ""}
    encoded = io.BytesIO()
    picture.save(encoded, **options)
    write_atomically(path, encoded.getvalue())


def read_note(path, argument: str = "from") -> str:
    """Returns the text that `save_image` put into a picture.

    Raises:
      ValueError: the file is no picture, or carries no such text.
      OSError: the file cannot be opened.
    """
    named = f"{argument}={str(path)!r}"
    picture = _decode(pathlib.Path(path), named)
    comment = picture.info.get("comment", b"")
    note = picture.info.get(_NOTE) or (comment.decode("utf-8", "replace") if picture.format == "JPEG" else "")
    if not note:
        raise ValueError(f"{named}: carries no tfstyle settings")
    return str(note)
