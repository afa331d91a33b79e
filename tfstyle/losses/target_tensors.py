"""`StyleTargets` as tensors that a graph may be called with, one after the other, without a new trace."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import tensorflow as tf

from tfstyle.losses.targets import StyleTargets

# {"scales" or "references": {layer: {name: `[levels, 1, ...]`, finest first}}}
Stack = Mapping[str, Mapping[str, Mapping[str, tf.Tensor]]]


def stacked(targets: StyleTargets) -> Stack:
    """Returns targets as a nest of tensors."""

    def of(levels: Sequence[Mapping[str, Mapping[str, tf.Tensor]]]):
        return {
            layer: {name: tf.stack([level[layer][name] for level in levels]) for name in sums}
            for layer, sums in levels[0].items()
        }

    return {"scales": of(targets.scales), "references": of(targets.references)}


def levels(stack: Stack) -> tf.Tensor:
    """Returns of how many scales there are targets."""
    return tf.shape(tf.nest.flatten(stack)[0])[0]


def finest(styles: Sequence[StyleTargets]) -> Stack:
    """Returns the finest scale of several targets in one stack, `[1, S, ...]`."""
    return tf.nest.map_structure(
        lambda *values: tf.stack([value[0, 0] for value in values])[tf.newaxis], *map(stacked, styles)
    )


def chosen(stack: Stack, numbers: tf.Tensor) -> Stack:
    """Returns some of several styles in a stack, by their numbers `[B]`."""
    return tf.nest.map_structure(lambda values: tf.gather(values, numbers, axis=1), stack)


class Stacked:
    """Takes the place of `StyleTargets` where the level is known only when the graph runs."""

    def __init__(self, stack: Stack):
        self._stack = stack

    def at(self, level: tf.Tensor, layers: Sequence[str], *, reference: bool = False):
        """Returns {layer: sums}, so many scales before the last; there are `levels`."""
        found = self._stack["references" if reference else "scales"]
        return {
            layer: {name: tf.gather(values, level) for name, values in found[layer].items()}
            for layer in layers
        }
