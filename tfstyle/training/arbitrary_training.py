"""Training networks for any style: their task, and the stream of photographs and style pictures."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import tensorflow as tf

from tfstyle.config import TransferConfig
from tfstyle.feedforward.networks import take_over
from tfstyle.feedforward.style_network import StyleNetwork, style_network
from tfstyle.losses.measuring import measure
from tfstyle.synthesis.graph_transfer import GraphObjective, GraphTransfer
from tfstyle.synthesis.term_options import TermOptions, extractor_of
from tfstyle.training.dataset import WHOLE, Share, Side, batches, centers
from tfstyle.training.own_losses import learned, own_weights, palette
from tfstyle.training.recipe import InstantRecipe
from tfstyle.training.tasks import kept_values
from tfstyle.vgg import minimum_size

# The seed of the style pictures' order and crops lies so far from that of the photographs'.
_APART = 1 << 30
_MEASURED = 256  # style pictures from which is known what is usual in them
_JITTER = 0.25  # of the size at which a style picture is shown


class ArbitraryTask:
    """A `Task`: a `StyleNetwork`; a batch is photographs and crops of style pictures, of a size each.

    Each photograph is trained to the objective of a transfer in its style (Ghiasi et al. 2017).

    Args:
      styles: files of style pictures, of which some are measured for `StyleNetwork.measure`.
      config: the objective.
      recipe: sizes, seed and precision are read from it.
      start: what the network begins with, another one for any style or one for known styles (see
        `StyleNetwork.begin_with`); None: random parameters.

    Raises:
      ValueError: an option is out of range, or cannot be had of pairs of crops, or the start has
        other layers.
      OSError: the weights cannot be read.
    """

    def __init__(
        self,
        styles: Sequence,
        config: TransferConfig,
        recipe: InstantRecipe,
        start: StyleNetwork | tf.keras.Model | None = None,
    ):
        _require_possible(config, recipe)
        self._config, self.weights = config, own_weights(recipe)
        self.extractor = extractor_of(config, dtype=recipe.computed_in)
        least = minimum_size(self.extractor)
        for name in ("crop_size", "style_crop_size"):
            if getattr(recipe, name) < least:
                raise ValueError(
                    f"{name}={getattr(recipe, name)}: too small; these layers need {least} or above"
                )
        self.network = style_network(embedding=recipe.embedding, **recipe.of_network)
        if isinstance(start, StyleNetwork):
            take_over(self.network, start)
            return
        if start is not None:
            self.network.begin_with(start)
        some = styles[:: -(-len(styles) // _MEASURED)]
        shown = (
            centers([path], recipe.style_crop_size, shown_at(config.image_size, recipe)) for path in some
        )
        self.network.measure(shown)

    def objective(self, batch: tuple[tf.Tensor, tf.Tensor]) -> GraphObjective:
        contents, styles = batch
        options = TermOptions.of(self._config)
        style = measure(self.extractor, styles, options.style_layers, self._config.style_loss)
        return GraphObjective(self._config, self.extractor, contents, style)

    def paint(self, batch: tuple[tf.Tensor, tf.Tensor]) -> tf.Tensor:
        contents, styles = batch
        return self.network({"image": contents, "style": styles}, training=True)

    def learn(self, batch: tuple[tf.Tensor, tf.Tensor]) -> tuple[tf.Tensor, dict[str, tf.Tensor]]:
        contents, styles = batch
        style = self.network.embedding(styles)
        return learned(self.network.network, contents, style, self.weights, palette(styles))

    def kept(self, side: int) -> int:
        return kept_values(self.network.network, side)


def shown_at(image_size: int, recipe: InstantRecipe) -> Side:
    """Returns how large crops of style pictures are, as if these were shown at a size, ± a quarter.

    Args:
      image_size: longer side of style pictures in pixels.
      recipe: the size of crops is read from it.
    """

    def side(shape: tf.Tensor, uniform: tf.Tensor) -> tf.Tensor:
        jitter = 1 + _JITTER * (2 * uniform - 1)
        wanted = tf.reduce_max(shape) * (recipe.style_crop_size / image_size) * jitter
        return tf.minimum(wanted, tf.reduce_min(shape))

    return side


def pairs(
    photographs: Sequence,
    styles: Sequence,
    recipe: InstantRecipe,
    image_size: int,
    first_step: int = 0,
    share: Share = WHOLE,
) -> tf.data.Dataset:
    """Returns the stream of batches from a step on to the recipe's last.

    Element i depends on the recipe's seed and i alone. Style pictures have an
    order of their own, so that each meets all others.

    Args:
      photographs: picture files, at least one, in an order of their own.
      styles: the same, of style pictures.
      recipe: sizes and seed are read from it.
      image_size: see `shown_at`.
      first_step: steps that were made before.
      share: what is read here, as in `batches`.

    Returns:
      A dataset of `(photographs [B, S, S, 3], styles [B, T, T, 3])`, float32 in [0, 1].

    Raises:
      tf.errors.InvalidArgumentError: while it is read, where a file is no picture; `require_readable`
        tells which.
    """
    # The seed's own bound, 2**31, is respected: it wraps around.
    apart = dataclasses.replace(
        recipe, shuffle=(recipe.shuffle + _APART) % (1 << 31), crop_size=recipe.style_crop_size
    )
    streams = (
        batches(photographs, 1, recipe, first_step, share),
        batches(styles, 1, apart, first_step, share, shown_at(image_size, recipe)),
    )
    return tf.data.Dataset.zip(streams).map(lambda contents, pictures: (contents[0], pictures[0]))


def _require_possible(config: TransferConfig, recipe: InstantRecipe) -> None:
    """Checks that the objective is one of a photograph and a style picture as they come."""
    GraphTransfer.require_possible(config)
    if recipe.only_styles:
        raise ValueError("only_styles=true: is for the styles of a network=conditional")
    if config.color != "style":
        raise ValueError(
            f"color={config.color}: must be style; a style network paints in the style's colours"
        )
    if config.style_scale != 1:
        raise ValueError(
            f"style_scale={config.style_scale:g}: must be 1 in training; a style network takes the style"
            " picture at any size in each call"
        )
