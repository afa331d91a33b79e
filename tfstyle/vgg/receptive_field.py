"""Which pixels an activation depends on, and masks carried to it, read off an extractor's Keras graph.

With stride s, position p of an activation stands for the pixels from p*s to
(p+1)*s - 1, and depends on these and on `radius` more to each side. A 3x3
convolution adds the stride at which it works to the radius; a pooling
multiplies the stride. For VGG19's conv5_1 that makes stride 16, radius 70.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import tensorflow as tf

from tfstyle.vgg.network import is_pooling

# Keras' operations that work on each position alone.
_POSITIONWISE = frozenset(
    {"Activation", "ReLU", "Relu", "LeakyReLU", "Dropout", "Rescaling", "BatchNormalization", "Identity"}
    | {"Add", "Subtract", "Multiply", "Divide", "TrueDivide", "Maximum", "Minimum", "Cast"}
)


class Reach(NamedTuple):
    """Where an activation looks.

    Attributes:
      stride: pixels from one position to the next.
      radius: pixels that a position sees beyond its own `stride` x `stride` cell, to each side.
    """

    stride: int
    radius: int


class _Partial(NamedTuple):
    """A `Reach`, and by how many positions the map was padded to each side for a convolution to come."""

    stride: int = 1
    radius: int = 0
    padded: int = 0


def reaches(extractor: tf.keras.Model) -> dict[str, Reach]:
    """Returns `{layer: Reach}` of an extractor's outputs.

    It knows convolutions that keep the size (zero padding, or a symmetric pad
    and then none), poolings of windows side by side, and what works on each
    position alone.

    Raises:
      ValueError: the extractor is no functional Keras model with named outputs,
        or holds an operation of another kind; the message names it.
    """
    require_functional(extractor)
    known: dict[int, _Partial] = {id(extractor.input): _Partial()}
    for operation in extractor.operations:
        if not isinstance(operation, tf.keras.layers.InputLayer):
            sources = {known[id(tensor)] for tensor in tf.nest.flatten(operation.input)}
            known[id(operation.output)] = _after(operation, sources)
    found = {layer: known[id(tensor)] for layer, tensor in extractor.output.items()}
    for layer, reach in found.items():
        if reach.padded:
            raise ValueError(f"extractor: output {layer!r} loses or gains positions at the border")
    return {layer: Reach(reach.stride, reach.radius) for layer, reach in found.items()}


def require_functional(extractor) -> None:
    """Checks that an extractor has a graph to look into.

    Raises:
      ValueError: it is no functional Keras model from one picture to
        `{layer: activation}`, or a layer in it is used more than once.
    """
    functional = hasattr(extractor, "operations") and isinstance(extractor.output, dict)
    if not functional or isinstance(extractor.input, (list, tuple, dict)):
        raise ValueError(
            f"extractor: {extractor!r} must be a functional Keras model from one picture to"
            " {layer: activation}; nothing is known of the inside of another"
        )
    # Of a layer that is called again, Keras tells the first call's tensors only.
    made = {id(tensor) for operation in extractor.operations for tensor in tf.nest.flatten(operation.output)}
    needed = [(operation.name, operation.input) for operation in extractor.operations]
    for name, tensors in [*needed, *extractor.output.items()]:
        if any(id(tensor) not in made for tensor in tf.nest.flatten(tensors)):
            raise ValueError(f"extractor: before {name!r}, a layer is used that is used elsewhere, too")


def _after(operation, sources: set[_Partial]) -> _Partial:
    """Returns the reach behind an operation on maps of these reaches."""
    if len({(source.stride, source.padded) for source in sources}) != 1:
        raise _unknown(operation, "joins maps of several sizes")
    stride, _, padded = next(iter(sources))
    radius = max(source.radius for source in sources)
    kind = type(operation).__name__
    ours = type(operation).__module__.startswith("keras.")  # not a user's class of the same name
    if isinstance(operation, tf.keras.layers.Conv2D):
        return _convolved(operation, stride, radius, padded)
    if is_pooling(operation):
        size, padding = {*operation.pool_size, *operation.strides}, operation.padding
        if padded or padding != "valid" or len(size) != 1:
            raise _unknown(operation, "must have windows side by side and no padding")
        return _Partial(stride * size.pop(), radius, 0)
    if ours and kind == "Pad":
        (batch, rows, columns, channels), wide = operation.pad_width, operation.pad_width[1][0]
        if {*rows, *columns} != {wide} or {*batch, *channels} != {0}:
            raise _unknown(operation, "must pad rows and columns alike on all sides")
        return _Partial(stride, radius, padded + wide)
    if ours and (kind in _POSITIONWISE or (kind in ("Flip", "Concatenate") and operation.axis in (-1, 3))):
        return _Partial(stride, radius, padded)
    raise _unknown(operation, "is of no known kind")


def _convolved(layer, stride: int, radius: int, padded: int) -> _Partial:
    reach = {dilation * (size - 1) for size, dilation in zip(layer.kernel_size, layer.dilation_rate)}
    if len(reach) != 1 or max(reach) % 2 or set(layer.strides) != {1} or layer.padding == "causal":
        raise _unknown(layer, "must have a square kernel of odd size and stride 1")
    half = reach.pop() // 2
    remaining = padded - (half if layer.padding == "valid" else 0)
    return _Partial(stride, radius + half * stride, remaining)


def _unknown(operation, problem: str) -> ValueError:
    return ValueError(
        f"extractor: {type(operation).__name__} {operation.name!r} {problem};"
        " which pixels an activation depends on cannot be told"
    )


def propagated(extractor: tf.keras.Model, mask: tf.Tensor, layers: Iterable[str]) -> dict[str, tf.Tensor]:
    """Carries a mask to the grids of some layers, as the network carries pictures.

    Gatys et al. (CVPR 2017), "Controlling Perceptual Factors in Neural Style
    Transfer", section 4.1, guide Gram matrices by masks that they re-sample to each
    layer's grid, shrunk beforehand where positions would look beyond their region.
    This departs from it: a mask goes through the network's own geometry. A
    position's value is the share of what it sees that lies in the region, each
    pixel counted by the number of ways from it to the position; those of regions
    that fill the picture add up to 1. luanfujun/deep-photo-styletransfer
    (Luan et al., CVPR 2017) does so with its convolutions, and re-samples for its
    poolings.

    A convolution becomes the mean over its window, as far as that lies inside
    the map; a pooling, of maxima too, the mean over its own; where maps are
    joined, so are the masks, by their mean. A mask of ones stays one.

    Args:
      extractor: a functional Keras model; see `reaches`.
      mask: `[1, H, W, 1]` in [0, 1], of a picture's size.
      layers: some of the extractor's outputs.

    Returns:
      `{layer: [1, h, w, 1]}` float32 in [0, 1], in the order given, on the grids
      of the activations of such a picture.

    Raises:
      ValueError: as in `reaches`.
    """
    reaches(extractor)  # complains of what is not known
    carried = {id(extractor.input): tf.cast(mask, tf.float32)}
    for operation in extractor.operations:
        if not isinstance(operation, tf.keras.layers.InputLayer):
            sources = [carried[id(tensor)] for tensor in tf.nest.flatten(operation.input)]
            carried[id(operation.output)] = _carried(operation, tf.add_n(sources) / len(sources))
    return {layer: carried[id(extractor.output[layer])] for layer in layers}


def _carried(operation, mask: tf.Tensor) -> tf.Tensor:
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
