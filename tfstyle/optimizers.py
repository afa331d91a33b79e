"""Adam and L-BFGS behind one contract. Nothing here knows what the objective is.

An optimiser holds the picture as a `tf.Variable` and moves it some iterations
at a time. Between two calls of `advance` the picture may be looked at, and
`state`, which is all that the next call depends on, may be saved and restored.
"""

from __future__ import annotations

import abc
from collections.abc import Mapping
from typing import Protocol

import numpy as np
import tensorflow as tf

from tfstyle.config import TransferConfig


class Objective(Protocol):
    """What an optimiser asks of an objective; both calls are `tf.function`s."""

    def value_and_gradient(self, image: tf.Tensor) -> tuple[tf.Tensor, dict[str, tf.Tensor], tf.Tensor]:
        """Returns the value, its named parts, and the gradient `[1, H, W, 3]`."""

    def losses(self, image: tf.Tensor) -> dict[str, tf.Tensor]:
        """Returns the named parts alone."""


class ImageOptimizer(abc.ABC):
    """A picture on its way downhill.

    Attributes:
      image: `tf.Variable` `[1, H, W, 3]`.
      losses: named parts of the objective at `image`.
      evaluations: times that value and gradient were computed.
      finished: no further descent is possible.
    """

    image: tf.Variable
    losses: dict[str, tf.Tensor]
    evaluations: int
    finished: bool = False

    @abc.abstractmethod
    def start(self) -> None:
        """Evaluates the objective where the picture stands. Call this or `restore` first."""

    @abc.abstractmethod
    def advance(self, steps: int) -> str:
        """Makes up to so many iterations and returns a note of what went wrong, or ''.

        Raises:
          FloatingPointError: the objective is not finite any more.
        """

    @abc.abstractmethod
    def state(self) -> dict[str, np.ndarray]:
        """Returns everything that `advance` depends on."""

    @abc.abstractmethod
    def restore(self, state: Mapping[str, np.ndarray]) -> None:
        """Puts a `state` back; the next `advance` goes on as if nothing had happened."""


def make_optimizer(config: TransferConfig, objective: Objective, image: tf.Tensor) -> ImageOptimizer:
    """Returns the optimiser that the config names, with the picture to start from."""
    if config.optimizer == "adam":
        return Adam(objective, image, learning_rate=config.learning_rate)
    return Lbfgs(objective, image, history=config.lbfgs_history)


def _require_finite(losses: Mapping[str, tf.Tensor], hint: str) -> None:
    wrong = [name for name, value in losses.items() if not np.isfinite(value)]
    if wrong:
        raise FloatingPointError(f"the objective is not finite any more ({', '.join(wrong)}); {hint}")


class Adam(ImageOptimizer):
    """Keras' Adam (Kingma & Ba 2015), the picture clipped to [0, 1] after each step.

    Each step ends with an evaluation where it arrived, so that the losses
    always belong to the picture: N steps take N + 1 evaluations.

    Args:
      objective: what to minimise.
      image: `[1, H, W, 3]` to start from.
      learning_rate: length of a step, in picture values.
    """

    def __init__(self, objective: Objective, image: tf.Tensor, *, learning_rate: float):
        self.image = tf.Variable(image, trainable=True, name="image")
        self.evaluations = 0
        self._objective = objective
        self._adam = tf.keras.optimizers.Adam(learning_rate)
        self._adam.build([self.image])
        self._step = tf.function(self._one_step)

    def _one_step(self, gradient: tf.Tensor):
        self._adam.apply_gradients([(gradient, self.image)])
        self.image.assign(tf.clip_by_value(self.image, 0.0, 1.0))
        return self._objective.value_and_gradient(self.image.read_value())

    def start(self) -> None:
        _, self.losses, self._gradient = self._objective.value_and_gradient(self.image.read_value())
        self.evaluations += 1
        _require_finite(self.losses, "lower the weights")

    def advance(self, steps: int) -> str:
        for _ in range(steps):
            _, self.losses, self._gradient = self._step(self._gradient)
        self.evaluations += steps
        _require_finite(self.losses, "lower learning_rate")
        return ""

    def state(self) -> dict[str, np.ndarray]:
        saved = {f"adam/{i}": variable.numpy() for i, variable in enumerate(self._adam.variables)}
        saved |= {f"losses/{name}": value.numpy() for name, value in self.losses.items()}
        return saved | {
            "image": self.image.numpy(),
            "gradient": self._gradient.numpy(),
            "evaluations": np.int64(self.evaluations),
        }

    def restore(self, state: Mapping[str, np.ndarray]) -> None:
        for i, variable in enumerate(self._adam.variables):
            variable.assign(state[f"adam/{i}"])
        self.losses = {
            name.removeprefix("losses/"): tf.constant(value)
            for name, value in state.items()
            if name.startswith("losses/")
        }
        self.image.assign(state["image"])
        self._gradient = tf.constant(state["gradient"])
        self.evaluations = int(state["evaluations"])


