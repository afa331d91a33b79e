"""Progress for people who watch a terminal, or read a log."""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Callable
from functools import partial
from typing import TextIO

import tensorflow as tf

from tfstyle.reporting.progress import Progress, by_kind


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
        self._line = ProgressLine()

    def report(self, progress: Progress, image: tf.Tensor) -> None:
        line = self._line.of(progress)
        done = progress.step >= progress.total_steps
        if progress.note:
            self._end_line()
            self._stream.write(f"{progress.note}\n")
        if self._stream.isatty():
            width = shutil.get_terminal_size().columns - 1
            self._stream.write("\r\x1b[K" + line(width) + ("\n" if done else ""))
        elif done or self._clock() - self._last_line >= self._every_seconds:
            self._last_line = self._clock()
            self._stream.write(line() + "\n")
        self._stream.flush()

    def _end_line(self) -> None:
        if self._stream.isatty():
            self._stream.write("\r\x1b[K")


class ProgressLine:
    """What a line says of a run: bar, counts, speed and time left, and as much of the losses as fits."""

    def __init__(self):
        self._first: Progress | None = None

    def of(self, progress: Progress) -> Callable[..., str]:
        """Takes a record; returns a function from the width in characters to the line."""
        if self._first is None or progress.scale != self._first.scale:
            self._first = progress
        return partial(_line, progress, self._first)


def _line(progress: Progress, first: Progress, width: int = 10_000) -> str:
    share = progress.step / progress.total_steps
    bar = "█" * round(20 * share) + "░" * (20 - round(20 * share))
    steps, seconds = progress.step - first.step, progress.seconds - first.seconds
    if progress.step == progress.total_steps:
        pace = f"  {_duration(progress.seconds)}"
    elif steps:
        left = progress.total_steps - progress.step if progress.remaining is None else progress.remaining
        pace = f"  {_pace(seconds / steps)}  {_duration(left * seconds / steps)} left"
    else:
        pace = ""
    head = f"{bar} {progress.step}/{progress.total_steps}{pace}  loss {progress.total:.4g}"
    for losses in (progress.losses, by_kind(progress.losses)):
        line = head + " = " + " + ".join(f"{value:.3g} {name}" for name, value in losses.items())
        if len(line) <= width:
            return line
    return head[:width]


def _pace(seconds_a_step: float) -> str:
    return f"{seconds_a_step:.2f} s/step" if seconds_a_step >= 1 else f"{1 / seconds_a_step:.1f} steps/s"


def _duration(seconds: float) -> str:
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"
