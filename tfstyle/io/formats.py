"""Which file formats pictures may have, and what their headers say; nothing here imports TensorFlow."""

from __future__ import annotations

import contextlib
import functools
import pathlib
import struct

from PIL import Image

_TIFF_SIZE = (256, 257)  # tags of width and length
ORIENTATION = 0x0112  # EXIF; from 5 on, rows are columns

# Others that Pillow knows are left alone: some start programs, such as Ghostscript.
_FORMATS = ("PNG", "JPEG", "WEBP", "TIFF", "GIF", "BMP", "PPM", "AVIF", "JPEG2000", "HEIF")
_WRITTEN = {
    ".png": "PNG",
    ".jpg": "JPEG",
    ".jpeg": "JPEG",
    ".webp": "WEBP",
    ".tif": "TIFF",
    ".tiff": "TIFF",
    ".avif": "AVIF",
    ".heic": "HEIF",
    ".heif": "HEIF",
}
KINDS = tuple(suffix.removeprefix(".") for suffix in _WRITTEN)
# {format: what it needs that not every installation has}
_NEEDED = {
    "HEIF": "pillow-heif: pip install 'tfstyle[heif]'",
    "AVIF": "a newer Pillow: pip install -U pillow",
}
_LARGEST = {"JPEG": 65500, "WEBP": 16383, "AVIF": 65536}  # pixels a side that can be written
_BRANDS = {"AVIF": (b"avif", b"avis"), "HEIF": (b"heic", b"heix", b"heim", b"hevc", b"mif1", b"msf1")}


@functools.cache
def formats() -> tuple[str, ...]:
    """Returns Pillow's names of the file formats that are read.

    They are PNG, JPEG (also MPO), WebP, TIFF, GIF, BMP, PPM, AVIF and JPEG 2000,
    as far as this Pillow has them, and HEIF (HEIC) where pillow-heif is
    installed. Of several pictures in a file, the first is read.
    """
    Image.init()
    with contextlib.suppress(ImportError):
        import pillow_heif

        pillow_heif.register_heif_opener()
    return tuple(name for name in _FORMATS if name in Image.OPEN)


@functools.cache
def suffixes() -> frozenset[str]:
    """Returns what names of pictures end in, such as ``.png``, also of formats that are not installed."""
    # An MPO is a JPEG with more pictures behind it, and is opened as one.
    known = {*formats(), "MPO"}
    found = {suffix for suffix, kind in Image.registered_extensions().items() if kind in known}
    return frozenset(found | {".avif", ".heic", ".heif", ".hif"})


def lacking(head: bytes) -> str:
    """Returns what reading a file that begins so would need; nothing where it is there or not known."""
    brands = head[8:] if head[4:8] == b"ftyp" else b""
    for kind, names in _BRANDS.items():
        if any(name in brands for name in names):
            return "" if kind in formats() else f"is {kind}, which needs {_NEEDED[kind]}"
    return ""


def written(path, named: str, side: int = 0) -> str:
    """Returns Pillow's name of the format that a picture is written in, by its suffix.

    Args:
      path: of the picture.
      named: what to call it in errors.
      side: its longer side in pixels, as far as that is known.

    Raises:
      ValueError: it is none that can be written here, or in this size.
    """
    formats()
    suffix = pathlib.Path(path).suffix.lower()
    kind = _WRITTEN.get(suffix)
    if side > (most := _LARGEST.get(kind, side)):
        raise ValueError(
            f"{named}: {suffix} holds at most {most} pixels a side, not {side}; write .png or .tif"
        )
    if kind in Image.SAVE:
        return kind
    if kind in _NEEDED:
        raise ValueError(f"{named}: {suffix} needs {_NEEDED[kind]}")
    known = [suffix for suffix, kind in _WRITTEN.items() if kind in Image.SAVE]
    raise ValueError(f"{named}: must end in {', '.join(known)}")


def exif_of(picture: Image.Image) -> Image.Exif:
    """Returns a picture's EXIF, as far as it has been read; empty where that is broken."""
    try:
        # The class's own method: that of PNG decodes the picture, to look behind it for EXIF.
        return Image.Image.getexif(picture)
    except (struct.error, SyntaxError, ValueError, TypeError, LookupError, EOFError):
        return Image.Exif()


def upright_size(picture: Image.Image) -> tuple[int, int]:
    """Returns the height and width that a picture has once it is turned upright; nothing is decoded."""
    # Where Pillow turns a TIFF's size by itself, depends on its version.
    tags = getattr(picture, "tag_v2", {}) if picture.format == "TIFF" else {}
    width, height = (tags.get(tag, side) for tag, side in zip(_TIFF_SIZE, picture.size))
    turned = exif_of(picture).get(ORIENTATION, 1) >= 5
    return (width, height) if turned else (height, width)
