"""What --help says of a command: what it does, an example, the flags needed first, and all others."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable

from absl import flags

_FIRST = (
    *("content", "contents", "photos", "style", "styles", "results", "figure", "model", "output", "preset"),
    *("style_strength", "image_size", "color", "iterations", "weights"),
)
_OF_ALL = (
    "--flagfile=FILE reads flags from a file, one a line; --verbosity=1 shows where a mistake came from;"
    " --version prints tfstyle's."
)


def text(about: str, found: Iterable[flags.Flag]) -> str:
    """Returns the help of a command.

    Args:
      about: the documentation of its module, which begins with what it does and an example.
      found: its flags, in the order in which they are to be listed.
    """
    by_name = {flag.name: flag for flag in found}
    first = [by_name.pop(name) for name in _FIRST if name in by_name]
    lines = [about.strip(), "", *map(_described, first)]
    if by_name:
        lines += [""] * bool(first) + ["further flags:", *map(_described, by_name.values())]
    return "\n".join([*lines, "", textwrap.fill(_OF_ALL, 90)])


def _described(flag: flags.Flag) -> str:
    shown = flag.default_as_str.strip("'") if flag.default else ""
    default = f" (default: {shown})" if shown and "(default" not in flag.help else ""
    line = f"--{'[no]' * flag.boolean}{flag.name}: {flag.help}{default}"
    return textwrap.fill(line, 90, initial_indent="  ", subsequent_indent="      ")
