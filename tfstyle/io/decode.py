"""Pictures of any kind, from files, PIL or arrays, as colours and opacity in NumPy.

Here is what is known of file formats, orientation tags, colour profiles,
transparency and integer pixels on the way in.
"""

from __future__ import annotations

import contextlib
import functools
import io
import os
import pathlib
import warnings
from collections.abc import Iterator

import numpy as np
from absl import logging
from PIL import Image, ImageCms, ImageOps

from tfstyle.io.files import opened, require_file
from tfstyle.io.formats import ORIENTATION, exif_of, formats, lacking, upright_size
from tfstyle.io.pixels import in_unit_range

# Colours `[H, W, 3]` float32 in [0, 1], laid on white, and opacity `[H, W]`; None: opaque everywhere.
Pixels = tuple[np.ndarray, np.ndarray | None]

# Formats of which files with several pictures are not what people take for one.
_ANIMATED = ("GIF", "WEBP", "PNG", "AVIF", "TIFF")
# A resize may go so far beyond [0, 1] by rounding; more than that is another range.
OVERSHOOT = 1e-3


def decode(source, argument: str) -> Pixels:
    """Reads a picture, upright and in sRGB.

    Args:
      source: a path, a PIL image, or an array or tensor; see `images.load_image`.
      argument: what to call the picture in errors.

    Raises:
      ValueError, OSError: as in `images.load_image`.
    """
    if isinstance(source, (str, os.PathLike)):
        named = f"{argument}={str(source)!r}"
        picture = open_picture(pathlib.Path(source), named)
        with _reading(named):
            pixels, opacity = _from_picture(picture, named)
    elif isinstance(source, Image.Image):
        source.load()  # a PNG may have its EXIF behind the pixels
        turned = exif_of(source).get(ORIENTATION, 1) != 1
        pixels, opacity = _from_picture(ImageOps.exif_transpose(source) if turned else source, argument)
    else:
        pixels, opacity = _from_array(source, argument)
    return pixels, None if opacity is None or opacity.min() >= 1 else opacity


def size_of(source, argument: str = "image") -> tuple[int, int]:
    """Returns the height and width that `decode` would give a picture, of a file by its header.

    Args:
      source, argument: as in `decode`, also for errors; but what a file has behind its header is not seen.
    """
    if isinstance(source, (str, os.PathLike)):
        named = f"{argument}={str(source)!r}"
        _require_known(pathlib.Path(source), named)
        with _reading(named), Image.open(source, formats=formats()) as picture:
            return upright_size(picture)
    if isinstance(source, Image.Image):
        return upright_size(source)
    shape = tuple(np.shape(source))
    shape = shape[1:] if len(shape) == 4 else shape
    # Of what is no picture, the error is that of `decode`.
    plausible = len(shape) == 2 or (len(shape) == 3 and shape[2] in (1, 3, 4))
    return shape[:2] if plausible and 0 not in shape else decode(source, argument)[0].shape[:2]


def open_picture(path: pathlib.Path, named: str) -> Image.Image:
    """Reads a file of one of `formats.formats`, turned upright.

    Args:
      path: the file.
      named: how errors name what the user gave, such as ``content='x.png'``.

    Raises:
      ValueError, OSError: as in `images.load_image`.
    """
    _require_known(path, named)
    with _reading(named), Image.open(path, formats=formats()) as picture:
        if picture.format in _ANIMATED and getattr(picture, "is_animated", False):
            _warn(f"{named}: holds several pictures; the first is taken")
        picture.load()
        if exif_of(picture).get(ORIENTATION, 1) != 1:
            ImageOps.exif_transpose(picture, in_place=True)
        if 0 in picture.size:
            raise ValueError("it has no pixels")
        return picture


def _require_known(path: pathlib.Path, named: str) -> None:
    """Checks that there is something in a file, and no format that needs more than is installed."""
    require_file(path, named)
    with _reading(named):
        with opened(path) as file:
            head = file.read(32)
        if problem := lacking(head) if head else "is empty":
            raise ValueError(f"{named}: {problem}")


@functools.cache
def _warn(message: str) -> None:
    """Says something once, however often a picture is read."""
    logging.warning("%s", message)


