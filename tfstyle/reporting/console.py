"""Progress for people who watch a terminal, or read a log."""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Callable
from typing import TextIO

import tensorflow as tf

from tfstyle.config.options import clock_time
from tfstyle.reporting.progress import Pace, Progress, by_kind


class ConsoleReporter:
    """Progress for people: a line that renews itself, or now and then a line in a log.

    Args:
      stream: where to write; standard error by default.
      every_seconds: least time between two lines where the stream is no terminal.
      clock: returns seconds; tests pass their own.
    """

    def __init__(
        self,
        stream: TextIO | None = None,
        every_seconds: float = 10.0,
        clock: Callable[[], float] = time.monotonic,
    ):
        self._stream = stream or sys.stderr
        self._every_seconds = every_seconds
        self._clock = clock
        self._last_line = -float("inf")
        self._pace = Pace()

    def report(self, progress: Progress, image: tf.Tensor) -> None:
        width = shutil.get_terminal_size().columns - 1 if self._stream.isatty() else 10_000
        line = line_of(progress, self._pace, width)
        done = progress.step >= progress.total_steps
        terminal = self._stream.isatty()
        if progress.note:
            self._stream.write(("\r\x1b[K" if terminal else "") + f"{progress.note}\n")
        if terminal:
            self._stream.write("\r\x1b[K" + line + ("\n" if done else ""))
        elif done or self._clock() - self._last_line >= self._every_seconds:
            self._last_line = self._clock()
            self._stream.write(line + "\n")
        self._stream.flush()


def line_of(progress: Progress, pace: Pace, width: int = 10_000) -> str:
    """Returns what a line says of a run: bar, counts, speed and time left, and the losses as far as they fit.

    Args:
      progress: the record.
      pace: of the run, which has taken all records before this one.
      width: most characters.
    """
    seconds_a_step, left = pace.of(progress)
    share = progress.step / progress.total_steps
    bar = "█" * round(20 * share) + "░" * (20 - round(20 * share))
    if progress.step == progress.total_steps:
        told = f"  {clock_time(progress.seconds)}"
    else:
        told = "" if left is None else f"  {_pace(seconds_a_step)}  {clock_time(left)} left"
    head = f"{bar} {progress.step}/{progress.total_steps}{told}  loss {progress.total:.4g}"
    for losses in (progress.losses, by_kind(progress.losses)):
        line = head + " = " + " + ".join(f"{value:.3g} {name}" for name, value in losses.items())
        if len(line) <= width:
            return line
    return head[:width]


def _pace(seconds_a_step: float) -> str:
    return f"{seconds_a_step:.2f} s/step" if seconds_a_step >= 1 else f"{1 / seconds_a_step:.1f} steps/s"
