"""What an evaluation computes and keeps, counted from an extractor's Keras graph."""

from __future__ import annotations

import math
import weakref
from collections.abc import Collection
from dataclasses import dataclass
from typing import NamedTuple

import tensorflow as tf

from tfstyle.vgg.network import convolutions, heads, is_pooling
from tfstyle.vgg.receptive_field import require_functional


@dataclass(frozen=True)
class Costs:
    """Costs of one value and gradient; what is small beside these is not counted.

    Attributes:
      operations: floating-point operations. A convolution is 2 * k * k * C_in *
        C_out * positions, and as much again for the gradient with respect to
        its input; weights are frozen. A head is computed once more for the
        gradient. A Gram matrix of N filters at M positions is 2 * N^2 * M, and
        so is its gradient.
      kept: values that the gradient needs of the forward pass: every
        activation behind a convolution or a pooling, but none behind a head.
      widest: values of the largest activation, behind heads, too.
    """

    operations: int
    kept: int
    widest: int


def costs(extractor: tf.keras.Model, style_layers: Collection[str], size: tuple[int, int]) -> Costs:
    """Counts the costs of pictures of (height, width).

    Args:
      extractor: a functional Keras model.
      style_layers: outputs whose Gram matrices are computed.
      size: (height, width) in pixels.

    Raises:
      ValueError: the extractor is no functional Keras model.
    """
    operations, kept, widest = 0, 0, 0
    for layer in _layers(extractor):
        positions = int(size[0] * layer.share) * int(size[1] * layer.share)
        values = positions * layer.filters
        operations += (3 if layer.head else 2) * layer.operations * positions
        if layer.operations and layer.output in style_layers:
            operations += 2 * 2 * layer.filters * values
        kept, widest = kept + (0 if layer.head else values), max(widest, values)
    return Costs(operations, kept, widest)


class _Layer(NamedTuple):
    """A convolution or pooling.

    Attributes:
      output: its name among the extractor's outputs, if it is there.
      share: positions a pixel of a side.
      filters, operations: at each position.
      head: whether it is a head.
    """

    output: str
    share: float
    filters: int
    operations: int
    head: bool


def _layers(extractor: tf.keras.Model) -> list[_Layer]:
    if extractor not in _KNOWN:
        require_functional(extractor)
        ends = heads(extractor)
        found = [*convolutions(extractor), *(layer for layer in extractor.layers if is_pooling(layer))]
        outputs = {layer.name: "" if layer.name in ends else layer.name for layer in found}
        outputs |= {end.name: layer for layer, end in ends.items()}
        found += ends.values()
        probe = tf.keras.Model(extractor.input, {layer.name: layer.output for layer in found})
        shapes = probe.compute_output_shape((1, _SIDE, _SIDE, 3))
        known = []
        for layer in found:
            *kernel, channels, _ = layer.kernel.shape if hasattr(layer, "kernel") else (0, 0, 0, 0)
            _, rows, _, filters = shapes[layer.name]
            operations = 2 * math.prod(kernel) * channels * filters
            head = layer in ends.values()
            known.append(_Layer(outputs[layer.name], rows / _SIDE, filters, operations, head))
        _KNOWN[extractor] = known
    return _KNOWN[extractor]


_SIDE = 4096  # of a picture by which shares are found
# What was found of each extractor: a plan asks for the costs of hundreds of sizes.
_KNOWN: weakref.WeakKeyDictionary[tf.keras.Model, list[_Layer]] = weakref.WeakKeyDictionary()
