"""Files that are whole or absent, folders that can be written, contents by hash."""

from __future__ import annotations

import hashlib
import os
import pathlib
import tempfile


def write_atomically(path: pathlib.Path, data: bytes) -> None:
    """Writes beside the file and renames, so that nobody ever sees half of it.

    Raises:
      OSError: the file cannot be written; what stood there before is intact.
    """
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".part")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        # mkstemp makes files private; a picture gets the usual permissions.
        umask = os.umask(0)
        os.umask(umask)
        os.chmod(temporary, 0o666 & ~umask)
        os.replace(temporary, path)
    except BaseException:
        pathlib.Path(temporary).unlink(missing_ok=True)
        raise


def require_file(path: pathlib.Path, named: str) -> None:
    """Checks that there is a file.

    Args:
      path: the file.
      named: how the error names what the user gave, such as ``content='x.png'``.

    Raises:
      OSError: there is none, or it is a folder.
    """
    if path.is_dir():
        raise IsADirectoryError(f"{named}: is a folder, not a file")
    if not path.exists():
        raise FileNotFoundError(f"{named}: no such file")


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


def sha256(path) -> str:
    """Returns the SHA-256 of a file's bytes, in hexadecimal."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
