"""ONNX files of networks in use, by onnxruntime and free of TensorFlow."""

from __future__ import annotations

import pathlib
from collections.abc import Container

import numpy as np

from tfstyle.feedforward.sizes import enlarged
from tfstyle.io.files import require_file

_LARGEST = 1 << 28  # bytes of a file


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


def opened(path, inputs: Container[str], threads: int | None = None):
    """Returns an onnxruntime session of a network's file, for the processor.

    Args:
      path: the file.
      inputs: names that the network's inputs may have; `image`, `[1, H, W, 3]`, is one of them.
      threads: how many it may use; None: one a processor.

    Raises:
      ValueError: it is no such file.
      OSError: it cannot be read.
    """
    import onnxruntime

    named = f"onnx={str(path)!r}"
    content, options = content_of(path, named), onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads or 0
    options.log_severity_level = 4  # what goes wrong is raised
    options.enable_mem_pattern = False  # by it, a picture takes two thirds more memory, and no less time
    try:
        session = onnxruntime.InferenceSession(content, options, ["CPUExecutionProvider"])
        found = {each.name: each.shape for each in session.get_inputs()}
        if len(found["image"]) != 4 or any(name not in inputs for name in found):
            raise ValueError("its inputs are others")
    except Exception as error:  # onnxruntime's have no class in common
        reason = " ".join(str(error).split())
        raise ValueError(f"{named}: holds no network of tfstyle ({reason:.200})") from None
    return session


class OnnxNetwork:
    """A file of `export.onnx_file.to_onnx`, ready to paint on the processor.

    Args:
      path, threads: as in `opened`, also for errors.

    Attributes:
      has_style: whether calls bring the weights of styles.
    """

    def __init__(self, path, threads: int | None = None):
        self._session = opened(path, ("image", "style"), threads)
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
      ValueError, OSError: as `opened`.
    """
    picture = enlarged(np.asarray(style, np.float32), 1)
    return opened(path, ("image",)).run(["embedding"], {"image": picture})[0][0].tolist()
