"""A config's objective inside a graph: for pictures of any number and size, as functions of tensors."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import tensorflow as tf

from tfstyle.config import TransferConfig
from tfstyle.io import color
from tfstyle.losses import strength
from tfstyle.losses.measuring import Target
from tfstyle.losses.targets import Measured
from tfstyle.synthesis.objective import summands_of, values_of
from tfstyle.synthesis.term_options import TermOptions, weights_of_kinds
from tfstyle.vgg.position_sums import plain

# From pictures `[B, H, W, 3]` to {term: values `[B]`}.
Losses = Callable[[tf.Tensor], dict[str, tf.Tensor]]


class GraphObjective:
    """The terms of pictures that have a content and a style.

    Args:
      config: layers, weights, units and colours are read from it.
      network: the extractor of all layers that have weight.
      content: `[B, H, W, 3]`, as the objective is to see it.
      style: what 1 or B pictures come to.

    Attributes:
      weights: {term: weight}, floats.
      styles: names of the style's terms.
      unweighted: gives terms' unweighted values.
    """

    def __init__(self, config: TransferConfig, network: tf.keras.Model, content: tf.Tensor, style: Measured):
        self._config = config
        height, width = tf.unstack(tf.cast(tf.shape(content)[1:3], tf.float32))
        self._terms = TermOptions.of(config).terms(network, content, [Target((style,))], size=(height, width))
        kinds = weights_of_kinds(config)
        self.weights = {term.name: term.weight * kinds[term.kind] for term in self._terms}
        self.styles = frozenset(term.name for term in self._terms if term.kind == "style")
        sums = plain(network, summands_of(self._terms))
        self.unweighted: Losses = lambda image: values_of(
            self._terms, sums, color.grey(image) if config.color == "content" else image
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
