"""`tfstyle weights`, from a checkout."""

from checkout import main

main("weights")
