"""What a run is asked to do: frozen, validated, and the only home of defaults.

Importing this module does not import TensorFlow, so that scripts can parse
their flags, and complain about them, at once.
"""

from __future__ import annotations

from dataclasses import dataclass

from tfstyle.layers import canonical_name
from tfstyle.options import check_choices, choices_of, listed, number, option, to_json, whole_number


@dataclass(frozen=True)
class TransferConfig:
    """The options of one run; each field is also the script flag of that name.

    Instances are checked when they are made and hold only numbers, strings and
    tuples, so they compare, hash and turn into JSON (`to_dict`) without loss.
    `dataclasses.replace` makes a changed copy. `PRESETS` holds the named ones.

    Raises:
      ValueError: a field is out of range; the message names the field, the
        value and what would be right.
    """

    weights: str = option(
        "imagenet",
        "network weights: imagenet (Keras' VGG19, downloaded once), random, mini,"
        " or a file (.h5, .weights.h5, .npz)",
    )
    image_size: int = option(512, "longer side of the picture in pixels; 0 keeps the content's size")
    content_layers: tuple[str, ...] = option(
        ("block4_conv2",), "layers whose activations hold the content; conv4_2 means block4_conv2"
    )
    style_layers: tuple[str, ...] = option(
        ("block1_conv1", "block2_conv1", "block3_conv1", "block4_conv1", "block5_conv1"),
        "layers whose Gram matrices hold the style",
    )
    style_layer_weights: tuple[float, ...] = option(
        (),
        "w_l of the paper's eq. 5, one per style layer; empty: all equal"
        " (1/number of layers in units=paper, 1 in units=gatys_code)",
    )
    content_weight: float = option(1.0, "weight of the content (the paper's alpha), in the preset's units")
    style_weight: float = option(1e3, "weight of the style (the paper's beta), in the preset's units")
    tv_weight: float = option(0.0, "weight of the total variation, which smooths the picture")
    units: str = option(
        "gatys_code",
        "what weight 1 means: paper (eqs. 1 and 4, sums) or gatys_code"
        " (content: mean squares; style: mean squares of G/M over N^2)",
        ("gatys_code", "paper"),
    )
    optimizer: str = option("lbfgs", "lbfgs or adam", ("lbfgs", "adam"))
    iterations: int = option(500, "iterations of the optimiser, at the first scale")
    learning_rate: float = option(0.02, "step of Adam, in picture values (the range is 0 to 1)")
    line_search: str = option(
        "backtracking",
        "of L-BFGS: backtracking (about one evaluation an iteration) or hager_zhang"
        " (TensorFlow Probability's minimiser, about three)",
        ("backtracking", "hager_zhang"),
    )
    lbfgs_history: int = option(10, "correction pairs that L-BFGS keeps; each costs 24 bytes a pixel")
    init: str = option(
        "content",
        "the start: content, style, noise, a picture file, or a blend such as 0.7*content+0.3*noise",
    )
    scales: int = option(
        0,
        "coarse to fine: number of sizes, each twice the one before it;"
        " 0: as many as make the first one at most 512 pixels",
    )
    finer_share: float = option(0.4, "iterations at each scale after the first, as a share of iterations")
    seed: int = option(0, "seed of the noise; another seed gives another picture of the same style")
    pooling: str = option("max", "max (VGG19 as trained) or average (as in the paper)", ("max", "average"))
    padding: str = option(
        "zeros",
        "what convolutions see past the border: zeros, reflect or replicate",
        ("zeros", "reflect", "replicate"),
    )
    normalize: bool = option(
        False,
        "scale each filter to mean activation 1 (the paper's normalised network),"
        " measured over this run's content and style pictures",
    )
    precision: str = option(
        "auto",
        "what the network computes in: float32, bfloat16 (but for the last tenth of the iterations),"
        " or auto: bfloat16 where this machine is faster at it",
        ("auto", "float32", "bfloat16"),
    )
    evaluation: str = option(
        "auto",
        "how the picture goes through the network: plain (at once), recompute (at once, keeping less),"
        " tiled (in parts; any size fits), or auto: the first of these that fits into memory",
        ("auto", "plain", "recompute", "tiled"),
    )
    memory_limit: float = option(0.0, "memory that evaluation=auto may use, in GB; 0: what is free")
    log_every: int = option(10, "iterations between two reports")

    def __post_init__(self):
        for name in ("content_layers", "style_layers"):
            object.__setattr__(self, name, _layer_names(name, getattr(self, name)))
        object.__setattr__(
            self,
            "style_layer_weights",
            tuple(number("style_layer_weights", weight, 0) for weight in self.style_layer_weights),
        )
        if self.style_layer_weights and len(self.style_layer_weights) != len(self.style_layers):
            raise ValueError(
                f"style_layer_weights={listed(self.style_layer_weights)}: must hold one number for"
                f" each of the {len(self.style_layers)} style_layers, or none"
            )
        for name in ("content_weight", "style_weight", "tv_weight"):
            object.__setattr__(self, name, number(name, getattr(self, name), 0))
        if self.content_weight == 0 and (self.style_weight == 0 or not any(self.style_layer_weights or (1,))):
            raise ValueError(
                f"content_weight={self.content_weight:g} and style_weight={self.style_weight:g}:"
                " at least one must be above 0, or there is nothing to make"
            )
        for name in ("learning_rate", "finer_share", "memory_limit"):
            object.__setattr__(self, name, number(name, getattr(self, name), 0))
        for name in ("learning_rate", "finer_share"):
            if getattr(self, name) == 0:
                raise ValueError(f"{name}=0: must be above 0")
        for name, least in _LEAST.items():
            whole_number(name, getattr(self, name), least)
        check_choices(self)
        for name in ("weights", "init"):
            if not isinstance(getattr(self, name), str) or not getattr(self, name):
                raise ValueError(f"{name}={getattr(self, name)!r}: must be a name or a path")
        if not isinstance(self.normalize, bool):
            raise ValueError(f"normalize={self.normalize!r}: must be true or false")

    def to_dict(self) -> dict:
        """Returns the fields as JSON types; `TransferConfig(**fields)` gives the config back."""
        return to_json(self)


