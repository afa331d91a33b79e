"""What an evaluation computes and keeps, counted from an extractor's Keras graph."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import tensorflow as tf

from tfstyle.vgg.network import convolutions
from tfstyle.vgg.receptive_field import is_pooling, require_functional


@dataclass(frozen=True)
class Costs:
    """Costs of one value and gradient; what is small beside these is not counted.

    Attributes:
      operations: floating-point operations. A convolution is 2 * k * k * C_in *
        C_out * positions, and as much again for the gradient with respect to
        its input; weights are frozen. A Gram matrix of N filters at M positions
        is 2 * N^2 * M, and so is its gradient.
      kept: values that the gradient needs of the forward pass: every
        activation behind a convolution or a pooling.
      widest: values of the largest activation.
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
    require_functional(extractor)
    layers = [*convolutions(extractor), *(layer for layer in extractor.layers if is_pooling(layer))]
    probe = tf.keras.Model(extractor.input, {layer.name: layer.output for layer in layers})
    shapes = probe.compute_output_shape((1, *size, 3))
    values = {name: rows * columns * filters for name, (_, rows, columns, filters) in shapes.items()}
    forward = 0
    for layer in convolutions(extractor):
        *kernel, channels, filters = layer.kernel.shape
        forward += 2 * kernel[0] * kernel[1] * channels * values[layer.name]
        if layer.name in style_layers:
            forward += 2 * filters * values[layer.name]
    return Costs(2 * forward, sum(values.values()), max(values.values()))
