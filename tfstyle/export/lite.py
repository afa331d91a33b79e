"""Networks as LiteRT files, for telephones and whatever has no TensorFlow.

The network is traced once more, in float32, from what LiteRT has itself: no op
of a file needs TensorFlow's kernels ("Flex"). Two things are done otherwise
than in `networks`, to the same numbers:

- Parameters are constants. The converter leaves those of a Keras model outside
  of the file, as variables without a value.
- Batches are of one picture.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import tensorflow as tf

from tfstyle.config.options import listed, whole_number
from tfstyle.feedforward import networks
from tfstyle.feedforward.layers import (
    ConditionalInstanceNormalization,
    CutToSize,
    DoublingConv2D,
    ReflectedConv2D,
    ReflectedUp,
    doubled_convolution,
    folded,
    instance_moments,
    normalised,
    padded,
)

QUANTIZATIONS = ("none", "float16", "dynamic")


def to_lite(
    network: tf.keras.Model,
    *,
    size: tuple[int, int] | None = None,
    style: Sequence[float] | None = None,
    quantize: str = "none",
) -> bytes:
    """Returns a network as the contents of a LiteRT file, of built-in ops only.

    Its signature `serving_default` takes `image`, float32 `[1, H, W, 3]` in
    [0, 1], and `style`, float32 `[1, S]` weights that should add up to 1, and
    gives `picture`, `[1, H, W, 3]` in [0, 1]. In a file for all sizes, H and W are
    multiples of 4 from 8 on: sizes that a runtime can tell from the input's let it
    use its fast kernels. `LiteNetwork` takes all, and does as `networks` does.

    Args:
      network: from `transformation_network`, in float32.
      size: (height, width) of all pictures. Some accelerators need them in
        advance; None: each call may bring another.
      style: weights of the styles, which then are part of the file: it has no
        input of that name. None: each call brings them.
      quantize: how kernels are kept: ``none``, in float32; ``float16``, at half
        the size; ``dynamic``, in 8 bits, at a quarter of it, with activations
        brought to 8 bits in each call, too. The last can be seen; see `conversion.check`.

    Raises:
      ValueError: an argument is not what it should be.
    """
    if quantize not in QUANTIZATIONS:
        raise ValueError(f"quantize={quantize!r}: must be one of {', '.join(QUANTIZATIONS)}")
    sides = (None, None) if size is None else tuple(whole_number("size", side, 1) for side in size)
    if len(sides) != 2:
        raise ValueError(f"size={listed(sides)}: must be a height and a width")
    module = tf.Module(name="lite")
    module.paint = _traced(network, sides, style)
    converter = tf.lite.TFLiteConverter.from_concrete_functions(
        [module.paint.get_concrete_function()], module
    )
    if quantize != "none":
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
    if quantize == "float16":
        converter.target_spec.supported_types = [tf.float16]
    return converter.convert()


def _traced(network: tf.keras.Model, size: tuple[int | None, int | None], style: Sequence[float] | None):
    """Returns the network as a function of `image` and, unless that is given, `style`."""
    layers = {layer.name: _stand_in(layer, whole=None in size) for layer in network.layers}
    inputs = [tf.TensorSpec([1, *size, 3], tf.float32, "image")]

    def paint(image, style):
        made = networks.connect(layers, image, style, lambda layer, *of: layer(*of), relu=tf.nn.relu)
        return {"picture": made}

    if style is None:
        inputs.append(tf.TensorSpec([1, network.input["style"].shape[-1]], tf.float32, "style"))
        return tf.function(paint, input_signature=inputs, autograph=False)
    given = np.float32([style])
    return tf.function(lambda image: paint(image, given), input_signature=inputs, autograph=False)


def _stand_in(layer: tf.keras.layers.Layer, whole: bool) -> Callable:
    """Returns what does the same as a layer, its parameters at their present values.

    Args:
      layer: of a network.
      whole: whether sides are those that it works at.
    """
    if whole and isinstance(layer, ReflectedUp | CutToSize):
        return lambda activation, like=None: activation
    if isinstance(layer, ReflectedConv2D):
        kernel, margin, stride = layer.kernel.numpy(), layer.kernel_size[0] // 2, layer.strides[0]
        bias = layer.bias.numpy() if layer.use_bias else np.zeros(layer.filters, np.float32)
        return lambda activation: (
            tf.nn.conv2d(padded(activation, margin, "REFLECT"), kernel, stride, "VALID") + bias
        )
    if isinstance(layer, DoublingConv2D):
        kernel = folded(layer.kernel).numpy()
        return lambda activation: doubled_convolution(activation, kernel)
    if isinstance(layer, ConditionalInstanceNormalization):
        scale, shift = layer.scale.numpy(), layer.shift.numpy()

        def normalise(activation, style):
            own = tf.matmul(style, scale), tf.matmul(style, shift)
            return normalised(activation, *instance_moments(activation), *own, layer.epsilon)

        return normalise
    return layer
