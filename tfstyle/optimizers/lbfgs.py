"""L-BFGS with one evaluation an iteration wherever the unit step goes down.

Own code beside TensorFlow Probability's (`tfp_lbfgs.py`) for the reasons given in `quasi_newton.py`.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import tensorflow as tf

from tfstyle.optimizers.contract import ImageOptimizer, Objective, pack_losses, require_finite, unpack_losses
from tfstyle.optimizers.preconditioner import Knowledge
from tfstyle.optimizers.quasi_newton import History, QuasiNewton, State, image_at

FAILED = "the line search of L-BFGS failed; it starts again from there"
ENDED = "L-BFGS finds no lower point in float32; the run ends here"


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
    (`preconditioner.py`): as low a loss needs fewer evaluations.

    A search that fails starts again from the picture, without history. Of
    several pictures, each has its own history, metric, searches and end; they
    share evaluations, of which each iteration takes as many as its longest
    search.

    Args:
      objective: what to minimise.
      image: `[B, H, W, 3]` to start from.
      history: pairs of step and gradient difference to keep.
      caution: factor on the length of first steps.
    """

    def __init__(self, objective: Objective, image: tf.Tensor, *, history: int, caution: float = 1.0):
        super().__init__(objective, image)
        count, pixels = self.image.shape[0], self.image.shape[1:].num_elements()
        self._method = QuasiNewton(self._evaluate, self.image.shape.as_list(), history, caution)
        tables = [tf.Variable(tf.zeros([count * history, pixels])) for _ in History._fields]
        self._history = History(*tables)
        self._state: State | None = None  # of variables, when it is known what losses there are

    def _evaluate(self, image: tf.Tensor):
        return self._objective.value_and_gradient(image)

    def _begin(self) -> None:
        self.image.assign(tf.clip_by_value(self.image, 0.0, 1.0))
        self._keep(self._method.begin(self.image.read_value()))
        require_finite(self.losses, "lower the weights")

    def _evaluate_again(self) -> None:
        self._keep(self._method.again(_read(self._state), self.image.read_value()))
        require_finite(self.losses, "lower the weights")

    def _keep(self, state: State) -> None:
        """Writes a state into the variables."""
        names = state.losses.keys() if self._state is None else self._state.losses.keys()
        if self._state is None or names != state.losses.keys():
            self._state = tf.nest.map_structure(lambda value: tf.Variable(value, trainable=False), state)
        else:
            tf.nest.map_structure(lambda variable, value: variable.assign(value), self._state, state)
        self._tell()

    def _tell(self) -> None:
        """Makes known what the state says to those outside."""
        self.losses = {name: value.read_value() for name, value in self._state.losses.items()}
        self.evaluations = int(self._state.evaluations)
        self.finished = bool(tf.reduce_all(self._state.finished))

    def _iteration(self) -> tuple[tf.Tensor, tf.Tensor]:
        """Returns whether any search failed, and whether no picture can go on."""
        before = _read(self._state)
        state, pairs = self._method.iterate(before, self._history)
        for table, values in zip(self._history, (pairs.steps, pairs.differences)):
            table.scatter_nd_update(pairs.rows, values)
        tf.nest.map_structure(lambda variable, value: variable.assign(value), self._state, state)
        # What was not moved stays as it is, to the last bit.
        moved = tf.reshape(state.failures == 0, [-1, 1, 1, 1])
        self.image.assign(tf.where(moved, image_at(state, self.image.shape), self.image))
        return tf.reduce_any(state.failures > before.failures), tf.reduce_all(state.finished)

    def advance(self, steps: int) -> str:
        note = ""
        for _ in range(steps):
            failed, finished = self._iterate()
            if finished:
                note = ENDED
                break
            if failed:
                note = FAILED
        self._tell()
        require_finite(self.losses, "lower the weights")
        require_finite({"its gradient": self._state.gradient}, "lower the weights")
        return note

    @property
    def at_rest(self) -> bool:
        return not np.any(self._state.gradient)

    def state(self) -> dict[str, np.ndarray]:
        flat = {**self._state._asdict(), **self._state.known._asdict(), **self._history._asdict()}
        kept = {name: value for name, value in flat.items() if name not in ("losses", "known")}
        saved = {f"lbfgs/{name}": value.numpy() for name, value in kept.items()}
        return saved | pack_losses(self.losses) | {"lbfgs/image": self.image.numpy()}

    def restore(self, state: Mapping[str, np.ndarray]) -> None:
        own = {name.removeprefix("lbfgs/"): value for name, value in state.items()}
        self.image.assign(own["image"])
        for name, variable in self._history._asdict().items():
            variable.assign(own[name])
        nested = {
            "losses": unpack_losses(state),
            "known": Knowledge(*(tf.constant(own[name]) for name in Knowledge._fields)),
        }
        fields = {name: tf.constant(own[name]) for name in State._fields if name not in nested}
        self._keep(State(**fields, **nested))


def _read(state: State) -> State:
    return tf.nest.map_structure(lambda variable: variable.read_value(), state)
