"""What a run tells while it goes: one record, to any number of reporters.

progress.py     the record `Progress`, and what a `Reporter` is
console.py      a line with bar, speed, time left and losses
snapshots.py    the picture as a file
sheets.py       labelled pictures as one
tensorboard.py  scalars, pictures, settings and a profile for TensorBoard

The loop makes a `Progress` before the first step, between compiled chunks and
after the last step, and hands it with the picture to each `Reporter`.
"""

from tfstyle.reporting.console import ConsoleReporter
from tfstyle.reporting.progress import Progress, Reporter
from tfstyle.reporting.snapshots import SnapshotReporter
from tfstyle.reporting.tensorboard import ProfileReporter, TensorBoardReporter

__all__ = [
    "ConsoleReporter",
    "ProfileReporter",
    "Progress",
    "Reporter",
    "SnapshotReporter",
    "TensorBoardReporter",
]
