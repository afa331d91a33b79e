"""The objective: a weighted sum of terms on one extractor, and its gradient."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import tensorflow as tf

from tfstyle.losses.terms import AnyTerm, ImageTerm, SummedTerm
from tfstyle.vgg import position_sums
from tfstyle.vgg.position_sums import Activations, Summand, Sums

EVALUATIONS = ("plain", "recompute", "tiled")


class Objective:
    """The weighted sum of terms, with its gradient, for pictures of one size.

    Each function is compiled once, at its first call. The evaluations give
    the same values and gradients, but for rounding:

    ``plain``: the whole picture at once; the fastest.
    ``recompute``: activations are computed again in the backward pass, block
      by block, instead of kept.
    ``tiled``: a tile of the picture at a time. What memory is needed depends on
      the tile, not on the picture. For terms of the kinds `SummedTerm` and
      `ImageTerm`, which are all that this package makes.

    Args:
      extractor: model from pictures to `{layer: activation}`; a functional Keras
        model, unless the evaluation is plain.
      terms: the summands; names must differ.
      evaluation: ``plain``, ``recompute`` or ``tiled``.
      tile: side of a tile in pixels, where tiled; around it, a tile sees as far
        as the extractor does (VGG19 to conv5_1: 80 pixels).
      seen: what of a picture all terms are on, such as its light alone; None: the
        picture. A differentiable function from pictures to pictures of one size.

    Attributes:
      terms: the summands, with their weights.
      weights: the same weights as a variable `[T]` float64, in the order of the terms.
      extractor, evaluation, tile, seen: as given.
      note: what a reader should know of the weights, for the first report.

    Raises:
      ValueError: there is no term, or two of one name; the evaluation is
        unknown; or the extractor, a term or the tile do not suit it.
    """

    def __init__(
        self,
        extractor: Callable[[tf.Tensor], Activations],
        terms: Sequence[AnyTerm],
        *,
        evaluation: str = "plain",
        tile: int = 512,
        seen: Callable[[tf.Tensor], tf.Tensor] | None = None,
    ):
        names = [term.name for term in terms]
        if not names or len(set(names)) < len(names):
            raise ValueError(f"terms: must be at least one, each with its own name, not {names}")
        self.terms = tuple(terms)
        self.note = ""
        self.extractor, self.evaluation, self.tile, self.seen = extractor, evaluation, tile, seen
        self._sums = sums_of(extractor, self.terms, summands_of(self.terms), evaluation, tile)
        # A variable, so that other weights need no other compiled code; double, so that none is rounded.
        self.weights = tf.Variable([term.weight for term in terms], dtype=tf.float64, trainable=False)
        self.losses = CompiledOnce(self._losses)
        # A line search calls this from nine places of its graph. Kept as a call
        # there, rather than nine copies of the network, it compiles in half
        # the time and runs as fast.
        self.value_and_gradient = CompiledOnce(
            self._value_and_gradient, experimental_attributes={"_noinline": True}
        )

    def each(self, image: tf.Tensor) -> dict[str, tf.Tensor]:
        """Returns {term: unweighted values `[B]`} of pictures `[B, H, W, 3]`; this is not compiled."""
        return values_of(self.terms, self._sums, image if self.seen is None else self.seen(image))

    def _losses(self, image: tf.Tensor) -> dict[str, tf.Tensor]:
        return {name: tf.reduce_sum(values) for name, values in self.each(image).items()}

    def _value_and_gradient(self, image: tf.Tensor):
        with tf.GradientTape() as tape:
            tape.watch(image)
            values = self._losses(image)
            weights = tf.unstack(self.weights.read_value())
            parts = zip(weights, (values[term.name] for term in self.terms))
            total = tf.add_n([tf.cast(weight, value.dtype) * value for weight, value in parts])
        return total, values, tape.gradient(total, image)

    def weigh(self, weights: Mapping[str, float]) -> None:
        """Gives every term another weight, by name; nothing is compiled again."""
        self.terms = tuple(replace(term, weight=weights[term.name]) for term in self.terms)
        self.weights.assign([term.weight for term in self.terms])

    def weighted(self, values: Mapping[str, tf.Tensor]) -> dict[str, float]:
        """Returns each term's part of the total, from the terms' unweighted values."""
        return {term.name: term.weight * float(tf.reduce_sum(values[term.name])) for term in self.terms}


def summands_of(terms: Sequence[AnyTerm]) -> dict[str, Summand]:
    """Returns what those of the terms that are a `SummedTerm` sum, by name."""
    return {term.name: Summand(term.layer, term.part) for term in terms if _is_summed(term)}


def values_of(terms: Sequence[AnyTerm], sums: Sums, image: tf.Tensor) -> dict[str, tf.Tensor]:
    """Returns {term: unweighted values `[B]`} of pictures `[B, H, W, 3]`, as the terms see them."""
    found, activations = sums(image)
    return {term.name: value_of(term, found.get(term.name), image, activations) for term in terms}


def value_of(term: AnyTerm, found, image: tf.Tensor, activations: Activations) -> tf.Tensor:
    """Returns a term's unweighted value from its sums, or from what it is on."""
    return term.outcome(found) if _is_summed(term) else term.loss(image, activations)


def _is_summed(term: AnyTerm) -> bool:
    return isinstance(term, SummedTerm)


class CompiledOnce:
    """A function of a picture, compiled for the size of the first one that it is called with.

    `tf.function` alone would take each objective's first call for a retracing
    of the last one's, and warn of it where a process makes several pictures.
    """

    def __init__(self, function: Callable, **options):
        self._function = tf.function(function, autograph=False, **options)
        self._compiled = None

    def __call__(self, image: tf.Tensor):
        if self._compiled is None:
            self._compiled = self._function.get_concrete_function(tf.TensorSpec(image.shape, image.dtype))
        return self._compiled(image)


def sums_of(
    extractor, terms: Sequence[AnyTerm], summands: Mapping[str, Summand], evaluation: str, tile: int
) -> Sums:
    """Returns the function that sums what the terms need, in the way asked for.

    Args:
      extractor, evaluation, tile: as in `Objective`, also for errors.
      terms: all that there are.
      summands: what those of them that are a `SummedTerm` sum, by name.
    """
    others = [term.name for term in terms if not isinstance(term, (SummedTerm, ImageTerm))]
    if evaluation == "plain":
        return position_sums.plain(extractor, summands)
    if evaluation == "recompute":
        # A term of the user's own may look at any activation.
        return position_sums.recomputed(extractor, summands, keep=bool(others))
    if evaluation != "tiled":
        raise ValueError(f"evaluation={evaluation!r}: must be one of {', '.join(EVALUATIONS)}")
    if others:
        raise ValueError(
            f"terms: {others[0]!r} may look at all activations at once, which are never there when tiled;"
            " make it an ImageTerm if it is on the picture alone, a SummedTerm if sums over positions"
            " are all it needs, or choose another evaluation"
        )
    return position_sums.tiled(extractor, summands, tile)
