"""How the embedded network is trained: frozen, validated, and the only home of its defaults."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from tfstyle.config.options import number, option, whole_number


@dataclass(frozen=True)
class Recipe:
    """The options of one training; each field is also the script's flag of that name.

    Raises:
      ValueError: a field is out of range; the message names the field, the
        value and what would be right.
    """

    steps: int = option(2400, "steps of the optimiser")
    crop_size: int = option(128, "side of the pictures in a step, in pixels")
    crops: int = option(4, "crops of photographs and paintings in a step")
    pairs: int = option(6, "half-painted pictures in a step, each with its style")
    pool: int = option(24, "pictures that are being painted")
    visits: int = option(24, "steps in which a picture takes part before another takes its place")
    strokes: int = option(2, "steps of Adam by which a picture is painted further at each visit")
    gram_weight: float = option(0.3, "weight of the crops' Gram matrices beside that of activations, 1")
    change_weight: float = option(1.0, "weight of the difference of a half-painted picture's Gram matrices")
    learning_rate: float = option(3e-4, "of Adam, after the warm-up")
    warmup: int = option(50, "steps in which the learning rate rises")
    cooldown: float = option(0.4, "share of the steps, the last ones, in which the learning rate falls to 0")
    averaging: float = option(0.995, "decay of the running mean of the weights, which is the result")
    seed: int = option(0, "seed of crops, pairs and noise")

    def __post_init__(self):
        for name in ("steps", "crop_size", "crops", "pairs", "pool", "visits", "strokes"):
            whole_number(name, getattr(self, name), 1)
        for name in ("warmup", "seed"):
            whole_number(name, getattr(self, name), 0)
        for name in ("gram_weight", "change_weight", "learning_rate", "cooldown", "averaging"):
            number(name, getattr(self, name), 0)

    def to_dict(self) -> dict:
        """Returns the fields as JSON-able values."""
        return asdict(self)
