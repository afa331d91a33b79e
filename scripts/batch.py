"""`tfstyle batch`, from a checkout."""

from checkout import main

main("batch")
