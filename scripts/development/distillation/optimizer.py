"""Muon for kernels, Adam for biases.

Muon (Jordan et al. 2024, https://kellerjordan.github.io/posts/muon/) moves a matrix by
its momentum made orthogonal, so that rare directions are learned as fast as common ones.
"""

from __future__ import annotations

from collections.abc import Sequence

import tensorflow as tf

_COEFFICIENTS = 3.4445, -4.7750, 2.0315  # of the quintic iteration, as published
_ITERATIONS = 5
_MOMENTUM = 0.95
_BIAS_RATE = 0.2


class Muon:
    """Steps for a list of variables; state is kept in variables.

    The learning rate is relative: a step changes a kernel by that share of its
    root mean square, because VGG19's differ by a factor of ten. Biases are moved by
    a fifth of it.

    Args:
      variables: kernels of rank 4, `[h, w, C_in, C_out]`, and biases of rank 1.
    """

    def __init__(self, variables: Sequence[tf.Variable]):
        self._variables = variables
        self.learning_rate = tf.Variable(0.0, trainable=False)
        self._momenta = [tf.Variable(tf.zeros_like(variable), trainable=False) for variable in variables]
        self._squares = [tf.Variable(tf.zeros_like(variable), trainable=False) for variable in variables]
        self.steps = tf.Variable(0.0, trainable=False)

    @property
    def state(self) -> list[tf.Variable]:
        """What a checkpoint must hold."""
        return [*self._momenta, *self._squares, self.steps]

    def apply(self, gradients: Sequence[tf.Tensor]) -> None:
        """Moves the variables down by one step."""
        self.steps.assign_add(1.0)
        for variable, gradient, momentum, square in zip(
            self._variables, gradients, self._momenta, self._squares
        ):
            if variable.shape.rank == 4:
                momentum.assign(_MOMENTUM * momentum + gradient)
                step = _orthogonal(gradient + _MOMENTUM * momentum) * tf.sqrt(
                    tf.reduce_mean(tf.square(variable))
                )
                variable.assign_sub(self.learning_rate * step)
            else:
                momentum.assign(0.9 * momentum + 0.1 * gradient)
                square.assign(0.99 * square + 0.01 * tf.square(gradient))
                mean = momentum / (1 - 0.9**self.steps)
                root = tf.sqrt(square / (1 - 0.99**self.steps)) + 1e-8
                variable.assign_sub(_BIAS_RATE * self.learning_rate * mean / root)


def _orthogonal(kernel: tf.Tensor) -> tf.Tensor:
    """Returns the nearest matrix with equal singular values, of root mean square 1."""
    matrix = tf.reshape(kernel, [-1, kernel.shape[-1]])
    tall = matrix.shape[0] > matrix.shape[1]
    x = tf.transpose(matrix) if tall else matrix
    x /= tf.norm(x) + 1e-12
    a, b, c = _COEFFICIENTS
    for _ in range(_ITERATIONS):
        square = tf.matmul(x, x, transpose_b=True)
        x = a * x + tf.matmul(b * square + c * tf.matmul(square, square), x)
    x = tf.transpose(x) if tall else x
    return tf.reshape(x, kernel.shape) * max(matrix.shape) ** 0.5
