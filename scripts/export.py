"""`tfstyle export`, from a checkout."""

from checkout import main

main("export")
