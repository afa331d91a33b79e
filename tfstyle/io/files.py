"""Files that are whole or absent, folders that can be written, the cache, contents by hash."""

from __future__ import annotations

import contextlib
import errno
import functools
import hashlib
import itertools
import os
import pathlib
import stat
import tempfile
import uuid
from collections.abc import Collection, Iterable, Iterator
from typing import BinaryIO

import platformdirs

_OPEN_FILES = "/proc/self/fd"
_USUAL = 0o666  # permissions of a new file, less the process's umask


def write_atomically(path: pathlib.Path, data: bytes) -> None:
    """Writes a file, whole or not at all; see `replacing`.

    Raises:
      OSError: the file cannot be written; what stood there before is intact.
    """
    with replacing(path) as file:
        file.write(data)


@contextlib.contextmanager
def replacing(path: pathlib.Path, *, keep: pathlib.Path | None = None) -> Iterator[BinaryIO]:
    """Gives a file to write, which takes its name only when it is whole and on the disk.

    Nobody ever sees half of it, and where the system can, a process that is
    killed on the way leaves nothing behind.

    Args:
      path: the name; a file that has it is replaced.
      keep: name that this file gets instead of being lost.

    Raises:
      OSError: the file cannot be written; what stood there before is intact.
    """
    temporary = path.with_name(f".{uuid.uuid4().hex[:16]}.part")
    try:
        descriptor, nameless = _new_file(temporary)
        with os.fdopen(descriptor, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
            if nameless:
                _name(file.fileno(), temporary)
        if keep is not None and path.exists():
            os.replace(path, keep)
        os.replace(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def _new_file(temporary: pathlib.Path) -> tuple[int, bool]:
    """Opens a file to write, if possible without a name, which is gone when its process is."""
    if hasattr(os, "O_TMPFILE") and os.path.isdir(_OPEN_FILES):
        with contextlib.suppress(OSError):  # a file system that has none
            return os.open(temporary.parent, os.O_TMPFILE | os.O_WRONLY, _USUAL), True
    return os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_WRONLY, _USUAL), False


def _name(descriptor: int, path: pathlib.Path) -> None:
    # The system's link() would link to the link in /proc; only in this form is it followed.
    folder = os.open(_OPEN_FILES, os.O_RDONLY)
    try:
        os.link(str(descriptor), path, src_dir_fd=folder, follow_symlinks=True)
    finally:
        os.close(folder)


def require_file(path: pathlib.Path, named: str) -> None:
    """Checks that there is a file.

    Args:
      path: the file.
      named: how the error names what the user gave, such as ``content='x.png'``.

    Raises:
      OSError: there is none, or it is a folder, or a device or pipe, which may never end.
    """
    if path.is_dir():
        raise IsADirectoryError(f"{named}: is a folder, not a file")
    if not path.exists():
        raise FileNotFoundError(f"{named}: no such file")
    if not path.is_file():
        raise OSError(f"{named}: is a device or pipe, not a file")


def reason(error: Exception) -> str:
    """Returns what went wrong in a line; of the system's errors, the file and the reason in words."""
    if isinstance(error, OSError) and error.strerror and error.filename is not None:
        return f"{str(error.filename)!r}: {error.strerror.lower()}"
    return " ".join(str(error).split()) or type(error).__name__


def opened(path) -> BinaryIO:
    """Opens a file to read its bytes.

    Raises:
      OSError: it cannot be opened, or is a device or pipe, which may never end.
    """

    def at_once(name: str, flags: int) -> int:  # opening a pipe waits for its other end
        return os.open(name, flags | getattr(os, "O_NONBLOCK", 0))

    file = open(path, "rb", opener=at_once)  # noqa: SIM115 (the caller closes it)
    if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
        file.close()
        raise OSError(errno.EINVAL, "is a device or pipe, not a file")
    return file


def make_folder(folder, argument: str) -> pathlib.Path:
    """Makes a folder, with those above it, unless it is there.

    Raises:
      OSError: it cannot be made; the message begins with the argument.
    """
    path = pathlib.Path(folder)
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OSError(f"{argument}={str(folder)!r}: cannot be made ({error.strerror})") from None
    return path


def require_writable_folder(folder: pathlib.Path, named: str) -> None:
    """Checks that files can be made in a folder, by making one: modes alone do not tell.

    Args:
      folder: the folder.
      named: how the error names what the user gave, such as ``output='x.png'``.

    Raises:
      OSError: there is no such folder, or no file can be made in it.
    """
    if not folder.is_dir():
        raise NotADirectoryError(f"{named}: there is no folder {str(folder)!r}; make it first")
    try:
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise OSError(f"{named}: cannot be written ({error.strerror})") from None


def make_writable_folder(folder, argument: str) -> pathlib.Path:
    """Makes a folder as `make_folder` does, and checks that files can be made in it.

    Raises:
      OSError: it cannot be made, or no file in it; the message begins with the argument.
    """
    path = make_folder(folder, argument)
    require_writable_folder(path, f"{argument}={str(folder)!r}")
    return path


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


def check_outputs(outputs: Iterable, inputs: Iterable[tuple[str, object]], argument: str = "output") -> None:
    """Checks before the work that its outputs take the place of nothing that must stay.

    Args:
      outputs: files, or folders that are replaced as a whole.
      inputs: (argument, path) of each file that is read.
      argument: what to call the outputs in errors.

    Raises:
      ValueError: an output is an input, or a folder above one, however they are spelled or linked.
      OSError: a file that is there is read-only.
    """
    identity, taken = functools.cache(_identity), {}
    for name, path in inputs:
        place = pathlib.Path(path)
        above = [*place.absolute().parents, *place.resolve().parents] if place.exists() else []
        for each in (place, *above):
            taken.setdefault(identity(each), f"{name}={str(path)!r}")
    for output in outputs:
        named = f"{argument}={str(output)!r}"
        if (other := taken.get(identity(output))) is not None:
            raise ValueError(f"{named}: would take the place of {other}; name another")
        # A file is replaced, not written to: its folder alone would have to let us.
        real = os.path.realpath(output)
        if os.path.isfile(real) and not (os.access(real, os.W_OK) and os.stat(real).st_mode & 0o222):
            raise PermissionError(f"{named}: is read-only; name another, or make it writable")


def _identity(path) -> tuple[int, int] | str:
    real = os.path.realpath(path)  # also past folders that are made for an output, as in new/../photo.jpg
    try:
        found = os.stat(real)
    except OSError:  # not there, or a URL
        return real
    return found.st_dev, found.st_ino


def unused(path: pathlib.Path, taken: Collection[pathlib.Path] = (), *, on_disk: bool = True) -> pathlib.Path:
    """Returns a path, or the first of NAME-2, NAME-3, … that is not taken.

    Args:
      path: that is wanted.
      taken: paths that are.
      on_disk: whether those are, too, at which something is there already.
    """
    numbered = (path.with_stem(f"{path.stem}-{number}") for number in itertools.count(2))
    paths = itertools.chain([path], numbered)
    return next(each for each in paths if each not in taken and not (on_disk and os.path.lexists(each)))


def sha256(path) -> str:
    """Returns the SHA-256 of a file's bytes, in hexadecimal."""
    with opened(path) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
