"""Pixels to files, whole or not at all, with a note of how they were made; free of TensorFlow."""

from __future__ import annotations

import io
import pathlib
from collections.abc import Iterable

import numpy as np
from PIL import Image, PngImagePlugin

from tfstyle.io import decode, formats
from tfstyle.io.files import check_outputs, make_folder, require_writable_folder, write_atomically

# What carries a picture's origin: a PNG's text chunk; a JPEG's comment; elsewhere EXIF's ImageDescription.
_NOTE, _DESCRIPTION = "tfstyle", 0x010E
_QUALITY = {
    "PNG": {"compress_level": 4},  # a third of the time of Pillow's 6, for files 3 % larger
    "JPEG": {"quality": 95, "subsampling": 0},
    "WEBP": {"quality": 95, "exact": True},
    "TIFF": {"compression": "tiff_adobe_deflate"},
    "AVIF": {"quality": 90, "subsampling": "4:4:4"},
    "HEIF": {"quality": 90},
}


def to_uint8(image) -> np.ndarray:
    """Returns `[H, W, C]` uint8 of `[1, H, W, C]` or `[H, W, C]`; floats are clipped to [0, 1], rounded."""
    values = np.asarray(image)
    values = values[0] if values.ndim == 4 else values
    if values.dtype == np.uint8:
        return values
    values = np.clip(values, 0, 1, dtype=np.float32, casting="unsafe")
    values *= 255  # in place: a large picture takes much memory once
    return np.round(values, out=values).astype(np.uint8)


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
      image: an array or tensor of one picture, as `images.load_image` takes it.
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


def encoded(image, kind: str, **options) -> bytes:
    """Returns a picture, as `to_uint8` takes it, encoded by Pillow as PNG, JPEG, …, with its options."""
    found = io.BytesIO()
    Image.fromarray(to_uint8(image)).save(found, kind, **options)
    return found.getvalue()


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
        text = str(formats.exif_of(picture).get(_DESCRIPTION, ""))
        note = text.encode("latin-1", "replace").decode("utf-8", "replace")
    if not note:
        raise ValueError(f"{named}: carries no tfstyle settings")
    return note
