"""How good a network's pictures are: the objective that it was trained to, beside that of an optimisation.

The comparison of Johnson, Alahi & Fei-Fei 2016 (their figure 5): on photographs
that the network has not seen, the value that the objective has for its picture,
and the values that the optimisation reaches, from the photograph, after some
steps. Both are measured with the weights that the network was trained with, and
as shares of the photograph's own value, so that photographs can be compared.
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Mapping, Sequence
from statistics import median

import numpy as np
import tensorflow as tf

from tfstyle.api.transfer import transfer
from tfstyle.config import TransferConfig
from tfstyle.io import encode, images
from tfstyle.losses.targets import chosen, finest
from tfstyle.reporting import Progress, Reporter
from tfstyle.synthesis.graph_transfer import GraphObjective
from tfstyle.synthesis.plan import foresee
from tfstyle.synthesis.scales import Sizes
from tfstyle.synthesis.style_targets import style_targets
from tfstyle.synthesis.term_options import extractor_of

STEPS = (50, 100, 300)

# From pictures `[1, H, W, 3]` and the number of a style to the network's.
Paint = Callable[[tf.Tensor, int], np.ndarray]


@dataclasses.dataclass(frozen=True)
class Comparison:
    """One photograph.

    Attributes:
      photograph: its file.
      style: number of the style.
      start: value of the objective at the photograph.
      network: value at the network's picture.
      optimisation: {step: value}.
      network_seconds: of its one pass.
      step_seconds: of one step of the optimisation, without compilation.
      pictures: {"photograph", "network" or step: `[H, W, 3]` uint8}.
    """

    photograph: str
    style: int
    start: float
    network: float
    optimisation: Mapping[int, float]
    network_seconds: float
    step_seconds: float
    pictures: Mapping[str | int, np.ndarray] = dataclasses.field(default_factory=dict, repr=False)

    @property
    def equal_steps(self) -> float:
        """Steps after which the optimisation is where the network is, linear in between; inf: never."""
        before, value_before = 0, self.start
        for step, value in sorted(self.optimisation.items()):
            if value <= self.network:
                drop = value_before - value
                share = (value_before - self.network) / drop if drop > 0 else 1.0
                return before + (step - before) * max(share, 0.0)
            before, value_before = step, value
        return float("inf")

    def share(self, step: int | None = None) -> float:
        """Returns the value after so many steps, or that of the network, over the photograph's."""
        return (self.network if step is None else self.optimisation[step]) / self.start

    def to_dict(self) -> dict:
        """Returns everything but the pictures, as JSON types."""
        fields = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}
        del fields["pictures"]
        equal = self.equal_steps
        fields["optimisation"] = {str(step): value for step, value in self.optimisation.items()}
        return {**fields, "equal_steps": equal if np.isfinite(equal) else None}


