"""One run's state in a folder: numbers and text, no code; the last two of them, each whole."""

from __future__ import annotations

import contextlib
import hashlib
import json
import time
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from tfstyle import __version__
from tfstyle.config.options import interval
from tfstyle.io import untrusted
from tfstyle.io.files import make_folder, make_writable_folder, replacing
from tfstyle.runtime.locks import FolderLock
from tfstyle.runtime.stopping import CHECKPOINT_EVERY

_FILE, _EARLIER = "checkpoint.npz", "checkpoint.earlier.npz"
_FORMAT = 4
# Saving may take this share of a run's time.
_SHARE = 0.02


class Saved(NamedTuple):
    """A state as it was saved.

    Attributes:
      record: JSON types.
      arrays: by name.
      note: what is wrong with the folder, for people; usually empty.
    """

    record: dict[str, Any]
    arrays: dict[str, np.ndarray]
    note: str


class Checkpoint:
    """The saved state of one run, which holds the folder while it goes on.

    The last state is `checkpoint.npz`, the one before it `checkpoint.earlier.npz`.

    Args:
      folder: made if it is not there.
      identity: JSON-able description of what is being run; a state saved under
        another identity is refused.
      every: how often `due` says so: a duration such as ``30s``, or a number of steps.
      exclusive: hold the folder; False for a process that only reads.

    Raises:
      ValueError: `every` is neither.
      OSError: the folder cannot be made or written, or another run holds it.
    """

    def __init__(
        self,
        folder,
        identity: Mapping[str, Any],
        *,
        every: str | int = CHECKPOINT_EVERY,
        exclusive: bool = True,
    ):
        self._seconds, self._steps = interval(every)
        self._folder = make_writable_folder(folder, "checkpoint_dir")
        self._lock = FolderLock(self._folder, f"checkpoint_dir={str(folder)!r}") if exclusive else None
        own = {"checkpoint format": _FORMAT, "tfstyle": __version__}
        self._identity = json.loads(json.dumps({**own, **identity}))
        self._last = time.monotonic()
        self._took = 0.0

    def close(self) -> None:
        """Lets the folder go."""
        if self._lock is not None:
            self._lock.release()

    def due(self, step: int) -> bool:
        """Returns whether to save after so many steps: it is time, and saving keeps to its share of it."""
        since = time.monotonic() - self._last
        wanted = step % self._steps == 0 if self._steps else since >= self._seconds
        return wanted and self._took <= _SHARE * (since + self._took)

    def steps_left(self, step: int) -> float:
        """Returns in how many steps `due` looks at the number of steps again; infinite if it never does."""
        return self._steps - step % self._steps if self._steps else float("inf")

    def save(
        self, record: Mapping[str, Any], arrays: Mapping[str, np.ndarray], choices: Mapping | None = None
    ) -> str:
        """Saves a JSON-able record and arrays, and keeps the state before this one.

        Args:
          record, arrays: the state.
          choices: what the run has chosen for itself, for `choices_in`.

        Returns:
          Why it could not be saved, or '': for want of a disk no run need end.
        """
        began = time.monotonic()
        header = {"identity": self._identity, "record": record, "choices": choices or {}}
        text = np.frombuffer(json.dumps(header).encode(), np.uint8)
        try:
            with replacing(self._folder / _FILE, keep=self._folder / _EARLIER) as file:
                np.savez(file, json=text, **arrays)
        except OSError as error:
            return f"the state could not be saved ({error.strerror or error}); the run goes on without"
        finally:
            self._last = time.monotonic()
            self._took = self._last - began
        return ""

    def load(self) -> Saved | None:
        """Returns what was saved last or, where that is damaged, before; None where nothing was.

        Raises:
          ValueError: all is damaged, or is of another run.
        """
        wrong = []
        for name in (_FILE, _EARLIER):
            path = self._folder / name
            if not path.exists():
                continue
            try:
                header, arrays = _read(path)
            except (ValueError, OSError) as error:
                wrong.append(f"{str(path)!r} is damaged ({error})")
                continue
            self._require_same(path, header["identity"])
            note = f"checkpoint_dir: {wrong[0]}; the state before it takes its place" if wrong else ""
            return Saved(header["record"], arrays, note)
        if wrong:
            raise ValueError(f"checkpoint_dir: {'; '.join(wrong)}; remove it to start anew")
        return None

    @contextlib.contextmanager
    def restoring(self) -> Iterator[None]:
        """Turns whatever goes wrong while a state is put back into one error.

        Raises:
          ValueError: what was saved is no state of such a run.
        """
        try:
            yield
        except (KeyError, TypeError, ValueError, IndexError, AttributeError, tf.errors.OpError) as error:
            reason = " ".join(str(error).split())[:200]
            raise ValueError(
                f"checkpoint_dir: {str(self._folder)!r} holds no state of this run ({reason});"
                " remove it to start anew"
            ) from None

    def _require_same(self, path, identity: Mapping) -> None:
        if identity == self._identity:
            return
        keys = sorted(identity.keys() | self._identity.keys())
        changed = ", ".join(
            f"{key} was {identity.get(key)!r} and is {self._identity.get(key)!r}"
            for key in keys
            if identity.get(key) != self._identity.get(key)
        )
        raise ValueError(f"checkpoint_dir: {str(path)!r} is of another run: {changed}")


def choices_in(folder) -> dict[str, Any]:
    """Returns what the run whose state is in a folder has chosen; empty where there is no sound state."""
    if folder is None:
        return {}
    for name in (_FILE, _EARLIER):
        path = make_folder(folder, "checkpoint_dir") / name
        with contextlib.suppress(ValueError, OSError):
            return _read(path)[0]["choices"]
    return {}


def _read(path) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    # Arrays are not compressed: they cannot be larger than their file.
    arrays = untrusted.read(path, limit=path.stat().st_size)
    if "json" not in arrays:
        raise ValueError("it has no record")
    try:
        header = json.loads(arrays.pop("json").tobytes())
        parts = {name: header[name] for name in ("identity", "record", "choices")}
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise ValueError(f"its record cannot be read: {error}") from None
    if not all(isinstance(part, dict) for part in parts.values()):
        raise ValueError("its record is not one of a run")
    return parts, arrays


def tensor_hash(image: tf.Tensor) -> str:
    """Returns a short hash of a picture's shape and values."""
    values = np.ascontiguousarray(image)
    return hashlib.sha256(repr(values.shape).encode() + values.tobytes()).hexdigest()[:16]
