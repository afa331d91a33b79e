"""When a run had come how far, and what its picture was then."""

import math
import pathlib
import time
from collections.abc import Sequence

import numpy as np

# Above so many times the first loss a run does not come back.
_HOPELESS = 1e3


class Recorder:
    """Keeps times, evaluations, losses and pictures of a run.

    What keeping costs is taken off the run's seconds. Pictures go to files:
    in memory they would count as the run's own.

    Args:
      folder: for the pictures, ``0.npy``, ``1.npy``, …
      every: evaluations between two records.
      always: evaluations of which there is a record, too; of the first there always is.

    Attributes:
      rows: the records.
    """

    def __init__(self, folder, every: int, always: Sequence[int]):
        self.rows: list[dict] = []
        self._folder, self._every, self._always = pathlib.Path(folder), every, {1, *always}
        self._kept = 0.0
        self._began = time.perf_counter()

    def start(self) -> None:
        """Starts the clock, once libraries and pictures are loaded."""
        self._began = time.perf_counter()

    def due(self, evaluations: int) -> bool:
        """Returns whether there should be a record of so many evaluations."""
        return evaluations in self._always or evaluations % self._every == 0

    def record(self, evaluations: int, loss: float, picture) -> None:
        """Keeps where a run stands.

        Args:
          evaluations: times that value and gradient were computed.
          loss: the run's own value of the objective at `picture`.
          picture: `[1, H, W, 3]` array or tensor, RGB where [0, 1] is visible.

        Raises:
          FloatingPointError: the loss shows that the run diverged.
        """
        now = time.perf_counter()
        seconds = now - self._began - self._kept
        loss = float(loss)
        np.save(self._folder / f"{len(self.rows)}.npy", np.asarray(picture))
        self.rows.append({"seconds": seconds, "evaluations": evaluations, "own_loss": loss})
        if not math.isfinite(loss) or loss > _HOPELESS * self.rows[0]["own_loss"]:
            raise FloatingPointError(f"diverged: the loss is {loss:g} after {evaluations} evaluations")
        self._kept += time.perf_counter() - now
