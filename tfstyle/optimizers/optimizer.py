"""What an optimiser is: an `init` and a `step` over an explicit state, and the loop over steps.

A state is a `NamedTuple` of tensors, and all that the next step depends on.
Both functions are pure, take any number and size of pictures, and may be called
eagerly, in a `tf.function` or in a `tf.while_loop`. The pictures of a batch are
independent of each other.
"""

from __future__ import annotations

import abc
from collections.abc import Callable
from typing import Protocol

import tensorflow as tf

Losses = dict[str, tf.Tensor]  # `[B]` each
# From pictures `[B, H, W, 3]` to values `[B]`, their named parts, and gradients `[B, H, W, 3]`.
Evaluate = Callable[[tf.Tensor], tuple[tf.Tensor, Losses, tf.Tensor]]


class State(Protocol):
    """What every state tells.

    Attributes:
      image: `[B, H, W, 3]`, the pictures.
      losses: named parts of the objective at `image`, or at the last iterate where that is
        a mean of iterates; None where the optimiser does not get to know them.
      gradient: of the last evaluation, in coordinates and units of the optimiser's own.
      evaluations: scalar, times that values and gradients were computed.
      restarts: `[B]` or scalar, how often a search that failed was begun anew.
      finished: `[B]` or scalar, whether no further descent is possible.
    """

    image: tf.Tensor
    losses: Losses | None
    gradient: tf.Tensor
    evaluations: tf.Tensor
    restarts: tf.Tensor | int
    finished: tf.Tensor | bool


class Optimizer(abc.ABC):
    """A method of descent, with settings: a frozen dataclass, so that equal ones do the same.

    Attributes:
      advice: what to do where it leaves the region in which the objective is finite.
    """

    advice = "lower the weights"

    @abc.abstractmethod
    def init(self, evaluate: Evaluate, image: tf.Tensor) -> State:
        """Returns the state at pictures `[B, H, W, 3]`, after one evaluation there."""

    @abc.abstractmethod
    def step(self, evaluate: Evaluate, state: State) -> State:
        """Returns the state after one iteration."""

    @abc.abstractmethod
    def again(self, evaluate: Evaluate, state: State) -> State:
        """Returns the state with its last evaluation made anew, on the same function computed in another way.

        What was learned of the function stays; an end that was reached is no end any more.
        """


def advance(optimizer: Optimizer, evaluate: Evaluate, state: State, steps: int | tf.Tensor) -> State:
    """Returns the state after up to so many steps, fewer if it is finished before; one `tf.while_loop`."""

    def goes_on(made: tf.Tensor, state: State) -> tf.Tensor:
        return (made < steps) & ~tf.reduce_all(state.finished)

    def step(made: tf.Tensor, state: State) -> tuple[tf.Tensor, State]:
        after = optimizer.step(evaluate, state)
        for new, old in zip(tf.nest.flatten(after), tf.nest.flatten(state)):
            new.set_shape(
                old.shape
            )  # a step keeps shapes, but of unknown sizes that cannot always be inferred
        return made + 1, after

    return tf.while_loop(goes_on, step, (tf.constant(0), state), parallel_iterations=1)[1]


def where(which: tf.Tensor, new, old):
    """Returns a nest `[B, ...]`: of the pictures named, `[B]`, new values, of the others old ones."""

    def chosen(new: tf.Tensor | float, old: tf.Tensor) -> tf.Tensor:
        return tf.where(tf.reshape(which, [-1] + [1] * (old.shape.rank - 1)), new, old)

    return tf.nest.map_structure(chosen, new, old)
