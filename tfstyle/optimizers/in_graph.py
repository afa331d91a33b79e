"""Whole descents inside a graph: no variables, any number and size of pictures.

What `Lbfgs` and `FirstOrder` do iteration by iteration, with reports between
them, is one `tf.while_loop` here, for graphs that are to be called, mapped or
saved. L-BFGS is the same code. Adam and SGD are written out, because Keras'
own bind to variables of known shape; they make Keras' steps.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import tensorflow as tf

from tfstyle.config import TransferConfig
from tfstyle.optimizers.first_order import DECAY_STEPS
from tfstyle.optimizers.quasi_newton import Evaluate, History, QuasiNewton, image_at


class Leg(NamedTuple):
    """Iterations on one objective: `evaluate`, and how many, an int32 scalar."""

    evaluate: Evaluate
    iterations: tf.Tensor


def descend(config: TransferConfig, images: tf.Tensor, legs: Sequence[Leg]) -> tuple[tf.Tensor, tf.Tensor]:
    """Returns where the config's optimiser arrives.

    Args:
      config: the optimiser and its options; `line_search` must be backtracking.
      images: `[B, H, W, 3]` to start from.
      legs: one after the other; each goes on with what the last has learned,
        on the same objective computed in another way.

    Returns:
      `[B, H, W, 3]`, in [0, 1], and how many evaluations it took.
    """
    if config.optimizer == "lbfgs":
        return _quasi_newton(config, images, legs)
    return _first_order(config, images, legs)


def _quasi_newton(config: TransferConfig, images: tf.Tensor, legs: Sequence[Leg]):
    shape = [*tf.unstack(tf.shape(images)[:3]), 3]
    count, pixels = shape[0], 3 * shape[1] * shape[2]
    state = None
    empty = tf.zeros(tf.stack([count * config.lbfgs_history, pixels]))
    history = History(empty, empty)
    for evaluate, iterations in legs:
        method = QuasiNewton(evaluate, shape, config.lbfgs_history)
        state = method.begin(images) if state is None else method.again(state, image_at(state, shape))

        def going(step, state, history, iterations=iterations):
            return (step < iterations) & ~tf.reduce_all(state.finished)

        def iterate(step, state, history, method=method):
            state, pairs = method.iterate(state, history)
            history = History(
                tf.tensor_scatter_nd_update(history.steps, pairs.rows, pairs.steps),
                tf.tensor_scatter_nd_update(history.differences, pairs.rows, pairs.differences),
            )
            return step + 1, state, history

        first = (tf.constant(0), state, history)
        _, state, history = tf.while_loop(
            going, iterate, first, shape_invariants=_unsized(first), parallel_iterations=1
        )
    return image_at(state, shape), state.evaluations


class _Moving(NamedTuple):
    """Adam's and SGD's state: the symbols of Kingma & Ba 2015, algorithm 1."""

    step: tf.Tensor  # t, over all legs
    image: tf.Tensor  # theta
    mean: tf.Tensor  # of the images so far
    first: tf.Tensor  # m
    second: tf.Tensor  # v
    gradient: tf.Tensor  # g


def _first_order(config: TransferConfig, images: tf.Tensor, legs: Sequence[Leg]):
    zeros = tf.zeros_like(images)
    state = _Moving(tf.constant(0), images, images, zeros, zeros, zeros)
    until = tf.constant(0)
    for evaluate, iterations in legs:
        state = state._replace(gradient=evaluate(state.image)[2])
        until += iterations

        def step(state, evaluate=evaluate):
            return (_stepped(config, state, evaluate),)

        (state,) = tf.while_loop(
            lambda state, until=until: state.step < until,
            step,
            (state,),
            shape_invariants=_unsized((state,)),
            parallel_iterations=1,
        )
    return state.mean if config.averaging else state.image, state.step + len(legs)


def _stepped(config: TransferConfig, state: _Moving, evaluate: Evaluate) -> _Moving:
    made = tf.cast(state.step, tf.float32)
    rate = config.learning_rate * config.learning_rate_decay ** (made / DECAY_STEPS)
    first, second = state.first, state.second
    if config.optimizer == "adam":
        # In the order of the end of their section 2, as Keras has it.
        first += (state.gradient - first) * (1 - config.beta_1)
        second += (tf.square(state.gradient) - second) * (1 - config.beta_2)
        bias = tf.sqrt(1 - config.beta_2 ** (made + 1)) / (1 - config.beta_1 ** (made + 1))
        change = rate * bias * first / (tf.sqrt(second) + config.adam_epsilon)
    else:
        change = rate * state.gradient
    image = tf.clip_by_value(state.image - change, 0.0, 1.0)
    mean = image
    if config.averaging:
        decay = tf.constant(config.averaging, tf.float64)
        share = (1 - decay) / (1 - decay ** (tf.cast(state.step, tf.float64) + 2))
        mean = state.mean + tf.cast(share, image.dtype) * (image - state.mean)
    gradient = evaluate(image)[2]
    return _Moving(state.step + 1, image, mean, first, second, gradient)


def _unsized(values):
    """Returns shapes of any size for what a loop carries: pictures with their channels, others by rank."""

    def unsized(value: tf.Tensor) -> tf.TensorShape:
        rank = value.shape.rank
        return tf.TensorShape([None, None, None, 3] if rank == 4 and value.shape[-1] == 3 else [None] * rank)

    return tf.nest.map_structure(unsized, values)
