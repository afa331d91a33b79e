"""L-BFGS as functions of an explicit state, for several pictures at once, each on its own.

Nothing here is a variable, and no size need be known before it is run: `Lbfgs`
keeps the state in variables, a graph for a SavedModel in the variables of its
loop. Symbols are those of Nocedal & Wright 2006, chapter 7. TensorFlow Probability's
(`tfp_lbfgs.py`) is not used here: it has no bounds and no initial metric, and takes
about three evaluations an iteration.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import tensorflow as tf

from tfstyle.optimizers.bounds import image_of, positions_of
from tfstyle.optimizers.preconditioner import Knowledge, Metric

# Length of the first step and of the first after a failure, which have only the
# gradient to go by: root mean square, in picture values.
FIRST_STEP = 0.01
# Failures without any descent between them after which there is none to be had.
PATIENCE = 3

# At the end of a whole step the slope along it is, over a transfer, 0.18 of what it was
# on average: the lowest point lies further on. A step is lengthened by this, unless the
# last one has gone too far. Loss after 100 evaluations (192 px, --weights=random) with
# steps of 1, 1.25 and 1.5 times their length: 4826, 4761, 4764.
_REACH = 1.25
_TOO_FAR = -0.1
_SUFFICIENT_DECREASE = 1e-4  # c_1 of Nocedal & Wright, eq. (3.4)
_TRIALS = 12

Losses = dict[str, tf.Tensor]  # `[B]` each
# From pictures `[B, H, W, 3]` to their values `[B]`, named losses and gradients.
Evaluate = Callable[[tf.Tensor], tuple[tf.Tensor, Losses, tf.Tensor]]


class State(NamedTuple):
    """Where B pictures of P values are, and what is known there but for the history.

    Attributes:
      positions: `[B, P]`, which stand for picture values (see `bounds`).
      value, gradient: `[B]` and `[B, P]`, the objective's there, times `scale`.
      scale: `[B]`, by which L-BFGS works on numbers of about 1 whatever the weights are.
      losses: the objective's named parts, as they come.
      inverse_curvatures: `[B, m]`, 1/(y_k s_k) of the history's rows; 0 in rows not yet
        written, which take no part in the recursion.
      stored: `[B]`, rows written so far.
      initial_hessian: `[B]`, gamma_k of eq. (7.20).
      known: the metric's.
      reach: `[B]`, factor on a step's length.
      failures: `[B]`, searches that failed since the last descent.
      finished: `[B]`, whether no further descent is possible.
      evaluations: scalar, times that values and gradients of all were computed.
    """

    positions: tf.Tensor
    value: tf.Tensor
    gradient: tf.Tensor
    scale: tf.Tensor
    losses: Losses
    inverse_curvatures: tf.Tensor
    stored: tf.Tensor
    initial_hessian: tf.Tensor
    known: Knowledge
    reach: tf.Tensor
    failures: tf.Tensor
    finished: tf.Tensor
    evaluations: tf.Tensor


class History(NamedTuple):
    """Pairs of the last m steps, rings of m rows a picture: tensors or variables.

    Attributes:
      steps, differences: `[B * m, P]`, s_k and y_k; picture b has rows b m to b m + m - 1.
    """

    steps: tf.Tensor | tf.Variable
    differences: tf.Tensor | tf.Variable


class Pairs(NamedTuple):
    """What is to be written into a `History`: `[K, 1]` rows, and `[K, P]` for each of its fields."""

    rows: tf.Tensor
    steps: tf.Tensor
    differences: tf.Tensor


def image_at(state: State, shape) -> tf.Tensor:
    """Returns the pictures, `[B, H, W, 3]` of the given shape."""
    return tf.reshape(image_of(state.positions)[0], shape)


def first_scale(descent: tf.Tensor, failures: tf.Tensor | int, caution: float = 1.0) -> tf.Tensor:
    """Returns the factors on the objective that give first steps their length.

    Args:
      descent: `[..., P]`, the first steps, before that factor.
      failures: `[...]`, restarts without any descent between them.
      caution: factor on the length.

    With them L-BFGS works on numbers of about 1 in float32 whatever the weights
    are. After failures the step is shorter, by ten each time.
    """
    # In float64: the square of a large weight's gradient leaves float32.
    slope = tf.sqrt(tf.reduce_mean(tf.square(tf.cast(descent, tf.float64)), axis=-1))
    length = caution * FIRST_STEP / 10.0 ** tf.cast(failures, tf.float64)
    return tf.cast(tf.where(slope > 0, length / slope, 1.0), tf.float32)


class QuasiNewton:
    """The method for one objective and pictures of one size.

    Args:
      evaluate: the objective.
      shape: `[B, H, W, 3]` of the pictures: numbers, or a tensor.
      history: m, pairs that are kept of each.
      caution: factor on the length of first steps.
    """

    def __init__(self, evaluate: Evaluate, shape, history: int, caution: float = 1.0):
        self._evaluate, self._shape, self._history = evaluate, shape, history
        self._caution = caution
        self._metric = Metric(shape[1], shape[2])
        # Of a single picture nothing need be chosen, nor copied for it.
        self._single = isinstance(shape[0], int) and shape[0] == 1

    def begin(self, images: tf.Tensor) -> State:
        """Returns the state at pictures, after an evaluation there."""
        count = self._shape[0]
        images = tf.clip_by_value(images, 0.0, 1.0)
        positions = tf.reshape(positions_of(images), tf.stack([count, -1]))
        ones, zeros = tf.ones(tf.stack([count])), tf.zeros(tf.stack([count]), tf.int32)
        state = State(
            positions=positions,
            value=ones,
            gradient=positions,
            scale=ones,
            losses={},
            inverse_curvatures=tf.zeros(tf.stack([count, self._history])),
            stored=zeros,
            initial_hessian=ones,
            known=self._metric.ignorance(count),
            reach=ones,
            failures=zeros,
            finished=tf.cast(zeros, tf.bool),
            evaluations=tf.constant(0),
        )
        state = self.again(state, images)
        return self._fresh(state, tf.ones_like(state.finished))

    def again(self, state: State, images: tf.Tensor) -> State:
        """Returns the state with the objective evaluated anew, at the pictures of its positions."""
        value, losses, gradient = self._evaluate(images)
        _, slope = image_of(state.positions)
        return state._replace(
            value=_by_picture(value) * state.scale,
            gradient=tf.reshape(gradient, tf.shape(slope)) * slope * state.scale[:, tf.newaxis],
            losses={name: _by_picture(each) for name, each in losses.items()},
            failures=tf.zeros_like(state.failures),
            finished=tf.zeros_like(state.finished),
            evaluations=state.evaluations + 1,
        )

    def iterate(self, state: State, history: History) -> tuple[State, Pairs]:
        """Makes one iteration, and returns what is to be written into the history."""
        direction = -self._times_inverse_hessian(state, history)
        direction *= state.reach[:, tf.newaxis]
        found, accepted = self._search(state, direction)
        steps = found.positions - state.positions
        differences = found.gradient - state.gradient
        slopes = _dot(found.gradient, steps) / _dot(state.gradient, steps)
        reach = tf.where(slopes > _TOO_FAR, _REACH, 1.0)
        found = found._replace(reach=tf.where(accepted, reach, state.reach))
        found, pairs = self._learned(found, steps, differences)
        failures = tf.where(accepted, 0, state.failures + 1)
        flat = tf.reduce_all(found.gradient == 0, axis=-1)
        finished = state.finished | (~accepted & ((failures > PATIENCE) | flat))
        found = found._replace(failures=failures, finished=finished)
        failed = ~accepted & ~finished
        return tf.cond(tf.reduce_any(failed), lambda: self._fresh(found, failed), lambda: found), pairs

    def _fresh(self, state: State, which: tf.Tensor) -> State:
        """Drops what some pictures know, and makes their next step a short one down the gradient."""
        ignorance = self._metric.ignorance(tf.shape(which)[0])
        descent = self._times_metric(state.gradient, ignorance.levels)
        factor = tf.where(which, first_scale(descent, state.failures, self._caution), 1.0)
        return state._replace(
            scale=state.scale * factor,
            value=state.value * factor,
            gradient=state.gradient * factor[:, tf.newaxis],
            inverse_curvatures=_where(which, 0.0, state.inverse_curvatures),
            stored=tf.where(which, 0, state.stored),
            initial_hessian=tf.where(which, 1.0, state.initial_hessian),
            known=Knowledge(*(_where(which, new, old) for new, old in zip(ignorance, state.known))),
            reach=tf.where(which, 1.0, state.reach),
        )

    def _times_inverse_hessian(self, state: State, history: History) -> tf.Tensor:
        """The two-loop recursion, algorithm 7.4, on the gradients."""
        vector, shares = state.gradient, []
        # [m, B], the rows of a picture's own m that it wrote so many iterations ago.
        rows = (state.stored - 1 - tf.range(self._history)[:, tf.newaxis]) % self._history
        places = tf.unstack(self._places(rows))
        inverses = tf.gather(state.inverse_curvatures, tf.transpose(rows), batch_dims=1)
        inverses = tf.unstack(tf.transpose(inverses))
        for place, inverse in zip(places, inverses):
            share = inverse * _dot(_read(history.steps, place, vector), vector)
            vector -= share[:, tf.newaxis] * _read(history.differences, place, share)
            shares.append(share)
        vector = state.initial_hessian[:, tf.newaxis] * self._times_metric(vector, state.known.levels)
        for place, inverse, share in reversed([*zip(places, inverses, shares)]):
            product = _dot(_read(history.differences, place, vector), vector)
            correction = share - inverse * product
            vector += correction[:, tf.newaxis] * _read(history.steps, place, correction)
        return vector

    def _places(self, rows: tf.Tensor) -> tf.Tensor:
        """Returns where in the tables rows `[..., B]` of each picture's own m are."""
        return tf.range(tf.shape(rows)[-1]) * self._history + rows

    def _times_metric(self, vectors: tf.Tensor, levels: tf.Tensor) -> tf.Tensor:
        """Applies the operator P; the initial inverse Hessian is gamma_k P."""
        return tf.reshape(self._metric.apply(self._as_pictures(vectors), levels), tf.shape(vectors))

    def _as_pictures(self, vectors: tf.Tensor) -> tf.Tensor:
        return tf.reshape(vectors, tf.concat([[-1], self._shape[1:]], 0))

    def _search(self, state: State, direction: tf.Tensor) -> tuple[State, tf.Tensor]:
        """Tries shorter and shorter steps until each goes down enough; returns where, and which do."""
        slope = _dot(state.gradient, direction)

        def wanted(accepted, trials):
            return ~accepted & ~state.finished & (trials < _TRIALS) & (slope < 0)

        def going(length, found, rise, accepted, trials):
            return tf.reduce_any(wanted(accepted, trials))

        def attempt(length, found, rise, accepted, trials):
            tried = wanted(accepted, trials)
            length = tf.where(trials == 0, length, _shorter(length, rise, slope))
            positions = state.positions + length[:, tf.newaxis] * direction
            positions = self._chosen(tried, positions, found.positions)
            image, slopes = image_of(positions)
            value, losses, gradient = self._evaluate(tf.reshape(image, self._shape))
            value = _by_picture(value) * state.scale
            gradient = tf.reshape(gradient, tf.shape(slopes)) * slopes * state.scale[:, tf.newaxis]
            rise = tf.where(tried, value - state.value, rise)
            finite = tf.math.is_finite(value) & tf.reduce_all(tf.math.is_finite(gradient), axis=-1)
            enough = rise <= _SUFFICIENT_DECREASE * length * slope
            # Where rounding swallows the decrease asked for, equal is not lower.
            lower = tried & finite & enough & (value < state.value)
            # Others stay where they were; a single one goes back when all is tried.
            found = found._replace(
                positions=self._chosen(lower, positions, found.positions),
                value=tf.where(lower, value, found.value),
                gradient=self._chosen(lower, gradient, found.gradient),
                losses={
                    name: tf.where(lower, _by_picture(losses[name]), old)
                    for name, old in found.losses.items()
                },
                evaluations=found.evaluations + 1,
            )
            return length, found, rise, accepted | lower, trials + tf.cast(tried, tf.int32)

        nothing = tf.zeros_like(slope)
        first = (tf.ones_like(slope), state, nothing, nothing > 0, tf.zeros_like(state.stored))
        _, found, _, accepted, _ = tf.while_loop(going, attempt, first)
        if self._single:
            back = state._replace(evaluations=found.evaluations)
            found = tf.cond(accepted[0], lambda: found, lambda: back)
        return found, accepted

    def _learned(self, state: State, steps: tf.Tensor, differences: tf.Tensor) -> tuple[State, Pairs]:
        """Takes steps and differences of gradients into account, of those pictures that have good ones."""
        curvature = _dot(steps, differences)
        lengths = tf.sqrt(_dot(differences, differences)) * tf.sqrt(_dot(steps, steps))
        # Positive beyond rounding, or the estimate is no longer positive definite.
        good = curvature > 1e-7 * lengths
        rows = tf.where(good)[:, 0]
        some = tf.cast(rows, tf.int32)
        row = state.stored % self._history
        places = tf.gather(self._places(row), some)[:, tf.newaxis]
        pairs = Pairs(places, tf.gather(steps, some), tf.gather(differences, some))

        def learned() -> State:
            known = Knowledge(*(tf.gather(old, some) for old in state.known))
            pictures = self._as_pictures(pairs.steps), self._as_pictures(pairs.differences)
            known, length = self._metric.learn(*pictures, known)
            own = tf.gather(curvature, some)
            at = rows[:, tf.newaxis]
            return state._replace(
                known=Knowledge(*(_put(old, at, new) for old, new in zip(state.known, known))),
                inverse_curvatures=_put(
                    state.inverse_curvatures, tf.stack([some, tf.gather(row, some)], axis=1), 1.0 / own
                ),
                # Eq. (7.20) in the metric of P: the identity in place of P gives its form back.
                initial_hessian=_put(state.initial_hessian, at, own / length),
                stored=_put(state.stored, at, tf.gather(state.stored, some) + 1),
            )

        return tf.cond(tf.size(rows) > 0, learned, lambda: state), pairs

    def _chosen(self, which: tf.Tensor, new: tf.Tensor, old: tf.Tensor) -> tf.Tensor:
        return new if self._single else _where(which, new, old)


