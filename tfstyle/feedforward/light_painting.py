"""Networks in use without TensorFlow, which takes longer to start than to paint a picture."""

from __future__ import annotations

import pathlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from tfstyle.feedforward.onnx_network import OnnxNetwork
from tfstyle.feedforward.stroke_size import Paint
from tfstyle.feedforward.style_mixing import blended, require_strength
from tfstyle.io.files import sha256
from tfstyle.runtime.memory_model import PAINTED_LIGHT, PROCESS, most_whole_pixels, painting_bytes

# In a network's folder; its card has their hashes under `onnx` and `style_onnx`.
FILE, STYLE_FILE = "network.onnx", "style.onnx"
_FILES = {"onnx": FILE, "style_onnx": STYLE_FILE}


def light_file(folder, card: Mapping[str, Any], key: str = "onnx") -> pathlib.Path | None:
    """Returns an ONNX file of a network, if it has it.

    Args:
      folder: of the network.
      card: the folder's.
      key: of the file's hash in the card: ``onnx``, or ``style_onnx`` for the style predictor.

    Raises:
      ValueError: the file is another than the card speaks of.
      OSError: it cannot be read.
    """
    path = pathlib.Path(folder, _FILES[key])
    if key not in card or not path.is_file():
        return None
    if sha256(path) != card[key]:
        raise ValueError(
            f"model={str(folder)!r}: {path.name} is not the one that its card speaks of; remove it"
        )
    return path


class LightPainter:
    """A network on onnxruntime and the processor; pictures are `painting.Painter`'s, to less than 1/255.

    Args:
      path: the network's ONNX file.
      filters: of the network's first layer.
      in_strips: paints pictures that would take too much memory as a whole, with TensorFlow.
    """

    def __init__(self, path, filters: int, in_strips: Paint):
        self._network, self._in_strips = OnnxNetwork(path), in_strips
        self._filters, self._whole = filters, most_whole_pixels(filters, PAINTED_LIGHT)

    def __call__(self, pictures: np.ndarray, weights: Sequence[float], strength: float = 1.0) -> np.ndarray:
        """Paints pictures; arguments, result and errors are those of `painting.Painter`."""
        require_strength(strength)
        pictures = np.asarray(pictures, np.float32)
        if pictures.shape[1] * pictures.shape[2] > self._whole:
            return self._in_strips(pictures, weights, strength)
        made = [self._network.paint(picture[np.newaxis], [weights]) for picture in pictures]
        return blended(np.concatenate(made), pictures, strength)

    def needed_bytes(self, pixels: float) -> float:
        """Returns what a picture of so many pixels takes, beside itself."""
        tensorflow = PROCESS if pixels > self._whole else 0
        return tensorflow + painting_bytes(pixels, self._filters, self._whole, PAINTED_LIGHT)
