"""A run as TensorBoard shows it."""

from __future__ import annotations

import pathlib
import sys
from collections.abc import Mapping

import tensorflow as tf

from tfstyle.config.options import listed
from tfstyle.io import images
from tfstyle.reporting.progress import Progress


class TensorBoardReporter:
    """Writes losses, weighted and unweighted, speed, memory and the picture for TensorBoard.

    The pictures that the run works on, and its settings as text and as HParams
    (which TensorBoard compares over all runs below one ``--logdir``), are
    written once. Every report is flushed, so that a run that is killed leaves
    all that it has seen.

    Args:
      folder: the run's own folder below TensorBoard's ``--logdir``.
      settings: {name: value} of the run, such as `TransferConfig.to_dict()`.
      inputs: {name: `[1, H, W, 3]` in [0, 1]} of the run's pictures.
    """

    def __init__(
        self,
        folder,
        *,
        settings: Mapping[str, object] | None = None,
        inputs: Mapping[str, tf.Tensor] | None = None,
    ):
        self._writer = tf.summary.create_file_writer(str(folder))
        self._last: Progress | None = None
        with self._writer.as_default(step=0):
            for name, picture in (inputs or {}).items():
                tf.summary.image(f"inputs/{name}", images.load_image(picture, f"inputs: {name}"))
            if settings:
                from tensorboard.plugins.hparams import api as hparams_api  # takes a while to import

                tf.summary.text("config", _table(settings))
                values = {name: _plain(value) for name, value in settings.items()}
                hparams_api.hparams(values, trial_id=pathlib.Path(folder).name)
        self._writer.flush()

    def report(self, progress: Progress, image: tf.Tensor) -> None:
        with self._writer.as_default(step=progress.step):
            if progress.losses:
                tf.summary.scalar("total", progress.total)
            if progress.evaluations:
                tf.summary.scalar("evaluations", progress.evaluations)
            if peak := _peak_memory():
                tf.summary.scalar("peak_memory_gb", peak / 1e9)
            last, self._last = self._last, progress
            # Steps of another scale are of another size, and compilation falls between them.
            if last and last.scale == progress.scale and progress.step > last.step:
                seconds = (progress.seconds - last.seconds) / (progress.step - last.step)
                tf.summary.scalar("seconds_per_step", seconds)
            for name, value in progress.losses.items():
                tf.summary.scalar(f"weighted/{name}", value)
            for name, value in progress.unweighted.items():
                tf.summary.scalar(f"unweighted/{name}", value)
            for name, value in progress.metrics.items():
                tf.summary.scalar(f"metrics/{name}", value)
            uint8 = tf.as_dtype(image.dtype) == tf.uint8
            tf.summary.image("image", image if uint8 else tf.clip_by_value(image, 0.0, 1.0))
            if progress.note:
                tf.summary.text("note", progress.note)
        self._writer.flush()


class ProfileReporter:
    """Records one stretch between two reports for TensorBoard's profiler.

    It is the second of a run, when everything is compiled.

    Args:
      folder: the run's own folder below TensorBoard's ``--logdir``.
    """

    def __init__(self, folder):
        self._folder = str(folder)
        self._reports = 0

    def report(self, progress: Progress, image: tf.Tensor) -> None:
        self._reports += 1
        last = progress.step >= progress.total_steps
        if self._reports == 2 and not last:
            tf.profiler.experimental.start(self._folder)
        elif self._reports == 3:
            tf.profiler.experimental.stop()


def _peak_memory() -> int | None:
    """Returns the most bytes that this process has held, on the GPU where there is one; None on Windows."""
    if tf.config.list_physical_devices("GPU"):
        return tf.config.experimental.get_memory_info("GPU:0")["peak"]
    try:
        import resource
    except ImportError:
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else 1024 * peak


def _plain(value) -> bool | float | int | str:
    """Returns a value as HParams take it."""
    if isinstance(value, (bool, int, float)):
        return value
    return listed(value) if isinstance(value, (list, tuple)) else str(value)


def _table(settings: Mapping[str, object]) -> str:
    """Returns settings as Markdown."""
    rows = [f"| {name} | {_plain(value)} |" for name, value in settings.items()]
    return "\n".join(["| setting | value |", "| --- | --- |", *rows])
