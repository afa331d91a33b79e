"""A figure as one picture: inputs, panels, and labels that cover neither."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from PIL import Image, ImageDraw, ImageFont

from tfstyle.figures.panels import Figure
from tfstyle.figures.render import Rendered

_GAP = 12
_INK, _PAPER = (32, 32, 32), (255, 255, 255)
_TITLE, _LABEL = 22, 16  # sizes of type in pixels
_LINE = 1.5  # height of a line of type, in sizes of it


def draw_sheet(
    figure: Figure, rendered: Sequence[Rendered], inputs: Mapping[str, Image.Image], cell: int = 320
) -> Image.Image:
    """Draws all panels of a figure with their labels.

    Args:
      figure: whose panels they are.
      rendered: one for each panel, in its order.
      inputs: {label: picture} of what the panels were made from; shown above, smaller.
      cell: the longer side of a panel on the sheet, in pixels.

    Returns:
      An RGB picture.
    """
    pictures = [panel_picture(entry, cell) for entry in rendered]
    columns = figure.columns
    rows = [pictures[start : start + columns] for start in range(0, len(pictures), columns)]
    panels = [figure.panels[start : start + columns] for start in range(0, len(pictures), columns)]
    font, bold = ImageFont.load_default(_LABEL), ImageFont.load_default(_TITLE)
    sources = {label: _fitted(picture, cell // 2) for label, picture in inputs.items()}

    margin = max((font.getlength(line[0].row) for line in panels), default=0)
    margin = _GAP + round(margin) + (_GAP if margin else 0)
    width = max(picture.width for picture in pictures)
    # A caption that is longer than its panel is wide moves the next panel away.
    width = max(
        width, *(round(font.getlength(text)) for p in figure.panels for text in (p.caption, p.column))
    )
    line, title = round(_LINE * _LABEL), round(_LINE * _TITLE)
    head = _GAP + title + (max(p.height for p in sources.values()) + line + _GAP if sources else 0)
    header = line if any(panel.column for panel in figure.panels) else 0
    footer = line if any(panel.caption for panel in figure.panels) else 0
    heights = [max(picture.height for picture in row) for row in rows]

    total_width = max(margin + columns * (width + _GAP), round(bold.getlength(figure.title)) + 2 * _GAP)
    total_width = max(total_width, _GAP + sum(picture.width + _GAP for picture in sources.values()))
    sheet = Image.new(
        "RGB", (total_width, head + header + sum(heights) + len(rows) * (footer + _GAP)), _PAPER
    )
    draw = ImageDraw.Draw(sheet)
    draw.text((_GAP, _GAP), figure.title, _INK, bold)
    left = _GAP
    for label, picture in sources.items():
        sheet.paste(picture, (left, _GAP + title))
        draw.text((left, _GAP + title + picture.height + 2), label, _INK, font)
        left += picture.width + _GAP
    for column, panel in enumerate(panels[0] if header else ()):
        draw.text((margin + column * (width + _GAP), head), panel.column, _INK, font)
    top = head + header
    for row, line_panels, height in zip(rows, panels, heights):
        draw.text((_GAP, top + height // 2 - _LABEL // 2), line_panels[0].row, _INK, font)
        for column, (picture, panel) in enumerate(zip(row, line_panels)):
            left = margin + column * (width + _GAP)
            sheet.paste(picture, (left, top))
            draw.text((left, top + height + 2), panel.caption, _INK, font)
        top += height + footer + _GAP
    return sheet


def panel_picture(entry: Rendered, longer_side: int) -> Image.Image:
    """Returns what a panel shows, at a size."""
    with Image.open(entry.path) as file:
        picture = file.convert("RGB")
    if entry.panel.magnified:
        width, height = picture.size
        part = (width // 3, height // 3, width - width // 3, height - height // 3)
        return _fitted(picture.crop(part), longer_side, Image.Resampling.NEAREST)
    return _fitted(picture, longer_side)


def _fitted(
    picture: Image.Image, longer_side: int, filter_: Image.Resampling = Image.Resampling.LANCZOS
) -> Image.Image:
    scale = longer_side / max(picture.size)
    return picture.resize(tuple(max(1, round(side * scale)) for side in picture.size), filter_)
