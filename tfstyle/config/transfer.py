"""What a run is asked to do: frozen, validated, and the only home of defaults.

Importing this module does not import TensorFlow, so that commands can parse
their flags, and complain about them, at once.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

from tfstyle.config.layer_names import MINI_LAYERS, canonical_name
from tfstyle.config.options import check_choices, listed, number, option, to_json, whole_number


@dataclass(frozen=True)
class TransferConfig:
    """The options of one run; each field is also the flag of that name.

    Instances are checked when they are made and hold only numbers, strings and
    tuples, so they compare, hash and turn into JSON (`to_dict`) without loss.
    `dataclasses.replace` makes a changed copy. `PRESETS` holds the named ones.

    Raises:
      ValueError: a field is out of range; the message names the field, the
        value and what would be right.
    """

    weights: str = option(
        "imagenet",
        "network weights: imagenet (Keras' VGG19, downloaded once), mini (distilled from it, in the package),"
        " random, or a file (.h5, .weights.h5, .npz)",
    )
    coarse_weights: str = option(
        "auto",
        "network weights at the scales before the last, as above, or same, or auto: mini, where the last has"
        " imagenet, max pooling, no normalisation, and layers that mini has",
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
        (), "w_l of the paper's eq. 5, one per style layer; empty: the units' own, all equal"
    )
    style_loss: str = option(
        "gram",
        "what of the style is matched: gram (the paper), moments (means and variances), bures (means and"
        " covariances, by their Wasserstein distance) or histogram (of every filter)",
        ("gram", "moments", "bures", "histogram"),
    )
    style_scale: float = option(
        1.0, "size of the style picture relative to the content's: larger, and strokes are larger"
    )
    style_blend: tuple[float, ...] = option((), "shares of several styles, one each; empty: all equal")
    blend: str = option(
        "targets",
        "several styles: targets (match their mean statistics) or losses (match each, as far as it goes)",
        ("targets", "losses"),
    )
    content_weight: float = option(1.0, "weight of the content (the paper's alpha), in the preset's units")
    style_weight: float = option(30.0, "weight of the style (the paper's beta), in the preset's units")
    style_strength: float = option(
        0.0,
        "how much of the style, up to 1, about the same at any size and with every statistic: 0.5 is the"
        " default look, 0.25 leaves most of the content, 1 most of the style; 0: as content_weight and"
        " style_weight say",
    )
    tv_weight: float = option(0.0, "weight of the total variation, which smooths the picture")
    tv_loss: str = option(
        "squared",
        "form of the total variation: squared (sum of squared differences), inner_squared (the same without"
        " last row and column), absolute (sum of their sizes), mean_squared (means of squared ones),"
        " nine_point (the same with diagonals) or power (sum of squared gradients to the power of 1.25)",
        ("squared", "inner_squared", "absolute", "mean_squared", "nine_point", "power"),
    )
    units: str = option(
        "relative",
        "what weight 1 means: relative (each loss over what it is where all activations are 0), paper (eqs."
        " 1 and 4, sums), gatys_code (content: mean squares; style: mean squares of G/M over N^2), or as the"
        " code of that name has it",
        (
            "relative",
            "gatys_code",
            "paper",
            "jcjohnson",
            "anishathalye",
            "tf_tutorial",
            "keras_example",
            "crowsonkb",
        ),
    )
    color: str = option(
        "style",
        "whose colours: style, content (only light and dark are painted) or matched (the style's colours"
        " are brought to the content's before the run)",
        ("style", "content", "matched"),
    )
    color_matching: str = option("pca", "how colours are matched: pca or cholesky", ("pca", "cholesky"))
    photorealistic: bool = option(
        False, "keep a photograph one: colours change only as local affine functions of the content's"
    )
    photorealistic_weight: float = option(
        1.0, "weight of that; at 1, brush strokes would cost as much as all of the style does at the start"
    )
    postprocess: str = option(
        "none",
        "what is done to the finished picture: none, or guided (edges taken from the content by a guided"
        " filter)",
        ("none", "guided"),
    )
    optimizer: str = option("lbfgs", "lbfgs, adam or sgd", ("lbfgs", "adam", "sgd"))
    iterations: int = option(80, "iterations of the optimiser, at the first scale")
    learning_rate: float = option(
        0.02, "step of Adam, in picture values (the range is 0 to 1); of SGD, factor on the gradient"
    )
    learning_rate_decay: float = option(1.0, "factor on learning_rate every 100 iterations, gradually")
    beta_1: float = option(0.9, "decay of Adam's mean of gradients")
    beta_2: float = option(0.999, "decay of Adam's mean of squared gradients")
    adam_epsilon: float = option(1e-10, "what Adam adds to the root of that mean")
    averaging: float = option(
        0.0,
        "decay of a running mean of the pictures of Adam or SGD, which then is the result; 0: the last one",
    )
    line_search: str = option(
        "backtracking",
        "of L-BFGS: backtracking (about one evaluation an iteration) or hager_zhang"
        " (TensorFlow Probability's minimiser, about three)",
        ("backtracking", "hager_zhang"),
    )
    lbfgs_history: int = option(30, "correction pairs that L-BFGS keeps; each costs 24 bytes a pixel")
    init: str = option(
        "content",
        "the start: content, style, noise, a picture file, or a blend such as 0.7*content+0.3*noise",
    )
    scales: int = option(
        0,
        "coarse to fine: number of sizes, each scale_factor times the one before it;"
        " 0: as many as make the first one at most coarsest_size pixels; those at which a picture is too"
        " small for the layers are left out",
    )
    coarsest_size: int = option(
        256, "longer side of the first of automatic scales, at most: the smaller, the larger the strokes"
    )
    scale_factor: float = option(2.0, "sides of a scale over those of the one before it")
    finer_share: float = option(0.5, "iterations at each scale after the first, as a share of iterations")
    seed: int = option(0, "seed of the noise; another seed gives another picture of the same style")
    pooling: str = option("max", "max (VGG19 as trained) or average (as in the paper)", ("max", "average"))
    padding: str = option(
        "reflect",
        "what convolutions see past the border: zeros (VGG19 as trained; a light strip may remain there),"
        " reflect or replicate",
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
        for name in ("style_layer_weights", "style_blend"):
            weights = tuple(number(name, weight, 0) for weight in getattr(self, name))
            object.__setattr__(self, name, weights)
        if self.style_layer_weights and len(self.style_layer_weights) != len(self.style_layers):
            raise ValueError(
                f"style_layer_weights={listed(self.style_layer_weights)}: must hold one number for"
                f" each of the {len(self.style_layers)} style_layers, or none"
            )
        if self.style_blend and sum(self.style_blend) == 0:
            raise ValueError(f"style_blend={listed(self.style_blend)}: at least one share must be above 0")
        for name in _NUMBERS:
            object.__setattr__(self, name, number(name, getattr(self, name), 0))
        if self.content_weight == 0 and (self.style_weight == 0 or not any(self.style_layer_weights or (1,))):
            raise ValueError(
                f"content_weight={self.content_weight:g} and style_weight={self.style_weight:g}:"
                " at least one must be above 0, or there is nothing to make"
            )
        if self.style_strength > 0 and 0 in (self.content_weight, self.style_weight):
            raise ValueError(
                f"style_strength={self.style_strength:g}: needs content_weight and style_weight above 0;"
                " it is a share between the two"
            )
        for name in _ABOVE_ZERO:
            if getattr(self, name) == 0:
                raise ValueError(f"{name}=0: must be above 0")
        if self.style_strength > 1:
            raise ValueError(f"style_strength={self.style_strength:g}: must be 1 or below")
        for name in _BELOW_ONE:
            if getattr(self, name) >= 1:
                raise ValueError(f"{name}={getattr(self, name):g}: must be below 1")
        if self.scale_factor < _LEAST_SCALE_FACTOR:
            raise ValueError(f"scale_factor={self.scale_factor:g}: must be {_LEAST_SCALE_FACTOR} or above")
        for name, least in _LEAST.items():
            whole_number(name, getattr(self, name), least)
        check_choices(self)
        for name in ("weights", "coarse_weights", "init"):
            if not isinstance(getattr(self, name), str) or not getattr(self, name):
                raise ValueError(f"{name}={getattr(self, name)!r}: must be a name or a path")
        for name in ("normalize", "photorealistic"):
            if not isinstance(getattr(self, name), bool):
                raise ValueError(f"{name}={getattr(self, name)!r}: must be true or false")

    @property
    def coarse_network(self) -> str:
        """The weights at the scales before the last, as `weights`."""
        if self.coarse_weights == "same":
            return self.weights
        if self.coarse_weights != "auto":
            return self.coarse_weights
        suits = self.weights == "imagenet" and self.pooling == "max" and not self.normalize
        known = MINI_LAYERS.issuperset(self.content_layers + self.style_layers)
        return "mini" if suits and known else self.weights

    def to_dict(self) -> dict:
        """Returns the fields as JSON types; `TransferConfig(**fields)` gives the config back."""
        return to_json(self)

    def identity(self) -> dict:
        """Returns those fields that decide what is made, as JSON types.

        The others tell how a run reports, and how it keeps within memory.
        """
        return {name: value for name, value in to_json(self).items() if name not in _NO_MATTER}


_NO_MATTER = ("log_every", "evaluation", "memory_limit")
_ABOVE_ZERO = ("learning_rate", "learning_rate_decay", "adam_epsilon", "finer_share", "style_scale")
_BELOW_ONE = ("beta_1", "beta_2", "averaging")
_NUMBERS = (
    *_ABOVE_ZERO,
    *_BELOW_ONE,
    "style_strength",
    *("content_weight", "style_weight", "tv_weight", "photorealistic_weight", "memory_limit", "scale_factor"),
)
_LEAST_SCALE_FACTOR = 1.1
_LEAST = {
    **dict.fromkeys(("iterations", "coarsest_size", "lbfgs_history", "log_every"), 1),
    **dict.fromkeys(("image_size", "scales", "seed"), 0),
}


def choices(name: str) -> tuple[str, ...]:
    """Returns the values that a field of `TransferConfig` may have; empty where they are not a few names."""
    (field,) = (field for field in fields(TransferConfig) if field.name == name)
    return field.metadata["choices"]


def _layer_names(argument: str, names) -> tuple[str, ...]:
    if isinstance(names, str):
        names = names.split(",")
    names = tuple(canonical_name(name) for name in names)
    if not names or not all(names):
        raise ValueError(f"{argument}={listed(names)!r}: must name at least one layer, such as conv4_2")
    if len(set(names)) < len(names):
        raise ValueError(f"{argument}={listed(names)}: names a layer twice")
    return names
