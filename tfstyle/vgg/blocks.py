"""An extractor in pieces: cut behind each of its outputs and each pooling."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import tensorflow as tf

from tfstyle.vgg.receptive_field import is_pooling, require_functional


class Piece(NamedTuple):
    """A stretch of an extractor.

    Attributes:
      function: from the last activation of the piece before (the picture, for
        the first) to its own last activation.
      layers: names of that last activation among the extractor's outputs.
      pooled: whether the piece ends with a pooling.
    """

    function: Callable[[tf.Tensor], tf.Tensor]
    layers: tuple[str, ...]
    pooled: bool


def pieces(extractor: tf.keras.Model) -> list[Piece]:
    """Cuts an extractor into pieces, each of which takes what the one before returns.

    They share the extractor's layers. What lies behind the last output is left out.

    Raises:
      ValueError: the extractor is no functional Keras model with named outputs,
        or something in it leads past a cut.
    """
    require_functional(extractor)
    names: dict[int, tuple[str, ...]] = {}
    for layer, tensor in extractor.output.items():
        names[id(tensor)] = (*names.get(id(tensor), ()), layer)
    found, start = [], extractor.input
    for operation in extractor.operations:
        end, pooled = operation.output, is_pooling(operation)
        if pooled or id(end) in names:
            found.append(Piece(_between(start, end), names.get(id(end), ()), pooled))
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
