"""The objectives of a run, at each of its sizes, from its pictures and its config."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType

import tensorflow as tf

from tfstyle.config import TransferConfig
from tfstyle.config.equivalents import explain
from tfstyle.config.layer_names import require_known
from tfstyle.io import images
from tfstyle.losses import strength
from tfstyle.losses.measuring import targets_of
from tfstyle.losses.style import style_terms
from tfstyle.losses.terms import content_terms, photorealism_terms, variation_terms
from tfstyle.runtime.precision import resolved
from tfstyle.runtime.workshop import Workshop
from tfstyle.synthesis.graph_objective import extractor_of, layers_of
from tfstyle.synthesis.inputs import Scene
from tfstyle.synthesis.objective import Objective
from tfstyle.synthesis.plan import Plan, make_plan
from tfstyle.synthesis.recorded_choices import precision_of, with_evaluations
from tfstyle.synthesis.scales import number_of_scales, scale_sizes
from tfstyle.vgg import minimum_size, normalize_activations

# The matting loss of noise of deviation 0.05 is 0.044 a pixel; that of a picture painted by `mini`, 0.043.
_PAINTED = 0.043


class Assembly:
    """Makes objectives of whichever pictures there are.

    Args:
      scene: the pictures.
      config: the run's config.
      extractor: model to use instead of the one that the config describes.
      workshop: where what other runs may share is kept.
      pictures: how many are made together, this one included.
      choices: of the same run, when it was begun; see `recorded_choices.chosen_in`. Where
        the config leaves a choice to the machine, it stays as it was.

    Attributes:
      size: (height, width) of the picture to be made.
      config: the run's, with as many scales as its pictures are large enough for.
      precision: what most of the run is computed in; float32 for a given extractor.
      plan: how each size is evaluated, and what that takes.

    Raises:
      ValueError, OSError: a layer, a picture's size or the weights are not what they should be.
    """

    def __init__(
        self,
        scene: Scene,
        config: TransferConfig,
        extractor: tf.keras.Model | None,
        workshop: Workshop,
        *,
        pictures: int = 1,
        choices: Mapping = MappingProxyType({}),
    ):
        self._scene, self.config, self._workshop = scene, config, workshop
        self._given = extractor
        self.size = scene.size
        # What has no weight has no layers, and is not computed.
        has_content, has_style = scene.content is not None, bool(scene.regions)
        content_layers, style_layers = layers_of(config)
        self._content_layers = content_layers if has_content else ()
        self._style_layers = style_layers if has_style else ()
        self.precision = "float32"
        if extractor is None:
            known = precision_of(choices) if config.precision == "auto" else None
            self.precision = known or resolved(config.precision)
        network = self._network(self.precision)
        require_known("content_layers", self._content_layers, network.output)
        require_known("style_layers", self._style_layers, network.output)
        if self._style_layers:
            for targets in scene.targets:
                targets.require_network(network)
        self.config = config = replace(config, scales=self._scales(minimum_size(network)))
        plan = make_plan(network, self._style_layers, self.size, config, self.precision, pictures=pictures)
        self.plan: Plan = with_evaluations(plan, choices) if config.evaluation == "auto" else plan

    @property
    def detail(self) -> tf.Tensor | None:
        """The picture whose fine detail belongs into the result: a content to be painted."""
        return self._scene.content if self._content_layers and self._style_layers else None

    def objective_at(self, size: tuple[int, int]) -> Objective:
        """Returns the objective for pictures of (height, width)."""
        return self._objective(size, self.precision)

    def exact_at(self, size: tuple[int, int]) -> Objective:
        """Returns it computed in float32."""
        return self._objective(size, "float32")

    def explain(self) -> str:
        """Returns the weights at the final size in the units of the references, as a table."""
        config, kinds = self.config, self._kinds()
        if config.style_strength > 0:
            objective, _ = self._unweighted(self.size, self.precision)
            layers = self._layer_weights(objective, self._weights(self.size, self.precision))
            config = replace(config, style_layer_weights=tuple(layers.values()))
            kinds["style"] = 1.0
        return explain(self._network(self.precision), self.size, config, kinds, self._wholes())

    def _wholes(self) -> dict[str, float]:
        """Returns {term: its loss in the paper's units where all activations are 0}; of regions, the mean."""
        config = replace(self.config, units="paper", style_strength=0.0)
        assembly = Assembly(self._scene, config, self._given, self._workshop)
        found: dict[str, list[float]] = {}
        for term in assembly.objective_at(self.size).terms:
            if term.kind in ("content", "style"):
                found.setdefault(f"{term.kind}/{term.layer}", []).append(float(tf.squeeze(term.whole())))
        return {name: sum(values) / len(values) for name, values in found.items()}

    def _objective(self, size: tuple[int, int], precision: str) -> Objective:
        objective, _ = self._unweighted(size, precision)
        weights = self._weights(size, precision)
        if self.config.style_strength > 0:
            layers = self._layer_weights(objective, weights)
            objective.note = strength.describe(self.config.style_strength, self.config.content_weight, layers)
        objective.weigh(weights)
        return objective

    def _weights(self, size: tuple[int, int], precision: str) -> dict[str, float]:
        """Returns {term: weight} for pictures of (height, width)."""
        objective, shares = self._unweighted(size, precision)
        kinds, style_strength = self._kinds(), self.config.style_strength
        weights = {term.name: shares[term.name] * kinds[term.kind] for term in objective.terms}
        if style_strength == 0 and "photorealism" not in weights:
            return weights
        # In whichever precision the size begins with, so that a finish has the same weights.
        planned = (size, self.precision) in self.plan.evaluations
        objective, _ = self._unweighted(size, self.precision if planned else precision)

        def calibrate() -> dict[str, float]:
            content = images.resize(self._scene.content, size)
            return calibrated(objective, weights, content, style_strength)

        return self._workshop.get((objective, tuple(weights.items()), style_strength), calibrate)

    def _layer_weights(self, objective: Objective, weights: Mapping[str, float]) -> dict[str, float]:
        """Returns {style layer: weight}; of several regions, the sum."""
        found = dict.fromkeys(self._style_layers, 0.0)
        for term in objective.terms:
            if term.kind == "style":
                found[term.layer] += weights[term.name]
        return found

    def _unweighted(self, size: tuple[int, int], precision: str) -> tuple[Objective, dict[str, float]]:
        """Returns the objective with any weights, and what part of its kind's weight each term has."""
        config, kinds = self.config, tuple(self._kinds())
        # All that an objective depends on but its weights, which can be changed.
        key = (self._network_key(precision), size, tuple(self._scene.hashes.items()), kinds)
        key += (self._content_layers, self._style_layers, self.plan.evaluations[size, precision])
        key += tuple(getattr(config, name) for name in _TERM_OPTIONS)
        return self._workshop.get(key, lambda: self._make(size, precision, kinds))

    def _kinds(self) -> dict[str, float]:
        """Returns the weight of each kind of term that there is."""
        config = self.config
        weights = {}
        if self._content_layers:
            weights["content"] = config.content_weight
        if self._style_layers:
            weights["style"] = config.style_weight
        if config.tv_weight > 0:
            weights["total_variation"] = config.tv_weight
        if config.photorealistic and config.photorealistic_weight > 0 and self._scene.content is not None:
            weights["photorealism"] = config.photorealistic_weight
        return weights

    def _make(self, size: tuple[int, int], precision: str, kinds) -> tuple[Objective, dict[str, float]]:
        """Returns the objective, and what part of its kind's weight each term has."""
        config, network, scene = self.config, self._network(precision), self._scene
        evaluation, tile = self.plan.evaluations[size, precision], self.plan.tile
        cut = tile if evaluation == "tiled" else None
        content = None if scene.content is None else images.resize(scene.content, size)
        terms = []
        if "content" in kinds:
            terms += content_terms(
                network, content, self._content_layers, weight=1.0, units=config.units, tile=cut
            )
        if "style" in kinds:
            targets = targets_of(
                network,
                scene.regions,
                self._style_layers,
                config.style_loss,
                size=size,
                level=self._level(size),
                scale_factor=config.scale_factor,
                tile=cut,
            )
            terms += style_terms(
                network,
                targets,
                self._style_layers,
                size=size,
                weight=1.0,
                layer_weights=config.style_layer_weights,
                units=config.units,
                statistic=config.style_loss,
                blend=config.blend,
            )
        if "total_variation" in kinds:
            terms += variation_terms(1.0, units=config.units, form=config.tv_loss)
        if "photorealism" in kinds:
            terms += photorealism_terms(1.0, content)
        seen = scene.canvas.seen_at(size)
        objective = Objective(network, terms, evaluation=evaluation, tile=tile, seen=seen)
        return objective, {term.name: term.weight for term in terms}

    def _level(self, size: tuple[int, int]) -> int:
        """Returns how many scales there are after the one of (height, width)."""
        sizes = scale_sizes(self.size, self.config.scales, self.config.scale_factor)
        return len(sizes) - 1 - sizes.index(size)

    def _network_key(self, precision: str):
        if self._given is not None:
            return self._given
        normalized = tuple(self._scene.hashes.items()) if self.config.normalize else ()
        return (*_key(self.config, self._layers, precision), *normalized)

    @property
    def _layers(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys((*self._content_layers, *self._style_layers)))

    def _network(self, precision: str) -> tf.keras.Model:
        if self._given is not None:
            return self._given
        network = network_of(self.config, self._layers, precision, self._workshop)
        if not self.config.normalize:
            return network
        return self._workshop.get(
            self._network_key(precision), lambda: normalize_activations(network, self._pictures())
        )

    def _pictures(self) -> list[tf.Tensor]:
        content = self._scene.content
        return ([] if content is None else [content]) + self._scene.styles

    def _scales(self, least: int) -> int:
        """Returns how many scales there are; a network sees nothing of a side below `least` pixels."""
        scene = self._scene
        named = [("content", scene.content)] if scene.content is not None else []
        named += [("style", style) for style in scene.styles]
        sizes = [tuple(picture.shape[1:3]) for _, picture in named]
        for (argument, _), (height, width) in zip(named, sizes):
            if min(height, width) < least:
                raise ValueError(
                    f"{argument}: is {width} x {height} pixels, but these layers need at least"
                    f" {least} on each side; give a larger image_size or picture, or shallower layers"
                )
        measured = [len(targets.scales) for targets in scene.targets]
        return min([number_of_scales(self.size, self.config, least=least, pictures=sizes), *measured])


# What terms are made from, beside pictures, masks, layers and network.
_TERM_OPTIONS = (
    *("units", "style_layer_weights", "style_loss", "style_scale", "style_blend", "blend"),
    *("tv_loss", "color", "color_matching"),
)


def network_of(
    config: TransferConfig, layers: Sequence[str], precision: str, workshop: Workshop
) -> tf.keras.Model:
    """Returns the network that a config describes, for some layers; a workshop keeps it."""
    return workshop.lasting.get(
        _key(config, layers, precision),
        lambda: extractor_of(config, layers, dtype=precision),
    )


def _key(config: TransferConfig, layers: Sequence[str], precision: str) -> tuple:
    return (config.weights, tuple(layers), config.pooling, config.padding, precision)


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
