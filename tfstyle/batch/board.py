"""How many pictures, how fast, and what failed, for people who watch a run here or on other machines."""

from __future__ import annotations

import shutil
import sys
import time
from collections import Counter
from collections.abc import Callable, Collection
from typing import TextIO

from tfstyle.batch.manifest import FAILURES, RECORDS, read_record
from tfstyle.batch.orders import KINDS, Order, Outcome, told
from tfstyle.config.options import clock_time
from tfstyle.io import store

_KINDS_OF = {RECORDS: ("made", "finished"), FAILURES: ("failed", "failed before")}  # now, and before a run


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
                line += f", {clock_time(60 * (self._total - done) * minutes / tried)} left"
        return line

    def _write(self, text: str) -> None:
        self._stream.write(("\r\x1b[K" if self._stream.isatty() else "") + text)
        self._stream.flush()


class Poll:
    """Watches a run on other processes and machines by their records: counts those that have come or changed.

    Args:
      order: what is being made.
      outputs: names of the pictures; empty where they are not known. Of these,
        those that have a record with the order's config already are taken for
        finished until the run has counted them.
      board: shows the counts.
    """

    def __init__(self, order: Order, outputs: Collection[str], board: Board):
        self._folder, self._board = order.output, board
        self._seen = {kind: self._listed(kind) for kind in _KINDS_OF}
        config = order.config.to_dict()
        for kind, (_, before) in _KINDS_OF.items():
            for name in self._seen[kind] if outputs else ():
                record = read_record(self._path(kind, name))
                if record.get("config") == config and record["output"] in outputs:
                    board.counts[before] += 1

    def __call__(self) -> None:
        for kind, (new, _) in _KINDS_OF.items():
            now = self._listed(kind)
            for name in sorted(name for name, when in now.items() if self._seen[kind].get(name) != when):
                reason = self._reason(name) if kind == FAILURES else ""
                self._board.count(Outcome(new, name, reason))
            self._seen[kind] = now
        self._board.show()

    def _reason(self, name: str) -> str:
        record = read_record(self._path(FAILURES, name))
        return told(record.get("content", name), record.get("reason", "has a record that cannot be read"))

    def _listed(self, kind: str) -> dict[str, float]:
        there = store.listing(store.join(self._folder, kind))
        return {name: changed for name, changed in there.items() if name.endswith(".json")}

    def _path(self, kind: str, name: str) -> str:
        return store.join(self._folder, f"{kind}/{name}")
