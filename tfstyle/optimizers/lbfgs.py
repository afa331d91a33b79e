"""L-BFGS with one evaluation an iteration wherever the unit step goes down."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import tensorflow as tf

from tfstyle.optimizers.bounds import image_of, positions_of
from tfstyle.optimizers.contract import (
    ImageOptimizer,
    Objective,
    pack_losses,
    require_finite,
    unpack_losses,
)
from tfstyle.optimizers.metric import Metric

# Length of the first step and of the first after a failure, which have only the
# gradient to go by: root mean square, in picture values.
FIRST_STEP = 0.01
# Failures without any descent between them after which there is none to be had.
PATIENCE = 3
FAILED = "the line search of L-BFGS failed; it starts again from there"
ENDED = "L-BFGS finds no lower point in float32; the run ends here"

# At the end of a whole step the slope along it is, over a transfer, 0.18 of what it was
# on average: the lowest point lies further on. A step is lengthened by this, unless the
# last one has gone too far. Loss after 100 evaluations (192 px, --weights=random) with
# steps of 1, 1.25 and 1.5 times their length: 4826, 4761, 4764.
_REACH = 1.25
_TOO_FAR = -0.1
_SUFFICIENT_DECREASE = 1e-4  # c_1 of Nocedal & Wright, eq. (3.4)
_TRIALS = 12


def first_scale(descent: tf.Tensor, failures: int) -> tf.Tensor:
    """Returns the factor on the objective that gives the first step its length.

    Args:
      descent: the first step, before that factor.
      failures: restarts without any descent between them.

    With it L-BFGS works on numbers of about 1 in float32 whatever the weights
    are. After failures the step is shorter, by ten each time.
    """
    # In float64: the square of a large weight's gradient leaves float32.
    slope = float(tf.sqrt(tf.reduce_mean(tf.square(tf.cast(descent, tf.float64)))))
    return tf.constant(FIRST_STEP / 10**failures / slope if slope > 0 else 1.0, tf.float32)


class Lbfgs(ImageOptimizer):
    """L-BFGS (Nocedal & Wright 2006, algorithms 7.4 and 7.5) within [0, 1], with backtracking.

    Each iteration tries the whole quasi-Newton step first, and where that does
    not go down enough (their eq. 3.4), shorter ones by quadratic interpolation.
    A search for the Wolfe conditions, which the textbook asks for, costs about
    three evaluations an iteration and is not worth them here; the positive
    curvature that it would guarantee is checked instead, and a pair without it
    is not kept.

    Two things are not the textbook's. Values stay in [0, 1], by steps on folded
    positions instead of the values (`bounds.py`): the paper does not bound its
    pictures, and clipping them when all is done can triple the loss. And where
    the textbook starts from a multiple of the identity, this starts from one of
    an operator on frequencies and colours that it learns as it goes
    (`metric.py`): as low a loss needs fewer evaluations.

    A search that fails starts again from the picture, without history.

    Args:
      objective: what to minimise.
      image: `[1, H, W, 3]` to start from.
      history: pairs of step and gradient difference to keep.
    """

    def __init__(self, objective: Objective, image: tf.Tensor, *, history: int):
        super().__init__(objective, image)
        self._metric = Metric(*self.image.shape[1:3])
        pixels = self.image.shape.num_elements()
        self._positions = tf.Variable(tf.zeros([pixels]))
        # s_k, y_k and 1/(y_k s_k) in their paper's symbols, a ring of `history`
        # rows; rows not yet written are 0 and take no part in the recursion.
        self._steps = tf.Variable(tf.zeros([history, pixels]))
        self._differences = tf.Variable(tf.zeros([history, pixels]))
        self._inverse_curvatures = tf.Variable(tf.zeros([history]))
        self._stored = tf.Variable(0)
        self._initial_hessian = tf.Variable(1.0)  # gamma_k, eq. (7.20)
        self._reach = tf.Variable(1.0)
        self._scale = tf.Variable(1.0)
        self._value = tf.Variable(0.0)
        self._gradient = tf.Variable(tf.zeros([pixels]))

    def _begin(self) -> None:
        self._scale.assign(1.0)
        self.image.assign(tf.clip_by_value(self.image, 0.0, 1.0))
        self._positions.assign(tf.reshape(positions_of(self.image), [-1]))
        self._evaluate_again()
        self._forget()

    def _evaluate_again(self) -> None:
        value, self.losses, gradient = self._objective.value_and_gradient(self.image.read_value())
        self.evaluations += 1
        require_finite(self.losses, "lower the weights")
        self._failures = 0
        _, slope = image_of(self._positions)
        self._value.assign(value * self._scale)
        self._gradient.assign(tf.reshape(gradient, [-1]) * slope * self._scale)

    def _forget(self) -> None:
        """Drops the history and makes the next step a short one down the gradient."""
        self._metric.forget()
        factor = first_scale(self._times_metric(self._gradient), self._failures)
        self._scale.assign(self._scale * factor)
        self._value.assign(self._value * factor)
        self._gradient.assign(self._gradient * factor)
        self._inverse_curvatures.assign(tf.zeros_like(self._inverse_curvatures))
        self._stored.assign(0)
        self._initial_hessian.assign(1.0)
        self._reach.assign(1.0)

    def advance(self, steps: int) -> str:
        note = ""
        for _ in range(steps):
            accepted, trials, losses = self._iterate()
            self.evaluations += int(trials)
            if accepted:
                self._failures, self.losses = 0, losses
                continue
            self._failures += 1
            if self._failures > PATIENCE or not tf.reduce_any(self._gradient != 0):
                self.finished = True
                return ENDED
            note = FAILED
            self._forget()
        require_finite(self.losses, "lower the weights")
        return note

    def _iteration(self) -> tuple[tf.Tensor, tf.Tensor, dict[str, tf.Tensor]]:
        """Returns whether a lower point was found, the evaluations it took, and the losses there."""
        start = self._positions.read_value()
        direction = -self._times_inverse_hessian(self._gradient.read_value())
        direction *= self._reach
        positions, value, gradient, losses, accepted, trials = self._search(start, direction)
        if accepted:
            step = positions - start
            slopes = tf.reduce_sum(gradient * step) / tf.reduce_sum(self._gradient * step)
            self._reach.assign(tf.where(slopes > _TOO_FAR, _REACH, 1.0))
            self._remember(step, gradient - self._gradient)
            self._positions.assign(positions)
            self.image.assign(self._as_picture(image_of(positions)[0]))
            self._value.assign(value)
            self._gradient.assign(gradient)
        return accepted, trials, losses

    def _times_inverse_hessian(self, vector: tf.Tensor) -> tf.Tensor:
        """The two-loop recursion, algorithm 7.4."""
        history = self._inverse_curvatures.shape[0]
        newest_first = [(self._stored - 1 - age) % history for age in range(history)]
        shares = []
        for row in newest_first:
            share = self._inverse_curvatures[row] * tf.reduce_sum(_row(self._steps, row, vector) * vector)
            vector -= share * _row(self._differences, row, share)
            shares.append(share)
        vector = self._initial_hessian * self._times_metric(vector)
        for row, share in zip(reversed(newest_first), reversed(shares)):
            product = tf.reduce_sum(_row(self._differences, row, vector) * vector)
            correction = self._inverse_curvatures[row] * product
            vector += (share - correction) * _row(self._steps, row, correction)
        return vector

    def _times_metric(self, vector: tf.Tensor) -> tf.Tensor:
        """Applies the operator P; the initial inverse Hessian is gamma_k P."""
        return tf.reshape(self._metric.apply(self._as_picture(vector)), [-1])

    def _as_picture(self, vector: tf.Tensor) -> tf.Tensor:
        return tf.reshape(vector, self.image.shape)

    def _at(self, positions: tf.Tensor):
        """Returns value, named parts and gradient of the objective there, before scaling."""
        image, slope = image_of(positions)
        value, losses, gradient = self._objective.value_and_gradient(self._as_picture(image))
        return value, losses, tf.reshape(gradient, [-1]) * slope

    def _search(self, start: tf.Tensor, direction: tf.Tensor):
        """Tries shorter and shorter steps until one goes down enough."""
        slope = tf.reduce_sum(self._gradient * direction)

        def wanted(length, positions, value, gradient, losses, accepted, trials):
            return ~accepted & (trials < _TRIALS) & (slope < 0)

        def attempt(length, positions, value, gradient, losses, accepted, trials):
            length = tf.where(trials == 0, length, _shorter(length, value - self._value, slope))
            positions = start + length * direction
            value, losses, gradient = self._at(positions)
            value, gradient = value * self._scale, gradient * self._scale
            finite = tf.math.is_finite(value) & tf.reduce_all(tf.math.is_finite(gradient))
            enough = value <= self._value + _SUFFICIENT_DECREASE * length * slope
            # Where rounding swallows the decrease asked for, equal is not lower.
            accepted = finite & enough & (value < self._value)
            return length, positions, value, gradient, losses, accepted, trials + 1

        nothing = {name: tf.zeros_like(value) for name, value in self.losses.items()}
        first = (tf.ones([]), start, tf.zeros([]), tf.zeros_like(start), nothing, tf.constant(False), 0)
        _, *found = tf.while_loop(wanted, attempt, first)
        return found

    def _remember(self, step: tf.Tensor, difference: tf.Tensor) -> None:
        curvature = tf.reduce_sum(step * difference)
        length = tf.reduce_sum(tf.square(difference))
        # Positive beyond rounding, or the estimate is no longer positive definite.
        if curvature > 1e-7 * tf.sqrt(length) * tf.norm(step):
            row = self._stored % self._inverse_curvatures.shape[0]
            indices = [[row]]
            self._steps.scatter_nd_update(indices, step[tf.newaxis])
            self._differences.scatter_nd_update(indices, difference[tf.newaxis])
            self._inverse_curvatures.scatter_nd_update(indices, [1.0 / curvature])
            # Eq. (7.20) in the metric of P: the identity in place of P gives its form back.
            length = self._metric.learn(self._as_picture(step), self._as_picture(difference))
            self._initial_hessian.assign(curvature / length)
            self._stored.assign_add(1)

    def _variables(self) -> dict[str, tf.Variable]:
        own = {name.strip("_"): value for name, value in vars(self).items() if isinstance(value, tf.Variable)}
        return own | {f"metric/{name}": value for name, value in self._metric.variables().items()}

    def state(self) -> dict[str, np.ndarray]:
        saved = {f"lbfgs/{name}": variable.numpy() for name, variable in self._variables().items()}
        saved |= pack_losses(self.losses)
        return saved | {
            "evaluations": np.int64(self.evaluations),
            "failures": np.int64(self._failures),
            "finished": np.bool_(self.finished),
        }

    def restore(self, state: Mapping[str, np.ndarray]) -> None:
        for name, variable in self._variables().items():
            variable.assign(state[f"lbfgs/{name}"])
        self.losses = unpack_losses(state)
        self.evaluations = int(state["evaluations"])
        self._failures = int(state["failures"])
        self.finished = bool(state["finished"])


def _row(rows: tf.Variable, index: tf.Tensor, after: tf.Tensor) -> tf.Tensor:
    """Returns one row, read when `after` is known: no more of the history is copied than is in use."""
    with tf.control_dependencies([after]):
        return tf.gather(rows, index)  # slicing the variable would copy all of it first


def _shorter(length: tf.Tensor, rise: tf.Tensor, slope: tf.Tensor) -> tf.Tensor:
    """Returns the lowest point of the parabola through value, slope and rise, at 0.1 to 0.5 of the step."""
    lowest = -slope * length**2 / (2.0 * (rise - slope * length))
    lowest = tf.where(tf.math.is_finite(lowest), lowest, 0.0)
    return tf.clip_by_value(lowest, 0.1 * length, 0.5 * length)