def _read(table, places: tf.Tensor, after: tf.Tensor) -> tf.Tensor:
    """Returns rows, read when `after` is known: no more of the history is copied than is in use."""
    with tf.control_dependencies([after]):
        return tf.gather(table, places)  # slicing a variable would copy all of it first


def _dot(a: tf.Tensor, b: tf.Tensor) -> tf.Tensor:
    return tf.reduce_sum(a * b, axis=-1)


def _by_picture(values: tf.Tensor) -> tf.Tensor:
    """Returns `[B]`, of an objective for one picture, too, whose values have no dimension."""
    return tf.reshape(values, [-1])


def _where(which: tf.Tensor, new: tf.Tensor | float, old: tf.Tensor) -> tf.Tensor:
    """Returns new values in the pictures `[B]` named, old ones in the others: `[B, ...]`."""
    return tf.where(tf.reshape(which, [-1] + [1] * (old.shape.rank - 1)), new, old)


def _put(values: tf.Tensor, places: tf.Tensor, new: tf.Tensor) -> tf.Tensor:
    return tf.tensor_scatter_nd_update(values, places, new)


def _shorter(length: tf.Tensor, rise: tf.Tensor, slope: tf.Tensor) -> tf.Tensor:
    """Returns the lowest point of the parabola through value, slope and rise, at 0.1 to 0.5 of the step."""
    lowest = -slope * length**2 / (2.0 * (rise - slope * length))
    lowest = tf.where(tf.math.is_finite(lowest), lowest, 0.0)
    return tf.clip_by_value(lowest, 0.1 * length, 0.5 * length)
