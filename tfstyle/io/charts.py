"""Series of values as a picture of lines."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence

from PIL import Image, ImageDraw, ImageFont

from tfstyle.io.sheets import GAP, width_of

# Colours that also those tell apart who do not see red and green (Okabe & Ito, 2008).
_COLOURS = "#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00", "#555555"
_INK, _GRID, _TYPE, _LINE = "#6e6e6e", "#dddddd", 16, 22
_FINER = 3  # drawn so many times as large, for smooth lines


def line_chart(
    series: Mapping[str, Sequence[float | None]], title: str, size: tuple[int, int]
) -> Image.Image:
    """Draws a line for each series over the numbers of its values, from 0 upwards; None leaves a gap.

    Args:
      series: {name: values}.
      title: above the lines.
      size: (width, height) of the picture in pixels.
    """
    width, height = size
    most = max((value for values in series.values() for value in values if value is not None), default=0) or 1
    count = max(len(values) for values in series.values())
    labels = f"{most:.3g}", "0"
    left, right = 2 * GAP + max(map(width_of, labels)), width - GAP
    top, bottom = GAP + 2 * _LINE, height - GAP - _LINE

    def at(index: int, value: float) -> tuple[float, float]:
        along = index / max(count - 1, 1)
        return left + along * (right - left), bottom - value / most * (bottom - top)

    lines = Image.new("RGB", (_FINER * width, _FINER * height), "white")
    draw = ImageDraw.Draw(lines)
    for value in (0, most / 2, most):
        draw.line(_finer([at(0, value), at(count - 1, value)]), _GRID, _FINER)
    for values, colour in zip(series.values(), itertools.cycle(_COLOURS)):
        for there, run in itertools.groupby(enumerate(values), lambda each: each[1] is not None):
            if there:
                points = [at(*each) for each in run]
                draw.line(_finer(points), colour, 2 * _FINER, joint="curve")
                x, y = _finer(points)[0]
                draw.ellipse((x - _FINER, y - _FINER, x + _FINER, y + _FINER), colour)  # also of one alone
    chart = lines.resize(size, Image.Resampling.LANCZOS)
    draw, font = ImageDraw.Draw(chart), ImageFont.load_default(_TYPE)
    draw.text((GAP, GAP), title, _INK, font)
    for label, value in zip(labels, (most, 0)):
        draw.text((left - GAP // 2 - width_of(label), at(0, value)[1] - _TYPE / 2), label, _INK, font)
    draw.text((left, bottom + 4), "1", _INK, font)
    draw.text((right - width_of(str(count)), bottom + 4), str(count), _INK, font)
    across = GAP + width_of(title) + 3 * GAP
    for name, colour in zip(series, itertools.cycle(_COLOURS)):
        draw.line((across, GAP + _TYPE / 2 + 2, across + 2 * GAP, GAP + _TYPE / 2 + 2), colour, 3)
        draw.text((across + 2.5 * GAP, GAP), name, _INK, font)
        across += round(4 * GAP) + width_of(name)
    return chart


def _finer(points: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    return [(_FINER * x, _FINER * y) for x, y in points]
