"""How much of the machine other programs took meanwhile: times are worth little where it is much.

PyTorch suffers most, as its OpenMP threads wait for one another at every
layer, so that company would flatter tfstyle.
"""

import os
import pathlib
import resource

_STAT = pathlib.Path("/proc/stat")
_IDLE = (3, 4)  # of /proc/stat's columns: idle, and waiting for a disk
_GUESTS = 8  # from here on columns repeat what others hold

_MUCH = 0.05  # of the processor


def warnings(share: float) -> list[str]:
    """Returns what to say of a share, nothing if it is small."""
    if share <= _MUCH:
        return []
    return [
        f"Other programs took up to {share:.0%} of the processor during a run: these times are not to be"
        " trusted, PyTorch's least of all. Run it on an idle machine."
    ]


class Company:
    """Measures from when it was made."""

    def __init__(self):
        self._began = self._now()

    def share(self) -> float | None:
        """Returns the part of all cores' time that other programs took, 0 to 1; None if it cannot be told."""
        if self._began is None:
            return None
        total, busy, own = (now - then for now, then in zip(self._now(), self._began))
        return min(1.0, max(0.0, busy - own) / max(total, 1e-9))

    @staticmethod
    def _now() -> tuple[float, float, float] | None:
        """Returns seconds, of all cores: in all, busy, and busy with this process and those it waited for."""
        if not _STAT.exists():
            return None
        ticks = [int(value) for value in _STAT.read_text().splitlines()[0].split()[1:]][:_GUESTS]
        second = os.sysconf("SC_CLK_TCK")
        idle = sum(ticks[column] for column in _IDLE)
        usages = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
        own = sum(usage.ru_utime + usage.ru_stime for usage in usages)
        return sum(ticks) / second, (sum(ticks) - idle) / second, own
