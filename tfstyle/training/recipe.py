"""How a feed-forward network is trained: frozen, validated, and the only home of its defaults.

What it is trained to is the objective of a `TransferConfig`; this is the rest.
"""

from __future__ import annotations

from dataclasses import dataclass

from tfstyle.config.options import check_choices, number, option, to_json, whole_number

LEAST_CROP = 16


@dataclass(frozen=True)
class InstantRecipe:
    """The options of one training; each field is also the flag of that name.

    Raises:
      ValueError: a field is out of range; the message names it.
    """

    steps: int = option(4000, "training steps")
    batch_size: int = option(4, "photographs a step")
    crop_size: int = option(256, "side of the photographs' crops in pixels")
    width: int = option(16, "filters of the network's first layer; 32 in the paper")
    residual_blocks: int = option(5, "residual blocks of the network")
    embedding: int = option(64, "of a network for any style: how many numbers it makes of a style")
    style_crop_size: int = option(
        224, "of a network for any style: side of the style pictures' crops in pixels"
    )
    training_rate: float = option(1e-3, "learning rate of Adam, which falls to 0 as a cosine")
    only_styles: bool = option(
        False,
        "train scales and shifts of the styles alone, and leave the rest as the network of --start has it",
    )
    even_styles: bool = option(
        True, "let no style, however far the pictures are from it, outweigh the others; in relative units"
    )
    outlier_weight: float = option(
        1.0, "weight of activations far from their mean, by which networks learn to paint black spots"
    )
    palette_weight: float = option(
        10.0, "weight of colours that the style does not have, which small dark areas take on else"
    )
    steadiness_weight: float = option(
        50.0, "weight of changes where a photograph has noise or lies a few pixels elsewhere, as in a video"
    )
    computed_in: str = option(
        "float32", "what networks compute in while training: float32 or bfloat16", ("float32", "bfloat16")
    )
    shuffle: int = option(0, "seed of the weights, crops and their order")
    validation: int = option(4, "photographs kept from training, to be painted at each report")
    report_every: int = option(50, "steps between two reports")

    def __post_init__(self):
        for name, least in _LEAST.items():
            whole_number(name, getattr(self, name), least)
        for name in ("training_rate", "outlier_weight", "palette_weight", "steadiness_weight"):
            object.__setattr__(self, name, number(name, getattr(self, name), 0))
        check_choices(self)

    @property
    def of_network(self) -> dict:
        """What `transformation_network` and `style_network` take: size, seed, and Keras' policy."""
        policy = "mixed_bfloat16" if self.computed_in == "bfloat16" else "float32"
        size = {"width": self.width, "residual_blocks": self.residual_blocks}
        return {**size, "seed": self.shuffle, "dtype": policy}

    def to_dict(self) -> dict:
        """Returns the fields as JSON types; `InstantRecipe(**fields)` gives the recipe back."""
        return to_json(self)


_LEAST = {
    **dict.fromkeys(("crop_size", "style_crop_size"), LEAST_CROP),
    "embedding": 2,
    **dict.fromkeys(("steps", "batch_size", "width", "report_every"), 1),
    **dict.fromkeys(("residual_blocks", "shuffle", "validation"), 0),
}
