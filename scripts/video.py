"""`tfstyle video`, from a checkout."""

from checkout import main

main("video")
