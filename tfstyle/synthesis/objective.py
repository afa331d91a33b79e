"""The objective: a weighted sum of terms on one extractor, and its gradient."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import numpy as np
import tensorflow as tf

from tfstyle.losses.terms import AnyTerm, ImageTerm, SummedTerm, Term
from tfstyle.vgg import position_sums
from tfstyle.vgg.position_sums import Activations, Summand, Sums

EVALUATIONS = ("plain", "recompute", "tiled")


class Objective:
    """The weighted sum of terms, with its gradient, for pictures of one size.

    Pictures come as `[B, H, W, 3]`, one as `[1, H, W, 3]`. Each has a value of its
    own, in which no other has a part; `together` gives each terms of its own, too.

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
      note: what a reader should know of the weights, for the first report.

    Attributes:
      terms: the summands, with their weights.
      weights: the same weights as a variable `[T, B or 1]` float64, in the order of the terms.
      extractor, evaluation, tile, seen, note: as given.

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
        note: str = "",
    ):
        names = [term.name for term in terms]
        if not names or len(set(names)) < len(names):
            raise ValueError(f"terms: must be at least one, each with its own name, not {names}")
        self.terms = tuple(terms)
        self.note = note
        self.extractor, self.evaluation, self.tile, self.seen = extractor, evaluation, tile, seen
        self._sums = _sums_of(extractor, self.terms, evaluation, tile)
        # A variable, so that other weights need no other compiled code; double, so that none is rounded.
        self.weights = tf.Variable(self._rows(), trainable=False)
        self.losses = CompiledOnce(self.each)
        # A line search calls this from nine places of its graph. Kept as a call
        # there, rather than nine copies of the network, it compiles in half
        # the time and runs as fast.
        self.value_and_gradient = CompiledOnce(
            self._value_and_gradient, experimental_attributes={"_noinline": True}
        )

    def each(self, image: tf.Tensor) -> dict[str, tf.Tensor]:
        """Returns {term: unweighted values `[B]`} of pictures `[B, H, W, 3]`.

        `losses` is the same compiled, and `value_and_gradient` gives the
        totals `[B]`, these values, and the totals' gradients `[B, H, W, 3]`.
        """
        values = values_of(self.terms, self._sums, image if self.seen is None else self.seen(image))
        return {name: _by_picture(name, value, image.shape[0]) for name, value in values.items()}

    def _value_and_gradient(self, image: tf.Tensor):
        with tf.GradientTape() as tape:
            tape.watch(image)
            values = self.each(image)
            weights = tf.unstack(self.weights.read_value())
            parts = [tf.cast(w, value.dtype) * value for w, value in zip(weights, values.values())]
            totals = tf.add_n(parts)
        return totals, values, tape.gradient(totals, image)

    def weigh(self, weights: Mapping[str, float | Sequence[float]]) -> None:
        """Gives every term another weight, by name; nothing is compiled again.

        An objective made by `together` takes one for each picture, too.
        """
        self.terms = tuple(replace(term, weight=weights[term.name]) for term in self.terms)
        self.weights.assign(tf.broadcast_to(self._rows(), self.weights.shape))

    def weighted(self, values: Mapping[str, tf.Tensor]) -> dict[str, np.ndarray]:
        """Returns each term's part of the totals, `[B]`, from the terms' unweighted values."""
        rows = zip(self.terms, self._rows())
        return {term.name: weights * np.asarray(values[term.name]) for term, weights in rows}

    def _rows(self) -> np.ndarray:
        """Returns the terms' weights `[T, B or 1]` float64."""
        rows = [np.reshape(np.float64(term.weight), [-1]) for term in self.terms]
        return np.stack(np.broadcast_arrays(*rows))