@contextlib.contextmanager
def _reading(named: str) -> Iterator[None]:
    """Turns what Pillow raises into the errors of `open_picture`, and keeps its warnings to itself."""
    try:
        with warnings.catch_warnings():
            # Between one and two times Pillow's limit of pixels it only warns; a
            # large photograph is what users of high resolution bring. Other
            # warnings are of odd tags, which no one can do anything about.
            warnings.simplefilter("ignore")
            yield
    except Image.DecompressionBombError:
        limit = 2 * Image.MAX_IMAGE_PIXELS / 1e6
        raise ValueError(f"{named}: has more than {limit:.0f} million pixels; scale it down first") from None
    except Image.UnidentifiedImageError:
        raise ValueError(f"{named}: is not a picture that Pillow can read") from None
    except PermissionError:
        raise PermissionError(f"{named}: may not be read") from None
    except Exception as error:
        if str(error).startswith(named):
            raise
        # On damaged data Pillow's decoders raise errors of any kind.
        reason = " ".join(str(error).split()) or type(error).__name__
        raise ValueError(f"{named}: is damaged or cut short ({reason:.200})") from None


def _from_picture(picture: Image.Image, argument: str) -> Pixels:
    """Reads an upright PIL image of any mode."""
    if picture.mode.startswith("I") or picture.mode == "F":
        values, clear = np.asarray(picture), picture.info.get("transparency")
        pixels = _deep_pixels(values, argument)
        if not isinstance(clear, int):
            return pixels, None
        opacity = (values != clear).astype(np.float32)  # one grey is transparent, the others are not
        return np.where(opacity[..., np.newaxis] > 0, pixels, np.float32(1)), opacity
    profile = picture.info.get("icc_profile")
    if picture.mode in ("LA", "PA", "RGBA", "La", "RGBa") or "transparency" in picture.info:
        picture = picture.convert("RGBA")
        alpha = picture.getchannel("A")
        color = _to_srgb(picture.convert("RGB"), profile, argument)
        laid = Image.composite(color, Image.new("RGB", color.size, "white"), alpha)
        return in_unit_range(laid), in_unit_range(alpha)
    picture = _to_srgb(picture.convert("RGB") if picture.mode in ("1", "P") else picture, profile, argument)
    return in_unit_range(picture), None


def _deep_pixels(values: np.ndarray, argument: str) -> np.ndarray:
    """Grey of more than 8 bits, which Pillow's own conversion would clip at 255."""
    values = values.astype(np.float32) / (1 if values.dtype.kind == "f" else 65535)
    if not (np.isfinite(values).all() and values.min() >= 0 and values.max() <= 1):
        raise ValueError(f"{argument}: holds values outside 0..65535 (integers) or 0..1 (floats)")
    return np.repeat(values[..., np.newaxis], 3, axis=-1)


def _to_srgb(picture: Image.Image, profile: bytes | None, argument: str) -> Image.Image:
    if profile:
        try:
            own, srgb = ImageCms.ImageCmsProfile(io.BytesIO(profile)), ImageCms.createProfile("sRGB")
            return ImageCms.profileToProfile(picture, own, srgb, outputMode="RGB")
        except (ImageCms.PyCMSError, OSError) as error:
            _warn(f"{argument}: its colour profile cannot be used ({error}); it is read as sRGB")
    return picture.convert("RGB")


def _from_array(source, argument: str) -> Pixels:
    values, opacity = values_of(source, argument), None
    if values.shape[-1] == 4:
        opacity, alpha = values[..., 3], values[..., 3:]
        values = values[..., :3] * alpha + (1 - alpha)
    return np.broadcast_to(values, (*values.shape[:2], 3)), opacity


def values_of(source, argument: str) -> np.ndarray:
    """Returns an array or tensor, as `images.load_image` takes it, as `[H, W, 1|3|4]` float32 in [0, 1].

    Raises:
      ValueError: it has another shape, type or range.
    """
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
    elif values.dtype.kind != "f" and values.dtype.name != "bfloat16":
        raise ValueError(f"{given}: must be uint8, uint16, or float in [0, 1]")
    values = values.astype(np.float32, copy=False)
    require_range(values, given)
    return np.clip(values, 0, 1)


def require_range(values: np.ndarray, named: str) -> None:
    """Checks that floats are in [0, 1], but for what rounding makes of a resize.

    Raises:
      ValueError: they are not; the message tells the range.
    """
    low, high = (values.min(), values.max()) if values.size else (0, 1)
    if not (low >= -OVERSHOOT and high <= 1 + OVERSHOOT):  # NaN is neither
        raise ValueError(
            f"{named}: floats must be in [0, 1], not from {low:.4g} to {high:.4g}; divide 0..255 by 255,"
            " or give uint8"
        )
