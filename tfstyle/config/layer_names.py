"""Names of layers, in Keras' spelling and the paper's, and the nearest names to a wrong one.

The paper writes ``conv4_2`` for the second convolution of the fourth block;
Keras calls the same layer ``block4_conv2``. Keras' name is the one the package
uses inside; the paper's is accepted wherever a layer is named, and so are
``relu4_2`` and ``relu_4_2`` of other codes: Keras' layer has its ReLU inside.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable

_PAPER_NAME = re.compile(r"(?:conv|relu)_?(\d+)_(\d+)")
_KERAS_NAME = re.compile(r"block(\d+)_conv(\d+)")
# Those of the embedded network.
MINI_LAYERS = frozenset(
    f"block{block}_conv{index}"
    for block, convolutions in ((1, 2), (2, 2), (3, 3), (4, 3), (5, 2))
    for index in range(1, convolutions + 1)
)


def canonical_name(name: str) -> str:
    """Returns Keras' spelling of a layer: ``conv4_2`` or ``relu4_2`` becomes ``block4_conv2``.

    A name of neither form comes back unchanged, so that the layers of any
    other model keep their own names.
    """
    match = _PAPER_NAME.fullmatch(name.strip())
    return f"block{match[1]}_conv{match[2]}" if match else name.strip()


def paper_name(name: str) -> str:
    """Returns the paper's spelling of a layer: ``block4_conv2`` becomes ``conv4_2``."""
    match = _KERAS_NAME.fullmatch(name)
    return f"conv{match[1]}_{match[2]}" if match else name


def require_known(argument: str, names: Iterable[str], known: Iterable[str]) -> None:
    """Checks that each layer exists.

    Raises:
      ValueError: names the argument, the first unknown layer and the known
        layers nearest to it (all of them where none is near).
    """
    known = list(known)
    for name in names:
        if name in known:
            continue
        # Compared in the paper's short spelling: in Keras' long one every
        # pair of names shares most of its letters, and nothing looks far.
        short = {paper_name(candidate): candidate for candidate in known}
        near = difflib.get_close_matches(paper_name(canonical_name(name)), short, n=3, cutoff=0.7)
        listed = ", ".join(short[candidate] for candidate in near) or ", ".join(known)
        raise ValueError(f"{argument}: unknown layer {name!r}; the nearest names are {listed}")
