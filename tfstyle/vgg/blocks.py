"""An extractor in pieces: cut behind each of its outputs and each pooling."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

import tensorflow as tf

from tfstyle.vgg.network import heads, is_pooling
from tfstyle.vgg.receptive_field import require_functional


class Piece(NamedTuple):
    """A stretch of an extractor.

    Attributes:
      function: from the last activation of the piece before (the picture, for
        the first) to its own last activation.
      layers: names of the extractor's outputs that are that last activation, or a head's of it.
      pooled: whether the piece ends with a pooling.
      heads: {layer: its head}, of those of the layers that have one.
    """

    function: Callable[[tf.Tensor], tf.Tensor]
    layers: tuple[str, ...]
    pooled: bool
    heads: Mapping[str, Callable[[tf.Tensor], tf.Tensor]]

    def output(self, layer: str, activation: tf.Tensor) -> tf.Tensor:
        """Returns what one of the layers has of the piece's last activation, at all or some positions."""
        return self.heads[layer](activation) if layer in self.heads else activation


def pieces(extractor: tf.keras.Model) -> list[Piece]:
    """Cuts an extractor into pieces, each of which takes what the one before returns.

    They share the extractor's layers. What lies behind the last output is left out.

    Raises:
      ValueError: the extractor is no functional Keras model with named outputs,
        or something in it leads past a cut.
    """
    require_functional(extractor)
    own = heads(extractor)
    names: dict[int, tuple[str, ...]] = {}
    for layer, tensor in extractor.output.items():
        end = own[layer].input if layer in own else tensor
        names[id(end)] = (*names.get(id(end), ()), layer)
    found, start = [], extractor.input
    for operation in extractor.operations:
        end, pooled = operation.output, is_pooling(operation)
        if pooled or id(end) in names:
            layers = names.get(id(end), ())
            of_layers = {layer: own[layer] for layer in layers if layer in own}
            found.append(Piece(_between(start, end), layers, pooled, of_layers))
            start = end
    return found


def blocks(extractor: tf.keras.Model) -> list[list[Piece]]:
    """Returns an extractor's pieces by block, a block's last one ending with a pooling; see `pieces`."""
    found: list[list[Piece]] = [[]]
    for piece in pieces(extractor):
        found[-1].append(piece)
        if piece.pooled:
            found.append([])
    return [block for block in found if block]


def _between(start, end):
    try:
        # Not a keras.Model: one that begins in the middle of another adds copies to the other's layers.
        return tf.keras.Function(start, end)
    except ValueError:
        raise ValueError(
            f"extractor: cannot be cut between {start.name} and {end.name}, because something leads past"
        ) from None
