"""`tfstyle stylize`, from a checkout."""

from checkout import main

main("stylize")
