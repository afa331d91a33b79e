"""`tfstyle convert`, from a checkout."""

from checkout import main

main("convert")
