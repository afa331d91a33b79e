"""The objectives of a run, at each of its sizes, from its pictures and its config."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

import tensorflow as tf

from tfstyle.config import TransferConfig
from tfstyle.io import images
from tfstyle.losses import strength
from tfstyle.losses.equivalents import explain
from tfstyle.losses.measuring import targets_of
from tfstyle.losses.terms import AnyTerm
from tfstyle.runtime.checkpoints import tensor_hash
from tfstyle.runtime.workshop import Workshop
from tfstyle.synthesis.inputs import Inputs
from tfstyle.synthesis.objective import Objective
from tfstyle.synthesis.plan import foresee
from tfstyle.synthesis.scales import scale_sizes
from tfstyle.synthesis.term_options import TermOptions, extractor_of, weights_of_kinds
from tfstyle.vgg import normalize_activations

# The matting loss of noise of deviation 0.05 is 0.044 a pixel; that of a painted picture, 0.043.
_PAINTED = 0.043


class Objectives:
    """Makes a run's objectives.

    Args:
      inputs: the pictures.
      config: the run's config.
      extractor: model to use instead of the one that the config describes.
      workshop: where what other runs may share is kept.
      pictures: how many are made together, this one included.
      choices: of the same run, when it was begun; see `Plan.choices`. Where
        the config leaves a choice to the machine, it stays as it was.

    Attributes:
      size: (height, width) of the picture to be made.
      config: the run's, with as many scales as its pictures are large enough for.
      plan: how each size is evaluated, and what that takes.

    Raises:
      ValueError, OSError: a layer, a picture's size or the weights are not what they should be.
    """

    def __init__(
        self,
        inputs: Inputs,
        config: TransferConfig,
        extractor: tf.keras.Model | None,
        workshop: Workshop,
        *,
        pictures: int = 1,
        choices: Mapping = MappingProxyType({}),
    ):
        self._inputs, self._given, self._workshop, self.size = inputs, extractor, workshop, inputs.size
        # By size and precision: an objective of any weights, and each term's part of its kind's weight.
        self._unweighted: dict[tuple, tuple[Objective, dict[str, float]]] = {}
        self._networks: dict[tuple[str, bool], tf.keras.Model] = {}
        self.plan = foresee(
            inputs.sizes, config, extractor, workshop, pictures=pictures, choices=choices, read=True
        )
        self.config = replace(config, scales=self.plan.stages[-1].scale + 1)
        self._options = TermOptions.of(config, inputs.sizes)
        if self._options.style_layers:
            for targets in inputs.targets:
                targets.require_network(self._network(self.plan.precision))

    @property
    def detail(self) -> tf.Tensor | None:
        """The picture whose fine detail belongs into the result: a content to be painted."""
        return self._inputs.content if self._options.content_layers and self._options.style_layers else None

    def at(self, size: tuple[int, int]) -> Objective:
        """Returns the objective for pictures of (height, width), computed as the size begins."""
        return self._objective(size, self._begun_in(size))

    def exact_at(self, size: tuple[int, int]) -> Objective:
        """Returns it computed in float32."""
        return self._objective(size, "float32")

    def explain(self) -> str:
        """Returns the weights at the final size in the units of the references, as a table."""
        config, weights = self.config, weights_of_kinds(self.config)
        kinds = {kind: weights[kind] for kind in self._options.kinds}
        if config.style_strength > 0:
            layers = self._layer_weights(self.at(self.size))
            config = replace(config, style_layer_weights=tuple(layers.values()))
            kinds["style"] = 1.0
        return explain(self._network(self.plan.precision), self.size, config, kinds, self._wholes())

    def _wholes(self) -> dict[str, float]:
        """Returns {term: its loss in the paper's units where all activations are 0}; of regions, the mean."""
        found: dict[str, list[float]] = {}
        options = replace(self._options, config=replace(self.config, units="paper"))
        for term in self._terms(self.size, self._begun_in(self.size), options):
            if term.kind in ("content", "style"):
                found.setdefault(f"{term.kind}/{term.layer}", []).append(float(tf.squeeze(term.whole())))
        return {name: sum(values) / len(values) for name, values in found.items()}

    def _objective(self, size: tuple[int, int], precision: str) -> Objective:
        objective, shares = self._made(size, precision)
        kinds, style_strength = weights_of_kinds(self.config), self.config.style_strength
        if self._inputs.reference is not None:
            kinds["temporal"] = self._inputs.reference.weight
        weights = {term.name: shares[term.name] * kinds[term.kind] for term in objective.terms}
        if style_strength > 0 or "photorealism" in weights:
            # In the precision that the size begins with, so that a finish has the same weights.
            begun, content = self._made(size, self._begun_in(size))[0], self._inputs.content
            weights = calibrated(begun, weights, images.resize(content, size), style_strength)
        objective.weigh(weights)
        objective.note = ""
        if style_strength > 0:
            layers = self._layer_weights(objective)
            objective.note = strength.describe(style_strength, self.config.content_weight, layers)
        return objective

    def _begun_in(self, size: tuple[int, int]) -> str:
        """Returns the precision that a size begins with; where it has but exact iterations, float32."""
        precision = self.plan.precision
        return precision if (size, precision) in self.plan.evaluations else "float32"

    def _layer_weights(self, objective: Objective) -> dict[str, float]:
        """Returns {style layer: weight}; of several regions, the sum."""
        found = dict.fromkeys(self._options.style_layers, 0.0)
        for term in objective.terms:
            if term.kind == "style":
                found[term.layer] += term.weight
        return found

    def _made(self, size: tuple[int, int], precision: str) -> tuple[Objective, dict[str, float]]:
        if (size, precision) not in self._unweighted:
            with self._workshop.in_use():
                terms = self._terms(size, precision, self._options)
                objective = Objective(
                    self._network(precision, coarse=self._level(size) > 0),
                    terms,
                    evaluation=self.plan.evaluations[size, precision],
                    tile=self.plan.tile,
                    seen=self._inputs.compositing.seen_at(size),
                )
                self._unweighted[size, precision] = objective, {term.name: term.weight for term in terms}
        return self._unweighted[size, precision]

    def _terms(self, size: tuple[int, int], precision: str, options: TermOptions) -> list[AnyTerm]:
        """Returns the terms, each with its part of its kind's weight; styles are measured for them."""
        inputs, level = self._inputs, self._level(size)
        network = self._network(precision, coarse=level > 0)
        tile = self.plan.tile if self.plan.evaluations[size, precision] == "tiled" else None
        targets = targets_of(
            network,
            inputs.regions if options.style_layers else (),
            options.style_layers,
            self.config.style_loss,
            size=size,
            level=level,
            scale_factor=self.config.scale_factor,
            tile=tile,
        )
        content = None if inputs.content is None else images.resize(inputs.content, size)
        found = options.terms(network, content, targets, size=size, tile=tile)
        return found if inputs.reference is None else [*found, inputs.reference.term(size)]

    def _level(self, size: tuple[int, int]) -> int:
        """Returns how many scales there are after that of a size."""
        sizes = scale_sizes(self.size, self.config.scales, self.config.scale_factor)
        return len(sizes) - 1 - sizes.index(size)

    def _network(self, precision: str, coarse: bool = False) -> tf.keras.Model:
        if self._given is not None:
            return self._given
        if (precision, coarse) not in self._networks:
            self._networks[precision, coarse] = self._described(precision, coarse)
        return self._networks[precision, coarse]

    def _described(self, precision: str, coarse: bool) -> tf.keras.Model:
        """Returns a network that the config describes."""
        options = {"coarse": coarse, "dtype": precision, "workshop": self._workshop}
        network = extractor_of(self.config, self._options.layers, **options)
        if not self.config.normalize:
            return network
        inputs = self._inputs
        pictures = ([] if inputs.content is None else [inputs.content]) + inputs.pictures
        key = (network, *map(tensor_hash, pictures))
        return self._workshop.get(key, lambda: normalize_activations(network, pictures))


def calibrated(
    objective: Objective, weights: Mapping[str, float], content: tf.Tensor, style_strength: float
) -> dict[str, float]:
    """Returns an objective's weights with those that have no units brought to its own.

    Those of the style as `balanced` has them. Photorealism of weight 1 makes
    brush strokes cost as much as all of the style does at the content.

    Args:
      objective: for one picture.
      weights: {term: weight}.
      content: `[1, H, W, 3]`, of the objective's size.
      style_strength: 0: the style's weights stay.
    """
    found = dict(weights)
    if style_strength > 0:
        found = strength.balanced(objective.terms, weights, style_strength)
    if "photorealism" in found:
        start = objective.losses(content)
        styles = [found[term.name] * start[term.name] for term in objective.terms if term.kind == "style"]
        found["photorealism"] *= tf.add_n(styles) / _PAINTED
    return {name: float(tf.squeeze(weight)) for name, weight in found.items()}
