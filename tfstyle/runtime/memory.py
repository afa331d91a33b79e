"""What memory the system says there is: that of this process, and what it may still take."""

from __future__ import annotations

import pathlib
from collections.abc import Callable

import tensorflow as tf

_PAGE = 4096
_GROUP = pathlib.Path("/sys/fs/cgroup")
# Where the system does not tell: a common size.
_USUAL = 8 << 30


def resident_bytes() -> int:
    """Returns the memory that this process has now; 0 where the system does not tell."""
    try:
        pages = int(pathlib.Path("/proc/self/statm").read_text().split()[1])
    except (OSError, ValueError, IndexError):
        return 0
    return _PAGE * pages


def free_bytes() -> int:
    """Returns the memory that processes may still take, by the system and by this one's control group."""
    return max(0, min(_by_system(), _by_group()))


def most_bytes(memory_limit: float, resident: int, free: int) -> float:
    """Returns what this process may come to.

    Args:
      memory_limit: as in `TransferConfig`, in GB; 0: what there is, which is infinite
        where there is a GPU, of which the system's memory says nothing.
      resident: bytes that it has.
      free: bytes that it may still take.
    """
    if memory_limit:
        return int(memory_limit * 1e9)
    return float("inf") if tf.config.list_physical_devices("GPU") else resident + free


def largest_that(fits: Callable[[int], bool], most: int) -> int:
    """Returns the largest number up to `most` that fits, where all below one that fits do; or else 0."""
    least = 0
    while least < most:
        middle = (least + most + 1) // 2
        if fits(middle):
            least = middle
        else:
            most = middle - 1
    return least


def _by_system() -> int:
    try:
        lines = pathlib.Path("/proc/meminfo").read_text().splitlines()
        (line,) = (line for line in lines if line.startswith("MemAvailable"))
        return 1024 * int(line.split()[1])
    except (OSError, ValueError):
        return _USUAL


def _by_group() -> float:
    """Returns what is left of a control group's limit; infinite without one of version 2."""
    try:
        maximum, current, stat = (
            (_GROUP / f"memory.{name}").read_text() for name in ("max", "current", "stat")
        )
        if maximum.strip() == "max":
            return float("inf")
        # Copies of files count as the group's, but give way.
        counts = dict(line.split() for line in stat.splitlines())
        files = sum(int(counts.get(name, 0)) for name in ("active_file", "inactive_file"))
        return int(maximum) - int(current) + files
    except (OSError, ValueError):
        return float("inf")
