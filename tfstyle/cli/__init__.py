"""The command `tfstyle`: flags to a config, and one call of a public function.

A module for each command, with `define_flags` and `main`: transfer.py,
reconstruct.py, figures.py, stylize.py, video.py, train.py, compare.py, convert.py,
studio.py, batch.py, export.py, evaluate.py, weights.py, completion.py. And

common.py    what they share: flags from config fields, jobs, output
looks.py     what those share that paint with trained networks
run_flags.py flags of what runs long: states, deadlines, TensorBoard
process.py   how a command runs: --help, one-line errors, quiet imports
arguments.py what people type, in absl's spelling; foreign_flags.py what other programs call their flags
signals.py   how it ends when asked to

``scripts/*.py`` call the same from a checkout.
"""

import difflib
import importlib
import os
import shlex
import sys

from tfstyle import __version__
from tfstyle.cli.signals import INTERRUPTION

COMMANDS = {
    "transfer": "paint a content picture in the manner of a style picture",
    "reconstruct": "a picture from the activations of a content, or the statistics of a style",
    "figures": "the paper's figures, and grids of one's own",
    "stylize": "paint with a trained network: one pass a picture",
    "video": "a clip painted steadily by such a network, with its sound",
    "train": "train such a network",
    "compare": "compare such a network with the optimisation",
    "convert": "such a network as an ONNX or LiteRT file",
    "studio": "a page in the browser on which to paint",
    "batch": "many contents in many styles, on one machine or many",
    "export": "SavedModels of the extractor, and of transfers",
    "evaluate": "judge pictures against their content and style",
    "weights": "list the network weights, and fetch those of ImageNet",
    "completion": "what makes bash, zsh or fish complete all this",
}


def main(command: str | None = None) -> None:
    """Runs a command; without a name, the one that the command line begins with."""
    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(errors="replace")  # a terminal that lacks a character shows another
    with INTERRUPTION.handled():
        if not {"-version", "--version"}.isdisjoint(sys.argv[1:]):
            show(__version__)
            sys.exit()
        if command is None:
            command = _named(*sys.argv[1:])
            sys.argv = [f"tfstyle {command}", *sys.argv[2:]]
        module = importlib.import_module(f"{__name__}.{command}")
        from tfstyle.cli import process

        module.define_flags()
        process.run(module.main, getattr(module, "WORDS", ()), getattr(module, "PLACES", ()))


def show(text: str) -> None:
    """Prints a text; who reads it, such as a pager or `head`, may close before all of it is read."""
    try:
        print(text, flush=True)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)


def _named(name: str = "--help", *rest: str) -> str:
    """Returns the command that a command line begins with, unless it is of none."""
    if name in COMMANDS:
        return name
    if name.lstrip("-") in ("help", "helpfull", "helpshort", "h"):
        if rest and rest[0] in COMMANDS:
            sys.argv[1:] = [rest[0], "--help"]
            return rest[0]
        show(_help())
        sys.exit()
    near = difflib.get_close_matches(name, COMMANDS, n=1)
    if name.startswith("-") or "." in name:  # flags or pictures
        near = [shlex.join(["transfer", name, *rest])]
    hint = f"; did you mean tfstyle {near[0]}?" if near else ""
    print(f"tfstyle: error: {name!r}: must be one of {', '.join(COMMANDS)}{hint}", file=sys.stderr)
    sys.exit(1)


def _help() -> str:
    width = max(map(len, COMMANDS))
    lines = [f"  {command:<{width}}  {about}" for command, about in COMMANDS.items()]
    example = "    tfstyle transfer --content=photo.jpg --style=painting.jpg --output=out.png"
    first = ["tfstyle COMMAND --flag=value … paints, and what belongs to it:", "", example, ""]
    return "\n".join(
        [*first, *lines, "", "tfstyle COMMAND --help says what a command does, and lists its flags."]
    )
