"""Picture files by folder, glob or name, here or wherever Beam's filesystems reach."""

from __future__ import annotations

import glob
import os
import pathlib
from collections.abc import Iterable

from tfstyle.io import store
from tfstyle.io.formats import suffixes


def find_pictures(
    where, argument: str = "photos", *, deep: bool = False, also: Iterable[str] = ()
) -> tuple[str, list[str]]:
    """Returns the folder that names are relative to, and the files, sorted.

    Args:
      where: a file or a glob, whose matches are taken whatever they are called;
        or a folder, of which files of `formats.suffixes` are taken.
      argument: what to call it in errors.
      deep: search the folder at any depth.
      also: suffixes that are taken besides.

    Raises:
      OSError: there are none.
    """
    where = os.fspath(where)
    named, remote = f"{argument}={where!r}", store.is_remote(where)
    depth = ["**", "*"] if deep else ["*"]
    if not remote and os.path.isdir(where):
        pattern = os.path.join(glob.escape(where), *depth)
    elif not remote and os.path.exists(where):
        return os.path.dirname(where), [where]
    elif store.has_wildcards(where):
        if not (paths := store.find(where)):
            raise FileNotFoundError(f"{named}: matches no file")
        return os.path.dirname(where[: store.has_wildcards(where).start()]), paths
    elif remote and store.find(store.join(where, "**")):
        pattern = store.join(where, depth[0])
    elif remote and store.exists(where):
        return where.rpartition("/")[0], [where]
    else:
        raise FileNotFoundError(f"{named}: no such file or folder")
    known = {*suffixes(), *also}
    if not (
        paths := [path for path in store.find(pattern) if pathlib.PurePath(path).suffix.lower() in known]
    ):
        raise FileNotFoundError(f"{named}: holds no picture")
    return where, paths
