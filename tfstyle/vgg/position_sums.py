"""Sums over an extractor's positions and their gradient, in three ways of one result.

    plain        the whole picture at once
    recomputed   every block's activations again in the backward pass, instead of kept
    tiled        tile by tile; no more than one tile's activations at a time

The paper's losses need no more of a layer than such sums: Gram matrices, and
squared differences from the content.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

import tensorflow as tf

from tfstyle.vgg.blocks import Piece, blocks, pieces
from tfstyle.vgg.tiles import Tiles, for_each

Activations = Mapping[str, tf.Tensor]

# From a map `[1, h, w, ...]` of all of a layer's positions to those at hand.
Cut = Callable[[tf.Tensor], tf.Tensor]


class Summand(NamedTuple):
    """What is summed over a layer's positions.

    Attributes:
      layer: one of the extractor's outputs.
      part: `(activation [B, h, w, N], cut) -> tensors`, any nest of sums over
        the positions given: for disjoint rectangles they must add up to those
        for all. `cut` gives the same rectangle of a map of all positions.
    """

    layer: str
    part: Callable[[tf.Tensor, Cut], Any]


# From a picture to {name: sums}, and to what activations are kept.
Sums = Callable[[tf.Tensor], tuple[dict[str, Any], Activations]]


def plain(extractor: Callable[[tf.Tensor], Activations], summands: Mapping[str, Summand]) -> Sums:
    """Returns the function that sums over the whole picture at once, and keeps all activations."""
    try:
        stretch = pieces(extractor)
    except ValueError:  # here, anything that gives activations will do

        def sums(image: tf.Tensor):
            activations = extractor(image)
            return {
                name: part(activations[layer], partial(_same, layer))
                for name, (layer, part) in summands.items()
            }, activations

        return sums

    def sums_along(image: tf.Tensor):
        _, found, activations = _through(stretch, summands, tf.cast(image, extractor.input.dtype), keep=True)
        return found, activations

    return sums_along


def recomputed(extractor: tf.keras.Model, summands: Mapping[str, Summand], *, keep: bool = False) -> Sums:
    """Returns the function whose gradient computes each block's activations again.

    Blocks end at the poolings. From one pass to the next, only what goes from
    block to block is kept, and the sums.

    Args:
      extractor: a functional Keras model.
      summands: what to sum, by name.
      keep: keep the activations after all.

    Raises:
      ValueError: the extractor cannot be cut; see `pieces`.
    """
    stretches = blocks(extractor)

    def sums(image: tf.Tensor):
        found, kept = {}, {}
        activation = tf.cast(image, extractor.input.dtype)
        for block in stretches:

            def through(activation, block=block):
                # What goes on comes first: recompute_grad waits for its gradient, so for the next block's.
                return _through(block, summands, activation, keep=keep)

            activation, parts, activations = tf.recompute_grad(through)(activation)
            found |= parts
            kept |= activations
        return found, kept

    return sums


def tiled(extractor: tf.keras.Model, summands: Mapping[str, Summand], tile: int) -> Sums:
    """Returns the function that goes through the picture tile by tile, and keeps no activation.

    Every tile is seen with so much of its neighbourhood that the sums are
    those of the whole picture, but for rounding. The gradient goes through the
    tiles a second time, when that with respect to the sums is known.

    Args:
      extractor: a functional Keras model.
      summands: what to sum, by name.
      tile: side of a tile without its neighbourhood, in pixels.

    Raises:
      ValueError: the extractor cannot be cut (see `pieces`), what it sees of a
        picture cannot be told (see `reaches`), or the tile is too small.
    """
    stretch = pieces(extractor)
    if not summands:
        return lambda image: ({}, {})
    tiles = Tiles(extractor, {layer for layer, _ in summands.values()}, tile)

    def sums_of_tile(picture: tf.Tensor, place: tf.Tensor) -> dict[str, Any]:
        own = _Window(
            core=lambda layer, activation: tiles.core(layer, place, activation),
            cut=lambda layer, whole: tiles.cut(layer, place, whole),
        )
        return _through(stretch, summands, tf.cast(picture, extractor.input.dtype), own)[1]

    @tf.custom_gradient
    def sums(image: tf.Tensor):
        places = tiles.places(image)
        # Traced once, for tiles of any size; that also gives the shapes of the sums.
        compiled = tf.function(sums_of_tile, autograph=False).get_concrete_function(
            tiles.spec(image), places[0]
        )
        shapes = compiled.structured_outputs

        def add(place, found):
            return tf.nest.map_structure(tf.add, found, compiled(tiles.picture(image, place), place))

        def gradient(*upstream):
            upstream = tf.nest.pack_sequence_as(shapes, upstream)

            def add_gradient(place, whole):
                picture = tiles.picture(image, place)
                with tf.GradientTape(watch_accessed_variables=False) as tape:
                    tape.watch(picture)
                    found = sums_of_tile(picture, place)
                more = tape.gradient(found, picture, output_gradients=upstream)
                return tiles.add_picture(whole, place, more)

            return for_each(places, add_gradient, tf.zeros_like(image))

        zeros = tf.nest.map_structure(lambda spec: tf.zeros(spec.shape, spec.dtype), shapes)
        return for_each(places, add, zeros), _constant_variables(gradient)

    return lambda image: (sums(image), {})


class _Window(NamedTuple):
    """The positions that are summed over.

    Attributes:
      core: `(layer, activation)` to these positions of the activation at hand.
      cut: `(layer, map of all positions)` to these.
    """

    core: Callable[[str, tf.Tensor], tf.Tensor]
    cut: Callable[[str, tf.Tensor], tf.Tensor]


def _same(layer: str, whole: tf.Tensor) -> tf.Tensor:
    return whole


_ALL = _Window(_same, _same)


def _through(
    stretch: Sequence[Piece],
    summands: Mapping[str, Summand],
    activation: tf.Tensor,
    window: _Window = _ALL,
    *,
    keep: bool = False,
):
    """Returns what comes out of a stretch, the sums along it and, if they are to be kept, its outputs."""
    found, outputs = {}, {}
    for piece in stretch:
        activation = piece.function(activation)
        own = {name: summand for name, summand in summands.items() if summand.layer in piece.layers}
        if own:
            activation, sums = _summed(activation, partial(_sums, piece, own, window))
            found |= sums
        if keep:
            outputs |= {layer: piece.output(layer, activation) for layer in piece.layers}
    return activation, found, outputs


def _sums(piece: Piece, summands: Mapping[str, Summand], window: _Window, activation: tf.Tensor):
    """Returns sums over positions of a piece's outputs, from its last activation."""
    layers = dict.fromkeys(summand.layer for summand in summands.values())
    outputs = {layer: piece.output(layer, window.core(layer, activation)) for layer in layers}
    return {
        name: part(outputs[layer], partial(window.cut, layer)) for name, (layer, part) in summands.items()
    }


