"""Judging finished pictures against the content and style they were made from.

distances.py   how far a picture is from both in the network's eyes: relative errors, the common objective
similarity.py  what the pixels alone keep of the content: structure, edges
artifacts.py   what belongs to neither: a frame at the border, seams of tiles
scores.py      all scores of several pictures
report.py      these as Markdown, the best of each column marked, and as one labelled picture
"""

from tfstyle.evaluation.report import draw_sheet, markdown_page, markdown_table
from tfstyle.evaluation.scores import Evaluation, Scores, evaluate

__all__ = ["Evaluation", "Scores", "draw_sheet", "evaluate", "markdown_page", "markdown_table"]
