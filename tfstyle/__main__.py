"""``python -m tfstyle COMMAND``: the same as ``tfstyle COMMAND``."""

from tfstyle.cli import main

main()
