"""What a run tells while it goes: one record, to any number of reporters.

books.py        what a run keeps: time, notes, records, and the state to go on from
progress.py     the record `Progress`, what a `Reporter` is, and the one that writes each picture as a file
console.py      a line with bar, speed, time left and losses
notebook.py     the picture as it grows, and that line, in a notebook
tensorboard.py  scalars, pictures, settings and a profile for TensorBoard

A loop has `Books` make a `Progress` before the first step, between compiled chunks
and after the last step, and hand it with the picture to each `Reporter`.
"""

from tfstyle.reporting.books import Books
from tfstyle.reporting.console import ConsoleReporter
from tfstyle.reporting.notebook import NotebookReporter
from tfstyle.reporting.progress import Progress, Reporter, SnapshotReporter
from tfstyle.reporting.tensorboard import ProfileReporter, TensorBoardReporter

__all__ = [
    "Books",
    "ConsoleReporter",
    "NotebookReporter",
    "ProfileReporter",
    "Progress",
    "Reporter",
    "SnapshotReporter",
    "TensorBoardReporter",
]
