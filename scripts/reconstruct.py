"""`tfstyle reconstruct`, from a checkout."""

from checkout import main

main("reconstruct")
