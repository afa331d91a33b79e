"""`tfstyle compare`, from a checkout."""

from checkout import main

main("compare")
