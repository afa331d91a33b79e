"""What looks after a long run: where its state is kept, and what may end it early."""

from __future__ import annotations

import datetime
import time
from collections.abc import Callable
from dataclasses import dataclass

from tfstyle.config.options import seconds_of

# Asked between steps: why the run is to end there, or '' to go on.
Stop = Callable[[], str]

CHECKPOINT_EVERY = "30s"
_CLOCK = ("%H:%M", "%H:%M:%S")


def never() -> str:
    """Lets a run go on to its end."""
    return ""


@dataclass(frozen=True)
class Supervision:
    """How a run is looked after.

    Attributes:
      checkpoint_dir: folder to save its state in and to go on from; None: nowhere.
      checkpoint_every: how often: a duration such as ``30s``, ``10m`` or ``1h``, or a number of steps.
      stop: asked between steps.
    """

    checkpoint_dir: object = None
    checkpoint_every: str | int = CHECKPOINT_EVERY
    stop: Stop = never


UNSUPERVISED = Supervision()


def deadline(when: str, *, now: Callable[[], datetime.datetime] = datetime.datetime.now) -> Stop:
    """Returns what stops a run at a time.

    Args:
      when: how long from now, such as ``90s``, ``15m`` or ``2h``; or a time of the day, such as
        ``18:30``, today or, if that has passed, tomorrow; or a date and time of ISO 8601.
      now: gives the local time; tests pass their own.

    Raises:
      ValueError: it is none of these, or has passed.
    """
    began = now()
    seconds = seconds_of(when)
    if seconds is None:
        end = _time_of(when, began)
        seconds = (end - began).total_seconds()
    if seconds <= 0:
        raise ValueError(f"deadline={when!r}: has passed")
    at = time.monotonic() + seconds  # not moved by changes of the clock
    return lambda: f"the deadline {when}" if time.monotonic() >= at else ""


def first_of(*stops: Stop) -> Stop:
    """Returns what ends a run as soon as one of these does."""
    return lambda: next(filter(None, (stop() for stop in stops)), "")


def _time_of(text: str, now: datetime.datetime) -> datetime.datetime:
    for form in _CLOCK:
        try:
            clock = datetime.datetime.strptime(text, form).time()
        except ValueError:
            continue
        end = datetime.datetime.combine(now.date(), clock)
        return end if end > now else end + datetime.timedelta(days=1)
    try:
        end = datetime.datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(
            f"deadline={text!r}: must be a duration such as 90s, 15m or 2h, or a time such as 18:30"
        ) from None
    return end if end.tzinfo is None else end.astimezone().replace(tzinfo=None)
