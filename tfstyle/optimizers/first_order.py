"""Adam and SGD: optimisers that go by the gradient at one picture at a time.

They make the steps of Keras' optimisers, which themselves bind to variables of
known shape and so cannot make pictures of any size in one graph.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import tensorflow as tf

from tfstyle.optimizers.optimizer import Evaluate, Losses, Optimizer

_DECAY_STEPS = 100  # iterations in which the learning rate changes by its whole decay


class FirstOrderState(NamedTuple):
    """Where B pictures are after k steps; symbols are those of Kingma & Ba 2015.

    Attributes:
      step: scalar, k.
      iterate: `[B, H, W, 3]`, x_k.
      mean: a tuple of m_k alone, as `Sgd` has it; () without averaging.
      moments: of the gradient, each `[B, H, W, 3]`: (m, v) of Adam, () of SGD.
      gradient: `[B, H, W, 3]`, of the objective at x_k.
      losses: named parts, `[B]`, at x_k.
      evaluations: scalar.
    """

    step: tf.Tensor
    iterate: tf.Tensor
    mean: tuple[tf.Tensor, ...]
    moments: tuple[tf.Tensor, ...]
    gradient: tf.Tensor
    losses: Losses
    evaluations: tf.Tensor

    # There is no search that could fail, and always a next step.
    restarts, finished = 0, False

    @property
    def image(self) -> tf.Tensor:
        """The mean or, without averaging, x_k."""
        return self.mean[0] if self.mean else self.iterate


@dataclass(frozen=True)
class Sgd(Optimizer):
    """Gradient descent without momentum on pictures that are clipped to [0, 1] after each step.

    The learning rate of step k + 1 is learning_rate * decay^(k/100). Each step
    ends with an evaluation where it arrived: N steps take N + 1 evaluations.

    Steps of one length swing about a minimum instead of coming to rest there;
    the mean of where they have been lies nearer to it. With averaging, `image`
    is the running mean m of the iterates x_0 (the start), x_1, ... x_k,

        m_k = (1 - d) / (1 - d^(k+1)) * sum_i d^(k-i) x_i,

    which is Kingma & Ba's exponential mean with their correction of its bias
    (2015, section 3; crowsonkb/style-transfer-pytorch averages so). Steps go on
    from x_k, and `losses` are those of x_k: the objective at m_k would take an
    evaluation more.

    Args:
      learning_rate, decay: as above.
      averaging: d in [0, 1); 0: `image` is the iterate itself.
    """

    learning_rate: float
    decay: float = 1.0
    averaging: float = 0.0

    advice = "lower learning_rate"

    def init(self, evaluate: Evaluate, image: tf.Tensor) -> FirstOrderState:
        _, losses, gradient = evaluate(image)
        mean = (image,) if self.averaging else ()
        one = tf.constant(1)
        return FirstOrderState(tf.constant(0), image, mean, self._moments(image), gradient, losses, one)

    def step(self, evaluate: Evaluate, state: FirstOrderState) -> FirstOrderState:
        made = tf.cast(state.step, tf.float32)
        rate = self.learning_rate * self.decay ** (made / _DECAY_STEPS)
        change, moments = self._change(state.gradient, state.moments, rate, made + 1)
        iterate = tf.clip_by_value(state.iterate - change, 0.0, 1.0)
        share = self._share_of_newest(state.step + 1)
        mean = tuple(old + share * (iterate - old) for old in state.mean)
        _, losses, gradient = evaluate(iterate)
        return FirstOrderState(
            state.step + 1, iterate, mean, moments, gradient, losses, state.evaluations + 1
        )

    def again(self, evaluate: Evaluate, state: FirstOrderState) -> FirstOrderState:
        _, losses, gradient = evaluate(state.iterate)
        return state._replace(gradient=gradient, losses=losses, evaluations=state.evaluations + 1)

    def _moments(self, image: tf.Tensor) -> tuple[tf.Tensor, ...]:
        return ()

    def _change(self, gradient, moments, rate, step):
        """Returns what step number `step`, from 1, takes off the pictures, and the moments after it."""
        return rate * gradient, moments

    def _share_of_newest(self, step: tf.Tensor) -> tf.Tensor:
        """Returns the weight of x_k in m_k, so that m_k = m_(k-1) + weight (x_k - m_(k-1))."""
        # In float64: both differences vanish as the decay nears 1.
        decay = tf.constant(self.averaging, tf.float64)
        return tf.cast((1.0 - decay) / (1.0 - decay ** (tf.cast(step, tf.float64) + 1.0)), tf.float32)


@dataclass(frozen=True, kw_only=True)
class Adam(Sgd):
    """Kingma & Ba's algorithm 1, in the order of the end of their section 2, as Keras has it.

    Args:
      learning_rate, decay, averaging: as in `Sgd`.
      beta_1, beta_2, epsilon: theirs; epsilon is the one of that order.
    """

    beta_1: float
    beta_2: float
    epsilon: float

    def _moments(self, image: tf.Tensor) -> tuple[tf.Tensor, ...]:
        return tf.zeros_like(image), tf.zeros_like(image)

    def _change(self, gradient, moments, rate, step):
        first, second = moments
        first += (gradient - first) * (1 - self.beta_1)
        second += (tf.square(gradient) - second) * (1 - self.beta_2)
        rate = rate * tf.sqrt(1 - self.beta_2**step) / (1 - self.beta_1**step)
        return first * rate / (tf.sqrt(second) + self.epsilon), (first, second)
