"""Networks as LiteRT files, for telephones and whatever has no TensorFlow; and these in use.

The network is traced once more, in float32, from what LiteRT has itself: no op
of a file needs TensorFlow's kernels ("Flex"). Two things are done otherwise
than in `networks`, to the same numbers:

- Parameters are constants. The converter leaves those of a Keras model outside
  of the file, as variables without a value.
- Batches are of one picture.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator, Sequence

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
from tfstyle.feedforward.onnx_network import content_of
from tfstyle.feedforward.sizes import enlarged
from tfstyle.feedforward.style_colors import StyleColors, with_colors
from tfstyle.io.files import reason

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
        return {"picture": networks.connect(layers, image, style, relu=tf.nn.relu)}

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
    if isinstance(layer, StyleColors):
        known = layer.colors.numpy()
        return lambda painted, image, style: with_colors(
            painted, image, *layer.moments(image), tf.matmul(style, known), layer.epsilon
        )
    return layer


class LiteNetwork:
    """A file of `to_lite`, ready to paint; needs the package ai-edge-litert.

    Args:
      path: the file.

    Attributes:
      has_style: whether calls bring the weights of styles.
      size: (height, width) of all pictures; None: they may have any.

    Raises:
      ValueError: it is no such file, or the package is not installed.
      OSError: it cannot be read.
    """

    def __init__(self, path):
        named = f"lite={str(path)!r}"
        self._content = content_of(path, named)
        try:
            inputs = runner(self._content).get_input_details()
            _, *sides, _ = inputs["image"]["shape_signature"]
            if len(sides) != 2:
                raise ValueError("its image has another number of axes")
        except (ValueError, KeyError, RuntimeError, TypeError) as error:
            raise ValueError(f"{named}: holds no network of tfstyle convert ({reason(error):.200})") from None
        self.has_style = "style" in inputs
        self.size = None if -1 in sides else tuple(map(int, sides))

    def paint(self, image, style=None) -> np.ndarray:
        """Paints a picture.

        Args:
          image: `[1, H, W, 3]` in [0, 1].
          style: `[1, S]` weights; None where the file has its style in it.

        Returns:
          `[1, H, W, 3]` float32 in [0, 1].

        Raises:
          ValueError: the image has another size than the file's.
        """
        image = np.asarray(image, np.float32)
        if self.size is not None and image.shape[1:3] != self.size:
            sizes = [f"{width} x {height}" for height, width in (image.shape[1:3], self.size)]
            raise ValueError(f"image: is {sizes[0]} pixels; this file was made for {sizes[1]} only")
        inputs = {} if style is None else {"style": np.asarray(style, np.float32)}
        height, width = image.shape[1:3]
        if self.size is None:
            image = enlarged(image)
        # A new one each time, in milliseconds: of some networks, XNNPACK's second picture of a size is wrong
        # (ai-edge-litert 2.3.0, widths 2 and 3).
        with _silenced():
            painted = runner(self._content)(image=image, **inputs)["picture"]
        return painted[:, :height, :width]


def runner(content: bytes):
    """Returns what calls the signature of a file of this content; it holds on to its interpreter."""
    try:
        from ai_edge_litert.interpreter import Interpreter
    except ImportError:
        raise ValueError("LiteRT: is not installed; pip install tfstyle[lite]") from None

    return Interpreter(model_content=content, num_threads=os.cpu_count() or 1).get_signature_runner()


@contextlib.contextmanager
def _silenced() -> Iterator[None]:
    """Hides what native code writes to standard error: that it has made a delegate; errors are Python's."""
    kept, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)
