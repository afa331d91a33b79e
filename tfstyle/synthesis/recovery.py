"""What is tried, in this order, when an objective stops being finite or does not fall."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

from tfstyle.config import TransferConfig

# Steps of a second try over those of the first.
_SMALLER = 0.1


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
