"""Networks as files for other runtimes, LiteRT and onnxruntime, and how near to the network those are."""

from __future__ import annotations

import pathlib
from collections.abc import Iterable

import numpy as np
import tensorflow as tf

from tfstyle.export.lite import LiteNetwork, to_lite
from tfstyle.export.onnx_file import to_onnx
from tfstyle.feedforward.cards import style_names
from tfstyle.feedforward.loading import load_network
from tfstyle.feedforward.networks import in_precision, layout
from tfstyle.feedforward.onnx_network import OnnxNetwork
from tfstyle.feedforward.style_mixing import Mixture, weights_of
from tfstyle.io.files import make_folder, require_writable_folder, write_atomically

# {suffix: what opens such a file}.
RUNTIMES = {".tflite": LiteNetwork, ".onnx": OnnxNetwork}


def convert(
    network,
    output,
    *,
    size: tuple[int, int] | None = None,
    style: Mixture | None = None,
    quantize: str = "none",
) -> pathlib.Path:
    """Writes a network as a LiteRT file or an ONNX file; see `lite.to_lite` and `onnx_file.to_onnx`.

    Args:
      network: from `transformation_network`, or a folder of `export_network`.
      output: file to write, .tflite or .onnx.
      size, quantize: as in `to_lite`; for .tflite only.
      style: one of the network's styles, or their shares (see `style_mixing`; of a
        folder, names are known), which then are part of the file: it has no
        input of that name. None: each call brings weights.

    Returns:
      The file's path.

    Raises:
      ValueError: an argument is not what it should be, or the folder holds no network.
      OSError: the file cannot be written.
    """
    path = require_convertible(output)
    if path.suffix == ".onnx":
        for name, given, usual in (("size", size, None), ("quantize", quantize, "none")):
            if given != usual:
                raise ValueError(
                    f"{name}={given!r}: is for .tflite; an ONNX file takes all sizes, in float16"
                )
    network, names = in_float32(network)
    weights = None if style is None else weights_of(style, names)
    if path.suffix == ".onnx":
        content = to_onnx(network, style=weights)
    else:
        content = to_lite(network, size=size, style=weights, quantize=quantize)
    write_atomically(path, content)
    return path


def check(
    file: LiteNetwork | OnnxNetwork, network, pictures: Iterable[tf.Tensor], style: Mixture | None = None
) -> float:
    """Compares a file with the network that it was made from.

    Args:
      file: what was opened.
      network: as in `convert`; it is run in float32.
      pictures: `[1, H, W, 3]` in [0, 1] each, of sizes that the file takes.
      style: as in `convert`. None: each style is tried, and the mean of all.

    Returns:
      The largest error of a value, in steps of 8 bits: 1 is 1/255.

    Raises:
      ValueError: the file has its style in it and none is given, or the other way round.
    """
    network, names = in_float32(network)
    if file.has_style == (style is not None):
        raise ValueError("style: must be given if it is a part of the file, and only then")
    alike = [1.0] * len(names)
    tried = [*range(len(names)), alike] if style is None else [style]
    largest = 0.0
    for picture in map(tf.convert_to_tensor, pictures):
        for weights in (tf.constant([weights_of(each, names)]) for each in tried):
            expected = network({"image": picture, "style": weights}).numpy()
            for _ in range(2):  # a runtime that keeps something of a call would show it in the next
                made = file.paint(picture, weights if file.has_style else None)
                largest = max(largest, float(np.abs(made - expected).max()))
    return 255 * largest


def require_convertible(output) -> pathlib.Path:
    """Returns the path of a file for another runtime, once it is known that it can be written there.

    Raises:
      ValueError: the suffix is another.
      OSError: it is a folder, or cannot be written.
    """
    path, named = pathlib.Path(output), f"output={str(output)!r}"
    if path.suffix not in RUNTIMES:
        raise ValueError(f"{named}: must end in {' or '.join(RUNTIMES)}")
    if path.is_dir():
        raise IsADirectoryError(f"{named}: is a folder; name a file")
    require_writable_folder(make_folder(path.absolute().parent, "output"), named)
    return path


def in_float32(network) -> tuple[tf.keras.Model, list[str]]:
    """Returns a network, given or read from a folder, and the names of its styles."""
    if not isinstance(network, tf.keras.Model):
        network, card = load_network(network, dtype="float32")
        return network, style_names(card)
    names = style_names({"styles_known": layout(network)["styles"]})
    return in_precision(network, "float32"), names
