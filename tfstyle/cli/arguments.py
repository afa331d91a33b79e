"""From the words that people type to those that absl parses, or one line that says what to write."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence

from absl import flags

from tfstyle.cli import foreign_flags

_PICTURES = ("style", "styles", "content_masks", "style_masks", "results")
_NOT_OURS = ("log_dir",)  # absl's own, for logs that tfstyle does not write
_OF_ABSL = ("flagfile", "undefok")  # which it handles before it looks at any other


def spelled(words: Sequence[str], known: flags.FlagValues, places: Sequence[str] = ()) -> list[str]:
    """Returns the words of a command line in absl's spelling.

    Dashes in names may be underscores, whole numbers may be written as 1e3, lists may end in a comma, those
    of pictures be given in several flags, and a file whose name has a comma in it is one file.

    Args:
      words: what follows the command.
      known: its flags.
      places: flags for what is given without any, in this order; the last takes the rest if it is a list.

    Raises:
      ValueError: flags are unknown, a value is missing, or cannot be what is meant.
    """
    given: dict[str, str] = {}  # {flag: word}; the last one counts
    pictures: dict[str, list[str]] = {}
    loose, unknown = [], []
    rest = iter(words)
    for word in rest:
        word = re.sub("^[\u2013\u2014]", "--", word)  # pages of the web make one long dash of two
        typed, equals, value = word.lstrip("-").partition("=")
        name = typed.replace("-", "_")
        flag = _flag(name, known)
        if word == "--":
            loose += rest
        elif not word.startswith("-") or not typed:
            loose.append(word)
        elif name in _OF_ABSL:
            given[f"{name} {len(given)}"] = f"--{name}={_valued(name, equals, value, rest)}"
        elif flag is None:
            unknown.append(typed)
        else:
            given.pop(flag.name, None)  # so that it moves to the end
            if flag.boolean:
                given[flag.name] = f"--{name if name == flag.name else f'no{flag.name}'}{equals}{value}"
                continue
            value = _value(name, _valued(typed, equals, value, rest), flag)
            if name in _PICTURES:
                # An empty one begins again.
                pictures[name] = [*pictures.get(name, []), value] if value else []
                value = ",".join(pictures[name])
            given[flag.name] = f"--{name}={value}"
    if unknown:
        raise ValueError(foreign_flags.explained(unknown, given, known))
    for place in (place for place in places if place not in given):
        count = len(loose) if isinstance(known[place].parser, flags.ListParser) else 1
        if taken := [_value(place, word, known[place]) for word in loose[:count]]:
            given[place], loose = f"--{place}={','.join(taken)}", loose[count:]
    return [*given.values(), "--", *loose]


def _flag(name: str, known: flags.FlagValues) -> flags.Flag | None:
    """Returns the flag of a name; of a boolean one also by --noflag and --no-flag."""
    if name in known:
        return None if name in _NOT_OURS else known[name]
    positive = name.removeprefix("no").removeprefix("_")
    return known[positive] if positive in known and known[positive].boolean else None


def _valued(name: str, equals: str, value: str, rest: Iterator[str]) -> str:
    """Returns the value of a flag: what follows its `=`, or else the next word."""
    if not equals and (value := next(rest, None)) is None:
        raise ValueError(f"--{name}: needs a value, as in --{name}=…")
    return value


def _value(name: str, value: str, flag: flags.Flag) -> str:
    """Returns a flag's value in absl's spelling."""
    if re.match(r"(https?|ftp|file)://", value):
        raise ValueError(
            f"{name}={value!r}: is an address; name a file, which may have to be downloaded first"
        )
    if here := foreign_flags.VALUES.get((name, value)):
        raise ValueError(f"{name}={value}: is called --{name}={here} here")
    if isinstance(flag.parser, flags.IntegerParser):
        return _whole(name, value)
    if isinstance(flag.parser, flags.ListParser):
        value = value.strip(", ")
        return f'"{value}"' if "," in value and os.path.exists(value) else value
    return value


def _whole(name: str, value: str) -> str:
    """Returns a whole number as Python writes it: 1e3 is 1000."""
    try:
        if float(value).is_integer():
            return str(int(float(value)))
    except ValueError:
        pass
    digits = re.match(r"\d+", value)
    raise ValueError(
        f"{name}={value!r}: must be a whole number" + (f", such as {digits[0]}" if digits else "")
    )
