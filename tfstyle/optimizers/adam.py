"""Adam, as Keras has it."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import tensorflow as tf

from tfstyle.optimizers.contract import (
    ImageOptimizer,
    Objective,
    pack_losses,
    require_finite,
    unpack_losses,
)


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
        super().__init__(objective, image)
        self._adam = tf.keras.optimizers.Adam(learning_rate)
        self._adam.build([self.image])
        self._fresh = [variable.numpy() for variable in self._adam.variables]

    def _iteration(self, gradient: tf.Tensor):
        self._adam.apply_gradients([(gradient, self.image)])
        self.image.assign(tf.clip_by_value(self.image, 0.0, 1.0))
        return self._objective.value_and_gradient(self.image.read_value())

    def _begin(self) -> None:
        for variable, value in zip(self._adam.variables, self._fresh):
            variable.assign(value)
        self._evaluate_again()

    def _evaluate_again(self) -> None:
        _, self.losses, self._gradient = self._objective.value_and_gradient(self.image.read_value())
        self.evaluations += 1
        require_finite(self.losses, "lower the weights")

    def advance(self, steps: int) -> str:
        for _ in range(steps):
            _, self.losses, self._gradient = self._iterate(self._gradient)
        self.evaluations += steps
        require_finite(self.losses, "lower learning_rate")
        return ""

    def state(self) -> dict[str, np.ndarray]:
        saved = {f"adam/{i}": variable.numpy() for i, variable in enumerate(self._adam.variables)}
        saved |= pack_losses(self.losses)
        return saved | {
            "image": self.image.numpy(),
            "gradient": self._gradient.numpy(),
            "evaluations": np.int64(self.evaluations),
        }

    def restore(self, state: Mapping[str, np.ndarray]) -> None:
        for i, variable in enumerate(self._adam.variables):
            variable.assign(state[f"adam/{i}"])
        self.losses = unpack_losses(state)
        self.image.assign(state["image"])
        self._gradient = tf.constant(state["gradient"])
        self.evaluations = int(state["evaluations"])
