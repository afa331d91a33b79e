"""Scores as a Markdown table, the best of each column in bold; and, with the pictures, as one picture."""

from __future__ import annotations

import functools
import operator
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from PIL import Image

from tfstyle.config.layer_names import paper_name
from tfstyle.config.options import numbered
from tfstyle.evaluation.scores import Evaluation, Scores
from tfstyle.io import encode, sheets
from tfstyle.io.sheets import Panel

_NONE = "-"
_COLUMNS = 4  # of a sheet: at most so many results side by side
LEAST_CELL = 200  # in which a sheet's figures find room, in pixels


@dataclass(frozen=True)
class Column:
    """One score of all pictures.

    Attributes:
      title: its heading.
      value: `(scores) -> number`, None where there is none.
      worse: `(number) -> number`, the larger the worse; None where no value is better than another.
      legend: what it is, in a sentence.
    """

    title: str
    value: Callable[[Scores], float | None]
    worse: Callable[[float], float] | None
    legend: str = ""

    def text(self, scores: Scores) -> str:
        """Returns the value as readers see it: three digits."""
        value = self.value(scores)
        if value is None:
            return _NONE
        if isinstance(value, int):
            return str(value)
        return f"{value:,.0f}" if 1000 <= abs(value) < 1e6 else f"{value:.3g}"

    def best(self, evaluation: Evaluation) -> set[str]:
        """Returns the names of the best of several results; those that read the same are equally good."""
        if self.worse is None:
            return set()
        shown = {name: self.text(scores) for name, scores in evaluation.scores.items()}
        ranks = {
            name: self.worse(float(text.replace(",", ""))) for name, text in shown.items() if text != _NONE
        }
        if len(ranks) < 2:
            return set()
        return {name for name, rank in ranks.items() if rank == min(ranks.values())}


_LOWER, _HIGHER, _NEAR_ONE = float, operator.neg, functools.partial(max, 1.0)  # what is better
# Title, field of `Scores`, what is better, and legend.
_KEY_COLUMNS = (
    ("content error", "content_error", _LOWER,
     "squared deviation of the activations from the content's, as a share of theirs; 0 is the content"),
    ("style error", "style_error", _LOWER,
     "squared deviation of the Gram matrices from the style's, as a share of theirs, mean of the layers"
     " (their own columns follow); 0 is the style"),
    ("SSIM", "ssim", _HIGHER,
     "structural similarity to the content (Wang et al. 2004), in luminance; 1 is the content"),
    ("edges", "edges", _HIGHER,
     "agreement with the directions of the content's strong edges; 1 is the content, 0 is chance"),
    ("border", "border", _NEAR_ONE,
     "how much lines along the border stand out, over the content's; about 1 is no frame"),
    ("seams", "seams", _NEAR_ONE,
     "how much the lines between tiles stand out; up to about 1.3 is no seam, - is one tile only"),
    ("objective", "objective", _LOWER,
     "content and style as Gatys' published code weighs them, whatever the picture was made with"),
    ("evaluations", "evaluations", None, "evaluations it took, if known"),
)  # fmt: skip


def key_columns(evaluation: Evaluation) -> list[Column]:
    """Returns the columns that say the most about these pictures."""
    known = any(scores.evaluations is not None for scores in evaluation.scores.values())
    return [
        Column(title, operator.attrgetter(field), worse, legend)
        for title, field, worse, legend in _KEY_COLUMNS
        if known or field != "evaluations"
    ]


def columns(evaluation: Evaluation) -> list[Column]:
    """Returns all columns: the key ones, and each style layer's error after their mean."""
    first, style, *others = key_columns(evaluation)
    layers = [
        Column(f"style {paper_name(layer)}", lambda scores, layer=layer: scores.style_errors[layer], _LOWER)
        for layer in evaluation.reference.style_errors
    ]
    return [first, style, *layers, *others]


def markdown_table(evaluation: Evaluation) -> str:
    """Returns the table of an evaluation; its last row is the content itself, to compare with.

    The best value of each column is bold where there are several results.
    """
    shown = columns(evaluation)
    best = [column.best(evaluation) for column in shown]
    rows = [["result", *(column.title for column in shown)]]
    for name, scores in evaluation.scores.items():
        texts = [column.text(scores) for column in shown]
        cells = [f"**{text}**" if name in names else text for text, names in zip(texts, best)]
        rows.append([name.replace("|", "\\|"), *cells])
    rows.append(["*the content itself*", *(column.text(evaluation.reference) for column in shown)])
    return _markdown(rows)


def markdown_page(evaluation: Evaluation, about: str) -> str:
    """Returns the table as a page of its own.

    Args:
      evaluation: what to show.
      about: a line on what was judged, and with what.
    """
    legend = [f"- {column.title}: {column.legend}." for column in key_columns(evaluation)]
    return "\n".join(["# Evaluation", "", about, "", markdown_table(evaluation), "", *legend, ""])


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
            if scores and column.text(scores) != _NONE
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


def _markdown(rows: Sequence[Sequence[str]]) -> str:
    """Returns a table, columns padded so that it reads as plain text, too."""
    widths = [max(map(len, column)) for column in zip(*rows)]
    lines = ["| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths)) + " |" for row in rows]
    return "\n".join([lines[0], "|" + "|".join("-" * (width + 2) for width in widths) + "|", *lines[1:]])
