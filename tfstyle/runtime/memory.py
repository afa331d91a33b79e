"""What memory there is, whether it suffices, and what is said if it does not."""

from __future__ import annotations

import pathlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass

_PAGE = 4096
_GPUS = "nvidia[0-9]*", "kfd", "dxg"  # under /dev: NVIDIA's, AMD's, and Windows' under Linux
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


def shows_gpu() -> bool | None:
    """Returns whether the system shows a GPU, without asking TensorFlow; None where it does not tell."""
    if not pathlib.Path("/proc/meminfo").exists():
        return None
    return any(any(pathlib.Path("/dev").glob(name)) for name in _GPUS)


@dataclass(frozen=True)
class Room:
    """Memory of this process, in bytes.

    Attributes:
      resident: what it has.
      free: what it may still take.
      most: what it may come to.
    """

    resident: int
    free: int
    most: float

    @classmethod
    def now(cls, memory_limit: float = 0.0, *, on_gpu: bool | None = None) -> Room:
        """Returns what is there, or what a limit in GB allows.

        Args:
          memory_limit: in GB; 0: none.
          on_gpu: whether it is for work on a GPU, of whose memory the system says nothing: without a
            limit, `most` then is infinite. None: if TensorFlow knows of one.
        """
        if on_gpu is None:
            import tensorflow as tf  # here, for whoever does without it

            on_gpu = bool(tf.config.list_physical_devices("GPU"))
        resident, free = resident_bytes(), free_bytes()
        most = float("inf") if on_gpu else resident + free
        return cls(resident, free, int(memory_limit * 1e9) or most)


def require(asked: str, peak: float, most: float, remedies: Iterable[str], *, limited: bool = True) -> None:
    """Checks that a process may come to so many bytes.

    Args:
      asked: what needs them, as options.
      peak, most: bytes that are needed, and that there are.
      remedies: options, with each of which it would fit.
      limited: whether there is an option `memory_limit`.

    Raises:
      ValueError: it may not; the message says what would fit.
    """
    if peak > most:
        limit = "; memory_limit=GB says otherwise how much may be used" if limited else ""
        raise ValueError(
            f"{asked}: needs {peak / 1e9:.2f} GB of memory, and {most / 1e9:.2f} GB are there;"
            f" {advice(remedies)}{limit}"
        )


def require_side(
    asked: str, peak: Callable[[int], float], side: int, longest: int, most: float, option: str
) -> None:
    """Checks what grows with a picture's longer side, and names the largest that would fit.

    Args:
      asked, most: as in `require`, also for errors.
      peak: from a longer side in pixels to bytes; from 0 for a picture as it is.
      side: that is asked for.
      longest: that the picture has then.
      option: what would fit, with a place for the side.
    """

    def remedies():
        if largest := largest_that(lambda side: peak(side) <= most, longest - 1):
            yield option.format(largest)

    require(asked, peak(side), most, remedies(), limited=False)


def advice(remedies: Iterable[str]) -> str:
    """Returns in words which options would fit."""
    if found := " or ".join(remedies):
        return f"what would fit: {found}"
    return "nothing smaller would fit; end other programs or take a larger machine"


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