class Lbfgs(ImageOptimizer):
    """TFP's L-BFGS with its Hager-Zhang line search, in chunks.

    TFP's first trial step is the negative gradient itself, so the objective is
    scaled until that step is `FIRST_STEP` picture values long (root mean
    square): its line search then works in float32 whatever the weights are.

    A line search that fails is tried again from where it ended, without the
    history and with a shorter first step each time. After `PATIENCE` failures
    without any descent between them the run is finished: float32 knows no lower
    point from there.

    The picture is not clipped: that would break the method's picture of the
    curvature.

    Args:
      objective: what to minimise.
      image: `[1, H, W, 3]` to start from.
      history: correction pairs to keep.
    """

    FIRST_STEP = 0.01
    PATIENCE = 3

    def __init__(self, objective: Objective, image: tf.Tensor, *, history: int):
        # TFP takes a second to import, which Adam need not wait for. Its type of
        # results has no public name; making one here saves a second compiled
        # copy of the whole search, which is what asking TFP for one would cost.
        import tensorflow_probability as tfp
        from tensorflow_probability.python.optimizer.lbfgs import LBfgsOptimizerResults

        self.image = tf.Variable(image, trainable=True, name="image")
        self.evaluations = 0
        self._objective = objective
        self._failures = 0
        self._history = history
        self._results_type = LBfgsOptimizerResults
        shape = self.image.shape

        @tf.function
        def resume(results, scale, limit):
            def scaled(position):
                value, _, gradient = objective.value_and_gradient(tf.reshape(position, shape))
                return value * scale, tf.reshape(gradient, [-1]) * scale

            # No tolerance but 0: the run is as long as it was asked to be.
            return tfp.optimizer.lbfgs_minimize(
                scaled,
                initial_position=None,
                previous_optimizer_results=results,
                tolerance=0.0,
                max_iterations=limit,
            )

        self._resume = resume

    def start(self) -> None:
        image = self.image.read_value()
        value, self.losses, gradient = self._objective.value_and_gradient(image)
        self.evaluations += 1
        _require_finite(self.losses, "lower the weights")
        self._begin_at(image, value, gradient)

    def _begin_at(self, image: tf.Tensor, value: tf.Tensor, gradient: tf.Tensor) -> None:
        """Starts without history, where the unscaled value and gradient are known."""
        slope = float(tf.sqrt(tf.reduce_mean(tf.square(gradient))))
        # A slope of 0 is a stationary point, which TFP finds out by itself.
        length = self.FIRST_STEP / 10**self._failures
        self._scale = tf.constant(length / slope if slope > 0 else 1.0, tf.float32)
        position = tf.reshape(image, [-1])
        empty = tf.zeros([self._history, position.shape[0]])
        self._results = self._results_type(
            converged=tf.constant(False),
            failed=tf.constant(False),
            num_iterations=tf.constant(0),
            num_objective_evaluations=tf.constant(0),
            position=position,
            objective_value=value * self._scale,
            objective_gradient=tf.reshape(gradient, [-1]) * self._scale,
            position_deltas=empty,
            gradient_deltas=empty,
        )

    def advance(self, steps: int) -> str:
        note, left = "", steps
        while left > 0 and not self.finished:
            before = self._results
            made = self._iterate(before, left)
            left -= made
            stuck = bool(self._results.failed) or bool(self._results.converged)
            if not np.isfinite(self._results.position).all():
                # A search that ends nowhere takes the picture with it: the
                # iterations before it are made again, and it is not.
                self._iterate(before, made - 1)
            if self._results.objective_value < before.objective_value:
                self._failures = 0
            if stuck:
                self._failures += 1
                note = self._start_again(steps - left)
        self.image.assign(tf.reshape(self._results.position, self.image.shape))
        self.losses = self._objective.losses(self.image.read_value())
        _require_finite(self.losses, "lower the weights")
        return note

    def _iterate(self, before, iterations: int) -> int:
        """Makes up to so many iterations and returns how many it made."""
        self._results = self._resume(before, self._scale, before.num_iterations + iterations)
        self.evaluations += int(self._results.num_objective_evaluations - before.num_objective_evaluations)
        return int(self._results.num_iterations - before.num_iterations)

    def _start_again(self, step: int) -> str:
        if self._failures > self.PATIENCE or not np.any(self._results.objective_gradient):
            self.finished = True
            return f"L-BFGS finds no lower point in float32 after {step} more iterations; the run ends here"
        old = self._results
        self._begin_at(old.position, old.objective_value / self._scale, old.objective_gradient / self._scale)
        return f"the line search of L-BFGS failed after {step} more iterations; it starts again from there"

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
