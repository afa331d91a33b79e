"""How steady painted clips are, and whether that was bought with blur."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field

import numpy as np
from PIL import Image

from tfstyle.io import charts, sheets
from tfstyle.io.pixels import in_unit_range
from tfstyle.video import flow, scenes
from tfstyle.video.clips import Clip
from tfstyle.video.extra import imported
from tfstyle.video.steadiness import difference

LONG = 8  # frames apart, for the long-term error
_SHOWN, _CELL = 6, 240  # frames of a filmstrip, and their longer side in pixels
TITLES = {"short": "warping error", "long": f"{LONG} frames apart", "sharpness": "sharpness"}


@dataclass
class Steadiness:
    """What a painted clip was found to be.

    Attributes:
      short: warping error (see `steadiness.difference`) of each frame and the next; None at a cut.
      long: the same of frames `LONG` apart.
      sharpness: variance of the Laplacian of each frame's luma; what is blurred has less.
      shown: frames at even distances, `[H, W, 3]` uint8.
    """

    short: list[float | None] = field(default_factory=list)
    long: list[float | None] = field(default_factory=list)
    sharpness: list[float] = field(default_factory=list)
    shown: list[np.ndarray] = field(default_factory=list)

    def to_dict(self) -> dict:
        """Returns means and series, as JSON types."""
        series = {name: values for name, values in asdict(self).items() if name != "shown"}
        return {"means": self.means(), **series}

    def means(self) -> dict[str, float | None]:
        """Returns the mean of each measure; None where there is no value."""
        return {name: _mean(getattr(self, name)) for name in ("short", "long", "sharpness")}


def judge(clip: Clip, results: Mapping[str, Clip]) -> dict[str, Steadiness]:
    """Judges clips that were painted from another one, frame by frame, in memory that does not grow.

    Args:
      clip: what they were painted from.
      results: {name: a painted clip, of the same size or, by a border, larger}.

    Returns:
      What each was found to be, of as many frames as all have.

    Raises:
      ValueError: a result is smaller than the clip.
    """
    height, width = clip.size
    for name, result in results.items():
        if result.size[0] < height or result.size[1] < width:
            raise ValueError(
                f"results: {name} is of {result.size[1]} x {result.size[0]} pixels, and the clip of {width} x"
                f" {height}"
            )
    found = {name: Steadiness() for name in results}
    count = min(each.count or 1 for each in (clip, *results.values()))
    wanted = {round(number * (count - 1) / (_SHOWN - 1)) for number in range(_SHOWN)}
    kept: deque = deque(maxlen=LONG + 1)
    together = zip(clip.frames(), *(result.frames() for result in results.values()))
    for index, (frame, *painted) in enumerate(together):
        pictures = [each.pixels[:height, :width] for each in painted]
        kept.append((frame.pixels, [in_unit_range(each) for each in pictures]))
        for apart, errors in ((1, "short"), (LONG, "long")):
            if len(kept) <= apart:
                continue
            before, before_painted = kept[-1 - apart]
            values = _errors(before, frame.pixels, before_painted, kept[-1][1])
            for own, value in zip(found.values(), values):
                getattr(own, errors).append(value)
        for own, pixels in zip(found.values(), pictures):
            own.sharpness.append(_sharpness(pixels))
            if index in wanted:
                own.shown.append(pixels)
    return found


def draw_filmstrip(found: Mapping[str, Steadiness]) -> Image.Image:
    """Draws some frames of each clip, with its figures, and below all how the warping error goes."""
    rows = []
    for name, own in found.items():
        panels = [sheets.Panel(sheets.fitted(Image.fromarray(pixels), _CELL)) for pixels in own.shown]
        figures = [
            (TITLES[key], f"{value:.3g}", False) for key, value in own.means().items() if value is not None
        ]
        panels[0] = panels[0]._replace(below=[(name, "", False), *figures])
        rows.append(sheets.row(panels, _CELL))
    for key in ("short", "long"):
        series = {name: getattr(own, key) for name, own in found.items()}
        if any(series.values()):
            rows.append(charts.line_chart(series, TITLES[key], (rows[0].width, _CELL)))
    return sheets.stacked(rows)


def _errors(earlier, later, painted, painted_later) -> list[float | None]:
    """Returns the warping error of each result; None where the earlier frame is not in the later one."""
    small, small_later = flow.small(earlier), flow.small(later)
    along = flow.between(small, small_later)
    if scenes.change(small, small_later, along).is_cut or not along.trusted.any():
        return [None] * len(painted)
    along = along.resized(earlier.shape[:2])
    return [difference(along, one, other) for one, other in zip(painted, painted_later)]


def _sharpness(pixels: np.ndarray) -> float:
    cv2 = imported("cv2")
    return float(cv2.Laplacian(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY), cv2.CV_32F).var() / 255**2)


def _mean(values: list[float | None]) -> float | None:
    there = [value for value in values if value is not None]
    return float(np.mean(there)) if there else None
