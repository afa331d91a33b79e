"""`tfstyle studio`, from a checkout that need not be installed."""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

from tfstyle.cli import main

main("studio")
