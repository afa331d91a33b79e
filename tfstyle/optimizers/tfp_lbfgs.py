"""L-BFGS with the Hager-Zhang line search, as TensorFlow Probability has it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import tensorflow as tf

from tfstyle.optimizers.lbfgs import PATIENCE, first_scale
from tfstyle.optimizers.optimizer import Evaluate, Optimizer


class TfpState(NamedTuple):
    """Where one picture of P = 3 H W values is.

    Attributes:
      image: `[1, H, W, 3]`, TFP's position in the picture's shape.
      results: TFP's own state, of the objective times `scale`; its iterations and
        evaluations are counted from the last restart.
      scale: `[1]`.
      failures: scalar, searches that failed since the last descent.
      restarts: scalar, those that were followed by a restart.
      finished: scalar, whether no further descent is possible.
      evaluations: scalar, times that value and gradient were computed.
    """

    image: tf.Tensor
    results: Any
    scale: tf.Tensor
    failures: tf.Tensor
    restarts: tf.Tensor
    finished: tf.Tensor
    evaluations: tf.Tensor

    losses = None  # TFP takes a value and a gradient, and no more

    @property
    def gradient(self) -> tf.Tensor:
        return self.results.objective_gradient


@dataclass(frozen=True)
class TfpLbfgs(Optimizer):
    """TFP's L-BFGS with its Hager-Zhang line search, an iteration at a time, for one picture.

    Each iteration meets the Wolfe conditions, for about three evaluations.
    TFP's first trial step is the negative gradient itself, so the objective is
    scaled to make that a sensible one.

    A line search that fails is tried again from where it ended, without the
    history and with a shorter first step each time.

    The picture is not clipped: that would break the method's picture of the
    curvature.

    Args:
      history: correction pairs to keep.
      caution: factor on the length of first steps.
    """

    history: int
    caution: float = 1.0

    def __post_init__(self):
        # TFP takes a second to import, which Adam need not wait for. Its type of
        # results has no public name; making one here saves a second compiled
        # copy of the whole search, which is what asking TFP for one would cost.
        import tensorflow_probability as tfp
        from tensorflow_probability.python.optimizer.lbfgs import LBfgsOptimizerResults

        object.__setattr__(self, "_minimize", tfp.optimizer.lbfgs_minimize)
        object.__setattr__(self, "_results_type", LBfgsOptimizerResults)

    def init(self, evaluate: Evaluate, image: tf.Tensor) -> TfpState:
        value, _, gradient = evaluate(image)
        scale, zero = first_scale(gradient, 0, self.caution), tf.constant(0)
        results = self._without_history(image, value * scale, gradient * scale)
        return TfpState(image, results, scale, zero, zero, tf.constant(False), tf.constant(1))

    def again(self, evaluate: Evaluate, state: TfpState) -> TfpState:
        value, _, gradient = evaluate(state.image)
        results = state.results._replace(
            converged=tf.constant(False),
            failed=tf.constant(False),
            objective_value=(value * state.scale)[0],
            objective_gradient=tf.reshape(gradient * state.scale, [-1]),
        )
        state = state._replace(results=results, evaluations=state.evaluations + 1)
        return state._replace(failures=tf.constant(0), finished=tf.constant(False))

    def step(self, evaluate: Evaluate, state: TfpState) -> TfpState:
        before, shape = state.results, tf.shape(state.image)

        def scaled(position):
            value, _, gradient = evaluate(tf.reshape(position, shape))
            return (value * state.scale)[0], tf.reshape(gradient * state.scale, [-1])

        # No tolerance but 0: the run is as long as it was asked to be.
        after = self._minimize(
            scaled,
            initial_position=None,
            previous_optimizer_results=before,
            tolerance=0.0,
            max_iterations=before.num_iterations + 1,
        )
        made = after.num_objective_evaluations - before.num_objective_evaluations
        finite = tf.reduce_all(tf.math.is_finite(after.position))
        stuck = after.failed | after.converged | ~finite
        # A search that ends nowhere takes the picture with it; the state before it does not.
        after = tf.nest.map_structure(lambda new, old: tf.where(finite, new, old), after, before)
        lower = after.objective_value < before.objective_value
        failures = tf.where(lower, 0, state.failures) + tf.cast(stuck, tf.int32)
        finished = stuck & ((failures > PATIENCE) | tf.reduce_all(after.objective_gradient == 0))
        restarted = stuck & ~finished
        state = state._replace(
            image=tf.reshape(after.position, shape),
            results=after,
            failures=failures,
            restarts=state.restarts + tf.cast(restarted, tf.int32),
            finished=finished,
            evaluations=state.evaluations + made,
        )

        def again() -> TfpState:
            value, gradient = after.objective_value / state.scale, after.objective_gradient / state.scale
            gradient = tf.reshape(gradient, shape)
            # A gradient of 0 is a stationary point, which TFP finds out by itself.
            scale = first_scale(gradient, failures, self.caution)
            results = self._without_history(state.image, value * scale, gradient * scale)
            return state._replace(results=results, scale=scale)

        return tf.cond(restarted, again, lambda: state)

    def _without_history(self, image: tf.Tensor, value: tf.Tensor, gradient: tf.Tensor):
        """Returns TFP's state at a picture, with the scaled values `[1]` and gradients there."""
        position = tf.reshape(image, [-1])
        empty = tf.zeros([self.history, tf.size(position)])
        return self._results_type(
            converged=tf.constant(False),
            failed=tf.constant(False),
            num_iterations=tf.constant(0),
            num_objective_evaluations=tf.constant(0),
            position=position,
            objective_value=value[0],
            objective_gradient=tf.reshape(gradient, [-1]),
            position_deltas=empty,
            gradient_deltas=empty,
        )
