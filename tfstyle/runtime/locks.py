"""Folders that one process works in at a time."""

from __future__ import annotations

import contextlib
import os
import pathlib
import socket

try:
    import fcntl
except ImportError:  # Windows: two runs in one folder are not found out there
    fcntl = None  # type: ignore[assignment]

_FILE = ".lock"


class FolderLock:
    """Holds a folder until it is released, or until the process ends, however it ends.

    The system drops the lock of a process that was killed; the file that stays
    means nothing by itself.

    Args:
      folder: the folder, which is there.
      named: how errors name what the user gave, such as ``checkpoint_dir='x'``.
      wait: until another process lets go of it, instead of an error.

    Raises:
      OSError: another run holds it, or no file can be made in it.
    """

    def __init__(self, folder: pathlib.Path, named: str, *, wait: bool = False):
        self._descriptor = os.open(folder / _FILE, os.O_RDWR | os.O_CREAT, 0o666)
        if fcntl is None:
            return
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError:
            holder = os.read(self._descriptor, 200).decode(errors="replace").strip()
            self.release()
            advice = "wait for that, or name another folder"
            raise BlockingIOError(
                f"{named}: another run works in it ({holder or 'unknown'}); {advice}"
            ) from None
        except OSError:
            return  # a file system without locks
        with contextlib.suppress(OSError):  # a full disk; the lock holds all the same
            os.ftruncate(self._descriptor, 0)
            os.pwrite(self._descriptor, f"process {os.getpid()} on {socket.gethostname()}".encode(), 0)

    def __enter__(self) -> FolderLock:
        return self

    def __exit__(self, *_) -> None:
        self.release()

    def release(self) -> None:
        """Lets the folder go; more than once does no harm."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None