def compare(
    paint: Paint,
    photographs: Sequence,
    styles: Sequence,
    config: TransferConfig,
    weights: Mapping[str, float],
    *,
    size: int = 256,
    steps: Sequence[int] = STEPS,
    reporters: Sequence[Reporter] = (),
    watch: Callable[[Comparison], None] = lambda comparison: None,
) -> list[Comparison]:
    """Compares a network with the optimisation, photograph by photograph; styles take turns.

    Args:
      paint: the network.
      photographs: files that it was not trained on.
      styles: the pictures of the styles that it knows, in its order.
      config: the objective it was trained to.
      weights: {term: weight} of it; see `Learner`, and `weights_of_terms` in a network's card.
      size: longer side of the photographs in pixels.
      steps: after which the optimisation is looked at.
      reporters: of each optimisation.
      watch: told of each comparison.

    Returns:
      One comparison for each photograph.

    Raises:
      ValueError: there are no steps, weights do not fit, or a photograph or style is not what it should be.
      OSError: a photograph cannot be read.
    """
    if not config.image_size:
        raise ValueError("image_size=0: must be the size at which the styles were measured")
    if not steps or min(steps) < 1:
        raise ValueError(f"steps={','.join(map(str, steps))}: must be whole numbers, 1 or above")
    config = dataclasses.replace(
        config,
        image_size=size,
        # Styles stay as large as they were in training, for strokes to be as wide.
        style_scale=config.style_scale * config.image_size / size,
        scales=1,
        style_strength=0.0,
        style_weight=1.0,
        style_layer_weights=(1.0,) * len(config.style_layers),
        optimizer="lbfgs",
        init="content",
        precision="float32",
        iterations=max(steps),
        log_every=1,
    )
    extractor, found = extractor_of(config), []
    targets = [style_targets(style, config) for style in styles]
    stack = finest(targets)
    for index, path in enumerate(photographs):
        style = index % len(styles)
        sizes = Sizes.of(path, targets[style])
        foresee(sizes, config, extractor).require_fit()
        picture = images.load_fitted(path, "photos", size)
        objective = GraphObjective(config, extractor, picture, chosen(stack, [style]))
        own = _with_weights(config, objective.weights, weights)
        losses = tf.function(objective.weighted(weights), autograph=False)
        for _ in range(2):
            paint(picture, style)  # `Painter` compiles in its second call
        began = time.monotonic()
        made = paint(picture, style)
        seconds = time.monotonic() - began
        kept = _Kept(steps)
        result = transfer(path, targets[style], own, reporters=[kept, *reporters])
        pace = [
            (later.seconds - one.seconds) / (later.step - one.step)
            for one, later in zip(result.history[1:], result.history[2:])
            if later.step > one.step
        ]
        values = {progress.step: progress.total for progress in result.history if progress.step}
        # An optimisation that has arrived before stays there.
        values |= {step: result.history[-1].total for step in steps if step > result.history[-1].step}
        found.append(
            Comparison(
                photograph=str(path),
                style=style,
                start=result.history[0].total,
                network=float(tf.add_n(list(losses(tf.constant(made)).values()))[0]),
                optimisation=values,
                network_seconds=seconds,
                step_seconds=median(pace) if pace else 0.0,
                pictures={
                    "photograph": encode.to_uint8(picture),
                    "network": encode.to_uint8(made),
                    **kept.pictures,
                },
            )
        )
        watch(found[-1])
    return found


def summary(comparisons: Sequence[Comparison], steps: Sequence[int] = STEPS) -> dict[str, float | None]:
    """Returns medians over photographs: shares of their own values, steps that equal the network, seconds.

    Steps and speed-up are over photographs on which the optimisation got as far
    as the network, unless it did on none; without a number of steps, None, it did on less than half.
    """
    found = {"network": median(each.share() for each in comparisons)}
    found |= {f"{step} steps": median(each.share(step) for each in comparisons) for step in steps}
    middle = median(each.equal_steps for each in comparisons)
    found["equal_steps"] = middle if np.isfinite(middle) else None
    found["network_seconds"] = median(each.network_seconds for each in comparisons)
    found["step_seconds"] = median(each.step_seconds for each in comparisons)
    if reached := [each for each in comparisons if np.isfinite(each.equal_steps)]:
        found["times_as_fast"] = median(
            each.equal_steps * each.step_seconds / each.network_seconds for each in reached
        )
    return found


def _with_weights(config: TransferConfig, units: Mapping[str, float], weights: Mapping[str, float]):
    """Returns the config whose terms have these weights, where with weights of 1 they have those units."""
    if set(weights) != set(units):
        raise ValueError(
            f"weights: are of {', '.join(sorted(weights))}; must be of {', '.join(sorted(units))}"
        )
    layers = [f"style/{layer}" for layer in config.style_layers]
    own = dataclasses.replace(
        config, style_layer_weights=tuple(weights[name] / units[name] for name in layers)
    )
    for name in set(weights) - set(layers):
        if not np.isclose(weights[name], units[name], rtol=1e-5):
            raise ValueError(
                f"weights: {name} has {weights[name]:g}, and in the config's units {units[name]:g}; they must"
                " be the same"
            )
    return own


class _Kept:
    """A reporter that keeps the pictures of some steps."""

    def __init__(self, steps: Sequence[int]):
        self._steps, self.pictures = set(steps), {}

    def report(self, progress: Progress, image: tf.Tensor) -> None:
        if progress.step in self._steps:
            self.pictures[progress.step] = encode.to_uint8(tf.clip_by_value(image, 0.0, 1.0))
