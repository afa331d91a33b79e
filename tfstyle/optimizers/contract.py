"""What every optimiser promises, and what it asks of an objective.

An optimiser holds the picture as a `tf.Variable` and moves it some iterations
at a time. Between two calls of `advance` the picture may be looked at, and
`state`, which is all that the next call depends on, may be saved and restored.
"""

from __future__ import annotations

import abc
from collections.abc import Callable, Mapping
from typing import Protocol

import numpy as np
import tensorflow as tf


class Objective(Protocol):
    """What an optimiser asks of an objective; both calls are `tf.function`s.

    Values are `[B]`, one for each picture on which no other has a part; of a
    single picture they may be scalars.
    """

    def value_and_gradient(self, image: tf.Tensor) -> tuple[tf.Tensor, dict[str, tf.Tensor], tf.Tensor]:
        """Returns values, their named parts, and the gradients `[B, H, W, 3]`."""

    def losses(self, image: tf.Tensor) -> dict[str, tf.Tensor]:
        """Returns the named parts alone."""


class ImageOptimizer(abc.ABC):
    """Pictures on their way downhill, each on its own.

    Attributes:
      image: `tf.Variable` `[B, H, W, 3]`.
      losses: named parts of the objective at `image`; where that is a mean of
        iterates, at the last of them.
      evaluations: times that values and gradients were computed.
      finished: of no picture further descent is possible.
    """

    image: tf.Variable
    losses: dict[str, tf.Tensor]
    evaluations: int
    finished: bool = False

    def __init__(self, objective: Objective, image: tf.Tensor):
        self.image = tf.Variable(image, trainable=True, name="image")
        self.evaluations = 0
        self._compiled: dict[Objective, Callable] = {}
        self.use(objective)

    def use(self, objective: Objective) -> None:
        """Takes an objective for pictures of this size; `start`, `reconsider` or `restore` must follow."""
        self._objective = objective
        # An iteration that is traced calls the objective in use. What depends on tensors in it is
        # written as TensorFlow's own control flow; to look for more would double the time of tracing.
        self._iterate = self._compiled.setdefault(objective, tf.function(self._iteration, autograph=False))

    def start(self, image: tf.Tensor | None = None) -> None:
        """Begins at a picture, or where the picture stands, and evaluates the objective there.

        Call this or `restore` first. Whatever was before is forgotten.
        """
        if image is not None:
            self.image.assign(image)
        self.evaluations, self.finished = 0, False
        self._begin()

    def reconsider(self) -> None:
        """Goes on with the objective now in use: the last one's, computed in another way.

        One evaluation where the steps have led takes the place of the last one;
        what was learned of the function stays.
        """
        self.finished = False
        self._evaluate_again()

    @abc.abstractmethod
    def _begin(self) -> None:
        """Forgets what was, and makes the first evaluation at the picture."""

    @abc.abstractmethod
    def _evaluate_again(self) -> None:
        """Evaluates where the steps have led, and forgets no more than the last evaluation there."""

    @abc.abstractmethod
    def _iteration(self, *state):
        """One iteration, as a `tf.function`."""

    @property
    @abc.abstractmethod
    def at_rest(self) -> bool:
        """Whether the gradient vanishes for every picture, so that there is nowhere to go."""

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


def require_finite(losses: Mapping[str, tf.Tensor], hint: str) -> None:
    """Checks the parts of an objective.

    Raises:
      FloatingPointError: names the parts that are not finite, and the hint.
    """
    wrong = [name for name, value in losses.items() if not np.isfinite(value).all()]
    if wrong:
        raise FloatingPointError(f"the objective is not finite any more ({', '.join(wrong)}); {hint}")


def pack_losses(losses: Mapping[str, tf.Tensor]) -> dict[str, np.ndarray]:
    """Returns named losses as a part of a `state`."""
    return {f"losses/{name}": np.asarray(value) for name, value in losses.items()}


def unpack_losses(state: Mapping[str, np.ndarray]) -> dict[str, tf.Tensor]:
    """Returns the named losses of a `state`."""
    names = [name for name in state if name.startswith("losses/")]
    return {name.removeprefix("losses/"): tf.constant(state[name]) for name in names}
