"""The paper's figures, and grids of one's own: lists of runs, rendered as one sheet.

panels.py   what each figure consists of: a config a panel
render.py   makes the panels that are missing
sheet.py    all panels as one labelled picture, and as a web page with every panel's settings
"""

from tfstyle.figures.panels import FIGURES, Figure, Panel, figure, grid
from tfstyle.figures.render import Rendered, render
from tfstyle.figures.sheet import draw_sheet, write_page

__all__ = ["FIGURES", "Figure", "Panel", "Rendered", "draw_sheet", "figure", "grid", "render", "write_page"]
