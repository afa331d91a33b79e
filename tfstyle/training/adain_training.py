"""Training a network for any style: its task, and the stream of photographs and style pictures."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import tensorflow as tf

from tfstyle.config import TransferConfig
from tfstyle.feedforward.adain_network import style_network
from tfstyle.losses.measuring import measure
from tfstyle.synthesis.graph_objective import GraphObjective
from tfstyle.synthesis.graph_transfer import GraphTransfer
from tfstyle.synthesis.term_options import TermOptions, extractor_of
from tfstyle.training.dataset import WHOLE, Share, batches
from tfstyle.training.recipe import InstantRecipe
from tfstyle.vgg import minimum_size
from tfstyle.vgg.costs import costs

# The seed of the style pictures' order and crops lies so far from that of the photographs'.
_APART = 1 << 30


class ArbitraryTask:
    """What a network for any style is trained to: the objective of a transfer, of each pair in its batch.

    Huang & Belongie 2017, eq. (11), on the terms of this package. Departures:

    - The content term compares with the photograph's own activations, in any
      layers, not with the decoder's input, the output of AdaIN (their eq. 12),
      so that the network is trained to what `transfer` minimises. Their target
      has the style's contrasts in it already; this one is to be outweighed, by
      a higher style strength.
    - The style term is any statistic. Theirs is ``style_loss=moments``, but for
      the root in their eq. (13).

    Args:
      config: the objective, and the network's weights and pooling.
      recipe: sizes, seed, precision, the layer and the decoder's width are read from it.

    Attributes:
      network: a `StyleNetwork`. Only its decoder is trained.
      extractor: of the config.

    Raises:
      ValueError: an option is out of range, or cannot be had of pairs of crops.
      OSError: the weights cannot be read.
    """

    def __init__(self, config: TransferConfig, recipe: InstantRecipe):
        _require_possible(config)
        self._config, self._width = config, recipe.decoder_width
        self.extractor = extractor_of(config, dtype=recipe.computed_in)
        least = minimum_size(self.extractor)
        if recipe.crop_size < least:
            raise ValueError(f"crop_size={recipe.crop_size}: too small; these layers need {least} or above")
        self.network = style_network(
            layer=recipe.adain_layer,
            width=recipe.decoder_width,
            seed=recipe.shuffle,
            dtype=recipe.policy,
            weights=config.weights,
            pooling=config.pooling,
        )

    def objective(self, batch: tuple[tf.Tensor, tf.Tensor]) -> GraphObjective:
        """Returns the objective of a batch of `pairs`, in a graph."""
        contents, styles = batch
        options = TermOptions.of(self._config)
        style = measure(self.extractor, styles, options.style_layers, options.statistic)
        return GraphObjective(self._config, self.extractor, contents, style)

    def paint(self, batch: tuple[tf.Tensor, tf.Tensor]) -> tf.Tensor:
        """Returns what the network makes of the batch in training, `[B, S, S, 3]`."""
        contents, styles = batch
        return self.network({"image": contents, "style": styles}, training=True)

    def learn(self, batch: tuple[tf.Tensor, tf.Tensor]) -> tuple[tf.Tensor, dict[str, tf.Tensor]]:
        return self.paint(batch), {}

    def kept(self, side: int) -> int:
        # The decoder is the encoder's mirror image; of the encoder, which is not trained, nothing is kept.
        return int(self._width * costs(self.network.encoder, (), (side, side)).kept)


def pairs(
    photographs: Sequence, styles: Sequence, recipe: InstantRecipe, first_step: int = 0, share: Share = WHOLE
) -> tf.data.Dataset:
    """Returns the stream of batches from a step on to the recipe's last.

    Element i depends on the recipe's seed and i alone. Style pictures are cut
    like photographs, in an order of their own, so that each meets all others.

    Args:
      photographs: picture files, in an order of their own.
      styles: the same, of style pictures.
      recipe: sizes and seed are read from it.
      first_step: steps that were made before.
      share: what is read here, as in `batches`.

    Returns:
      A dataset of `(photographs, styles)`, `[B, S, S, 3]` float32 in [0, 1] each.

    Raises:
      ValueError: there is no photograph or no style.
      tf.errors.InvalidArgumentError: while it is read, where a file is no picture; `require_readable`
        tells which.
    """
    if not photographs or not styles:
        raise ValueError("photographs, styles: must be at least one of each")
    # The seed's own bound, 2**31, is respected: it wraps around.
    apart = dataclasses.replace(recipe, shuffle=(recipe.shuffle + _APART) % (1 << 31))
    streams = (
        batches(paths, 1, options, first_step, share)
        for paths, options in ((photographs, recipe), (styles, apart))
    )
    return tf.data.Dataset.zip(tuple(streams)).map(lambda contents, pictures: (contents[0], pictures[0]))


def _require_possible(config: TransferConfig) -> None:
    """Checks that the objective is one of a photograph and a style picture as they come."""
    GraphTransfer.require_possible(config)
    if config.color != "style":
        raise ValueError(
            f"color={config.color}: must be style; a style network paints in the style's colours"
        )
    if config.style_scale != 1:
        raise ValueError(
            f"style_scale={config.style_scale:g}: must be 1 in training; a style network takes the style"
            " picture at any size in each call"
        )
