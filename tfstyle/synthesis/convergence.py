"""What a run has come through: its reports, the best of its pictures, and whether the objective falls."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from tfstyle.reporting import Progress

# What falls by less than this share of itself may be rounding.
_FALL = 1e-5


class Best(NamedTuple):
    """The picture of the lowest objective among those that were told of at one scale.

    Attributes:
      total: the objective.
      step: the iteration of its stage after which it was.
      records: length of the history up to it.
      image: `[B, H, W, 3]`, unclipped.
    """

    total: float
    step: int
    records: int
    image: tf.Tensor


class History:
    """Keeps what was reported of a run.

    Attributes:
      records: the reports.
      best: the best picture of this scale; None before the first report of it.
      has_fallen: the objective fell at this scale, by more than rounding.
    """

    def __init__(self):
        self.records: list[Progress] = []
        self.best: Best | None = None
        self.has_fallen = False
        self._first_total = 0.0

    def begin_scale(self) -> None:
        """Forgets the pictures of another size, whose objectives do not compare."""
        self.best, self.has_fallen = None, False

    def begin_objective(self, total: float, image: tf.Tensor) -> None:
        """Counts from a picture on, as those before it were judged by another objective."""
        self.best = Best(total, 0, len(self.records), image)

    def add(self, progress: Progress, step: int, image: tf.Tensor, *, keep: bool) -> None:
        """Takes in a picture.

        Args:
          progress: its report.
          step: its iteration within the stage.
          image: the picture.
          keep: whether the report belongs to the records, where each iteration comes once.
        """
        if keep:
            self.records.append(progress)
        if self.best is None:
            self._first_total = progress.total
        self.has_fallen = self.has_fallen or progress.total < (1 - _FALL) * self._first_total
        if self.best is None or progress.total < self.best.total:
            self.best = Best(progress.total, step, len(self.records), image)

    def go_back(self) -> Best:
        """Forgets what came after the best picture, and returns that."""
        del self.records[self.best.records :]
        return self.best

    def state(self) -> tuple[dict, np.ndarray]:
        """Returns the state as JSON types, and the best picture."""
        record = {
            "first_total": self._first_total,
            "has_fallen": self.has_fallen,
            "best": [self.best.total, self.best.step, self.best.records],
            "records": [dataclasses.asdict(progress) for progress in self.records],
        }
        return record, self.best.image.numpy()

    @classmethod
    def restored(cls, record: Mapping, image: np.ndarray, size: tuple[int, int]) -> History:
        """Returns a history from its state.

        Args:
          record, image: as from `state`.
          size: (height, width) of the scale at hand.

        Raises:
          ValueError, KeyError, TypeError: they are of something else.
        """
        if image.dtype != np.float32 or image.shape[1:] != (*size, 3):
            raise ValueError(f"a picture of {image.dtype} and shape {list(image.shape)}")
        history = cls()
        history.records = [Progress(**progress) for progress in record["records"]]
        history.best = Best(*record["best"], tf.constant(image))
        history.has_fallen, history._first_total = bool(record["has_fallen"]), float(record["first_total"])
        return history
