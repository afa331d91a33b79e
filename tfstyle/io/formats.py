"""Which file formats pictures may have, and what their headers say; nothing here imports TensorFlow."""

from __future__ import annotations

import functools

from PIL import Image

_ORIENTATION = 0x0112  # EXIF; from 5 on, rows are columns

# Others that Pillow knows are left alone: some start programs, such as Ghostscript.
_FORMATS = ("PNG", "JPEG", "WEBP", "TIFF", "GIF", "BMP", "PPM", "AVIF", "JPEG2000")


@functools.cache
def formats() -> tuple[str, ...]:
    """Returns Pillow's names of the file formats that are read.

    They are PNG, JPEG (also MPO), WebP, TIFF, GIF, BMP, PPM, AVIF and JPEG 2000,
    as far as this Pillow has them. Of several pictures in a file, the first is read.
    """
    Image.init()
    return tuple(name for name in _FORMATS if name in Image.OPEN)


@functools.cache
def suffixes() -> frozenset[str]:
    """Returns what names of such files end in, such as ``.png``."""
    # An MPO is a JPEG with more pictures behind it, and is opened as one.
    known = {*formats(), "MPO"}
    return frozenset(suffix for suffix, kind in Image.registered_extensions().items() if kind in known)


def upright_size(picture: Image.Image) -> tuple[int, int]:
    """Returns the height and width that a picture has once it is turned upright; nothing is decoded."""
    width, height = picture.size
    # The class's own method: that of PNG decodes the picture, to look behind it for EXIF.
    turned = Image.Image.getexif(picture).get(_ORIENTATION, 1) >= 5
    return (width, height) if turned else (height, width)
