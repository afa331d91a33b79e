"""One run's state in a folder: numbers and text, no code, replaced as a whole."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections.abc import Mapping
from typing import Any

import numpy as np
import tensorflow as tf

from tfstyle.files import make_folder, require_writable_folder, write_atomically

_FILE = "checkpoint.npz"


class Checkpoint:
    """The saved state of one run.

    Args:
      folder: made if it is not there.
      identity: JSON-able description of what is being run; a state saved under
        another identity is refused.

    Raises:
      OSError: the folder cannot be made or written.
    """

    def __init__(self, folder, identity: Mapping[str, Any]):
        self._path = make_folder(folder, "checkpoint_dir") / _FILE
        require_writable_folder(self._path.parent, f"checkpoint_dir={str(folder)!r}")
        self._identity = json.loads(json.dumps(identity))

    def save(self, record: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> None:
        """Replaces the saved state by a JSON-able record and arrays."""
        text = json.dumps({"identity": self._identity, "record": record})
        data = io.BytesIO()
        np.savez(data, json=np.frombuffer(text.encode(), np.uint8), **arrays)
        write_atomically(self._path, data.getvalue())

    def load(self) -> tuple[dict[str, Any], dict[str, np.ndarray]] | None:
        """Returns what was saved last, or None.

        Raises:
          ValueError: the file is damaged, or is of another run.
        """
        if not self._path.exists():
            return None
        try:
            with np.load(self._path, allow_pickle=False) as file:
                arrays = {name: file[name] for name in file.files}
            saved = json.loads(arrays.pop("json").tobytes())
            identity, record = saved["identity"], saved["record"]
        except (OSError, ValueError, KeyError, EOFError, TypeError, zipfile.BadZipFile) as error:
            raise ValueError(
                f"checkpoint_dir: {str(self._path)!r} is damaged ({error}); remove it to start anew"
            ) from None
        if identity != self._identity:
            keys = sorted(identity.keys() | self._identity.keys())
            changed = ", ".join(
                f"{key} was {identity.get(key)!r} and is {self._identity.get(key)!r}"
                for key in keys
                if identity.get(key) != self._identity.get(key)
            )
            raise ValueError(f"checkpoint_dir: {str(self._path)!r} is of another run: {changed}")
        return record, arrays


def tensor_hash(image: tf.Tensor) -> str:
    """Returns a short hash of a picture's shape and values."""
    values = np.ascontiguousarray(image)
    return hashlib.sha256(repr(values.shape).encode() + values.tobytes()).hexdigest()[:16]
