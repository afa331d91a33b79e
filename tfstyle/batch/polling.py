"""Watching a run on other processes and machines by the records that they write."""

from __future__ import annotations

from collections.abc import Collection

from tfstyle.batch.board import Board
from tfstyle.batch.manifest import FAILURES, RECORDS, read_record
from tfstyle.batch.orders import Order, Outcome, told
from tfstyle.io import store

_KINDS = {RECORDS: ("made", "finished"), FAILURES: ("failed", "failed before")}


class Poll:
    """Counts the records that have come or changed since the last call.

    Args:
      order: what is being made.
      outputs: names of the pictures; empty where they are not known. Of these,
        those that have a record with the order's config already are taken for
        finished until the run has counted them.
      board: shows the counts.
    """

    def __init__(self, order: Order, outputs: Collection[str], board: Board):
        self._folder, self._board = order.output, board
        self._seen = {kind: self._listed(kind) for kind in _KINDS}
        config = order.config.to_dict()
        for kind, (_, before) in _KINDS.items():
            for name in self._seen[kind] if outputs else ():
                record = read_record(self._path(kind, name))
                if record.get("config") == config and record["output"] in outputs:
                    board.counts[before] += 1

    def __call__(self) -> None:
        for kind, (new, _) in _KINDS.items():
            now = self._listed(kind)
            for name in sorted(name for name, time in now.items() if self._seen[kind].get(name) != time):
                reason = self._reason(name) if kind == FAILURES else ""
                self._board.count(Outcome(new, name, reason))
            self._seen[kind] = now
        self._board.show()

    def _reason(self, name: str) -> str:
        record = read_record(self._path(FAILURES, name))
        return told(record.get("content", name), record.get("reason", "has a record that cannot be read"))

    def _listed(self, kind: str) -> dict[str, float]:
        there = store.listing(store.join(self._folder, kind))
        return {name: time for name, time in there.items() if name.endswith(".json")}

    def _path(self, kind: str, name: str) -> str:
        return store.join(self._folder, f"{kind}/{name}")
