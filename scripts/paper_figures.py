"""`tfstyle figures`, from a checkout."""

from checkout import main

main("figures")
