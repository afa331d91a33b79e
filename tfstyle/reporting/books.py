"""What every long run keeps of itself: its time, its reports, and a state to go on from."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any

import numpy as np
import tensorflow as tf

from tfstyle.reporting.progress import Progress, Reporter
from tfstyle.runtime.checkpoints import Checkpoint, Saved
from tfstyle.runtime.stopping import UNSUPERVISED, Supervision


class Books:
    """The books of one run; a context, in which the run holds the folder of its state.

    Args:
      supervision: where the state is saved, and what may end the run early.
      identity: what the run is; see `Checkpoint`, also for errors.
      reporters: told of each report.
      note: for the first report to carry.
      chief: False where another process reports and saves, and this one only reads.

    Attributes:
      records: what was reported, also before a checkpoint.
      note: for the next report to carry; see `tell`.
      stop: asked between steps why the run is to end there; see `stopping.Stop`.
    """

    def __init__(
        self,
        supervision: Supervision = UNSUPERVISED,
        identity: Mapping[str, Any] | None = None,
        *,
        reporters: Sequence[Reporter] = (),
        note: str = "",
        chief: bool = True,
    ):
        self.records: list[Progress] = []
        self.note, self.stop = note, supervision.stop
        self._reporters, self._began = reporters if chief else (), time.monotonic()
        self._checkpoint = None
        if supervision.checkpoint_dir is not None:
            every = supervision.checkpoint_every
            self._checkpoint = Checkpoint(
                supervision.checkpoint_dir, identity or {}, every=every, exclusive=chief
            )
        self._saves = chief and self._checkpoint is not None

    def __enter__(self) -> Books:
        return self

    def __exit__(self, *_) -> None:
        if self._checkpoint is not None:
            self._checkpoint.close()

    @property
    def seconds(self) -> float:
        """Since the run began, those before a checkpoint included."""
        return time.monotonic() - self._began

    def tell(self, note: str) -> None:
        """Adds a line, unless it is empty, to the next report's note."""
        self.note = "\n".join(filter(None, (self.note, note)))

    def tell_end(self, reason: str, made: str) -> None:
        """Tells why the run ends after what it has made, such as ``12 steps``."""
        goes_on = "; the same command goes on from there" if self._saves else ""
        self.tell(f"stopped by {reason} after {made}{goes_on}")

    def report(self, image: tf.Tensor, *, losses: dict[str, float], keep: bool = True, **fields) -> Progress:
        """Makes a report, and hands it to the reporters.

        Args:
          image: the picture that it speaks of.
          losses, fields: as in `Progress`, but what is known here.
          keep: whether it belongs to the records.
        """
        told = {"losses": losses, "total": sum(losses.values()), "seconds": self.seconds, "note": self.note}
        progress = Progress(**told, **fields)
        self.note = ""
        if keep:
            self.records.append(progress)
        for reporter in self._reporters:
            reporter.report(progress, image)
        return progress

    def load(self) -> Saved | None:
        """Returns what `save` saved last; None where a run begins."""
        saved = self._checkpoint.load() if self._checkpoint else None
        if saved:
            self.tell(saved.note)
        return saved

    def restoring(self) -> AbstractContextManager:
        """Returns the context in which what was loaded is to be put back; see `Checkpoint.restoring`."""
        return self._checkpoint.restoring()

    def state(self) -> dict[str, Any]:
        """Returns time and records as JSON types."""
        return {"seconds": self.seconds, "history": [dataclasses.asdict(each) for each in self.records]}

    def restore(self, state: Mapping[str, Any], made: str) -> None:
        """Goes on from a `state`, and tells so, with what was made before, such as ``12 steps``."""
        self.records[:] = [Progress(**each) for each in state["history"]]
        self._began -= float(state["seconds"])
        self.tell(f"goes on from the checkpoint after {made}")

    def due(self, step: int, anyway: bool = False) -> bool:
        """Returns whether to save after so many steps: there is a place, and it is time or asked for."""
        return self._saves and (anyway or self._checkpoint.due(step))

    def steps_left(self, step: int) -> float:
        """Returns in how many steps to ask `due` again, if it goes by their number; else infinity."""
        return self._checkpoint.steps_left(step) if self._saves else float("inf")

    def save(self, record: Mapping, arrays: Mapping[str, np.ndarray], choices: Mapping | None = None) -> None:
        """Saves a state, as `Checkpoint` does; where that fails, the next report tells."""
        self.tell(self._checkpoint.save(record, arrays, choices))
