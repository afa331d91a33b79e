"""Folders of photographs."""

from __future__ import annotations

import pathlib

_SUFFIXES = (".jpg", ".jpeg", ".png")


def find_photographs(folder, argument: str = "photos") -> list[pathlib.Path]:
    """Returns the picture files of a folder, sorted by name.

    Raises:
      OSError: there is no such folder.
      ValueError: it holds no pictures.
    """
    folder = pathlib.Path(folder)
    named = f"{argument}={str(folder)!r}"
    if not folder.is_dir():
        raise NotADirectoryError(f"{named}: is no folder; name one that holds photographs")
    paths = sorted(path for path in folder.iterdir() if path.suffix.lower() in _SUFFIXES)
    if not paths:
        raise ValueError(f"{named}: holds no pictures ({', '.join(_SUFFIXES)})")
    return paths
