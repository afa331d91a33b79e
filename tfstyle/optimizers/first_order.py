"""Keras' Adam and SGD: optimisers that go by the gradient at one picture at a time."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import tensorflow as tf

from tfstyle.config import TransferConfig
from tfstyle.optimizers.contract import ImageOptimizer, Objective, pack_losses, require_finite, unpack_losses

DECAY_STEPS = 100  # iterations in which the learning rate changes by its whole decay


class FirstOrder(ImageOptimizer):
    """An optimiser of Keras on a picture that is clipped to [0, 1] after each step.

    Each step ends with an evaluation where it arrived: N steps take N + 1
    evaluations.

    Steps of one length swing about a minimum instead of coming to rest there;
    the mean of where they have been lies nearer to it. With averaging, `image`
    is the running mean m of the iterates x_0 (the start), x_1, ... x_k,

        m_k = (1 - d) / (1 - d^(k+1)) * sum_i d^(k-i) x_i,

    which is Kingma & Ba's exponential mean with their correction of its bias
    (2015, section 3; crowsonkb/style-transfer-pytorch averages so). Steps go on
    from x_k, and `losses` are those of x_k: the objective at m_k would take an
    evaluation more.

    Args:
      objective: what to minimise.
      image: `[B, H, W, 3]` to start from.
      method: Keras' optimiser, made for this picture alone.
      averaging: the decay d in [0, 1); 0: `image` is the iterate itself.
    """

    def __init__(
        self,
        objective: Objective,
        image: tf.Tensor,
        method: tf.keras.optimizers.Optimizer,
        *,
        averaging: float = 0.0,
    ):
        super().__init__(objective, image)
        self._method, self._averaging = method, averaging
        self._iterand = tf.Variable(image, name="iterand") if averaging else self.image
        method.build([self._iterand])
        self._fresh = [variable.numpy() for variable in method.variables]

    def _iteration(self, gradient: tf.Tensor):
        self._method.apply_gradients([(gradient, self._iterand)])
        self._iterand.assign(tf.clip_by_value(self._iterand, 0.0, 1.0))
        if self._averaging:
            self.image.assign_add(self._share_of_newest() * (self._iterand - self.image))
        return self._objective.value_and_gradient(self._iterand.read_value())

    def _share_of_newest(self) -> tf.Tensor:
        """Returns the weight of x_k in m_k, so that m_k = m_(k-1) + weight (x_k - m_(k-1))."""
        # In float64: both differences vanish as the decay nears 1.
        decay = tf.constant(self._averaging, tf.float64)
        iterates = tf.cast(self._method.iterations, tf.float64) + 1.0
        return tf.cast((1.0 - decay) / (1.0 - decay**iterates), self.image.dtype)

    def _begin(self) -> None:
        for variable, value in zip(self._method.variables, self._fresh):
            variable.assign(value)
        if self._averaging:
            self._iterand.assign(self.image)  # the mean of nothing but the start
        self._evaluate_again()

    def _evaluate_again(self) -> None:
        _, self.losses, self._gradient = self._objective.value_and_gradient(self._iterand.read_value())
        self.evaluations += 1
        require_finite(self.losses, "lower the weights")

    def advance(self, steps: int) -> str:
        for _ in range(steps):
            _, self.losses, self._gradient = self._iterate(self._gradient)
        self.evaluations += steps
        require_finite(self.losses, "lower learning_rate")
        return ""

    @property
    def at_rest(self) -> bool:
        return not np.any(self._gradient)

    def _variables(self) -> dict[str, tf.Variable]:
        kept = {f"keras/{i}": variable for i, variable in enumerate(self._method.variables)}
        kept["image"] = self.image
        return kept | ({"iterand": self._iterand} if self._averaging else {})

    def state(self) -> dict[str, np.ndarray]:
        saved = {name: variable.numpy() for name, variable in self._variables().items()}
        saved |= pack_losses(self.losses)
        return saved | {"gradient": self._gradient.numpy(), "evaluations": np.int64(self.evaluations)}

    def restore(self, state: Mapping[str, np.ndarray]) -> None:
        for name, variable in self._variables().items():
            variable.assign(state[name])
        self.losses = unpack_losses(state)
        self._gradient = tf.constant(state["gradient"])
        self.evaluations = int(state["evaluations"])


def method_of(config: TransferConfig) -> tf.keras.optimizers.Optimizer:
    """Returns Keras' Adam, or its SGD without momentum, as the config has it.

    The learning rate after k iterations is learning_rate times
    learning_rate_decay^(k/100).
    """
    rate = config.learning_rate
    if config.learning_rate_decay != 1:
        schedules = tf.keras.optimizers.schedules
        rate = schedules.ExponentialDecay(rate, DECAY_STEPS, config.learning_rate_decay)
    if config.optimizer == "sgd":
        return tf.keras.optimizers.SGD(rate)
    return tf.keras.optimizers.Adam(
        rate, beta_1=config.beta_1, beta_2=config.beta_2, epsilon=config.adam_epsilon
    )
