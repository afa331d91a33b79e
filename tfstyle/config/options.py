"""Options as dataclass fields: one place for default, help text and choices, and checks of values.

Nothing here imports TensorFlow: commands read their flags from such fields, and
complain about them, at once.
"""

from __future__ import annotations

import dataclasses
import math
import re

_UNITS = {"s": 1, "m": 60, "h": 3600}
_DURATION = re.compile(r"([0-9]*\.?[0-9]+)([smh])")


def option(default, text: str, choices: tuple[str, ...] = ()):
    """Returns a dataclass field that knows its help text and, where they are a few names, its values."""
    return dataclasses.field(default=default, metadata={"help": text, "choices": choices})


def check_choices(options) -> None:
    """Checks every field that has choices.

    Raises:
      ValueError: a value is none of them.
    """
    for field in dataclasses.fields(options):
        known, value = field.metadata["choices"], getattr(options, field.name)
        if known and value not in known:
            raise ValueError(f"{field.name}={value!r}: must be one of {', '.join(known)}")


def to_json(options) -> dict:
    """Returns the fields as JSON types."""
    return {
        name: list(value) if isinstance(value, tuple) else value
        for name, value in dataclasses.asdict(options).items()
    }


def listed(values) -> str:
    """Returns values as a flag would have them."""
    return ",".join(str(value) for value in values)


def numbered(argument: str, index: int) -> str:
    """Returns what the index-th value of an argument that may have several is called: style, style 2, …"""
    return f"{argument} {index + 1}" if index else argument


def number(argument: str, value, least: float) -> float:
    """Returns a value as a finite float.

    Raises:
      ValueError: it is none, or below the least.
    """
    try:
        converted = float(value)
    except (TypeError, ValueError, OverflowError):
        converted = math.nan
    if not (math.isfinite(converted) and converted >= least):
        raise ValueError(f"{argument}={value!s:.80}: must be a finite number, {least:g} or above")
    return converted


def whole_number(argument: str, value, least: int) -> int:
    """Returns a value that is an int of 31 bits: seeds and counts end up in 32-bit tensors.

    Raises:
      ValueError: it is none, or below the least.
    """
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value < 2**31:
        raise ValueError(f"{argument}={value}: must be a whole number, {least} or above")
    return value


def seconds_of(text: str) -> float | None:
    """Returns the seconds of a duration such as ``30s``, ``15m`` or ``1.5h``; None where it is none."""
    parts = _DURATION.fullmatch(text.strip())
    return float(parts[1]) * _UNITS[parts[2]] if parts else None


def clock_time(seconds: float) -> str:
    """Returns a duration as people read it, such as ``4:05`` or ``1:04:05``."""
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"


def interval(every: str | int) -> tuple[float, int]:
    """Returns seconds or steps, and 0 for the other, of a duration or a number of steps.

    Raises:
      ValueError: it is neither; the message calls it checkpoint_every.
    """
    text = str(every).strip()
    seconds = seconds_of(text)
    if seconds:
        return seconds, 0
    if text.isdecimal() and int(text) > 0:
        return 0.0, int(text)
    raise ValueError(
        f"checkpoint_every={every!r}: must be a duration such as 30s or 10m, or a number of steps such as 100"
    )
