"""Lengths of time as people write them."""

from __future__ import annotations

import re

_UNITS = {"s": 1, "m": 60, "h": 3600}
_DURATION = re.compile(r"([0-9]*\.?[0-9]+)([smh])")


def seconds_of(text: str) -> float | None:
    """Returns the seconds of a duration such as ``30s``, ``15m`` or ``1.5h``; None where it is none."""
    parts = _DURATION.fullmatch(text.strip())
    return float(parts[1]) * _UNITS[parts[2]] if parts else None


def interval(every: str | int, argument: str = "checkpoint_every") -> tuple[float, int]:
    """Returns seconds or steps, and 0 for the other, of a duration or a number of steps.

    Raises:
      ValueError: it is neither; the message begins with the argument.
    """
    text = str(every).strip()
    seconds = seconds_of(text)
    if seconds:
        return seconds, 0
    if text.isdecimal() and int(text) > 0:
        return 0.0, int(text)
    raise ValueError(
        f"{argument}={every!r}: must be a duration such as 30s or 10m, or a number of steps such as 100"
    )
