"""An evaluation as one picture: content and style above, the results with their key figures below."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import tensorflow as tf
from PIL import Image, ImageDraw, ImageFont

from tfstyle.config.options import numbered
from tfstyle.evaluation.scores import Evaluation, Scores
from tfstyle.evaluation.table import key_columns
from tfstyle.io import images

_GAP = 16
_INK, _FAINT_INK, _BEST_INK, _PAPER = (32, 32, 32), (110, 110, 110), (0, 120, 50), (255, 255, 255)
_TITLE, _LABEL = 20, 16  # sizes of type in pixels
_LINE = 1.4  # height of a line of type, in sizes of it
_COLUMNS = 4  # at most so many results side by side
LEAST_CELL = 200  # in which the figures find room, in pixels


@dataclass(frozen=True)
class _Panel:
    """A picture, what it is called, and figures as (name, value, is it the best)."""

    picture: Image.Image
    name: str
    figures: Sequence[tuple[str, str, bool]] = ()


def draw_sheet(evaluation: Evaluation, cell: int = 320) -> Image.Image:
    """Draws what was judged, with the key figures; those of a best result are green.

    Args:
      evaluation: what to show.
      cell: longer side of a picture on the sheet in pixels, 200 or above.

    Returns:
      An RGB picture.

    Raises:
      ValueError: the cell is too small for the figures.
    """
    if cell < LEAST_CELL:
        raise ValueError(f"cell={cell}: must be at least {LEAST_CELL} pixels")
    shown = key_columns(evaluation)
    best = [column.best(evaluation) for column in shown]

    def figures(scores: Scores, name: str | None):
        return [
            (column.title, column.text(scores), name in names)
            for column, names in zip(shown, best)
            if column.text(scores) != "-"
        ]

    sources = [_Panel(_fitted(evaluation.content, cell), "content", figures(evaluation.reference, None))]
    sources += [
        _Panel(_fitted(style, cell), numbered("style", index))
        for index, style in enumerate(evaluation.styles)
    ]
    results = [
        _Panel(_fitted(picture, cell), name, figures(evaluation.scores[name], name))
        for name, picture in evaluation.results.items()
    ]
    columns = min(_COLUMNS, max(len(results), len(sources)))
    rows = [
        panels[start : start + columns]
        for panels in (sources, results)
        for start in range(0, len(panels), columns)
    ]
    width = max(LEAST_CELL, *(panel.picture.width for panel in (*sources, *results)))
    strips = [_strip(row, columns, width) for row in rows]
    sheet = Image.new("RGB", (strips[0].width, _GAP + sum(strip.height for strip in strips)), _PAPER)
    top = _GAP
    for strip in strips:
        sheet.paste(strip, (0, top))
        top += strip.height
    return sheet


def _strip(panels: Sequence[_Panel], columns: int, width: int) -> Image.Image:
    """Draws panels side by side, standing on one line, each with its figures below."""
    label, bold = ImageFont.load_default(_LABEL), ImageFont.load_default(_TITLE)
    line, title = round(_LINE * _LABEL), round(_LINE * _TITLE)
    height = max(panel.picture.height for panel in panels)
    lines = max(len(panel.figures) for panel in panels)
    strip = Image.new(
        "RGB", (_GAP + columns * (width + _GAP), height + title + lines * line + 2 * _GAP), _PAPER
    )
    draw = ImageDraw.Draw(strip)
    for column, panel in enumerate(panels):
        left = _GAP + column * (width + _GAP)
        strip.paste(panel.picture, (left, height - panel.picture.height))
        top = height + _GAP // 4
        draw.text((left, top), _shortened(panel.name, bold, width), _INK, bold)
        top += title
        for name, value, best in panel.figures:
            draw.text((left, top), name, _FAINT_INK, label)
            right = left + width - round(label.getlength(value))
            draw.text((right, top), value, _BEST_INK if best else _INK, label)
            if best:  # not by colour alone
                draw.line((right, top + line - 2, left + width, top + line - 2), _BEST_INK, 2)
            top += line
    return strip


def _shortened(text: str, font, width: int) -> str:
    """Returns a text that fits, cut at its beginning: the ends of paths tell them apart."""
    if font.getlength(text) <= width:
        return text
    while text and font.getlength(f"...{text}") > width:
        text = text[1:]
    return f"...{text}"


def _fitted(picture: tf.Tensor, longer_side: int) -> Image.Image:
    image = Image.fromarray(images.to_uint8(picture))
    height, width = images.fitted_size(image.height, image.width, longer_side)
    return image.resize((width, height), Image.Resampling.LANCZOS)
