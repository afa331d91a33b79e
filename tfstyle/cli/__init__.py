"""The command `tfstyle`: flags to a config, and one call of a public function.

A module for each command, with `define_flags` and `main`: transfer.py,
reconstruct.py, figures.py, stylize.py, train.py, compare.py (compare_page.py is
the page that it writes), convert.py, batch.py, export.py, evaluate.py,
weights.py, completion.py. And

common.py    what they share: flags from config fields, jobs, output
run_flags.py flags of what runs long: states, deadlines, TensorBoard
process.py   how a command runs: one-line errors, quiet imports
signals.py   how it ends when asked to

``scripts/*.py`` call the same from a checkout.
"""

import difflib
import importlib
import sys

from tfstyle import __version__

COMMANDS = {
    "transfer": "paint a content picture in the manner of a style picture",
    "reconstruct": "a picture from the activations of a content, or the statistics of a style",
    "figures": "the paper's figures, and grids of one's own",
    "stylize": "paint with a trained network: one pass a picture",
    "train": "train such a network",
    "compare": "compare such a network with the optimisation",
    "convert": "such a network as a LiteRT file",
    "batch": "many contents in many styles, on one machine or many",
    "export": "SavedModels of the extractor, and of transfers",
    "evaluate": "judge pictures against their content and style",
    "weights": "list the network weights, and fetch those of ImageNet",
    "completion": "what makes bash, zsh or fish complete all this",
}


def main(command: str | None = None) -> None:
    """Runs a command; without a name, the one that the command line begins with."""
    if command is None:
        command = _named()
        sys.argv = [f"tfstyle {command}", *sys.argv[2:]]
    module = importlib.import_module(f"{__name__}.{command}")
    from tfstyle.cli import process

    module.define_flags()
    process.run(module.main, getattr(module, "WORDS", ()))


def _named() -> str:
    name = sys.argv[1] if len(sys.argv) > 1 else "--help"
    if name in COMMANDS:
        return name
    if name.lstrip("-") in ("help", "helpfull", "helpshort", "h"):
        width = max(map(len, COMMANDS))
        lines = [f"  {command:<{width}}  {about}" for command, about in COMMANDS.items()]
        print(
            "\n".join(
                ["tfstyle COMMAND --flag=value …", "", *lines, "", "tfstyle COMMAND --help lists its flags."]
            )
        )
        sys.exit()
    if name == "--version":
        print(__version__)
        sys.exit()
    near = difflib.get_close_matches(name, COMMANDS, n=1)
    hint = f"; did you mean {near[0]}?" if near else ""
    print(f"tfstyle: error: {name!r}: must be one of {', '.join(COMMANDS)}{hint}", file=sys.stderr)
    sys.exit(1)
