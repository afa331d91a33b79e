"""What several runs have in common is made once: networks, targets, compiled steps."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any


class Workshop:
    """Keeps what is costly to make, by everything that it depends on.

    Hand one to several calls of `transfer` and its like: runs that differ only
    in weights, start, seed or number of iterations then share the network, the
    targets and all compiled code. It holds on to them until it is let go.

    Args:
      lasting: where networks are kept, which serve any picture; by default here.
        A workshop for each of many pictures, with the first one's, keeps nothing
        of them.
    """

    def __init__(self, lasting: Workshop | None = None):
        self._kept: dict[Hashable, Any] = {}
        self.lasting = self if lasting is None else lasting

    def get(self, key: Hashable, make: Callable[[], Any]) -> Any:
        """Returns what was made for this key before, or else makes it."""
        if key not in self._kept:
            self._kept[key] = make()
        return self._kept[key]
