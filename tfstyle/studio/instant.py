"""A photograph in each of the shipped styles, small and at once, on onnxruntime."""

from __future__ import annotations

import pathlib
import threading

import numpy as np
from PIL import Image

from tfstyle.feedforward import cards, shipped
from tfstyle.feedforward.light_painting import LightPainter, light_file
from tfstyle.feedforward.stroke_size import in_stroke_size
from tfstyle.io import decode, encode
from tfstyle.io.pixels import fitted
from tfstyle.studio.store import Store

SIZES = {"thumbnail": 256, "large": 1024}  # longer sides in pixels
_QUALITY = {"thumbnail": 82, "large": 93}


class InstantStyles:
    """The styles of the network that comes with tfstyle.

    Args:
      store: where photographs are, and painted ones are kept.

    Attributes:
      names: of the styles.

    Raises:
      OSError, ValueError: the network is not there, or not whole.
    """

    def __init__(self, store: Store):
        self._store, self._folder = store, shipped.folder()
        self._card = cards.read_card(self._folder)
        self.names = cards.style_names(self._card)
        self._paint = None
        self._lock = threading.Lock()  # one picture at a time has all processors

    def picture(self, name: str) -> pathlib.Path:
        """Returns the file of a style's own picture.

        Raises:
          LookupError: there is no such style.
        """
        if name not in self.names:
            raise LookupError(f"style={name[:80]!r}: must be one of {', '.join(self.names)}")
        return self._folder / "styles" / f"{self.names.index(name) + 1}_{name}.jpg"

    def painted(self, identity: str, name: str, size: str) -> pathlib.Path:
        """Returns the file of a photograph in a style, which is painted unless it was before.

        Args:
          identity: of the photograph.
          name: of the style.
          size: one of `SIZES`; a smaller photograph keeps its own.

        Raises:
          LookupError: there is no such photograph, style or size.
        """
        self.picture(name)
        if size not in SIZES:
            raise LookupError(f"size={size[:80]!r}: must be one of {', '.join(SIZES)}")
        source = self._store.path(identity)
        made = self._store.small(identity, f"{name}.{size}")
        with self._lock:
            if not made.exists():
                source = self._store.small(identity) if size == "thumbnail" else source
                pixels, _ = decode.decode(source, "content")
                pixels = fitted(pixels, min(SIZES[size], max(pixels.shape[:2])))
                weights = [float(each == name) for each in self.names]
                painted = encode.to_uint8(self._painter()(pixels[np.newaxis], weights, 1.0))
                encode.write_drawing(made, Image.fromarray(painted), quality=_QUALITY[size])
        return made

    def _painter(self):
        if self._paint is None:
            file = light_file(self._folder, self._card)
            if file is None:
                raise FileNotFoundError(f"{str(self._folder)!r}: has no network for the processor")
            painter = LightPainter(file, cards.first_filters(self._card), _refuse)
            self._paint = in_stroke_size(painter, cards.stroke_size(self._card))
        return self._paint


def _refuse(pictures: np.ndarray, *_) -> np.ndarray:
    height, width = pictures.shape[1:3]
    raise ValueError(f"content: {width} x {height} pixels: there is not memory enough to paint them at once")
