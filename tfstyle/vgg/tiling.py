"""Where tiles lie: integers only.

Cores cover a picture once. Around its core a tile has a halo, cut off at the
picture's border, so that the core's activations see all that they would see
in the whole picture. All edges but the picture's own are multiples of the
network's stride: poolings then fall on the same pixels as without tiles, and
what a pooling drops at the picture's end, it drops in the last tile.
"""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple


class Span(NamedTuple):
    """A tile along one axis, in pixels: the core from start to stop, the whole from first to last."""

    start: int
    stop: int
    first: int
    last: int


def spans(length: int, tile: int, stride: int, halo: int) -> list[Span]:
    """Cuts an axis into tiles of about the same length.

    Args:
      length: of the picture.
      tile: at most so long is a core; the last may be longer by what `length`
        has beyond a multiple of the stride.
      stride: of the network.
      halo: multiple of the stride.

    Raises:
      ValueError: the tile is shorter than the stride.
    """
    if tile < stride:
        raise ValueError(f"tile={tile}: must be at least {stride}, the stride of the deepest layer")
    cells = length // stride
    count = max(1, -(-cells // (tile // stride)))
    edges = [stride * (cells * index // count) for index in range(count)] + [length]
    return [
        Span(start, stop, max(0, start - halo), min(length, stop + halo)) for start, stop in pairwise(edges)
    ]


def tiles(height: int, width: int, tile: int, stride: int, halo: int) -> list[tuple[Span, Span]]:
    """Returns the (rows, columns) of each tile of a picture, row by row; see `spans`."""
    return [
        (rows, columns)
        for rows in spans(height, tile, stride, halo)
        for columns in spans(width, tile, stride, halo)
    ]


def halo_of(radius: int, stride: int) -> int:
    """Returns the least multiple of the stride that is no less than the radius."""
    return -(-radius // stride) * stride