_LEAST = {"image_size": 0, "iterations": 1, "lbfgs_history": 1, "scales": 0, "seed": 0, "log_every": 1}


def choices(name: str) -> tuple[str, ...]:
    """Returns the values that a field of `TransferConfig` may have; empty where they are not a few names."""
    return choices_of(TransferConfig, name)


def _layer_names(argument: str, names) -> tuple[str, ...]:
    if isinstance(names, str):
        names = names.split(",")
    names = tuple(canonical_name(name) for name in names)
    if not names or not all(names):
        raise ValueError(f"{argument}={listed(names)!r}: must name at least one layer, such as conv4_2")
    if len(set(names)) < len(names):
        raise ValueError(f"{argument}={listed(names)}: names a layer twice")
    return names


PRESETS: dict[str, TransferConfig] = {
    # The code Gatys published for these weights (PytorchNeuralStyleTransfer):
    # max pooling, content start, 500 iterations of L-BFGS, content 1, style 1000.
    "gatys_code": TransferConfig(),
    # The CVPR 2016 paper: eqs. 1, 4 and 7 as written, alpha/beta = 1e-3 (its
    # figure 3B), average pooling, normalised network, white noise. The paper
    # gives no number of iterations; 500 is that of Gatys' code.
    "paper": TransferConfig(
        units="paper",
        content_weight=1e-3,
        style_weight=1.0,
        pooling="average",
        normalize=True,
        init="noise",
    ),
    # For the embedded encoder, tuned by eye: coarse to fine, because it sees
    # contrasts better than colours and moves large areas only where they are
    # small; average pooling, with which it was trained; some smoothing.
    "mini": TransferConfig(
        weights="mini",
        scales=3,
        iterations=80,
        finer_share=1.0,
        content_weight=2e4,
        tv_weight=5e4,
        pooling="average",
        padding="reflect",
    ),
}
DEFAULT_PRESET = "gatys_code"


def default_preset(weights: str | None) -> str:
    """Returns the name of the preset that is meant where only the weights are named."""
    return "mini" if weights == "mini" else DEFAULT_PRESET


def preset(name: str) -> TransferConfig:
    """Returns the named preset.

    Raises:
      ValueError: there is none of that name.
    """
    if name not in PRESETS:
        raise ValueError(f"preset={name!r}: must be one of {', '.join(PRESETS)}")
    return PRESETS[name]
