"""Prints what makes a shell complete tfstyle's commands, their flags, and the values of some flags.

eval "$(tfstyle completion bash)"      # in ~/.bashrc
eval "$(tfstyle completion zsh)"       # in ~/.zshrc, after compinit
tfstyle completion fish | source       # in ~/.config/fish/config.fish
"""

import importlib
import re
import textwrap
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from absl import flags

from tfstyle.cli import COMMANDS
from tfstyle.config import PRESETS


class Flag(NamedTuple):
    """A flag, as far as shells are told.

    Attributes:
      about: its help, in a few words.
      valued: whether a value follows.
      values: those that may; none where any may, such as the name of a file.
    """

    about: str
    valued: bool
    values: tuple[str, ...]


# Flags of every command.
_OF_ALL = {
    "help": Flag("list the flags", False, ()),
    "flagfile": Flag("a file of flags, one a line", True, ()),
    "deterministic": Flag("make the same to the last bit each time on this machine", False, ()),
}


def define_flags():
    """Defines none: there is but the name of the shell."""


def main(shell: str):
    print(SHELLS[shell]({command: _flags_of(command) for command in COMMANDS}))


def _flags_of(command: str) -> dict[str, Flag]:
    """Returns a command's flags, which are undefined again after that: other commands have the same."""
    known = flags.FLAGS
    before = set(known)
    importlib.import_module(f"tfstyle.cli.{command}").define_flags()
    own = [name for name in known if name not in before]
    found = dict(_OF_ALL)
    for name in own:
        flag = known[name]
        said = re.sub(r"^<\S*>: ", "", flag.help)  # absl puts the values of an enum there
        about = textwrap.shorten(re.split(r"[;:(]", said)[0], 70, placeholder=" …")
        values = tuple(PRESETS) if name == "preset" else tuple(getattr(flag.parser, "enum_values", ()))
        found[name] = Flag(about, not flag.boolean, values)
        if flag.boolean:
            found[f"no{name}"] = Flag(f"not --{name}", False, ())
    for name in own:
        delattr(known, name)
    return found


def _bash(commands: Mapping[str, Mapping[str, Flag]]) -> str:
    cases = [f'1:*) words="{" ".join(commands)}" ;;', f'2:completion:*) words="{" ".join(SHELLS)}" ;;']
    for command, known in commands.items():
        cases += [
            f'*:{command}:--{name}) words="{" ".join(flag.values)}" ;;'
            for name, flag in known.items()
            if flag.values
        ]
        free = [f"*:{command}:--{name}" for name, flag in known.items() if flag.valued and not flag.values]
        words = " ".join(f"--{name}{'=' * flag.valued}" for name, flag in known.items())
        cases += [f"{'|'.join(free)}) return ;;", f'*:{command}:*) words="{words}" ;;']
    # Bash takes --flag=value for three words.
    return f"""_tfstyle() {{
    local word=${{COMP_WORDS[COMP_CWORD]}} before=${{COMP_WORDS[COMP_CWORD-1]}} words=
    if [[ $word == = ]]; then
        word=
    elif [[ $before == = ]]; then
        before=${{COMP_WORDS[COMP_CWORD-2]}}
    fi
    case $COMP_CWORD:${{COMP_WORDS[1]}}:$before in
{_lines(cases, 8)}
    esac
    COMPREPLY=($(compgen -W "$words" -- "$word"))
    if [[ ${{COMPREPLY[0]}} == *= ]]; then
        compopt -o nospace 2>/dev/null
    fi
}}
complete -o default -F _tfstyle tfstyle"""


def _zsh(commands: Mapping[str, Mapping[str, Flag]]) -> str:
    def argument(name: str, flag: Flag) -> str:
        values = f":{name}:" + (f"({' '.join(flag.values)})" if flag.values else "_files")
        about = re.sub(r"([\[\]:\\])", r"\\\1", flag.about)
        return _quoted(f"--{name}{'=' * flag.valued}[{about}]{values * flag.valued}")

    cases = [
        f"{command}) _arguments {' '.join(argument(name, flag) for name, flag in known.items())}"
        + (f" '1:shell:({' '.join(SHELLS)})'" if command == "completion" else "")
        + " ;;"
        for command, known in commands.items()
    ]
    return f"""#compdef tfstyle
_tfstyle() {{
    if ((CURRENT == 2)); then
        local -a commands=(
{_lines((_quoted(f"{name}:{COMMANDS[name]}") for name in commands), 12)}
        )
        _describe command commands
        return
    fi
    local command=$words[2]
    shift words
    ((CURRENT--))
    case $command in
{_lines(cases, 8)}
    esac
}}
compdef _tfstyle tfstyle"""


def _fish(commands: Mapping[str, Mapping[str, Flag]]) -> str:
    lines = ["complete -c tfstyle -f"]
    for command, known in commands.items():
        about = _quoted(COMMANDS[command])
        lines.append(f"complete -c tfstyle -n __fish_use_subcommand -a {command} -d {about}")
        of_command = f"complete -c tfstyle -n '__fish_seen_subcommand_from {command}'"
        for name, flag in known.items():
            value = f" -x -a '{' '.join(flag.values)}'" if flag.values else " -r -F" * flag.valued
            lines.append(f"{of_command} -l {name}{value} -d {_quoted(flag.about)}")
    lines.append(f"complete -c tfstyle -n '__fish_seen_subcommand_from completion' -a '{' '.join(SHELLS)}'")
    return "\n".join(lines)


def _quoted(text: str) -> str:
    """Returns a word that every shell reads as this text; apostrophes, which no two escape alike, turn."""
    return "'" + text.replace("'", "\N{RIGHT SINGLE QUOTATION MARK}") + "'"


def _lines(lines: Iterable[str], indent: int) -> str:
    return textwrap.indent("\n".join(lines), " " * indent)


SHELLS = {"bash": _bash, "zsh": _zsh, "fish": _fish}
WORDS = tuple(SHELLS)
