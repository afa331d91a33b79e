"""Judging finished pictures against the content and style they were made from.

distances.py   how far a picture is from both in the network's eyes: relative errors, the common objective
similarity.py  what the pixels alone keep of the content: structure, edges
artifacts.py   what belongs to neither: a frame at the border, seams of tiles
scores.py      all scores of several pictures
table.py       as Markdown, the best of each column marked
sheet.py       as one labelled picture
"""

from tfstyle.evaluation.scores import Evaluation, Scores, evaluate
from tfstyle.evaluation.sheet import draw_sheet
from tfstyle.evaluation.table import markdown_page, markdown_table

__all__ = ["Evaluation", "Scores", "draw_sheet", "evaluate", "markdown_page", "markdown_table"]
