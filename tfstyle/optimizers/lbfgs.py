"""L-BFGS with one evaluation an iteration wherever the unit step goes down.

Symbols are those of Nocedal & Wright 2006, chapter 7. TensorFlow Probability's (`tfp_lbfgs.py`)
has no bounds and no initial metric, and takes about three evaluations an iteration.

Bounds are without corners: any number stands for a picture value in [0, 1].
A value at a bound would otherwise have to be held there, pixel by pixel, and a
smooth step that passes over held pixels leaves the free ones between them as
coloured specks. Here a position is folded into the range like a ray between
two mirrors, and the last `_MARGIN` before each mirror is bent to a parabola, so
that value and slope are continuous. To want a value beyond the bound then is to
want the vertex of a parabola, an ordinary minimum (the squared-variable
transformation; Nocedal & Wright 2006, section 15.3 on eliminating constraints).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import tensorflow as tf

from tfstyle.optimizers.line_search import Point, backtrack, dot, each
from tfstyle.optimizers.optimizer import Evaluate, Losses, Optimizer, where
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

_MARGIN = 0.05
_LENGTH = 1 + 2 * _MARGIN  # from vertex to vertex
# The darkest and lightest start, which 8 bits cannot tell from the bound: at the vertex itself all is flat.
_LEAST = 0.49 / 255


class Pair(NamedTuple):
    """A step and what the gradient changed by along it, `[B, H, W, 3]` each: s_k and y_k."""

    step: tf.Tensor
    difference: tf.Tensor


class LbfgsState(NamedTuple):
    """Where B pictures are, and what is known there.

    Attributes:
      point: the last evaluation, its value and gradient times `scale`.
      scale: `[B]`, by which L-BFGS works on numbers of about 1 whatever the weights are.
      pairs: of the last m steps, the newest first. Tensors of their own, so that a newer
        one is taken in without a copy of the others.
      inverse_curvatures: `[B, m]`, 1/(y_k s_k) of each; 0 where it is not positive, and
        where there is no pair yet: these take no part in the recursion.
      initial_hessian: `[B]`, gamma_k of eq. (7.20).
      known: the metric's.
      reach: `[B]`, factor on a step's length.
      failures: `[B]`, searches that failed since the last descent.
      restarts: `[B]`, searches that failed and were followed by a fresh start.
      finished: `[B]`, whether no further descent is possible.
      evaluations: scalar, times that values and gradients of all were computed.
    """

    point: Point
    scale: tf.Tensor
    pairs: tuple[Pair, ...]
    inverse_curvatures: tf.Tensor
    initial_hessian: tf.Tensor
    known: Knowledge
    reach: tf.Tensor
    failures: tf.Tensor
    restarts: tf.Tensor
    finished: tf.Tensor
    evaluations: tf.Tensor

    @property
    def image(self) -> tf.Tensor:
        return self.point.image

    @property
    def losses(self) -> Losses:
        return self.point.losses

    @property
    def gradient(self) -> tf.Tensor:
        return self.point.gradient


@dataclass(frozen=True)
class Lbfgs(Optimizer):
    """L-BFGS (Nocedal & Wright 2006, algorithms 7.4 and 7.5) within [0, 1], with backtracking.

    Each iteration tries the whole quasi-Newton step first, and where that does
    not go down enough (their eq. 3.4), shorter ones by quadratic interpolation.
    A search for the Wolfe conditions, which the textbook asks for, costs about
    three evaluations an iteration and is not worth them here; the positive
    curvature that it would guarantee is checked instead, and a pair without it
    takes no part.

    Two things are not the textbook's. Values stay in [0, 1], by steps on folded
    positions instead of the values (`image_of`): the paper does not bound its
    pictures, and clipping them when all is done can triple the loss. And where
    the textbook starts from a multiple of the identity, this starts from one of
    an operator on frequencies and colours that it learns as it goes
    (`preconditioner.py`): as low a loss needs fewer evaluations.

    A search that fails starts again from the picture, without history. Of
    several pictures, each has its own history, metric, searches and end; they
    share evaluations, of which each iteration takes as many as its longest
    search.

    Args:
      height, width: of the pictures, numbers or scalar tensors.
      history: m, pairs of step and gradient difference to keep.
      caution: factor on the length of first steps.
    """

    height: int | tf.Tensor
    width: int | tf.Tensor
    history: int
    caution: float = 1.0

    def __post_init__(self):
        # Made here, for tensors that one of the compiled functions made would be no good in the others.
        object.__setattr__(self, "_metric", Metric(self.height, self.width))

    def init(self, evaluate: Evaluate, image: tf.Tensor) -> LbfgsState:
        image = tf.clip_by_value(image, 0.0, 1.0)
        ones = tf.ones_like(image[:, 0, 0, 0])
        zeros = tf.zeros_like(ones, tf.int32)
        nothing = Pair(tf.zeros_like(image), tf.zeros_like(image))
        state = LbfgsState(
            point=_point(evaluate, positions_of(image), ones, image),
            scale=ones,
            pairs=(nothing,) * self.history,
            inverse_curvatures=tf.zeros([tf.size(ones), self.history]),
            initial_hessian=ones,
            known=self._metric.ignorance(tf.size(ones)),
            reach=ones,
            failures=zeros,
            restarts=zeros,
            finished=zeros > 0,
            evaluations=tf.constant(1),
        )
        return self._fresh(state, ~state.finished)

    def again(self, evaluate: Evaluate, state: LbfgsState) -> LbfgsState:
        return state._replace(
            point=_point(evaluate, state.point.positions, state.scale, state.image),
            failures=tf.zeros_like(state.failures),
            finished=tf.zeros_like(state.finished),
            evaluations=state.evaluations + 1,
        )

    def step(self, evaluate: Evaluate, state: LbfgsState) -> LbfgsState:
        direction = each(-state.reach) * self._times_inverse_hessian(state)
        before = state.point
        point, accepted, evaluations = backtrack(
            lambda positions: _point(evaluate, positions, state.scale), before, direction, ~state.finished
        )
        steps, differences = point.positions - before.positions, point.gradient - before.gradient
        slopes = dot(point.gradient, steps) / dot(before.gradient, steps)
        reach = tf.where(slopes > _TOO_FAR, _REACH, 1.0)
        failures = tf.where(accepted, 0, state.failures + 1)
        flat = tf.reduce_all(point.gradient == 0, axis=[1, 2, 3])
        finished = state.finished | (~accepted & ((failures > PATIENCE) | flat))
        failed = ~accepted & ~finished
        pairs = (Pair(steps, differences), *state.pairs[:-1])
        # The branches below change nothing of the pairs, and compile in half the time without them.
        state = self._learned(state._replace(pairs=()), steps, differences)._replace(
            point=point,
            reach=tf.where(accepted, reach, state.reach),
            failures=failures,
            restarts=state.restarts + tf.cast(failed, tf.int32),
            finished=finished,
            evaluations=state.evaluations + evaluations,
        )
        state = tf.cond(tf.reduce_any(failed), lambda: self._fresh(state, failed), lambda: state)
        return state._replace(pairs=pairs)

    def _fresh(self, state: LbfgsState, which: tf.Tensor) -> LbfgsState:
        """Drops what some pictures know, and makes their next step a short one down the gradient."""
        ignorance = self._metric.ignorance(tf.size(which))
        descent = self._metric.apply(state.gradient, ignorance.levels)
        factor = tf.where(which, first_scale(descent, state.failures, self.caution), 1.0)
        point = state.point
        return state._replace(
            point=point._replace(value=point.value * factor, gradient=point.gradient * each(factor)),
            scale=state.scale * factor,
            inverse_curvatures=where(which, 0.0, state.inverse_curvatures),
            initial_hessian=tf.where(which, 1.0, state.initial_hessian),
            known=where(which, ignorance, state.known),
            reach=tf.where(which, 1.0, state.reach),
        )

    def _times_inverse_hessian(self, state: LbfgsState) -> tf.Tensor:
        """The two-loop recursion, algorithm 7.4, on the gradients."""
        vector, shares = state.gradient, []
        inverses = tf.unstack(state.inverse_curvatures, num=self.history, axis=1)
        pairs = [(*pair, inverse) for pair, inverse in zip(state.pairs, inverses)]
        for step, difference, inverse in pairs:
            share = inverse * dot(step, vector)
            vector -= each(share) * difference
            shares.append(share)
        vector = each(state.initial_hessian) * self._metric.apply(vector, state.known.levels)
        for (step, difference, inverse), share in reversed([*zip(pairs, shares)]):
            vector += each(share - inverse * dot(difference, vector)) * step
        return vector

    def _learned(self, state: LbfgsState, steps: tf.Tensor, differences: tf.Tensor) -> LbfgsState:
        """Takes steps and differences of gradients into account, of those pictures that have good ones."""
        curvature = dot(steps, differences)
        lengths = tf.sqrt(dot(differences, differences)) * tf.sqrt(dot(steps, steps))
        # Positive beyond rounding, or the estimate is no longer positive definite.
        good = curvature > 1e-7 * lengths
        inverses = tf.where(good, 1.0 / curvature, 0.0)[:, tf.newaxis]
        inverses = tf.concat([inverses, state.inverse_curvatures[:, :-1]], axis=1)
        state = state._replace(inverse_curvatures=inverses)

        def learned() -> LbfgsState:
            known, length = self._metric.learn(steps, differences, state.known)
            # Eq. (7.20) in the metric of P: the identity in place of P gives its form back.
            initial = tf.where(good, curvature / length, state.initial_hessian)
            return state._replace(initial_hessian=initial, known=where(good, known, state.known))

        return tf.cond(tf.reduce_any(good), learned, lambda: state)


def first_scale(descent: tf.Tensor, failures: tf.Tensor | int, caution: float = 1.0) -> tf.Tensor:
    """Returns the factors on the objective that give first steps their length.

    Args:
      descent: `[B, H, W, 3]`, the first steps, before that factor.
      failures: `[B]`, restarts without any descent between them.
      caution: factor on the length.

    With them L-BFGS works on numbers of about 1 in float32 whatever the weights
    are. After failures the step is shorter, by ten each time.
    """
    # In float64: the square of a large weight's gradient leaves float32.
    slope = tf.sqrt(tf.reduce_mean(tf.square(tf.cast(descent, tf.float64)), axis=[1, 2, 3]))
    length = caution * FIRST_STEP / 10.0 ** tf.cast(failures, tf.float64)
    return tf.cast(tf.where(slope > 0, length / slope, 1.0), tf.float32)


def _point(
    evaluate: Evaluate, positions: tf.Tensor, scale: tf.Tensor, image: tf.Tensor | None = None
) -> Point:
    """Evaluates the objective at positions; a picture given with them stands for what they fold to."""
    folded, slope = image_of(positions)
    image = folded if image is None else image
    value, losses, gradient = evaluate(image)
    # For the compiler: what it calls without a copy of its graph has no shape.
    gradient = tf.reshape(gradient, tf.shape(slope))
    return Point(image, positions, value * scale, gradient * slope * each(scale), losses)


def positions_of(image: tf.Tensor) -> tf.Tensor:
    """Returns positions that stand for a picture's values, cut to [0.49/255, 1 - 0.49/255] first."""
    image = tf.clip_by_value(image, _LEAST, 1 - _LEAST)
    nearest = tf.minimum(image, 1 - image)
    distance = tf.where(nearest < _MARGIN, tf.sqrt(4 * _MARGIN * nearest), nearest + _MARGIN)
    return tf.where(image < 0.5, distance, _LENGTH - distance)


def image_of(positions: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Returns picture values, and their slopes with respect to the positions, both of that shape."""
    unfolded = tf.math.floormod(positions + _LENGTH, 2 * _LENGTH) - _LENGTH
    folded = tf.abs(unfolded)
    distance = tf.minimum(folded, _LENGTH - folded)  # from the nearer vertex
    nearest = tf.where(distance < 2 * _MARGIN, tf.square(distance) / (4 * _MARGIN), distance - _MARGIN)
    slope = tf.minimum(distance / (2 * _MARGIN), 1.0) * tf.sign(unfolded)
    return tf.where(2 * folded < _LENGTH, nearest, 1 - nearest), slope
