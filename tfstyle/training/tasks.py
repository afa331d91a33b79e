"""What networks are trained to: the objective of a transfer, of each picture in a batch."""

from __future__ import annotations

from collections.abc import Container, Sequence
from typing import Protocol

import tensorflow as tf

from tfstyle.config import TransferConfig
from tfstyle.feedforward.layers import ConditionalInstanceNormalization, DoublingConv2D, ReflectedConv2D
from tfstyle.feedforward.networks import outliers, take_over, transformation_network
from tfstyle.losses.target_tensors import chosen, finest
from tfstyle.losses.targets import StyleTargets
from tfstyle.synthesis.graph_objective import GraphObjective
from tfstyle.synthesis.graph_transfer import GraphTransfer
from tfstyle.synthesis.term_options import extractor_of
from tfstyle.training.recipe import InstantRecipe

OUTLIERS = "outliers"  # the loss of `networks.outliers`
UNSTEADINESS = "unsteadiness"  # the loss of `unsteadiness`

_CUT = 3  # pixels: beginning with 0 to 3, a pixel has all places that it can in a network that halves twice
_NOISE = 2 / 255

# Tensors with one row for each picture, the photographs `[B, S, S, 3]` first.
Batch = tuple[tf.Tensor, ...]


class Task(Protocol):
    """A network, and what it is trained to.

    All variables are made where the task is, so that a strategy's scope has them.

    Attributes:
      network: what is trained.
      extractor: what its pictures are looked at with.
      weights: {name: weight} of the losses of its own, those of `learn`.
    """

    network: tf.keras.Model
    extractor: tf.keras.Model
    weights: dict[str, float]

    def objective(self, batch: Batch) -> GraphObjective:
        """Returns the objective of a batch, in a graph."""

    def paint(self, batch: Batch) -> tf.Tensor:
        """Returns what the network makes of a batch, `[B, S, S, 3]`."""

    def learn(self, batch: Batch) -> tuple[tf.Tensor, dict[str, tf.Tensor]]:
        """Returns what `paint` does, in training, and its own losses, {name: `[B]`}, not yet weighted."""

    def kept(self, side: int) -> int:
        """Returns how many values of the network a step keeps for its gradient, for one picture of a side."""


class ConditionalTask:
    """One network for a set of styles; a batch is photographs and the numbers of their styles, `[B]` int32.

    Args:
      styles: measured with the config.
      config: the objective.
      recipe: the network's size, its seed and the precision are read from it.
      start: network of these layers whose parameters it begins with; None: random ones.

    Attributes:
      network: from `transformation_network`.
      extractor: of the config.
      weights: those of the recipe that are not 0.

    Raises:
      ValueError: the objective is not possible in a graph, styles do not suit it, or the start has
        other layers.
      OSError: the weights cannot be read.
    """

    def __init__(
        self,
        styles: Sequence[StyleTargets],
        config: TransferConfig,
        recipe: InstantRecipe,
        start: tf.keras.Model | None = None,
    ):
        GraphTransfer.require_possible(config)
        self._config = config
        self.weights = own_weights(recipe)
        self.extractor = extractor_of(config, dtype=recipe.computed_in)
        for targets in styles:
            targets.require_for(config, "styles")
            targets.require_network(self.extractor)
        self._styles = finest(styles)
        self._count = len(styles)
        self.network = transformation_network(
            self._count,
            width=recipe.width,
            residual_blocks=recipe.residual_blocks,
            seed=recipe.shuffle,
            dtype=recipe.policy,
        )
        if recipe.only_styles and start is None:
            raise ValueError("only_styles=true: needs a network to begin with, start")
        if start is not None:
            take_over(self.network, start)
        if recipe.only_styles:
            for layer in self.network.layers:
                layer.trainable = isinstance(layer, ConditionalInstanceNormalization)

    def objective(self, batch: Batch) -> GraphObjective:
        contents, numbers = batch
        return GraphObjective(self._config, self.extractor, contents, chosen(self._styles, numbers))

    def paint(self, batch: Batch) -> tf.Tensor:
        contents, numbers = batch
        return self.network({"image": contents, "style": tf.one_hot(numbers, self._count)}, training=True)

    def learn(self, batch: Batch) -> tuple[tf.Tensor, dict[str, tf.Tensor]]:
        contents, numbers = batch
        return learned(self.network, contents, tf.one_hot(numbers, self._count), self.weights)

    def kept(self, side: int) -> int:
        return kept_values(self.network, side)


