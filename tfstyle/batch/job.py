"""A run from its beginning, where mistakes are found, to its manifest."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tfstyle.api import provenance
from tfstyle.batch import local, manifest, sources
from tfstyle.batch.board import Board, Poll
from tfstyle.batch.orders import Content, Order, require_distinct
from tfstyle.batch.sources import Shard
from tfstyle.batch.worker import TASK, check
from tfstyle.config import TransferConfig
from tfstyle.io import store
from tfstyle.io.files import check_outputs, make_writable_folder
from tfstyle.io.formats import written
from tfstyle.runtime.stopping import Stop


@dataclass(frozen=True)
class Summary:
    """What became of a run.

    Attributes:
      counts: {kind of outcome: how many pictures}; see `orders.Outcome`.
      manifest: file of all pictures that the folder holds.
      dead_letters: file of all that could not be made.
    """

    counts: Mapping[str, int]
    manifest: str
    dead_letters: str

    @property
    def failures(self) -> int:
        """Pictures of this run that are not there, whether they failed now or before."""
        return self.counts["failed"] + self.counts["failed before"]


class Batch:
    """A run that has been checked and can start.

    Args:
      contents: a folder, a glob, or TFRecord files; see `sources.find_contents`.
      styles: pictures or style targets: files, folders or globs.
      output: a folder, made if it is not there, or the URL of one.
      config: the settings.
      **options: the other fields of `Order`.

    Raises:
      ValueError, OSError: one of these is not what it should be; the message names it.
    """

    def __init__(self, contents: str, styles: Sequence[str], output: str, config: TransferConfig, **options):
        self._found: Sequence[Content] | Sequence[Shard] = sources.find_contents(contents, output)
        files = json.loads(provenance.describe(TASK, config, {}))["inputs"]
        self._order = Order(config, sources.find_styles(styles), output, files=files, **options)
        named = [one for one in self._found if isinstance(one, Content)]
        require_distinct(self._order.styles, named)
        written(f"x{self._order.suffix}", f"output_format={self._order.suffix[1:]!r}")
        check(self._order)
        if not store.is_remote(output):
            make_writable_folder(output, "output")
        self._outputs = {
            self._order.output_of(one.name, style) for one in named for style in self._order.styles
        }
        read = [("contents", one.path) for one in self._found] + [
            ("styles", s.path) for s in self._order.styles
        ]
        check_outputs((store.join(output, name) for name in self._outputs), read)

    def run_here(self, stop: Stop) -> Summary:
        """Runs on this machine.

        Args:
          stop: asked after each picture whether to end there.

        Raises:
          ValueError, OSError: nothing can be made, or written.
        """
        board = self._board()
        try:
            for outcome in local.run(self._order, self._found):
                board.count(outcome)
                if stop():
                    break
        finally:
            board.close()
            summary = self._summary(board.counts)
        return summary

    def run_on_beam(self, arguments: Sequence[str]) -> Summary:
        """Runs on Apache Beam, which must be installed; see `require_beam`.

        Args:
          arguments: Beam's own options, such as ``--runner=FlinkRunner``.

        Raises:
          ValueError, OSError: Beam does not know an option, or the run failed.
        """
        from tfstyle.batch import beam

        board = self._board()
        counts = board.counts
        try:
            poll = Poll(self._order, self._outputs, board)
            counts = beam.run(self._order, self._found, arguments, poll)
        finally:
            board.close()
            summary = self._summary(counts)
        return summary

    def _board(self) -> Board:
        return Board(len(self._outputs) or None)

    def _summary(self, counts: Mapping[str, int]) -> Summary:
        folder = self._order.output
        manifest.write_manifest(folder)
        names = (manifest.MANIFEST, manifest.DEAD_LETTERS)
        return Summary(counts, *(store.join(folder, name) for name in names))


def require_beam() -> None:
    """Checks that Apache Beam is installed.

    Raises:
      ValueError: it is not.
    """
    try:
        import apache_beam  # noqa: F401
    except ImportError:
        raise ValueError(
            "runner='beam': needs Apache Beam, which is not installed: pip install 'tfstyle[beam]'"
        ) from None
