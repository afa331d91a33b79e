"""A photograph in the shipped styles, or in that of any picture, small and at once, on onnxruntime."""

from __future__ import annotations

import functools
import pathlib
import threading
from collections.abc import Callable

import numpy as np
from PIL import Image

from tfstyle.feedforward import cards
from tfstyle.feedforward.onnx_network import LightPainter, embedded, light_file
from tfstyle.feedforward.sizes import in_stroke_size
from tfstyle.feedforward.style_mixing import weights_of
from tfstyle.io import decode, encode
from tfstyle.io.pixels import fitted
from tfstyle.studio.store import Missing, Store

SIZES = {"thumbnail": 256, "large": 1024}  # longer sides in pixels
OWN = {"swirls": cards.PHOTOGRAPH.with_name("swirls.jpg")}  # paintings that come with tfstyle
_QUALITY = {"thumbnail": 82, "large": 93}


class InstantStyles:
    """The two networks that come with tfstyle: of sixteen styles, and of any.

    Args:
      store: where photographs are, and painted ones are kept.

    Attributes:
      names: of the sixteen, which the network has learned; their paintings are not here.

    Raises:
      OSError, ValueError: the network is not there, or not whole.
    """

    def __init__(self, store: Store):
        self._store, self._folder = store, cards.shipped()
        self.names = cards.style_names(cards.read_card(self._folder))
        self._lock = threading.Lock()  # one picture at a time has all processors

    def shown(self, style: str) -> pathlib.Path:
        """Returns a picture that shows a style: of one of `names`, what its network makes of a harbour.

        Raises:
          Missing: there is no such style.
        """
        if style in self.names:
            return self._folder / "styles" / f"{self.names.index(style) + 1}_{style}.jpg"
        return self.painting(style)

    def painting(self, style: str) -> pathlib.Path:
        """Returns the file of a painting whose style can be taken: `OWN`, or the id of a picture.

        Raises:
          Missing: there is no such painting.
          ValueError: it is one of `names`.
        """
        if style in self.names:
            raise ValueError(
                f"style={style!r}: was learned by a network; its painting is not here, so add a picture of it"
            )
        return OWN[style] if style in OWN else self._store.path(style)

    def painted(self, identity: str, style: str, size: str) -> pathlib.Path:
        """Returns the file of a photograph in a style, which is painted unless it was before.

        Args:
          identity: of the photograph.
          style: as in `shown`.
          size: one of `SIZES`; a smaller photograph keeps its own.

        Raises:
          Missing: there is no such photograph, style or size.
        """
        source, style_file = self._store.path(identity), self.shown(style)
        if size not in SIZES:
            raise Missing(f"size={size[:80]!r}: must be one of {', '.join(SIZES)}")
        made = self._store.small(identity, f"{style}.{size}")
        with self._lock:
            if not made.exists():
                pixels, _ = decode.decode(
                    self._store.small(identity) if size == "thumbnail" else source, "content"
                )
                pixels = fitted(pixels, min(SIZES[size], max(pixels.shape[:2])))[np.newaxis]
                if style in self.names:
                    paint, weights = _painter(cards.STYLES), weights_of(style, self.names)
                else:
                    paint, weights = _painter(cards.ANY_STYLE), _embedding(style_file)
                picture = Image.fromarray(encode.to_uint8(paint(pixels, weights)))
                encode.write_drawing(made, picture, quality=_QUALITY[size])
        return made


@functools.cache
def _painter(name: str) -> Callable[..., np.ndarray]:
    """Returns what paints with a shipped network."""
    folder = cards.shipped(name)
    card = cards.read_card(folder, cards.KINDS)
    painter = LightPainter(_file(name, "onnx"), cards.first_filters(card), _refuse)
    return in_stroke_size(painter, cards.stroke_size(card))


def _embedding(style: pathlib.Path) -> list[float]:
    """Returns the style of a picture, as the network for any style takes it."""
    card = cards.read_card(cards.shipped(cards.ANY_STYLE), cards.KINDS)
    return embedded(_file(cards.ANY_STYLE, "style_onnx"), cards.style_picture(style, card))


def _file(name: str, key: str) -> pathlib.Path:
    folder = cards.shipped(name)
    file = light_file(folder, cards.read_card(folder, cards.KINDS), key)
    if file is None:
        raise FileNotFoundError(f"{str(folder)!r}: has no network for the processor ({key})")
    return file


def _refuse(pictures: np.ndarray, *_) -> np.ndarray:
    height, width = pictures.shape[1:3]
    raise ValueError(f"content: {width} x {height} pixels: there is not memory enough to paint them at once")
