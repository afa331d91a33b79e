"""`tfstyle train`, from a checkout."""

from checkout import main

main("train")
