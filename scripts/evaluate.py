"""`tfstyle evaluate`, from a checkout."""

from checkout import main

main("evaluate")