def in_turn(contents: tf.Tensor, styles: int, rounds: int = 3) -> list[Batch]:
    """Returns batches of `ConditionalTask` that show the same photographs in several styles.

    Args:
      contents: `[N, S, S, 3]`.
      styles: how many there are. They take turns, and begin with another in each batch.
      rounds: greatest number of batches.
    """
    count = contents.shape[0]
    return [(contents, (tf.range(count) + start) % styles) for start in range(min(styles, rounds))]


def own_weights(recipe: InstantRecipe) -> dict[str, float]:
    """Returns {name: weight} of the losses of a network's own, but for those without weight."""
    weights = {OUTLIERS: recipe.outlier_weight, UNSTEADINESS: recipe.steadiness_weight}
    return {name: weight for name, weight in weights.items() if weight}


def learned(
    network: tf.keras.Model, contents: tf.Tensor, style: tf.Tensor, names: Container[str]
) -> tuple[tf.Tensor, dict[str, tf.Tensor]]:
    """Returns what a network makes of photographs, and its own losses of these names; see `Task.learn`.

    Args:
      network: from `transformation_network`.
      contents: `[B, S, S, 3]`.
      style: `[B, styles]`.
      names: `OUTLIERS`, `UNSTEADINESS`, both or neither.
    """
    made, far = outliers(network, contents, style)
    found = {OUTLIERS: far} if OUTLIERS in names else {}
    if UNSTEADINESS in names:
        found[UNSTEADINESS] = unsteadiness(network, contents, style, made)
    return made, found


def kept_values(network: tf.keras.Model, side: int) -> int:
    """Returns how many values of a `transformation_network` a step keeps; see `Task.kept`."""
    layers = [each for each in network.layers if isinstance(each, ReflectedConv2D | DoublingConv2D)]
    probe = tf.keras.Model(network.input, [layer.output for layer in layers])
    styles = network.input["style"].shape[-1]
    shapes = probe.compute_output_shape({"image": (1, side, side, 3), "style": (1, styles)})
    return sum(rows * columns * filters for _, rows, columns, filters in shapes)


def unsteadiness(
    network: tf.keras.Model, contents: tf.Tensor, style: tf.Tensor, made: tf.Tensor
) -> tf.Tensor:
    """Measures how much a network's pictures change with what nobody sees.

    The photographs get noise of 2/255, and lose 3 rows and 3 columns at their borders, which moves
    all on the grids of the halved maps (after Gupta et al., "Characterizing and
    Improving Stability in Neural Style Transfer", ICCV 2017, who take neighbouring pictures of
    videos). A network that is free to draws a grid of its own over what is even.

    Args:
      network: from `transformation_network`.
      contents: `[B, S, S, 3]`; noise and cut are drawn from each, the same of the same photograph.
      style: `[B, styles]`.
      made: what the network makes of these.

    Returns:
      `[B]`: mean square of the change.
    """

    def seen_otherwise(both):
        photograph, painted = both
        seed = tf.bitcast(tf.cast(photograph[0, 0, :2], tf.float32), tf.int32)
        top, left = tf.unstack(tf.random.stateless_uniform([2], seed, 0, _CUT + 1, tf.int32))
        noise = tf.random.stateless_normal(tf.shape(photograph), seed, stddev=_NOISE, dtype=photograph.dtype)
        height, width = (tf.shape(photograph)[axis] - _CUT for axis in (0, 1))
        return [
            each[top : top + height, left : left + width]
            for each in (tf.clip_by_value(photograph + noise, 0, 1), painted)
        ]

    spec = [tf.TensorSpec([None, None, 3], each.dtype) for each in (contents, made)]
    photographs, painted = tf.map_fn(seen_otherwise, [contents, made], fn_output_signature=spec)
    again = network({"image": photographs, "style": style}, training=True)
    return tf.reduce_mean(tf.square(again - painted), axis=[1, 2, 3])
