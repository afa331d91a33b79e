"""Labelled pictures as one: rows of them, with lines of type above and below that cover none."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from PIL import Image, ImageDraw, ImageFont

GAP = 14
_INK, _FAINT, _MARKED, _PAPER = (32, 32, 32), (110, 110, 110), (0, 120, 50), (255, 255, 255)
_TITLE, _TYPE, _LINE = 22, 16, 22  # sizes of type, and the height of a line, in pixels


class Panel(NamedTuple):
    """A picture, a label above it, and lines below: a text, a value at the right, and whether to mark it."""

    picture: Image.Image
    above: str = ""
    below: Sequence[tuple[str, str, bool]] = ()


def fitted(
    picture: Image.Image, longer_side: int, filter_: Image.Resampling = Image.Resampling.LANCZOS
) -> Image.Image:
    """Returns a picture with that longer side."""
    scale = longer_side / max(picture.size)
    return picture.resize(tuple(max(1, round(side * scale)) for side in picture.size), filter_)


def width_of(text: str, size: int = _TYPE) -> int:
    """Returns the width of a text in pixels."""
    return round(ImageFont.load_default(size).getlength(text))


def row(panels: Sequence[Panel], width: int, side: str = "", margin: int = GAP) -> Image.Image:
    """Draws panels side by side, their pictures standing on one line.

    Args:
      panels: one or more.
      width: of a column; longer texts are cut at their beginning, as the ends of paths tell them apart.
      side: label to the left of all, in the margin.
      margin: its width.
    """
    font = ImageFont.load_default(_TYPE)
    ground = max(panel.picture.height for panel in panels) + _LINE * any(panel.above for panel in panels)
    lines = max(len(panel.below) for panel in panels)
    size = margin + len(panels) * (width + GAP), ground + lines * _LINE + GAP
    strip = Image.new("RGB", size, _PAPER)
    draw = ImageDraw.Draw(strip)
    draw.text((GAP, (ground - _TYPE) // 2), side, _INK, font)
    for number, (picture, above, below) in enumerate(panels):
        left, top = margin + number * (width + GAP), ground - picture.height
        strip.paste(picture, (left, top))
        draw.text((left, top - _LINE), _shortened(above, width), _INK, font)
        for index, (text, value, marked) in enumerate(below):
            top = ground + 3 + index * _LINE
            right = left + width - width_of(value)
            draw.text((left, top), _shortened(text, width), _FAINT if value else _INK, font)
            draw.text((right, top), value, _MARKED if marked else _INK, font)
            if marked:  # not by colour alone
                draw.line((right, top + _LINE - 3, left + width, top + _LINE - 3), _MARKED, 2)
    return strip


def stacked(rows: Sequence[Image.Image], title: str = "") -> Image.Image:
    """Puts rows below one another, and a title above them."""
    top = GAP + (_TITLE + GAP if title else 0)
    width = max(width_of(title, _TITLE) + 2 * GAP, *(strip.width for strip in rows))
    sheet = Image.new("RGB", (width, top + sum(strip.height for strip in rows)), _PAPER)
    ImageDraw.Draw(sheet).text((GAP, GAP), title, _INK, ImageFont.load_default(_TITLE))
    for strip in rows:
        sheet.paste(strip, (0, top))
        top += strip.height
    return sheet


def _shortened(text: str, width: int) -> str:
    whole = text
    while text and width_of(text if text == whole else f"...{text}") > width:
        text = text[1:]
    return text if text == whole else f"...{text}"
