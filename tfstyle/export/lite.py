"""Networks as LiteRT files, for telephones and whatever has no TensorFlow.

The network is traced once more, in float32, from what LiteRT has itself: no op
of a file needs TensorFlow's kernels ("Flex"). Two things are done otherwise
than in `networks`, to the same numbers:

- Parameters are constants. The converter leaves those of a Keras model outside
  of the file, as variables without a value.
- Batches are of one picture.
"""

from __future__ import annotations

import pathlib
from collections.abc import Callable, Iterable

import numpy as np
import tensorflow as tf

from tfstyle.config.options import listed, whole_number
from tfstyle.feedforward import networks
from tfstyle.feedforward.cards import style_names
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
from tfstyle.feedforward.lite_network import LiteNetwork
from tfstyle.feedforward.loading import load_network
from tfstyle.feedforward.style_mixing import Mixture, weights_of
from tfstyle.io.files import make_folder, require_writable_folder, write_atomically

QUANTIZATIONS = ("none", "float16", "dynamic")


def convert(
    network,
    output,
    *,
    size: tuple[int, int] | None = None,
    style: Mixture | None = None,
    quantize: str = "none",
) -> pathlib.Path:
    """Writes a network as a LiteRT file, of built-in ops only.

    Its signature `serving_default` takes `image`, float32 `[1, H, W, 3]` in
    [0, 1], and `style`, float32 `[1, S]` weights that should add up to 1, and
    gives `picture`, `[1, H, W, 3]` in [0, 1]. In a file for all sizes, H and W are
    multiples of 4 from 8 on: sizes that a runtime can tell from the input's let it
    use its fast kernels. `LiteNetwork` takes all, and does as `networks` does.

    Args:
      network: from `transformation_network`, or a folder of `export_network`.
      output: file to write, .tflite.
      size: (height, width) of all pictures. Some accelerators need them in
        advance; None: each call may bring another.
      style: one of the network's styles, or their shares (see `mixtures`; of a
        folder, names are known), which then are part of the file: it has no
        input of that name. None: each call brings weights.
      quantize: how kernels are kept: ``none``, in float32; ``float16``, at half
        the size; ``dynamic``, in 8 bits, at a quarter of it, with activations
        brought to 8 bits in each call, too. The last can be seen; see `check`.

    Returns:
      The file's path.

    Raises:
      ValueError: an argument is not what it should be, or the folder holds no network.
      OSError: the file cannot be written.
    """
    path = require_lite(output)
    write_atomically(path, converted(network, size=size, style=style, quantize=quantize))
    return path


def converted(
    network, *, size: tuple[int, int] | None = None, style: Mixture | None = None, quantize: str = "none"
) -> bytes:
    """Returns the contents of the file that `convert` writes."""
    if quantize not in QUANTIZATIONS:
        raise ValueError(f"quantize={quantize!r}: must be one of {', '.join(QUANTIZATIONS)}")
    sides = (None, None) if size is None else tuple(whole_number("size", side, 1) for side in size)
    if len(sides) != 2:
        raise ValueError(f"size={listed(sides)}: must be a height and a width")
    network, names = _in_float32(network)
    module = tf.Module(name="lite")
    module.paint = _traced(network, sides, None if style is None else weights_of(style, names))
    converter = tf.lite.TFLiteConverter.from_concrete_functions(
        [module.paint.get_concrete_function()], module
    )
    if quantize != "none":
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
    if quantize == "float16":
        converter.target_spec.supported_types = [tf.float16]
    return converter.convert()


def check(lite: LiteNetwork, network, pictures: Iterable[tf.Tensor], style: Mixture | None = None) -> float:
    """Compares a file with the network that it was made from.

    Args:
      lite: the file.
      network: as in `convert`; it is run in float32.
      pictures: `[1, H, W, 3]` in [0, 1] each, of sizes that the file takes.
      style: as in `convert`. None: each style is tried, and the mean of all.

    Returns:
      The largest error of a value, in steps of 8 bits: 1 is 1/255.

    Raises:
      ValueError: the file has its style in it and none is given, or the other way round.
    """
    network, names = _in_float32(network)
    if lite.has_style == (style is not None):
        raise ValueError("style: must be given if it is a part of the file, and only then")
    alike = [1.0] * len(names)
    tried = [*range(len(names)), alike] if style is None else [style]
    largest = 0.0
    for picture in map(tf.convert_to_tensor, pictures):
        for weights in (tf.constant([weights_of(each, names)]) for each in tried):
            expected = network({"image": picture, "style": weights}).numpy()
            for _ in range(2):  # a runtime that keeps something of a call would show it in the next
                made = lite.paint(picture, weights if lite.has_style else None)
                largest = max(largest, float(np.abs(made - expected).max()))
    return 255 * largest


def require_lite(output) -> pathlib.Path:
    """Returns the path of a LiteRT file, once it is known that it can be written there.

    Raises:
      ValueError: the suffix is another.
      OSError: it is a folder, or cannot be written.
    """
    path, named = pathlib.Path(output), f"output={str(output)!r}"
    if path.suffix != ".tflite":
        raise ValueError(f"{named}: must end in .tflite")
    if path.is_dir():
        raise IsADirectoryError(f"{named}: is a folder; name a file")
    require_writable_folder(make_folder(path.absolute().parent, "output"), named)
    return path


def _in_float32(network) -> tuple[tf.keras.Model, list[str]]:
    """Returns a network, given or read from a folder, and the names of its styles."""
    if not isinstance(network, tf.keras.Model):
        network, card = load_network(network, dtype="float32")
        return network, style_names(card)
    layout = networks.layout(network)
    if layout["dtype"] != "float32":
        narrow, network = network, networks.transformation_network(**{**layout, "dtype": "float32"})
        network.set_weights(narrow.get_weights())
    return network, style_names({"styles_known": layout["styles"]})


def _traced(network: tf.keras.Model, size: tuple[int | None, int | None], style: list[float] | None):
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
