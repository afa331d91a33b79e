"""How many pictures, how fast, and what failed, for people who watch a run."""

from __future__ import annotations

import shutil
import sys
import time
from collections import Counter
from collections.abc import Callable
from typing import TextIO

from tfstyle.batch.orders import KINDS, Outcome


class Board:
    """Counts outcomes: on a line that renews itself, or now and then a line in a log.

    Failures get a line of their own as they come.

    Args:
      total: pictures that there are; None while that is not known.
      stream: where to write; standard error by default.
      every_seconds: least time between two lines where the stream is no terminal.
      clock: returns seconds; tests pass their own.

    Attributes:
      counts: {kind of outcome: how many}.
    """

    def __init__(
        self,
        total: int | None,
        stream: TextIO | None = None,
        every_seconds: float = 10.0,
        clock: Callable[[], float] = time.monotonic,
    ):
        self.counts = Counter(dict.fromkeys(KINDS, 0))
        self._total, self._stream, self._clock = total, stream or sys.stderr, clock
        self._every_seconds = every_seconds
        self._began = self._last_line = clock()

    def count(self, outcome: Outcome) -> None:
        """Counts an outcome and shows how far the run is."""
        self.counts[outcome.kind] += 1
        if outcome.kind == "failed":
            self._write(f"failed: {outcome.reason}\n")
        self.show()

    def show(self) -> None:
        """Shows how far the run is, where it is time to."""
        if self._stream.isatty():
            self._write(self.line()[: shutil.get_terminal_size().columns - 1])
        elif self._clock() - self._last_line >= self._every_seconds:
            self._last_line = self._clock()
            self._write(self.line() + "\n")

    def close(self) -> None:
        """Takes the line that renews itself away."""
        self._write("")

    def line(self) -> str:
        """Returns counts, speed and the time left."""
        done, minutes = sum(self.counts.values()), (self._clock() - self._began) / 60
        # What was finished before says nothing about speed.
        tried = self.counts["made"] + self.counts["failed"]
        of = "" if self._total is None else f"/{self._total}"
        line = f"{done}{of} pictures"
        if done:
            line += ": " + ", ".join(f"{self.counts[kind]} {kind}" for kind in KINDS if self.counts[kind])
        if tried and minutes > 0:
            line += f"; {tried / minutes:.1f} a minute"
            if self._total is not None and done < self._total:
                line += f", {_duration(60 * (self._total - done) * minutes / tried)} left"
        return line

    def _write(self, text: str) -> None:
        self._stream.write(("\r\x1b[K" if self._stream.isatty() else "") + text)
        self._stream.flush()


def _duration(seconds: float) -> str:
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"
