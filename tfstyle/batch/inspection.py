"""Whether a picture is still to be made, what size it has, and its pixels."""

from __future__ import annotations

import dataclasses
import hashlib
import io
import pathlib
import warnings
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from PIL import Image

from tfstyle.batch.manifest import Ledger
from tfstyle.batch.orders import Content, Failure, Order, Outcome, Style, attempt, told
from tfstyle.io import store
from tfstyle.io.formats import formats, upright_size

_LARGEST = 1 << 31  # bytes of a file that is read whole


@dataclass(frozen=True)
class Wanted:
    """A content that is to be made in some styles.

    Attributes:
      content: it, with its bytes where they were read.
      sha256: of its bytes.
      styles: numbers of the order's styles.
    """

    content: Content
    sha256: str
    styles: tuple[int, ...]

    def without_data(self) -> Wanted:
        """Returns it without the bytes."""
        return dataclasses.replace(self, content=dataclasses.replace(self.content, data=None))


class Looker:
    """Finds out what is still to be made, without a look at pixels.

    Args:
      order: what to make.
    """

    def __init__(self, order: Order):
        self._order, self._ledger = order, Ledger(order)

    def look(self, content: Content) -> tuple[Wanted | None, list[Outcome]]:
        """Returns the content in those styles that are to be made, if any, and what became of the others."""
        data, sha256 = content.data, None
        if data is None and not content.problem:
            data = attempt(lambda: store.read(content.path, _LARGEST), self._order.retries)
        if isinstance(data, bytes):
            sha256 = hashlib.sha256(data).hexdigest()
        failure = data if isinstance(data, Failure) else content.problem and Failure(content.problem)
        wanted, outcomes = [], []
        for number, style in enumerate(self._order.styles):
            output = self._order.output_of(content.name, style)
            if sha256 and not content.problem and self._ledger.is_finished(content, sha256, style):
                outcomes.append(Outcome("finished", output))
            elif not self._order.retry_failures and self._ledger.has_failed(content, sha256, style):
                outcomes.append(Outcome("failed before", output))
            elif failure:
                outcomes.append(self.fail(content, sha256, style, failure))
            else:
                wanted.append(number)
        if not wanted:
            return None, outcomes
        return Wanted(dataclasses.replace(content, data=data), sha256, tuple(wanted)), outcomes

    def fail(self, content: Content, sha256: str | None, style: Style, failure: Failure) -> Outcome:
        """Records a dead letter."""
        output = self._ledger.write_failed(content, sha256, style, failure)
        return Outcome("failed", output, told(content.source, failure.reason))


def header_size(data: bytes) -> tuple[int, int]:
    """Returns a picture's height and width, upright, as its header has them; (0, 0) where it has none."""
    try:
        with (
            warnings.catch_warnings(action="ignore"),
            Image.open(io.BytesIO(data), formats=formats()) as picture,
        ):
            return upright_size(picture)
    except Exception:  # whatever is wrong with it, loading it will say
        return 0, 0


def fitted_pixels(
    wanted: Wanted, longer_side: int, require_fit: Callable[[tuple[int, int]], None] = lambda size: None
) -> np.ndarray:
    """Returns a content as `transfer` would have it: `[H, W, 3|4]` float32 in [0, 1].

    Args:
      wanted: the content.
      longer_side: of the result; 0: its own.
      require_fit: told the height and width before anything is decoded; raises `ValueError` where
        it does not fit into memory.

    Raises:
      ValueError: it is no picture, or is damaged, or does not fit.
      OSError: it cannot be read, or is not what it was.
    """
    from tfstyle.io import decode, images

    content = wanted.content
    data = store.read(content.path, _LARGEST) if content.data is None else content.data
    if hashlib.sha256(data).hexdigest() != wanted.sha256:
        raise OSError(f"{content.source}: has changed since this run first read it")
    if min(size := header_size(data)):
        require_fit(size)
    with store.temporary_file(data) as path:
        picture = decode.open_picture(pathlib.Path(path), content.source)
    image, alpha = images.load_with_alpha(picture, content.source)
    size = images.fitted_size(*image.shape[1:3], longer_side)
    pixels = images.resize(image, size)[0].numpy()
    return pixels if alpha is None else _with_opacity(pixels, images.resize(alpha, size)[0].numpy())


def _with_opacity(pixels: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    """Returns `[H, W, 4]` that, laid on white, has these colours; what cannot be seen is black."""
    colors = (pixels + alpha - 1) / np.maximum(alpha, 1e-6)
    return np.concatenate([np.clip(colors, 0, 1), alpha], axis=-1).astype(np.float32)
