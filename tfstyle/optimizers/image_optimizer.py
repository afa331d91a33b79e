"""Keeps an optimiser's state between calls, for whoever looks at the picture in between."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Protocol

import numpy as np
import tensorflow as tf

from tfstyle.optimizers.optimizer import Evaluate, Losses, Optimizer, State
from tfstyle.runtime.workshop import Workshop

FAILED = "the line search of L-BFGS failed; it starts again from there"
ENDED = "L-BFGS finds no lower point in float32; the run ends here"


class Objective(Protocol):
    """What is asked of an objective. Values are `[B]`, one for each picture on which no other has a part."""

    def value_and_gradient(self, image: tf.Tensor) -> tuple[tf.Tensor, Losses, tf.Tensor]:
        """Returns values, their named parts, and the gradients `[B, H, W, 3]`."""

    def losses(self, image: tf.Tensor) -> Losses:
        """Returns the named parts alone."""


class ImageOptimizer:
    """Pictures on their way downhill, some steps at a time; each is one call of a compiled function.

    Python makes the loop over steps, so that it can be interrupted between two of them; within a
    graph, `optimizer.advance` makes it.

    Between two calls of `advance` the pictures may be looked at, and `state`
    saved and restored. Call `start` or `restore` first.

    Args:
      optimizer: makes the steps.
      objective: what to minimise.
      image: `[B, H, W, 3]` to start from.
      workshop: keeps the compiled steps.

    Attributes:
      image: `tf.Variable` `[B, H, W, 3]`.
      losses: named parts of the objective, as `State` has them.
    """

    def __init__(self, optimizer: Optimizer, objective: Objective, image: tf.Tensor, workshop: Workshop):
        self.image = tf.Variable(image, trainable=True, name="image")
        self.losses: Losses = {}
        self._optimizer = optimizer
        self._objective = objective
        self._workshop = workshop

    def start(self) -> None:
        """Begins where the picture stands, and forgets whatever was before.

        Raises:
          FloatingPointError: the objective is not finite there; so also in `reconsider`.
        """
        self._keep(self._optimizer.init(self._evaluate, self.image.read_value()))
        _require_finite(self.losses, "lower the weights")

    def reconsider(self, objective: Objective) -> None:
        """Goes on with another objective: the last one's function, computed in another way.

        One evaluation where the steps have led takes the place of the last one;
        what was learned of the function stays.
        """
        self._objective = objective
        self._keep(self._optimizer.again(self._evaluate, self._state))
        _require_finite(self.losses, "lower the weights")

    def advance(self, steps: int) -> str:
        """Makes up to so many iterations and returns a note of what went wrong, or ''.

        Raises:
          FloatingPointError: the objective is not finite any more.
        """
        restarts = self._state.restarts
        step = self._workshop.compiled(partial(self._optimizer.step, self._evaluate), self._state)
        for _ in range(steps):
            self._state = step(self._state)
            if self.finished:
                break
        self._keep(self._state)
        _require_finite(self.losses, self._optimizer.advice)
        _require_finite({"its gradient": self._state.gradient}, self._optimizer.advice)
        if self.finished:
            return ENDED
        return FAILED if np.any(self._state.restarts > restarts) else ""

    @property
    def evaluations(self) -> int:
        """Times that values and gradients were computed."""
        return int(self._state.evaluations)

    @property
    def finished(self) -> bool:
        """Whether of no picture further descent is possible."""
        return bool(np.all(self._state.finished))

    @property
    def at_rest(self) -> bool:
        """Whether the gradient vanishes for every picture, so that there is nowhere to go."""
        return not np.any(self._state.gradient)

    def state(self) -> dict[str, np.ndarray]:
        """Returns everything that `advance` depends on."""
        return {name: value.numpy() for name, value in _named(self._state)}

    def restore(self, state: Mapping[str, np.ndarray]) -> None:
        """Puts a `state` back; the next `advance` goes on as if nothing had happened.

        Raises:
          ValueError: it is none of this optimiser, on pictures of this size.
        """
        traced = tf.function(lambda image: self._optimizer.init(self._evaluate, image), autograph=False)
        like = traced.get_concrete_function(self.image.read_value()).structured_outputs
        specs = dict(_named(like))
        if specs.keys() != state.keys():
            raise ValueError(f"state: must have {', '.join(specs)}, not {', '.join(state)}")
        values = [tf.constant(state[name]) for name in specs]
        for value, (name, spec) in zip(values, specs.items()):
            if value.dtype != spec.dtype or not value.shape.is_compatible_with(spec.shape):
                found = f"{value.dtype.name} of shape {value.shape}"
                raise ValueError(
                    f"state: {name}: must be {spec.dtype.name} of shape {spec.shape}, not {found}"
                )
        self._keep(tf.nest.pack_sequence_as(like, values))

    @property
    def _evaluate(self) -> Evaluate:
        return self._objective.value_and_gradient

    def _keep(self, state: State) -> None:
        self._state = state
        self.image.assign(state.image)
        self.losses = self._objective.losses(state.image) if state.losses is None else state.losses


def _named(nest, name: str = "optimizer") -> Iterator[tuple[str, tf.Tensor]]:
    """Yields the tensors of a nest, in the order of `tf.nest.flatten`, with a path to each."""
    if isinstance(nest, tuple) and hasattr(nest, "_asdict"):
        parts = nest._asdict().items()
    elif isinstance(nest, dict):
        parts = sorted(nest.items())
    elif isinstance(nest, tuple):
        parts = enumerate(nest)
    else:
        yield name, nest
        return
    for key, part in parts:
        yield from _named(part, f"{name}/{key}")


def _require_finite(values: Mapping[str, tf.Tensor], advice: str) -> None:
    wrong = [name for name, value in values.items() if not np.isfinite(value).all()]
    if wrong:
        raise FloatingPointError(f"the objective is not finite any more ({', '.join(wrong)}); {advice}")
