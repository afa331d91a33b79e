"""What networks are trained to: the objective of a transfer, of each picture in a batch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import tensorflow as tf

from tfstyle.config import TransferConfig
from tfstyle.feedforward.layers import ConditionalInstanceNormalization, DoublingConv2D, ReflectedConv2D
from tfstyle.feedforward.networks import layout, take_over, transformation_network
from tfstyle.feedforward.style_colors import color_values
from tfstyle.losses.targets import StyleTargets, chosen, finest
from tfstyle.synthesis.graph_transfer import GraphObjective, GraphTransfer
from tfstyle.synthesis.term_options import extractor_of
from tfstyle.training.own_losses import PALETTE, learned, own_weights, palette
from tfstyle.training.recipe import InstantRecipe

# Tensors with one row for each picture, the photographs `[B, S, S, 3]` first.
Batch = tuple[tf.Tensor, ...]
_ROUNDS = 3  # batches at most that show photographs in several styles


class Task(Protocol):
    """A network, and what it is trained to.

    All variables are made where the task is, so that a strategy's scope has them.

    Attributes:
      network: what is trained.
      extractor: what its pictures are looked at with, the config's.
      weights: {name: weight} of the losses of its own, those of `learn`; none of them is 0.
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
    """A `Task`: a network for a set of styles; a batch is photographs and the numbers of styles, `[B]` int32.

    Args:
      styles: measured with the config.
      config: the objective.
      recipe: the network's size, its seed and the precision are read from it.
      pictures: of the styles, `[1, H, W, 3]`, whose colours are to be the network's; (): it may have any.
      start: network of these layers whose parameters it begins with; None: random ones.

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
        pictures: Sequence[tf.Tensor] = (),
    ):
        GraphTransfer.require_possible(config)
        self._config = config
        self._palettes = tf.concat([palette(each) for each in pictures], axis=0) if pictures else None
        self.weights = own_weights(recipe)
        if not pictures:
            self.weights.pop(PALETTE, None)
        self.extractor = extractor_of(config, dtype=recipe.computed_in)
        for targets in styles:
            targets.require_for(config, "styles")
            targets.require_network(self.extractor)
        self._styles = finest(styles)
        self._count = len(styles)
        colored = start is not None and layout(start)["colors"]
        self.network = transformation_network(self._count, colors=colored, **recipe.of_network)
        if recipe.only_styles and start is None:
            raise ValueError("only_styles=true: needs a network to begin with, start")
        if start is not None:
            take_over(self.network, start)
        if pictures and colored:
            colors = tf.concat([color_values(each) for each in pictures], axis=0)
            self.network.get_layer("style_colors").colors.assign(colors)
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
        colors = None if self._palettes is None else tf.gather(self._palettes, numbers)
        return learned(self.network, contents, tf.one_hot(numbers, self._count), self.weights, colors)

    def kept(self, side: int) -> int:
        return kept_values(self.network, side)


def in_turn(contents: tf.Tensor, styles: int) -> list[Batch]:
    """Returns batches of `ConditionalTask` that show the same photographs in several styles.

    Args:
      contents: `[N, S, S, 3]`.
      styles: how many there are. They take turns, and begin with another in each batch, of three at most.
    """
    count = contents.shape[0]
    return [(contents, (tf.range(count) + start) % styles) for start in range(min(styles, _ROUNDS))]


def kept_values(network: tf.keras.Model, side: int) -> int:
    """Returns how many values of a `transformation_network` a step keeps; see `Task.kept`."""
    layers = [each for each in network.layers if isinstance(each, ReflectedConv2D | DoublingConv2D)]
    probe = tf.keras.Model(network.input, [layer.output for layer in layers])
    styles = network.input["style"].shape[-1]
    shapes = probe.compute_output_shape({"image": (1, side, side, 3), "style": (1, styles)})
    return sum(rows * columns * filters for _, rows, columns, filters in shapes)
