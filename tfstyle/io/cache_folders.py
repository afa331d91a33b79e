"""Where tfstyle keeps what it need not fetch or find out again."""

from __future__ import annotations

import os
import pathlib
import tempfile
from collections.abc import Iterable

import platformdirs

from tfstyle.io.files import make_writable_folder


def own_folders() -> list[pathlib.Path]:
    """Returns the folders that may be the cache: the first of them that can be written is."""
    own = os.environ.get("TFSTYLE_CACHE") or platformdirs.user_cache_dir("tfstyle", appauthor=False)
    user = os.getuid() if hasattr(os, "getuid") else "cache"
    places = [pathlib.Path(own), pathlib.Path(tempfile.gettempdir()) / f"tfstyle-{user}"]
    if not os.environ.get("TFSTYLE_CACHE"):  # where earlier versions kept them on every system
        places.append(pathlib.Path(os.path.expanduser("~"), ".cache", "tfstyle"))
    return list(dict.fromkeys(places))


def writable(folders: Iterable[pathlib.Path]) -> pathlib.Path:
    """Returns the first of some folders in which files can be made, making it if it is not there.

    Raises:
      OSError: there is none; the message tells of the last.
    """
    for folder in folders:
        try:
            return make_writable_folder(folder, "TFSTYLE_CACHE")
        except OSError as error:
            reason = error
    raise reason
