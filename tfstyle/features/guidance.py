"""Masks on the grids of a network's layers, carried there as the network carries pictures.

Gatys et al. 2017, "Controlling Perceptual Factors in Neural Style Transfer",
section 4.1, guide Gram matrices by masks, which they scale down to each layer.
Here a mask goes through the network's own geometry instead: a position's value
is the share of what it sees that lies in the region, so that positions that
see two regions count less for each.
"""

from __future__ import annotations

from collections.abc import Iterable

import tensorflow as tf

from tfstyle.features.geometry import is_pooling, reaches


def propagated(extractor: tf.keras.Model, mask: tf.Tensor, layers: Iterable[str]) -> dict[str, tf.Tensor]:
    """Carries a mask to the grids of some layers.

    A convolution becomes the mean over its window, as far as that lies inside,
    a pooling the mean over its own; a mask of ones stays one.

    Args:
      extractor: a functional Keras model; see `geometry.reaches`.
      mask: `[1, H, W, 1]` in [0, 1], of a picture's size.
      layers: some of the extractor's outputs.

    Returns:
      `{layer: [1, h, w, 1]}`, float32, in the order given.

    Raises:
      ValueError: as in `geometry.reaches`.
    """
    reaches(extractor)  # to complain of what is not known
    carried = {id(extractor.input): tf.cast(mask, tf.float32)}
    for operation in extractor.operations:
        if isinstance(operation, tf.keras.layers.InputLayer):
            continue
        sources = [carried[id(tensor)] for tensor in tf.nest.flatten(operation.input)]
        carried[id(operation.output)] = _after(operation, tf.add_n(sources) / len(sources))
    return {layer: carried[id(extractor.output[layer])] for layer in layers}


def _after(operation, mask: tf.Tensor) -> tf.Tensor:
    if isinstance(operation, tf.keras.layers.Conv2D):
        reach = [1 + d * (k - 1) for d, k in zip(operation.dilation_rate, operation.kernel_size)]
        # Where the window leaves the map, this is the mean of what lies inside.
        return tf.nn.avg_pool2d(mask, reach, 1, "SAME")
    if is_pooling(operation):
        return tf.nn.avg_pool2d(mask, operation.pool_size, operation.strides, "VALID")
    return mask  # a pad is part of the convolution to come, all else works on each position alone
