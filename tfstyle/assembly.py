"""The objectives of a run, at each of its sizes, from its pictures and its config."""

from __future__ import annotations

from collections.abc import Mapping

import tensorflow as tf

from tfstyle import images
from tfstyle.config import TransferConfig
from tfstyle.features import feature_extractor, minimum_size, normalize_activations
from tfstyle.layers import require_known
from tfstyle.objective import Objective, content_terms, style_terms, style_weights, variation_terms
from tfstyle.planning import Plan, make_plan
from tfstyle.precision import resolved
from tfstyle.schedule import number_of_scales, scale_sizes
from tfstyle.workshop import Workshop


class Assembly:
    """Makes objectives of whichever pictures there are, at the first one's size.

    Args:
      pictures: {"content": `[1, H, W, 3]`, "style": `[1, H', W', 3]`}, or one of the two.
      hashes: {argument: hash} of them.
      config: the run's config.
      extractor: model to use instead of the one that the config describes.
      workshop: where what other runs may share is kept.

    Attributes:
      size: (height, width) of the picture to be made.
      precision: what most of the run is computed in; float32 for a given extractor.
      plan: how each size is evaluated, and what that takes.

    Raises:
      ValueError, OSError: a layer, a picture's size or the weights are not what they should be.
    """

    def __init__(
        self,
        pictures: Mapping[str, tf.Tensor],
        hashes: Mapping[str, str],
        config: TransferConfig,
        extractor: tf.keras.Model | None,
        workshop: Workshop,
    ):
        self._pictures, self._hashes = pictures, dict(hashes)
        self._config, self._workshop = config, workshop
        self._given = extractor
        self.size = tuple(next(iter(pictures.values())).shape[1:3])
        # What has no weight has no layers, and is not computed.
        self._content_layers = (
            config.content_layers if "content" in pictures and config.content_weight > 0 else ()
        )
        self._style_layers = config.style_layers if "style" in pictures and config.style_weight > 0 else ()
        self.precision = resolved(config.precision) if extractor is None else "float32"
        network = self._network(self.precision)
        require_known("content_layers", self._content_layers, network.output)
        require_known("style_layers", self._style_layers, network.output)
        self._require_size(network)
        self.plan: Plan = make_plan(network, self._style_layers, self.size, config, self.precision)

    @property
    def detail(self) -> tf.Tensor | None:
        """The picture whose fine detail belongs into the result: a content to be painted."""
        return self._pictures["content"] if self._content_layers and self._style_layers else None

    def objective_at(self, size: tuple[int, int]) -> Objective:
        """Returns the objective for pictures of (height, width)."""
        return self._objective(size, self.precision)

    def exact_at(self, size: tuple[int, int]) -> Objective:
        """Returns it computed in float32."""
        return self._objective(size, "float32")

    def _objective(self, size: tuple[int, int], precision: str) -> Objective:
        evaluation, tile = self.plan.evaluations[size, precision], self.plan.tile
        weights = self._weights()
        # All that an objective depends on but its weights, which can be changed.
        key = (self._network_key(precision), size, tuple(self._hashes.items()), self._config.units)
        key += (tuple(weights), evaluation, tile)
        objective = self._workshop.get(key, lambda: self._make(size, precision, evaluation, tile))
        objective.weigh(weights)
        return objective

    def _make(self, size: tuple[int, int], precision: str, evaluation: str, tile: int) -> Objective:
        config, network = self._config, self._network(precision)
        options = {"units": config.units, "tile": tile if evaluation == "tiled" else None}
        terms = []
        if self._content_layers:
            target = images.resize(self._pictures["content"], size)
            terms += content_terms(
                network, target, self._content_layers, weight=config.content_weight, **options
            )
        if self._style_layers:
            style = self._pictures["style"]
            shrink = size[0] / self.size[0]
            smaller = tuple(max(1, round(side * shrink)) for side in style.shape[1:3])
            terms += style_terms(
                network,
                images.resize(style, smaller),
                self._style_layers,
                weight=config.style_weight,
                layer_weights=config.style_layer_weights,
                **options,
            )
        if config.tv_weight > 0:
            terms += variation_terms(config.tv_weight)
        return Objective(network, terms, evaluation=evaluation, tile=tile)

    def _weights(self) -> dict[str, float]:
        """Returns {term: weight}."""
        config = self._config
        betas = style_weights(
            self._style_layers, config.style_weight, config.style_layer_weights, config.units
        )
        weights = {f"content/{layer}": config.content_weight for layer in self._content_layers}
        weights |= {f"style/{layer}": beta for layer, beta in betas.items() if beta > 0}
        return weights | ({"total_variation": config.tv_weight} if config.tv_weight > 0 else {})

    def _network_key(self, precision: str):
        if self._given is not None:
            return self._given
        config = self._config
        layers = tuple(dict.fromkeys((*self._content_layers, *self._style_layers)))
        key = (config.weights, layers, config.pooling, config.padding, precision)
        return key + (tuple(self._hashes.items()) if config.normalize else ())

    def _network(self, precision: str) -> tf.keras.Model:
        if self._given is not None:
            return self._given
        config = self._config

        def make() -> tf.keras.Model:
            network = feature_extractor(
                dict.fromkeys((*self._content_layers, *self._style_layers)),
                weights=config.weights,
                pooling=config.pooling,
                padding=config.padding,
                dtype=precision,
            )
            pictures = list(self._pictures.values())
            return normalize_activations(network, pictures) if config.normalize else network

        return self._workshop.get(self._network_key(precision), make)

    def _require_size(self, network: tf.keras.Model) -> None:
        least, scales = minimum_size(network), number_of_scales(self.size, self._config)
        for argument, picture in self._pictures.items():
            height, width = scale_sizes(tuple(picture.shape[1:3]), scales)[0]
            if min(height, width) < least:
                coarsest = " at the coarsest scale" if scales > 1 else ""
                raise ValueError(
                    f"{argument}: is {width} x {height} pixels{coarsest}, but these layers need at least"
                    f" {least} on each side; give a larger image_size or picture, or shallower layers"
                )
