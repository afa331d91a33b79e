"""What several runs have in common is made once: networks, targets, compiled steps."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable
from contextlib import AbstractContextManager
from typing import Any


class Workshop:
    """Keeps what is costly to make, by everything that it depends on.

    Hand one to several calls of `transfer` and its like: runs that differ only
    in weights, start, seed or number of iterations then share the network, the
    targets and all compiled code. It holds on to them until it is let go.

    Threads may share one: each thing is made once, and runs take turns, for they
    would otherwise meet in the weights and the state of what they share.

    Args:
      lasting: where networks are kept, which serve any picture; by default here.
        A workshop for each of many pictures, with the first one's, keeps nothing
        of them.
    """

    def __init__(self, lasting: Workshop | None = None):
        self._kept: dict[Hashable, Any] = {}
        # What is made may need what is kept here, too.
        self._lock = threading.RLock()
        self.lasting = self if lasting is None else lasting

    def get(self, key: Hashable, make: Callable[[], Any]) -> Any:
        """Returns what was made for this key before, or else makes it."""
        with self._lock:
            if key not in self._kept:
                self._kept[key] = make()
            return self._kept[key]

    def turn(self) -> AbstractContextManager:
        """Returns a context of one thread's, in which all others that want to use this workshop wait."""
        return self._lock
