"""A picture tile by tile, inside TensorFlow: one loop, one trace, one tile's memory.

Neither Keras nor TensorFlow can evaluate a network by tiles with the result of the whole picture.

Cores cover a picture once. Around its core a tile has a halo, cut off at the
picture's border, so that the core's activations see all that they would see
in the whole picture. All edges but the picture's own are multiples of the
network's stride: poolings then fall on the same pixels as without tiles, and
what a pooling drops at the picture's end, it drops in the last tile.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from itertools import pairwise, product
from typing import Any, NamedTuple

import tensorflow as tf

from tfstyle.vgg.receptive_field import reaches


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


def tiles_of(height: int, width: int, tile: int, stride: int, halo: int) -> list[tuple[Span, Span]]:
    """Returns the (rows, columns) of each tile of a picture, row by row; see `spans`."""
    return list(product(*(spans(side, tile, stride, halo) for side in (height, width))))


def halo_of(radius: int, stride: int) -> int:
    """Returns the least multiple of the stride that is no less than the radius."""
    return -(-radius // stride) * stride


class Tiles:
    """How pictures are cut into tiles for some layers of an extractor.

    A place is one tile's `[2, 4]` integers: `Span` of its rows and of its columns.

    Args:
      extractor: a functional Keras model.
      layers: those of its outputs that count.
      tile: side of a tile without its neighbourhood, in pixels.

    Raises:
      ValueError: what the extractor sees of a picture cannot be told (see
        `reaches`), or the tile is smaller than the extractor's stride.
    """

    def __init__(self, extractor: tf.keras.Model, layers: Iterable[str], tile: int):
        found = reaches(extractor)
        self._strides = {layer: found[layer].stride for layer in layers}
        self._stride = math.lcm(*self._strides.values())
        self._halo = halo_of(max(found[layer].radius for layer in self._strides), self._stride)
        self._tile = tile
        spans(self._stride, tile, self._stride, self._halo)  # whether the tile is large enough

    def places(self, image: tf.Tensor) -> tf.Tensor:
        """Returns the places `[T, 2, 4]` of a picture `[B, H, W, 3]` of known size."""
        return tf.constant(tiles_of(*image.shape[1:3], self._tile, self._stride, self._halo), tf.int32)

    def spec(self, image: tf.Tensor) -> tf.TensorSpec:
        """Returns what the tiles of a picture have in common."""
        return tf.TensorSpec([image.shape[0], None, None, image.shape[3]], image.dtype)

    def picture(self, image: tf.Tensor, place: tf.Tensor) -> tf.Tensor:
        """Returns a tile of a picture, neighbourhood included."""
        return _window(image, place[:, 2], place[:, 3])

    def add_picture(self, image: tf.Tensor, place: tf.Tensor, more: tf.Tensor) -> tf.Tensor:
        """Returns the picture with something added to that tile, neighbourhood included."""
        return _put(image, self.picture(image, place) + more, place[:, 2])

    def core(self, layer: str, place: tf.Tensor, activation: tf.Tensor) -> tf.Tensor:
        """Returns a tile's own positions of the activation of the tile with its neighbourhood."""
        return self.cut(layer, place - place[:, 2:3], activation)

    def cut(self, layer: str, place: tf.Tensor, whole: tf.Tensor) -> tf.Tensor:
        """Returns a tile's own positions of a map `[B, h, w, ...]` of all of a layer's positions."""
        stride = self._strides[layer]
        return _window(whole, place[:, 0] // stride, place[:, 1] // stride)

    def put(self, layer: str, place: tf.Tensor, whole: tf.Tensor, part: tf.Tensor) -> tf.Tensor:
        """Returns the map of all of a layer's positions with a tile's own ones replaced."""
        return _put(whole, part, place[:, 0] // self._strides[layer])


def for_each(places: tf.Tensor, step: Callable[[tf.Tensor, Any], Any], start: Any) -> Any:
    """Returns what is left of `start` after `step(place, it)` at one place after the other."""
    loop = tf.while_loop(
        lambda index, _: index < places.shape[0],
        lambda index, found: (index + 1, step(places[index], found)),
        (0, start),
        parallel_iterations=1,  # no tile begins before the one before it is done, and its memory free
    )
    return loop[1]


def activations(
    extractor: tf.keras.Model, image: tf.Tensor, layers: Iterable[str], tile: int
) -> dict[str, tf.Tensor]:
    """Returns a picture's activations in some layers, computed tile by tile.

    Args:
      extractor, layers, tile: as in `Tiles`.
      image: `[B, H, W, 3]`.

    Returns:
      `{layer: [B, h, w, N]}` in the order given.
    """
    layers = list(layers)
    tiles = Tiles(extractor, layers, tile)

    def cores(picture: tf.Tensor, place: tf.Tensor) -> dict[str, tf.Tensor]:
        activations = extractor(picture)
        return {layer: tiles.core(layer, place, activations[layer]) for layer in layers}

    def assemble(image: tf.Tensor) -> dict[str, tf.Tensor]:
        places = tiles.places(image)
        compiled = tf.function(cores, autograph=False).get_concrete_function(tiles.spec(image), places[0])

        def fill(place, maps):
            more = compiled(tiles.picture(image, place), place)
            return {layer: tiles.put(layer, place, maps[layer], more[layer]) for layer in layers}

        shapes = extractor.compute_output_shape(tuple(image.shape))
        empty = {layer: tf.zeros(shapes[layer], compiled.structured_outputs[layer].dtype) for layer in layers}
        return for_each(places, fill, empty)

    maps = tf.function(assemble, autograph=False).get_concrete_function(image)(image)
    return {layer: maps[layer] for layer in layers}


def _window(whole: tf.Tensor, start: tf.Tensor, stop: tf.Tensor) -> tf.Tensor:
    return whole[:, start[0] : stop[0], start[1] : stop[1]]


def _put(whole: tf.Tensor, part: tf.Tensor, start: tf.Tensor) -> tf.Tensor:
    # In place, as nothing else in the loop holds the whole.
    return tf.raw_ops.TensorStridedSliceUpdate(
        input=whole,
        begin=tf.concat([[0], start], 0),
        end=tf.concat([[whole.shape[0]], start + tf.shape(part)[1:3]], 0),
        strides=[1, 1, 1],
        value=part,
    )
