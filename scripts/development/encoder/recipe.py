"""How the embedded encoder is trained: frozen, validated, and the only home of its defaults."""

from __future__ import annotations

from dataclasses import dataclass

from tfstyle.config.options import check_choices, listed, number, option, to_json, whole_number


@dataclass(frozen=True)
class EncoderRecipe:
    """The options of one training; each field is also the script flag of that name.

    Raises:
      ValueError: a field is out of range; the message names the field, the
        value and what would be right.
    """

    widths: tuple[int, ...] = option((32, 64, 128, 128, 128), "filters of each of the five blocks")
    depths: tuple[int, ...] = option((2, 2, 4, 4, 2), "convolutions of each block; VGG19 has 2,2,4,4,4")
    normalization: str = option(
        "weight",
        "what keeps activations at size: weight (standardised filters) or batch (three times slower)",
        ("weight", "batch"),
    )
    steps: int = option(5500, "batches to train on")
    batch_size: int = option(128, "views in a batch, two of each photograph")
    crop_size: int = option(64, "side of a view in pixels")
    zoom: tuple[float, ...] = option((0.3, 1.8), "least and greatest zoom of a view")
    color_jitter: float = option(
        0.4, "range of brightness, contrast and channel gains; 0 leaves colours alone"
    )
    exemplar_weight: float = option(1.0, "weight of telling which photograph a view is of")
    gram_weight: float = option(1.0, "weight of telling it from Gram matrices, layer by layer")
    adversarial: float = option(
        0.0, "Euclidean length of the worst-case change made to a view, in picture values; 0 makes none"
    )
    learning_rate: float = option(2e-3, "of AdamW, after the warm-up; falls to 0 as a cosine")
    warmup: int = option(100, "steps in which the learning rate rises")
    weight_decay: float = option(0.05, "of AdamW, on kernels")
    holdout_every: int = option(10, "keep every so many-th photograph out, to evaluate on; 0 keeps none")
    precision: str = option("bfloat16", "what the network computes in", ("bfloat16", "float32"))
    seed: int = option(0, "seed of weights, views and noise")
    log_every: int = option(20, "steps between two reports")

    def __post_init__(self):
        for name in ("widths", "depths"):
            values = tuple(_integer(name, value) for value in getattr(self, name))
            object.__setattr__(self, name, values)
            if len(values) != 5 or min(values) < 1:
                raise ValueError(f"{name}={listed(values)}: must be five whole numbers, 1 or above")
        for least, most in zip(self.depths, (2, 2, 4, 4, 4)):
            if least > most:
                raise ValueError(f"depths={listed(self.depths)}: must be at most VGG19's 2,2,4,4,4")
        for name, least in LEAST.items():
            whole_number(name, getattr(self, name), least)
        if self.batch_size % VIEWS:
            raise ValueError(f"batch_size={self.batch_size}: must be even, two views of each photograph")
        for name in ("color_jitter", "exemplar_weight", "gram_weight", "adversarial", "weight_decay"):
            object.__setattr__(self, name, number(name, getattr(self, name), 0))
        object.__setattr__(self, "learning_rate", number("learning_rate", self.learning_rate, 0))
        object.__setattr__(self, "zoom", tuple(number("zoom", value, 0) for value in self.zoom))
        if len(self.zoom) != 2 or not 0 < self.zoom[0] <= self.zoom[1]:
            raise ValueError(f"zoom={listed(self.zoom)}: must be two numbers above 0, the least first")
        if self.exemplar_weight == 0 and self.gram_weight == 0:
            raise ValueError("exemplar_weight=0 and gram_weight=0: one must be above 0, or there is no task")
        check_choices(self)

    @property
    def style_layers(self) -> tuple[str, ...]:
        """The first convolution of each block."""
        return tuple(f"block{block}_conv1" for block in range(1, 6))

    @property
    def deepest_layer(self) -> str:
        """The last convolution of all."""
        return f"block5_conv{self.depths[-1]}"

    def to_dict(self) -> dict:
        """Returns the fields as JSON types; `EncoderRecipe(**fields)` gives the recipe back."""
        return to_json(self)


VIEWS = 2  # of each photograph in a batch
LEAST = {
    "steps": 1,
    "batch_size": 4,
    "crop_size": 16,
    "warmup": 0,
    "holdout_every": 0,
    "seed": 0,
    "log_every": 1,
}


def _integer(argument: str, value) -> int:
    try:
        return int(value)
    except (TypeError, ValueError):
        raise ValueError(f"{argument}={value}: must be five whole numbers, 1 or above") from None
