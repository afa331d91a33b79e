"""Folders that one process works in at a time."""

from __future__ import annotations

import contextlib
import os
import pathlib
import socket

import filelock

_FILE = ".lock"


class FolderLock:
    """Holds a folder until it is released, or until the process ends, however it ends.

    The system drops the lock of a process that was killed; the file that stays
    means nothing by itself. It says who holds the folder, which `filelock`'s own
    classes do not tell.

    Args:
      folder: the folder, which is there.
      named: how errors name what the user gave, such as ``checkpoint_dir='x'``.
      wait: until another process lets go of it, instead of an error.

    Raises:
      OSError: another run holds it, or no file can be made in it.
    """

    def __init__(self, folder: pathlib.Path, named: str, *, wait: bool = False):
        self._descriptor = os.open(folder / _FILE, os.O_RDWR | os.O_CREAT, 0o666)
        try:
            held = filelock.lock_descriptor(self._descriptor, blocking=wait)
        except OSError:
            return  # a file system without locks
        if not held:
            os.lseek(self._descriptor, 1, os.SEEK_SET)  # Windows locks the first byte, against readers too
            holder = os.read(self._descriptor, 200).decode(errors="replace").strip()
            self.release()
            advice = "wait for that, or name another folder"
            raise BlockingIOError(f"{named}: another run works in it ({holder or 'unknown'}); {advice}")
        with contextlib.suppress(OSError):  # a full disk; the lock holds all the same
            os.ftruncate(self._descriptor, 0)
            os.write(self._descriptor, f"\nprocess {os.getpid()} on {socket.gethostname()}".encode())

    def __enter__(self) -> FolderLock:
        return self

    def __exit__(self, *_) -> None:
        self.release()

    def release(self) -> None:
        """Lets the folder go; more than once does no harm."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None
