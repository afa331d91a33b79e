"""The picture of every report as a file."""

from __future__ import annotations

import pathlib

import tensorflow as tf

from tfstyle.io import encode
from tfstyle.reporting.progress import Progress


class SnapshotReporter:
    """Writes the picture of every report into a folder, as ``step_000010.png``.

    Args:
      folder: made if it is not there.
    """

    def __init__(self, folder):
        self._folder = pathlib.Path(folder)
        self._folder.mkdir(parents=True, exist_ok=True)

    def report(self, progress: Progress, image: tf.Tensor) -> None:
        encode.save_image(self._folder / f"step_{progress.step:06}.png", encode.to_uint8(image))
