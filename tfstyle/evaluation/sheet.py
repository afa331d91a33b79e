"""An evaluation as one picture: content and style above, the results with their key figures below."""

from __future__ import annotations

from PIL import Image

from tfstyle.config.options import numbered
from tfstyle.evaluation.scores import Evaluation, Scores
from tfstyle.evaluation.table import key_columns
from tfstyle.io import encode, sheets
from tfstyle.io.sheets import Panel

_COLUMNS = 4  # at most so many results side by side
LEAST_CELL = 200  # in which the figures find room, in pixels


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
    shown = [(column, column.best(evaluation)) for column in key_columns(evaluation)]

    def panel(picture, name: str, scores: Scores | None = None) -> Panel:
        figures = [
            (column.title, column.text(scores), name in best)
            for column, best in shown
            if scores and column.text(scores) != "-"
        ]
        fitted = sheets.fitted(Image.fromarray(encode.to_uint8(picture)), cell)
        return Panel(fitted, below=[(name, "", False), *figures])

    sources = [panel(evaluation.content, "content", evaluation.reference)]
    sources += [panel(style, numbered("style", index)) for index, style in enumerate(evaluation.styles)]
    results = [panel(picture, name, evaluation.scores[name]) for name, picture in evaluation.results.items()]
    columns = min(_COLUMNS, max(len(results), len(sources)))
    width = max(LEAST_CELL, *(each.picture.width for each in (*sources, *results)))
    return sheets.stacked(
        [
            sheets.row(panels[start : start + columns], width)
            for panels in (sources, results)
            for start in range(0, len(panels), columns)
        ]
    )
