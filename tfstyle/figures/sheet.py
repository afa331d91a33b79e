"""A figure as one picture: inputs, panels, and labels that cover neither."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from PIL import Image

from tfstyle.figures.panels import Figure
from tfstyle.figures.render import Rendered
from tfstyle.io import sheets
from tfstyle.io.sheets import GAP, Panel


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
    # A caption that is longer than its panel is wide moves the next panel away.
    texts = [text for panel in figure.panels for text in (panel.caption, panel.column)]
    width = max(*(picture.width for picture in pictures), *map(sheets.width_of, texts))
    margin = max(sheets.width_of(panel.row) for panel in figure.panels)
    margin = margin + 2 * GAP if margin else GAP
    rows = []
    if inputs:
        small = {label: sheets.fitted(picture, cell // 2) for label, picture in inputs.items()}
        widest = max(picture.width for picture in small.values())
        of_inputs = [Panel(picture, below=[(label, "", False)]) for label, picture in small.items()]
        rows.append(sheets.row(of_inputs, widest))
    for start in range(0, len(pictures), figure.columns):
        line = [
            Panel(
                picture, "" if start else panel.column, [(panel.caption, "", False)] if panel.caption else []
            )
            for picture, panel in zip(pictures[start:], figure.panels[start : start + figure.columns])
        ]
        rows.append(sheets.row(line, width, figure.panels[start].row, margin))
    return sheets.stacked(rows, figure.title)


def panel_picture(entry: Rendered, longer_side: int) -> Image.Image:
    """Returns what a panel shows, at a size."""
    with Image.open(entry.path) as file:
        picture = file.convert("RGB")
    if entry.panel.magnified:
        width, height = picture.size
        part = (width // 3, height // 3, width - width // 3, height - height // 3)
        return sheets.fitted(picture.crop(part), longer_side, Image.Resampling.NEAREST)
    return sheets.fitted(picture, longer_side)
