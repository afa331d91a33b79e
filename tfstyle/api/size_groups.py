"""Pictures of one size together, with few of them in memory."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from typing import Generic, TypeVar

Item = TypeVar("Item")


class Waiting(Generic[Item]):
    """Items that wait for others of their key.

    Args:
      size: of a full group.
      most: items that may wait; beyond that the largest group goes as it is.
    """

    def __init__(self, size: int, most: float = float("inf")):
        self._size, self._most = size, most
        self._items: dict[Hashable, list[Item]] = {}

    def add(self, key: Hashable, item: Item) -> Iterator[list[Item]]:
        """Takes an item in; gives the group that goes, if one does."""
        self._items.setdefault(key, []).append(item)
        if len(self._items[key]) >= self._size:
            yield self._items.pop(key)
        elif sum(map(len, self._items.values())) > self._most:
            yield self._items.pop(max(self._items, key=lambda key: len(self._items[key])))

    def rest(self) -> Iterator[list[Item]]:
        """Gives the groups that are left."""
        while self._items:
            yield self._items.pop(next(iter(self._items)))
