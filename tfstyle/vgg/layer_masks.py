"""Masks on the grids of a network's layers, carried there as the network carries pictures.

Gatys et al. (CVPR 2017), "Controlling Perceptual Factors in Neural Style
Transfer", section 4.1, guide Gram matrices by masks that they re-sample to each
layer's grid, shrunk beforehand where positions would look beyond their region.
This departs from it: a mask goes through the network's own geometry. A
position's value is the share of what it sees that lies in the region, each
pixel counted by the number of ways from it to the position; those of regions
that fill the picture add up to 1. luanfujun/deep-photo-styletransfer
(Luan et al., CVPR 2017) does so with its convolutions, and re-samples for its
poolings.
"""

from __future__ import annotations

from collections.abc import Iterable

import tensorflow as tf

from tfstyle.vgg.receptive_field import is_pooling, reaches


def propagated(extractor: tf.keras.Model, mask: tf.Tensor, layers: Iterable[str]) -> dict[str, tf.Tensor]:
    """Carries a mask to the grids of some layers.

    A convolution becomes the mean over its window, as far as that lies inside
    the map; a pooling, of maxima too, the mean over its own; where maps are
    joined, so are the masks, by their mean. A mask of ones stays one.

    Args:
      extractor: a functional Keras model; see `receptive_field.reaches`.
      mask: `[1, H, W, 1]` in [0, 1], of a picture's size.
      layers: some of the extractor's outputs.

    Returns:
      `{layer: [1, h, w, 1]}` float32 in [0, 1], in the order given, on the grids
      of the activations of such a picture.

    Raises:
      ValueError: as in `receptive_field.reaches`.
    """
    reaches(extractor)  # complains of what is not known
    carried = {id(extractor.input): tf.cast(mask, tf.float32)}
    for operation in extractor.operations:
        if not isinstance(operation, tf.keras.layers.InputLayer):
            sources = [carried[id(tensor)] for tensor in tf.nest.flatten(operation.input)]
            carried[id(operation.output)] = _after(operation, tf.add_n(sources) / len(sources))
    return {layer: carried[id(extractor.output[layer])] for layer in layers}


def _after(operation, mask: tf.Tensor) -> tf.Tensor:
    """Returns a mask behind an operation that `reaches` knows."""
    if isinstance(operation, tf.keras.layers.Conv2D):
        return _window_mean(mask, operation.kernel_size, operation.dilation_rate)
    if is_pooling(operation):
        return tf.nn.avg_pool2d(mask, operation.pool_size, operation.strides, "VALID")
    # A pad is part of the convolution to come, and all else works on each position alone.
    return mask


def _window_mean(mask: tf.Tensor, size: tuple[int, int], dilation: tuple[int, int]) -> tf.Tensor:
    """Returns the mean over the positions that a convolution sees, without those outside the map."""
    down, right = (step * (side - 1) // 2 for step, side in zip(dilation, size))

    def mean(values: tf.Tensor) -> tf.Tensor:
        padded = tf.pad(values, [[0, 0], [down, down], [right, right], [0, 0]])
        return tf.nn.pool(padded, size, "AVG", padding="VALID", dilations=dilation)

    return mean(mask) / mean(tf.ones_like(mask))
