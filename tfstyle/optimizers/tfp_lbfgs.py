"""L-BFGS with the Hager-Zhang line search, as TensorFlow Probability has it."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import tensorflow as tf

from tfstyle.optimizers.contract import ImageOptimizer, Objective, require_finite
from tfstyle.optimizers.lbfgs import ENDED, FAILED
from tfstyle.optimizers.quasi_newton import PATIENCE, first_scale


class TfpLbfgs(ImageOptimizer):
    """TFP's L-BFGS with its Hager-Zhang line search, in chunks.

    Each iteration meets the Wolfe conditions, for about three evaluations.
    TFP's first trial step is the negative gradient itself, so the objective is
    scaled to make that a sensible one.

    A line search that fails is tried again from where it ended, without the
    history and with a shorter first step each time.

    The picture is not clipped: that would break the method's picture of the
    curvature.

    Args:
      objective: what to minimise.
      image: `[1, H, W, 3]` to start from.
      history: correction pairs to keep.
      caution: factor on the length of first steps.
    """

    def __init__(self, objective: Objective, image: tf.Tensor, *, history: int, caution: float = 1.0):
        super().__init__(objective, image)
        self._caution = caution
        # TFP takes a second to import, which Adam need not wait for. Its type of
        # results has no public name; making one here saves a second compiled
        # copy of the whole search, which is what asking TFP for one would cost.
        from tensorflow_probability.python.optimizer.lbfgs import LBfgsOptimizerResults

        self._history = history
        self._results_type = LBfgsOptimizerResults

    def _iteration(self, results, scale: tf.Tensor, limit: tf.Tensor):
        """Goes on until so many iterations have been made since the start."""
        import tensorflow_probability as tfp

        objective = self._objective

        def scaled(position):
            value, _, gradient = objective.value_and_gradient(tf.reshape(position, self.image.shape))
            return tf.reshape(value, []) * scale, tf.reshape(gradient, [-1]) * scale

        # No tolerance but 0: the run is as long as it was asked to be.
        return tfp.optimizer.lbfgs_minimize(
            scaled,
            initial_position=None,
            previous_optimizer_results=results,
            tolerance=0.0,
            max_iterations=limit,
        )

    def _begin(self) -> None:
        self._failures = 0
        image = self.image.read_value()
        value, self.losses, gradient = self._objective.value_and_gradient(image)
        self.evaluations += 1
        require_finite(self.losses, "lower the weights")
        self._begin_at(image, value, gradient)

    def _evaluate_again(self) -> None:
        value, self.losses, gradient = self._objective.value_and_gradient(self.image.read_value())
        self.evaluations += 1
        require_finite(self.losses, "lower the weights")
        self._failures = 0
        self._results = self._results._replace(
            converged=tf.constant(False),
            failed=tf.constant(False),
            objective_value=tf.reshape(value, []) * self._scale,
            objective_gradient=tf.reshape(gradient, [-1]) * self._scale,
        )

    def _begin_at(self, image: tf.Tensor, value: tf.Tensor, gradient: tf.Tensor) -> None:
        """Starts without history, where the unscaled value and gradient are known."""
        # A gradient of 0 is a stationary point, which TFP finds out by itself.
        self._scale = first_scale(tf.reshape(gradient, [-1]), self._failures, self._caution)
        position = tf.reshape(image, [-1])
        empty = tf.zeros([self._history, position.shape[0]])
        self._results = self._results_type(
            converged=tf.constant(False),
            failed=tf.constant(False),
            num_iterations=tf.constant(0),
            num_objective_evaluations=tf.constant(0),
            position=position,
            objective_value=tf.reshape(value, []) * self._scale,
            objective_gradient=tf.reshape(gradient, [-1]) * self._scale,
            position_deltas=empty,
            gradient_deltas=empty,
        )

    def advance(self, steps: int) -> str:
        note, left = "", steps
        while left > 0 and not self.finished:
            before = self._results
            made = self._go_on(before, left)
            left -= made
            stuck = bool(self._results.failed) or bool(self._results.converged)
            if not np.isfinite(self._results.position).all():
                # A search that ends nowhere takes the picture with it: the
                # iterations before it are made again, and it is not.
                self._go_on(before, made - 1)
            if self._results.objective_value < before.objective_value:
                self._failures = 0
            if stuck:
                self._failures += 1
                note = self._start_again()
        self.image.assign(tf.reshape(self._results.position, self.image.shape))
        self.losses = self._objective.losses(self.image.read_value())
        require_finite(self.losses, "lower the weights")
        return note

    def _go_on(self, before, iterations: int) -> int:
        """Makes up to so many iterations and returns how many it made."""
        self._results = self._iterate(before, self._scale, before.num_iterations + iterations)
        self.evaluations += int(self._results.num_objective_evaluations - before.num_objective_evaluations)
        return int(self._results.num_iterations - before.num_iterations)

    def _start_again(self) -> str:
        if self._failures > PATIENCE or not np.any(self._results.objective_gradient):
            self.finished = True
            return ENDED
        old = self._results
        self._begin_at(old.position, old.objective_value / self._scale, old.objective_gradient / self._scale)
        return FAILED

    @property
    def at_rest(self) -> bool:
        return not np.any(self._results.objective_gradient)

    def state(self) -> dict[str, np.ndarray]:
        saved = {f"lbfgs/{name}": value.numpy() for name, value in self._results._asdict().items()}
        return saved | {
            "scale": self._scale.numpy(),
            "evaluations": np.int64(self.evaluations),
            "failures": np.int64(self._failures),
            "finished": np.bool_(self.finished),
        }

    def restore(self, state: Mapping[str, np.ndarray]) -> None:
        fields = {name: tf.constant(state[f"lbfgs/{name}"]) for name in self._results_type._fields}
        self._results = self._results_type(**fields)
        self._scale = tf.constant(state["scale"])
        self.evaluations = int(state["evaluations"])
        self._failures = int(state["failures"])
        self.finished = bool(state["finished"])
        self.image.assign(tf.reshape(self._results.position, self.image.shape))
        self.losses = self._objective.losses(self.image.read_value())
