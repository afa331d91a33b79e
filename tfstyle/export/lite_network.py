"""LiteRT files of networks in use."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator

import numpy as np

from tfstyle.feedforward.onnx_network import content_of
from tfstyle.feedforward.sizes import enlarged


class LiteNetwork:
    """A file of `lite.to_lite`, ready to paint; needs the package ai-edge-litert.

    Args:
      path: the file.
      threads: how many it may use; None: one a processor.

    Attributes:
      has_style: whether calls bring the weights of styles.
      size: (height, width) of all pictures; None: they may have any.

    Raises:
      ValueError: it is no such file, or the package is not installed.
      OSError: it cannot be read.
    """

    def __init__(self, path, threads: int | None = None):
        named = f"lite={str(path)!r}"
        self._content, self._threads = content_of(path, named), threads or os.cpu_count() or 1
        try:
            inputs = runner(self._content, self._threads).get_input_details()
            _, *sides, _ = inputs["image"]["shape_signature"]
            if len(sides) != 2:
                raise ValueError("its image has another number of axes")
        except (ValueError, KeyError, RuntimeError, TypeError) as error:
            reason = " ".join(str(error).split())
            raise ValueError(f"{named}: holds no network of tfstyle convert ({reason:.200})") from None
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
            painted = runner(self._content, self._threads)(image=image, **inputs)["picture"]
        return painted[:, :height, :width]


def runner(content: bytes, threads: int):
    """Returns what calls the signature of a file of this content; it holds on to its interpreter."""
    try:
        from ai_edge_litert.interpreter import Interpreter
    except ImportError:
        raise ValueError("LiteRT: is not installed; pip install tfstyle[lite]") from None

    return Interpreter(model_content=content, num_threads=threads).get_signature_runner()


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
