"""The objective: a weighted sum of terms on one extractor, and its gradient."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial

import numpy as np
import tensorflow as tf

from tfstyle.losses.terms import AnyTerm, ImageTerm, SummedTerm, Term
from tfstyle.runtime.workshop import Workshop, current
from tfstyle.vgg import position_sums
from tfstyle.vgg.position_sums import Activations, Cut, Summand, Sums

EVALUATIONS = ("plain", "recompute", "tiled")


class Objective:
    """The weighted sum of terms, with its gradient, for pictures of one size.

    Pictures come as `[B, H, W, 3]`, one as `[1, H, W, 3]`. Each has a value of its
    own, in which no other has a part; `together` gives each terms of its own, too.

    `value_and_gradient` and `losses` are compiled, once a workshop for all
    objectives that differ in tensors alone (see `Workshop.compiled`). The
    evaluations give the same values and gradients, but for rounding:

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
      workshop: keeps the compiled functions; None: the one in use or, where none is, one of its own.

    Attributes:
      terms: the summands, with their weights.
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
        workshop: Workshop | None = None,
    ):
        names = [term.name for term in terms]
        if not names or len(set(names)) < len(names):
            raise ValueError(f"terms: must be at least one, each with its own name, not {names}")
        self.terms = tuple(terms)
        self.note = note
        self.extractor, self.evaluation, self.tile, self.seen = extractor, evaluation, tile, seen
        self._sums = _sums_of(extractor, self.terms, evaluation, tile)
        self._weights, self._workshop = tf.constant(self._rows()), workshop or current()

    def __parts__(self) -> tuple | None:
        """Returns what makes an objective of the same values, and of what; see `structure_of`."""
        if type(self) is not Objective:
            return None
        # Weights are tensors, so that others need no other compiled code; `whole` is not compiled.
        whole = [{"whole": None} if isinstance(term, SummedTerm) else {} for term in self.terms]
        terms = tuple(replace(term, weight=0.0, **none) for term, none in zip(self.terms, whole))
        options = self.evaluation, self.tile, self.seen
        return _made, self.extractor, terms, *options, self._workshop, self._weights

    def losses(self, image: tf.Tensor) -> dict[str, tf.Tensor]:
        """Returns what `each` does."""
        image = tf.convert_to_tensor(image)
        return self._workshop.compiled(self.each, image)(image)

    def value_and_gradient(self, image: tf.Tensor) -> tuple[tf.Tensor, dict[str, tf.Tensor], tf.Tensor]:
        """Returns totals `[B]`, what `each` does, and the totals' gradients, of pictures `[B, H, W, 3]`."""
        image = tf.convert_to_tensor(image)
        # A line search calls this from nine places of its graph. Kept as a call
        # there, rather than nine copies of the network, it compiles in half
        # the time and runs as fast.
        options = {"experimental_attributes": {"_noinline": True}}
        return self._workshop.compiled(self._value_and_gradient, image, **options)(image)

    def each(self, image: tf.Tensor) -> dict[str, tf.Tensor]:
        """Returns {term: unweighted values `[B]`} of pictures `[B, H, W, 3]`."""
        values = values_of(self.terms, self._sums, image if self.seen is None else self.seen(image))
        return {name: _by_picture(name, value, image.shape[0]) for name, value in values.items()}

    def _value_and_gradient(self, image: tf.Tensor):
        with tf.GradientTape() as tape:
            tape.watch(image)
            values = self.each(image)
            weights = tf.unstack(self._weights)
            parts = [tf.cast(w, value.dtype) * value for w, value in zip(weights, values.values())]
            totals = tf.add_n(parts)
        return totals, values, tape.gradient(totals, image)

    def weigh(self, weights: Mapping[str, float | Sequence[float]]) -> None:
        """Gives every term another weight, by name; nothing is compiled again.

        An objective made by `together` takes one for each picture, too.
        """
        self.terms = tuple(replace(term, weight=weights[term.name]) for term in self.terms)
        self._weights = tf.constant(self._rows())

    def weighted(self, values: Mapping[str, tf.Tensor]) -> dict[str, np.ndarray]:
        """Returns each term's part of the totals, `[B]`, from the terms' unweighted values."""
        rows = zip(self.terms, self._rows())
        return {term.name: weights * np.asarray(values[term.name]) for term, weights in rows}

    def _rows(self) -> np.ndarray:
        """Returns the terms' weights `[T, B or 1]` float64."""
        rows = [np.reshape(np.float64(term.weight), [-1]) for term in self.terms]
        return np.stack(np.broadcast_arrays(*rows))


def _made(extractor, terms, evaluation: str, tile: int, seen, workshop, weights: tf.Tensor) -> Objective:
    objective = Objective(extractor, terms, evaluation=evaluation, tile=tile, seen=seen, workshop=workshop)
    objective._weights = weights
    return objective


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

    views = [each.seen for each in objectives]
    return Objective(
        first.extractor,
        [_joined(own) for own in zip(*(each.terms for each in objectives))],
        evaluation=first.evaluation,
        tile=first.tile,
        seen=partial(_seen, views) if any(views) else None,
        note="\n".join(f"picture {i}: {each.note}" for i, each in enumerate(objectives, 1) if each.note),
    )


def _common(objective: Objective):
    terms = [(term.name, getattr(term, "layer", None)) for term in objective.terms]
    return objective.extractor, objective.evaluation, objective.tile, terms


def _seen(views: Sequence[Callable | None], images: tf.Tensor) -> tf.Tensor:
    pairs = zip(views, tf.split(images, len(views)))
    return tf.concat([image if view is None else view(image) for view, image in pairs], 0)


def _joined(own: Sequence[AnyTerm]) -> AnyTerm:
    """Returns one term of a batch from those that its pictures have for themselves."""
    first = own[0]
    about = {"name": first.name, "weight": [term.weight for term in own], "kind": first.kind}
    if all(isinstance(term, SummedTerm) for term in own):
        return SummedTerm(
            **about,
            layer=first.layer,
            part=partial(_parts, [term.part for term in own]),
            outcome=partial(_each_of, [term.outcome for term in own]),
        )
    if all(isinstance(term, ImageTerm) for term in own):
        return ImageTerm(**about, value=partial(_values, [term.value for term in own]))

    def loss(image: tf.Tensor, activations: Activations) -> tf.Tensor:
        of_layers = {layer: tf.split(values, len(own)) for layer, values in activations.items()}
        functions = [
            partial(term.loss, activations={layer: parts[index] for layer, parts in of_layers.items()})
            for index, term in enumerate(own)
        ]
        return _values(functions, image)

    return Term(**about, loss=loss)


def _parts(functions: Sequence[Callable], features: tf.Tensor, cut: Cut) -> tuple:
    return tuple(part(one, cut) for part, one in zip(functions, tf.split(features, len(functions))))


def _values(functions: Sequence[Callable], images: tf.Tensor) -> tf.Tensor:
    return _each_of(functions, tf.split(images, len(functions)))


def _each_of(functions: Sequence[Callable], arguments: Sequence) -> tf.Tensor:
    values = [function(argument) for function, argument in zip(functions, arguments)]
    return tf.stack([tf.reshape(value, []) for value in values])


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
