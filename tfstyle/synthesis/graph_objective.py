"""A config's objective inside a graph: for pictures of any number and size, as functions of tensors."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

import tensorflow as tf

from tfstyle.config import TransferConfig
from tfstyle.io import color
from tfstyle.losses import strength
from tfstyle.losses.measuring import Target
from tfstyle.losses.style import style_terms
from tfstyle.losses.targets import Measured
from tfstyle.losses.terms import AnyTerm, content_terms, variation_terms
from tfstyle.synthesis.objective import summands_of, values_of
from tfstyle.vgg import feature_extractor
from tfstyle.vgg.position_sums import plain

# From pictures `[B, H, W, 3]` to {term: values `[B]`}.
Losses = Callable[[tf.Tensor], dict[str, tf.Tensor]]


class Composition:
    """The terms of pictures that have a content and a style.

    Args:
      config: layers, weights, units and colours are read from it.
      network: the extractor of all layers that have weight.
      content: `[B, H, W, 3]`, as the objective is to see it.
      style: what 1 or B pictures come to.

    Attributes:
      weights: {term: weight}, floats.
      unweighted: gives terms' unweighted values.
    """

    def __init__(
        self,
        config: TransferConfig,
        network: tf.keras.Model,
        content: tf.Tensor,
        style: Measured,
    ):
        self._config = config
        terms = _terms(config, network, content, style)
        kinds = {
            "content": config.content_weight,
            "style": config.style_weight,
            "total_variation": config.tv_weight,
        }
        self.weights = {term.name: term.weight * kinds[term.kind] for term in terms}
        self._terms = terms
        sums = plain(network, summands_of(terms))
        self.unweighted: Losses = lambda image: values_of(
            terms, sums, color.grey(image) if config.color == "content" else image
        )

    def balanced(self) -> dict[str, tf.Tensor]:
        """Returns the weights with those of the style brought to `config.style_strength`, `[B]` each."""
        return strength.balanced(self._terms, self.weights, self._config.style_strength)

    def losses(self) -> Losses:
        """Returns what gives terms' weighted values."""
        weights = self.balanced() if self._config.style_strength > 0 else self.weights
        return self.weighted(weights)

    def weighted(self, weights: Mapping[str, float | tf.Tensor]) -> Losses:
        """Returns what gives terms' values times these weights."""
        return lambda image: {name: weights[name] * value for name, value in self.unweighted(image).items()}


def layers_of(config: TransferConfig) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Returns the content's and the style's layers, without those that have no weight."""
    return (
        config.content_layers if config.content_weight > 0 else (),
        config.style_layers if config.style_weight > 0 else (),
    )


def extractor_of(
    config: TransferConfig, layers: Iterable[str] | None = None, *, dtype: str = "float32"
) -> tf.keras.Model:
    """Returns the extractor that a config describes.

    Args:
      config: the weights, pooling and padding are read from it.
      layers: of its output; None: all that have weight.
      dtype: as in `feature_extractor`, also for errors.
    """
    if layers is None:
        content_layers, style_layers = layers_of(config)
        layers = dict.fromkeys((*content_layers, *style_layers))
    return feature_extractor(
        layers, weights=config.weights, pooling=config.pooling, padding=config.padding, dtype=dtype
    )


def _terms(config: TransferConfig, network, content: tf.Tensor, style: Measured) -> Sequence[AnyTerm]:
    content_layers, style_layers = layers_of(config)
    size = tf.cast(tf.shape(content)[1:3], tf.float32)
    terms = []
    if content_layers:
        terms += content_terms(network, content, content_layers, weight=1.0, units=config.units)
    if style_layers:
        terms += style_terms(
            network,
            [Target((style,))],
            style_layers,
            size=(size[0], size[1]),
            weight=1.0,
            layer_weights=config.style_layer_weights,
            units=config.units,
            statistic=config.style_loss,
        )
    if config.tv_weight > 0:
        terms += variation_terms(1.0, units=config.units, form=config.tv_loss)
    return terms
