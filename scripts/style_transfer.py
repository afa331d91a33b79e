"""`tfstyle transfer`, from a checkout."""

from checkout import main

main("transfer")
