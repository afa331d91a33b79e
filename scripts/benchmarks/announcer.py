"""What is running, and how long it will take, on standard error."""

import sys
import time


class Announcer:
    """Says what begins, and from what is done how long the rest will take.

    Args:
      total: number of things to be announced.
    """

    def __init__(self, total: int):
        self._total, self._done = total, 0
        self._began = time.monotonic()

    def begin(self, what: str) -> None:
        """Announces the next thing; the one before is done."""
        left = ""
        if self._done:
            seconds = (time.monotonic() - self._began) / self._done * (self._total - self._done)
            left = f"; about {_span(seconds)} left"
        self._done += 1
        print(f"[{self._done}/{self._total}] {what}{left}", file=sys.stderr, flush=True)


def _span(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