def _summed(activation: tf.Tensor, sums_of: Callable[[tf.Tensor], Any]):
    """Returns an activation for the next layers, and sums over its positions.

    Its gradient is an ordinary one, but for the order of things. All gradients
    with respect to sums are known when the backward pass begins, and TensorFlow
    does at once what can be done: it would multiply every Gram matrix's
    gradient with its activations, and keep these products, each as large as
    the activations, until the pass arrives at their layer. Here they wait. What
    a head makes of the activation is not kept for it, but made again.
    """

    @tf.custom_gradient
    def summed(activation: tf.Tensor):
        found = sums_of(activation)

        def gradient(onward, *upstream):
            with tf.control_dependencies([onward]):
                again = tf.identity(activation)
            with tf.GradientTape(watch_accessed_variables=False) as tape:
                tape.watch(again)
                # Of this, only what the gradient needs is run.
                sums = sums_of(again)
            upstream = tf.nest.pack_sequence_as(sums, upstream)
            return onward + tape.gradient(sums, again, upstream, unconnected_gradients="zero")

        return (tf.identity(activation), found), _constant_variables(gradient)

    return summed(activation)


def _constant_variables(gradient: Callable) -> Callable:
    """Lets a custom gradient be without one for variables: the extractor is frozen."""

    def accepting(*upstream, variables=()):
        result = gradient(*upstream)
        return (result, [None] * len(variables)) if variables else result

    return accepting
