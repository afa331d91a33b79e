"""How the embedded network is trained: frozen, validated, and the only home of its defaults."""

from __future__ import annotations

from dataclasses import dataclass

from tfstyle.config.options import number, option, whole_number


@dataclass(frozen=True)
class Recipe:
    """The options of one training; each field is also the script's flag of that name.

    Raises:
      ValueError: a field is out of range; the message names the field, the
        value and what would be right.
    """

    steps: int = option(1700, "steps of the optimiser")
    crop_size: int = option(128, "side of the pictures in a step, in pixels")
    crops: int = option(2, "crops of photographs and paintings in a step")
    pairs: int = option(4, "half-painted pictures in a step, each with its style")
    pool: int = option(16, "pictures that are being painted")
    visits: int = option(36, "steps in which a picture takes part before another takes its place")
    strokes: int = option(1, "steps by which a picture is painted further at each visit")
    gram_weight: float = option(0.3, "weight of the crops' Gram matrices beside that of activations, 1")
    change_weight: float = option(1.0, "weight of the difference of a half-painted picture's Gram matrices")
    learning_rate: float = option(1.5e-3, "share of its size by which a step changes a kernel, after warm-up")
    warmup: int = option(30, "steps in which the learning rate rises")
    cooldown: float = option(0.5, "share of the steps, the last ones, in which the learning rate falls to 0")
    averaging: float = option(0.99, "decay of the running mean of the weights, which is the result")
    log_every: int = option(20, "steps between two reports")
    seed: int = option(0, "seed of crops, pairs and noise")

    def __post_init__(self):
        for name in ("steps", "crop_size", "crops", "pairs", "pool", "visits", "strokes", "log_every"):
            whole_number(name, getattr(self, name), 1)
        for name in ("warmup", "seed"):
            whole_number(name, getattr(self, name), 0)
        for name in ("gram_weight", "change_weight", "learning_rate", "cooldown", "averaging"):
            number(name, getattr(self, name), 0)

    def rate_after(self, step: int) -> float:
        """Returns the learning rate of the step after so many: it rises, stays, and falls to 0."""
        left = (self.steps - step) / max(1.0, self.cooldown * self.steps)
        return self.learning_rate * min(1.0, (step + 1) / max(1, self.warmup), max(left, 0.0))

    def identity(self) -> dict:
        """Returns what may not change when a training goes on: all but length, rate and reports."""
        free = ("steps", "cooldown", "learning_rate", "log_every")
        return {name: value for name, value in vars(self).items() if name not in free}
