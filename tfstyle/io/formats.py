"""Which file formats pictures may have; nothing here imports TensorFlow."""

from __future__ import annotations

import contextlib
import functools

from PIL import Image

# Others that Pillow knows are left alone: some start programs, such as Ghostscript.
_FORMATS = ("PNG", "JPEG", "WEBP", "TIFF", "GIF", "BMP", "PPM", "AVIF", "JPEG2000", "HEIF")


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
