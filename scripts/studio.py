"""`tfstyle studio`, from a checkout."""

from checkout import main

main("studio")
