"""Progress in a notebook: the picture as it grows, and a line of text."""

from __future__ import annotations

import base64
import html
import time
from collections.abc import Callable
from typing import Any

import tensorflow as tf

from tfstyle.io import encode
from tfstyle.reporting.console import line_of
from tfstyle.reporting.progress import Pace, Progress

_QUALITY = 85  # of the JPEG pictures that are shown on the way


class NotebookReporter:
    """Shows a run in the cell of a notebook: its picture, how far it is, and the time left.

    It is HTML that takes its own place; no widgets are needed. The last one stays in the file.

    Args:
      width: of the picture on the page, in pixels of the page.
      every_seconds: least time between two pictures.
      show: takes HTML, and gives what takes the place of it by a method ``update``; by default, IPython's
        display.
      clock: returns seconds; tests pass their own.

    Raises:
      ImportError: there is no IPython, and `show` is not given.
    """

    def __init__(
        self,
        width: int = 400,
        every_seconds: float = 1.0,
        show: Callable[[str], Any] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ):
        self._width, self._every_seconds, self._clock = width, every_seconds, clock
        self._show = _ipython() if show is None else show
        self._pace, self._shown, self._last = Pace(), None, -float("inf")
        self._notes: list[str] = []

    def report(self, progress: Progress, image: tf.Tensor) -> None:
        """Shows a record and the first of its pictures, where it is time to, the last one, or has a note."""
        line, now = line_of(progress, self._pace), self._clock()
        self._notes += [progress.note] * bool(progress.note)
        done = progress.step >= progress.total_steps
        if not done and not progress.note and now - self._last < self._every_seconds:
            return
        self._last = now
        lines = [*"\n".join(self._notes).splitlines(), line]
        page = self._page(lines, encode.encoded(image[:1], "JPEG", quality=_QUALITY))
        if self._shown is None:
            self._shown = self._show(page)
        else:
            self._shown.update(page)

    def _page(self, lines: list[str], jpeg: bytes) -> str:
        source = "data:image/jpeg;base64," + base64.b64encode(jpeg).decode()
        text = "<br>".join(f"<code>{html.escape(line)}</code>" for line in lines)
        return f'<img src="{source}" width="{self._width}" alt=""><br>{text}'


def _ipython() -> Callable[[str], Any]:
    try:
        from IPython import display
    except ImportError:
        raise ImportError("NotebookReporter: needs IPython, which every notebook has") from None

    class Place:
        """A place on the page."""

        def __init__(self, page: str):
            self._handle = display.display(display.HTML(page), display_id=True)

        def update(self, page: str) -> None:
            self._handle.update(display.HTML(page))

    return Place
