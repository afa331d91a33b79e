"""Networks in use by onnxruntime, without TensorFlow, which takes longer to start than to paint a picture."""

from __future__ import annotations

import pathlib
from collections.abc import Container, Mapping, Sequence
from typing import Any

import numpy as np

from tfstyle.feedforward.sizes import Paint, enlarged
from tfstyle.io.files import reason, require_file, sha256
from tfstyle.runtime.memory_model import PAINTED_LIGHT, PROCESS, most_whole_pixels, painting_bytes

# In a network's folder; its card has their hashes under `onnx` and `style_onnx`.
FILE, STYLE_FILE = "network.onnx", "style.onnx"
FILES = {"onnx": FILE, "style_onnx": STYLE_FILE}
_LARGEST = 1 << 28  # bytes of a file


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
    path = pathlib.Path(folder, FILES[key])
    if key not in card or not path.is_file():
        return None
    if sha256(path) != card[key]:
        raise ValueError(
            f"model={str(folder)!r}: {path.name} is not the one that its card speaks of; remove it"
        )
    return path


def content_of(path, named: str) -> bytes:
    """Returns the contents of a network's file; errors begin with `named`.

    Raises:
      ValueError: it is larger than any such file.
      OSError: it cannot be read.
    """
    require_file(pathlib.Path(path), named)
    if pathlib.Path(path).stat().st_size > _LARGEST:
        raise ValueError(f"{named}: has more than {_LARGEST} bytes, which no network of this kind has")
    return pathlib.Path(path).read_bytes()


def _opened(path, inputs: Container[str]):
    """Returns an onnxruntime session of a network's file, for the processor.

    Args:
      path: the file.
      inputs: names that the network's inputs may have; `image`, `[1, H, W, 3]`, is one of them.

    Raises:
      ValueError: it is no such file.
      OSError: it cannot be read.
    """
    import onnxruntime

    named = f"onnx={str(path)!r}"
    content, options = content_of(path, named), onnxruntime.SessionOptions()
    options.log_severity_level = 4  # what goes wrong is raised
    options.enable_mem_pattern = False  # by it, a picture takes two thirds more memory, and no less time
    try:
        session = onnxruntime.InferenceSession(content, options, ["CPUExecutionProvider"])
        found = {each.name: each.shape for each in session.get_inputs()}
        if len(found["image"]) != 4 or any(name not in inputs for name in found):
            raise ValueError("its inputs are others")
    except Exception as error:  # onnxruntime's have no class in common
        raise ValueError(f"{named}: holds no network of tfstyle ({reason(error):.200})") from None
    return session


class OnnxNetwork:
    """A file of `export.onnx_file.to_onnx`, ready to paint on the processor.

    Args:
      path: the file.

    Attributes:
      has_style: whether calls bring the weights of styles.

    Raises:
      ValueError: it is no such file.
      OSError: it cannot be read.
    """

    def __init__(self, path):
        self._session = _opened(path, ("image", "style"))
        self.has_style = len(self._session.get_inputs()) == 2

    def paint(self, image, style=None) -> np.ndarray:
        """Paints a picture.

        Args:
          image: `[1, H, W, 3]` in [0, 1], of any size.
          style: `[1, S]` weights; None where the file has its style in it.

        Returns:
          `[1, H, W, 3]` float32 in [0, 1].
        """
        image = np.asarray(image, np.float32)
        height, width = image.shape[1:3]
        inputs = {"image": enlarged(image)}
        if style is not None:
            inputs["style"] = np.asarray(style, np.float32)
        return self._session.run(["picture"], inputs)[0][:, :height, :width]


def embedded(path, style) -> list[float]:
    """Returns the embedding of a style picture by a file of `export.onnx_file.predictor_to_onnx`.

    Args:
      path: the file.
      style: `[1, H, W, 3]` in [0, 1], of any size.

    Raises:
      ValueError, OSError: as `OnnxNetwork`.
    """
    picture = enlarged(np.asarray(style, np.float32), 1)
    return _opened(path, ("image",)).run(["embedding"], {"image": picture})[0][0].tolist()


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

    def __call__(self, pictures: np.ndarray, weights: Sequence[float]) -> np.ndarray:
        """Paints pictures; arguments and result are those of `painting.Painter`."""
        if pictures.shape[1] * pictures.shape[2] > self._whole:
            return self._in_strips(pictures, weights)
        return np.concatenate([self._network.paint(each[np.newaxis], [weights]) for each in pictures])

    def needed_bytes(self, pixels: float) -> float:
        """Returns what a picture of so many pixels takes, beside itself."""
        tensorflow = PROCESS if pixels > self._whole else 0
        return tensorflow + painting_bytes(pixels, self._filters, self._whole, PAINTED_LIGHT)