def together(objectives: Sequence[Objective]) -> Objective:
    """Returns the objective of several pictures that has for each the terms and weights of its own.

    The network sees all pictures at once.

    Args:
      objectives: for one picture each, on one extractor, with terms of the same
        names, evaluated in one way.

    Raises:
      ValueError: there is none, or they do not go together.
    """
    if not objectives:
        raise ValueError("objectives: must be at least one")
    first, *others = objectives
    for other in others:
        if _common(other) != _common(first):
            raise ValueError(
                "objectives: must have one extractor, evaluation and tile, and terms of the same names,"
                f" not {_common(first)[1:]} and {_common(other)[1:]}"
            )

    def seen(images: tf.Tensor) -> tf.Tensor:
        pairs = zip(objectives, tf.split(images, len(objectives)))
        return tf.concat([image if each.seen is None else each.seen(image) for each, image in pairs], 0)

    return Objective(
        first.extractor,
        [_joined(own) for own in zip(*(each.terms for each in objectives))],
        evaluation=first.evaluation,
        tile=first.tile,
        seen=None if all(each.seen is None for each in objectives) else seen,
        note="\n".join(f"picture {i}: {each.note}" for i, each in enumerate(objectives, 1) if each.note),
    )


def _common(objective: Objective):
    terms = [(term.name, getattr(term, "layer", None)) for term in objective.terms]
    return objective.extractor, objective.evaluation, objective.tile, terms


def _joined(own: Sequence[AnyTerm]) -> AnyTerm:
    """Returns one term of a batch from those that its pictures have for themselves."""
    first = own[0]
    about = {"name": first.name, "weight": [term.weight for term in own], "kind": first.kind}

    def split(batch: tf.Tensor) -> list[tf.Tensor]:
        return tf.split(batch, len(own))

    def stacked(values) -> tf.Tensor:
        return tf.stack([tf.reshape(value, []) for value in values])

    if all(isinstance(term, SummedTerm) for term in own):
        return SummedTerm(
            **about,
            layer=first.layer,
            part=lambda features, cut: tuple(term.part(one, cut) for term, one in zip(own, split(features))),
            outcome=lambda found: stacked(term.outcome(sums) for term, sums in zip(own, found)),
        )
    if all(isinstance(term, ImageTerm) for term in own):
        return ImageTerm(
            **about, value=lambda image: stacked(term.value(one) for term, one in zip(own, split(image)))
        )

    def loss(image: tf.Tensor, activations: Activations) -> tf.Tensor:
        of_layers = {layer: split(values) for layer, values in activations.items()}
        return stacked(
            term.loss(one, {layer: parts[index] for layer, parts in of_layers.items()})
            for index, (term, one) in enumerate(zip(own, split(image)))
        )

    return Term(**about, loss=loss)


def summands_of(terms: Sequence[AnyTerm]) -> dict[str, Summand]:
    """Returns what those of the terms that are a `SummedTerm` sum, by name."""
    return {term.name: Summand(term.layer, term.part) for term in terms if isinstance(term, SummedTerm)}


def values_of(terms: Sequence[AnyTerm], sums: Sums, image: tf.Tensor) -> dict[str, tf.Tensor]:
    """Returns {term: unweighted values} of pictures `[B, H, W, 3]`, as the terms see them."""
    found, activations = sums(image)
    return {
        term.name: (term.outcome(found[term.name]) if term.name in found else term.loss(image, activations))
        for term in terms
    }


def _by_picture(name: str, value: tf.Tensor, pictures: int) -> tf.Tensor:
    """Returns a term's values `[B]`, also if it gives a scalar for one picture."""
    value = tf.reshape(value, [-1])
    if value.shape[0] not in (None, pictures):
        raise ValueError(f"terms: {name!r} gives one value for {pictures} pictures; must give one for each")
    return value


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


def _sums_of(extractor, terms: Sequence[AnyTerm], evaluation: str, tile: int) -> Sums:
    """Returns the function that sums what the terms need, in the way asked for; see `Objective`."""
    summands = summands_of(terms)
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
