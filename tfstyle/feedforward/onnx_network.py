"""ONNX files of networks in use, by onnxruntime and free of TensorFlow."""

from __future__ import annotations

import pathlib

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


class OnnxNetwork:
    """A file of `export.onnx_file`, ready to paint on the processor.

    Args:
      path: the file.
      threads: how many it may use; None: one a processor.

    Attributes:
      has_style: whether calls bring the weights of styles.

    Raises:
      ValueError: it is no such file.
      OSError: it cannot be read.
    """

    def __init__(self, path, threads: int | None = None):
        import onnxruntime

        named = f"onnx={str(path)!r}"
        content, options = content_of(path, named), onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads or 0
        options.log_severity_level = 4  # what goes wrong is raised
        options.enable_mem_pattern = False  # by it, a picture takes two thirds more memory, and no less time
        try:
            self._session = onnxruntime.InferenceSession(content, options, ["CPUExecutionProvider"])
            inputs = {each.name: each.shape for each in self._session.get_inputs()}
            if len(inputs["image"]) != 4 or inputs.keys() - {"image", "style"}:
                raise ValueError("its inputs are others")
        except Exception as error:  # onnxruntime's have no class in common
            reason = " ".join(str(error).split())
            raise ValueError(f"{named}: holds no network of tfstyle convert ({reason:.200})") from None
        self.has_style = "style" in inputs

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
