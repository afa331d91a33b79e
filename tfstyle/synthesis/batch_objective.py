"""Several pictures of one size on their way together: one pass through the network for all of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import tensorflow as tf

from tfstyle.losses.terms import SummedTerm
from tfstyle.synthesis.objective import CompiledOnce, Objective, sums_of, value_of
from tfstyle.vgg.position_sums import Cut, Summand


class JointObjective:
    """The objectives of several pictures, with a value and a gradient for each.

    The network sees all pictures at once; then each has its own terms, targets,
    masks and weights. No picture has a part in another's value.

    Args:
      objectives: one a picture, on one extractor, with terms of the same names,
        evaluated in one way. Their weights may be changed later.

    Attributes:
      note: those of the objectives.

    Raises:
      ValueError: there is none, or they do not go together.
    """

    def __init__(self, objectives: Sequence[Objective]):
        if not objectives:
            raise ValueError("objectives: must be at least one")
        self.objectives = tuple(objectives)
        first = self.objectives[0]
        for other in self.objectives[1:]:
            if _common(other) != _common(first):
                raise ValueError(
                    "objectives: must have one extractor, evaluation and tile, and terms of the same names,"
                    f" not {_common(first)[1:]} and {_common(other)[1:]}"
                )
        names = [f"picture {i}: {each.note}" for i, each in enumerate(self.objectives, 1) if each.note]
        self.note = "\n".join(names)
        self._sums = sums_of(first.extractor, first.terms, self._summands(), first.evaluation, first.tile)
        self.losses = CompiledOnce(self._losses)
        self.value_and_gradient = CompiledOnce(
            self._value_and_gradient, experimental_attributes={"_noinline": True}
        )

    def _summands(self) -> dict[str, Summand]:
        """Returns what is summed of a batch: for each picture what its own term sums."""

        def part_of(own: Sequence[SummedTerm]):
            def part(activation: tf.Tensor, cut: Cut):
                return tuple(term.part(one, cut) for term, one in zip(own, self._apart(activation)))

            return part

        of_name = zip(*(each.terms for each in self.objectives))
        return {own[0].name: Summand(own[0].layer, part_of(own)) for own in of_name if _summed(own)}

    def _apart(self, batch: tf.Tensor) -> list[tf.Tensor]:
        return tf.split(batch, len(self.objectives))

    def _losses(self, images: tf.Tensor) -> dict[str, tf.Tensor]:
        pictures = self._apart(images)
        if any(each.seen is not None for each in self.objectives):
            pictures = [
                one if each.seen is None else each.seen(one) for each, one in zip(self.objectives, pictures)
            ]
            images = tf.concat(pictures, 0)
        found, activations = self._sums(images)
        activations = {layer: self._apart(values) for layer, values in activations.items()}
        values: dict[str, list[tf.Tensor]] = {}
        for index, (each, picture) in enumerate(zip(self.objectives, pictures)):
            own = {layer: parts[index] for layer, parts in activations.items()}
            for term in each.terms:
                sums = found[term.name][index] if term.name in found else None
                value = value_of(term, sums, picture, own)
                values.setdefault(term.name, []).append(tf.reshape(value, []))
        return {name: tf.stack(each) for name, each in values.items()}

    def _value_and_gradient(self, images: tf.Tensor):
        with tf.GradientTape() as tape:
            tape.watch(images)
            values = self._losses(images)
            weights = tf.stack([each.weights.read_value() for each in self.objectives], axis=1)
            totals = tf.add_n(
                [
                    tf.cast(own, value.dtype) * value
                    for own, value in zip(tf.unstack(weights), values.values())
                ]
            )
        return totals, values, tape.gradient(totals, images)

    def weighted(self, values: Mapping[str, tf.Tensor]) -> dict[str, np.ndarray]:
        """Returns each term's part of the totals, `[B]`, from the terms' unweighted values."""
        weights = np.array([each.weights.numpy() for each in self.objectives])
        return {name: weights[:, row] * np.asarray(values[name]) for row, name in enumerate(self._names())}

    def _names(self) -> list[str]:
        return [term.name for term in self.objectives[0].terms]


def _common(objective: Objective):
    terms = [(term.name, getattr(term, "layer", None)) for term in objective.terms]
    return objective.extractor, objective.evaluation, objective.tile, terms


def _summed(terms: Sequence) -> bool:
    return all(isinstance(term, SummedTerm) for term in terms)
