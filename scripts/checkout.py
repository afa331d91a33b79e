"""Has the scripts find the tfstyle of this checkout, which need not be installed."""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

from tfstyle.cli import main as main
