"""Files by path or URL: here with Python's own means, elsewhere through Beam's filesystems.

What is written is whole or absent, in both.
"""

from __future__ import annotations

import contextlib
import glob
import os
import pathlib
import re
import tempfile
import uuid
from collections.abc import Iterable, Iterator

from tfstyle.io.files import opened, write_atomically
from tfstyle.io.formats import suffixes

_WILDCARDS = re.compile(r"[*?\[]")


def is_remote(path: str) -> bool:
    """Returns whether a path is a URL, such as ``gs://bucket/folder``."""
    return "://" in path


def join(folder: str, name: str) -> str:
    """Returns the path of a file in a folder; names have forward slashes."""
    return f"{folder.rstrip('/')}/{name}" if is_remote(folder) else os.path.join(folder, *name.split("/"))


def read(path: str, limit: int | None = None) -> bytes:
    """Returns a file's bytes.

    Args:
      path: the file; devices and pipes, which may never end, are none.
      limit: the most bytes that it may have.

    Raises:
      ValueError: it has more.
      OSError: it cannot be read.
    """
    remote = is_remote(path)
    with _filesystems().open(path, compression_type="uncompressed") if remote else opened(path) as file:
        data = file.read() if limit is None else file.read(limit + 1)
    if limit is not None and len(data) > limit:
        raise ValueError(f"{path}: has more than {limit} bytes")
    return data


def write(path: str, data: bytes) -> None:
    """Writes a file, whole or not at all; its folder is made if it is not there.

    Raises:
      OSError: it cannot be written.
    """
    if not is_remote(path):
        pathlib.Path(path).parent.mkdir(parents=True, exist_ok=True)
        write_atomically(pathlib.Path(path), data)
        return
    files = _filesystems()
    temporary = f"{path}.{uuid.uuid4().hex}.part"
    with files.create(temporary, compression_type="uncompressed") as file:
        file.write(data)
    delete(path)  # not every filesystem renames onto a file that is there
    files.rename([temporary], [path])


def exists(path: str) -> bool:
    """Returns whether there is a file."""
    return _filesystems().exists(path) if is_remote(path) else os.path.isfile(path)


def delete(path: str) -> None:
    """Removes a file, if it is there.

    Raises:
      OSError: it cannot be removed.
    """
    if not is_remote(path):
        pathlib.Path(path).unlink(missing_ok=True)
    elif exists(path):
        _filesystems().delete([path])


def find(pattern: str) -> list[str]:
    """Returns the files that a glob matches, sorted; ``**`` means folders at any depth.

    Raises:
      OSError: they cannot be listed.
    """
    if is_remote(pattern):
        return sorted(file.path for file in _filesystems().match([pattern])[0].metadata_list)
    return sorted(filter(os.path.isfile, glob.glob(pattern, recursive=True)))


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
    named, remote = f"{argument}={where!r}", is_remote(where)
    depth = ["**", "*"] if deep else ["*"]
    if not remote and os.path.isdir(where):
        pattern = os.path.join(glob.escape(where), *depth)
    elif not remote and os.path.exists(where):
        return os.path.dirname(where), [where]
    elif wildcard := _WILDCARDS.search(where):
        if not (paths := find(where)):
            raise FileNotFoundError(f"{named}: matches no file")
        return os.path.dirname(where[: wildcard.start()]), paths
    elif remote and find(join(where, "**")):
        pattern = join(where, depth[0])
    elif remote and exists(where):
        return where.rpartition("/")[0], [where]
    else:
        raise FileNotFoundError(f"{named}: no such file or folder")
    known = {*suffixes(), *also}
    if not (paths := [path for path in find(pattern) if pathlib.PurePath(path).suffix.lower() in known]):
        raise FileNotFoundError(f"{named}: holds no picture")
    return where, paths


def listing(folder: str) -> dict[str, float]:
    """Returns {name: time of last change} of the files below a folder; empty where there is none."""
    if is_remote(folder):
        found = _filesystems().match([join(folder, "**")])[0].metadata_list
        return {file.path[len(folder.rstrip("/")) + 1 :]: file.last_updated_in_seconds for file in found}
    times = {}
    for parent, _, names in os.walk(folder):
        for name in names:
            path = os.path.join(parent, name)
            with contextlib.suppress(FileNotFoundError):  # a .part that has just been renamed
                times[pathlib.Path(path).relative_to(folder).as_posix()] = os.stat(path).st_mtime
    return times


@contextlib.contextmanager
def local_copy(path: str) -> Iterator[str]:
    """Gives a path on this machine, for as long as it is needed, of a file anywhere."""
    if not is_remote(path):
        yield path
        return
    with temporary_file(read(path), suffix=pathlib.PurePosixPath(path).suffix) as copy:
        yield copy


@contextlib.contextmanager
def temporary_file(data: bytes, suffix: str = "") -> Iterator[str]:
    """Gives the path of a file with these bytes, for as long as it is needed."""
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / f"file{suffix}"
        path.write_bytes(data)
        yield str(path)


def _filesystems():
    try:
        from apache_beam.io.filesystems import FileSystems
    except ImportError:
        raise OSError("a path with :// needs Apache Beam: pip install 'tfstyle[beam]'") from None
    return FileSystems
