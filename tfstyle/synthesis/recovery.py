"""Whether the objective of a run falls, the best of its pictures, and what is tried where it does not."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from tfstyle.config import TransferConfig

# What falls by less than this share of itself may be rounding.
_FALL = 1e-5
# Steps of a second try over those of the first.
_SMALLER = 0.1


class Best(NamedTuple):
    """The picture of the lowest objective among those that were told of at one scale.

    Attributes:
      total: the objective.
      step: the iteration of its stage after which it was.
      records: how many reports of the run are kept up to it.
      image: `[B, H, W, 3]`, unclipped.
    """

    total: float
    step: int
    records: int
    image: tf.Tensor


class Descent:
    """Keeps how low a run has come.

    Attributes:
      best: the best picture of this scale; None before the first report of it.
      has_fallen: the objective fell at this scale, by more than rounding.
    """

    def __init__(self):
        self.best: Best | None = None
        self.has_fallen = False
        self._first_total = 0.0

    def begin_scale(self) -> None:
        """Forgets the pictures of another size, whose objectives do not compare."""
        self.best, self.has_fallen = None, False

    def begin_objective(self, total: float, records: int, image: tf.Tensor) -> None:
        """Counts from a picture on, as those before it were judged by another objective."""
        self.best = Best(total, 0, records, image)

    def add(self, total: float, step: int, records: int, image: tf.Tensor) -> None:
        """Takes in a picture; arguments are as in `Best`."""
        if self.best is None:
            self._first_total = total
        self.has_fallen = self.has_fallen or total < (1 - _FALL) * self._first_total
        if self.best is None or total < self.best.total:
            self.best = Best(total, step, records, image)

    def state(self) -> tuple[dict, np.ndarray]:
        """Returns the state as JSON types, and the best picture."""
        record = {
            "first_total": self._first_total,
            "has_fallen": self.has_fallen,
            "best": list(self.best[:3]),
        }
        return record, self.best.image.numpy()

    @classmethod
    def restored(cls, record: Mapping, image: np.ndarray, size: tuple[int, int]) -> Descent:
        """Returns a descent from its state.

        Args:
          record, image: as from `state`.
          size: (height, width) of the scale at hand.

        Raises:
          ValueError, KeyError, TypeError: they are of something else.
        """
        if image.dtype != np.float32 or image.shape[1:] != (*size, 3):
            raise ValueError(f"a picture of {image.dtype} and shape {list(image.shape)}")
        descent = cls()
        descent.best = Best(*record["best"], tf.constant(image))
        descent.has_fallen, descent._first_total = bool(record["has_fallen"]), float(record["first_total"])
        return descent


@dataclass(frozen=True)
class Remedy:
    """A way to go on from the best picture so far.

    Attributes:
      optimizer: as in `TransferConfig`.
      caution: factor on the length of its steps; of L-BFGS, of the first one.
      words: the same for people.
    """

    optimizer: str
    caution: float
    words: str

    def applied(self, config: TransferConfig) -> TransferConfig:
        """Returns a config with this optimiser and, where it has one, this share of the learning rate."""
        changes = {"optimizer": self.optimizer, "learning_rate": config.learning_rate * self.caution}
        if self.optimizer != config.optimizer:  # TFP's search makes one picture at a time
            changes["line_search"] = "backtracking"
        return dataclasses.replace(config, **changes)


def remedies(config: TransferConfig) -> list[Remedy]:
    """Returns what there is to try after the config's own optimiser: the same, smaller; then another."""
    own = config.optimizer
    other = "adam" if own == "lbfgs" else "lbfgs"
    return [
        Remedy(own, _SMALLER, f"tries {_NAMES[own]} again with steps a tenth as long"),
        Remedy(other, _SMALLER, f"changes to {_NAMES[other]}"),
    ]


_NAMES = {"adam": "Adam", "lbfgs": "L-BFGS", "sgd": "SGD"}
