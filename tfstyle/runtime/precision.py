"""Whether bfloat16 pays on this machine: found out by trying."""

from __future__ import annotations

import functools
import threading
import time

import numpy as np
import tensorflow as tf

from tfstyle.runtime import determinism

# How much faster bfloat16 must be to be worth its rounding.
_WORTHWHILE = 1.25
_TRIALS = 5
# One thread measures at a time, and the others take what it found.
_MEASURING = threading.Lock()


def resolved(precision: str) -> str:
    """Returns ``float32`` or ``bfloat16``, which ``auto`` leaves to the machine.

    Where runs are to be deterministic it is float32: a measurement may come out
    another way the next time.
    """
    if precision != "auto":
        return precision
    if determinism.enabled():
        return "float32"
    return "bfloat16" if speedup() >= _WORTHWHILE else "float32"


def choice() -> str:
    """Returns in words what ``auto`` goes by on this machine."""
    if determinism.enabled():
        return "a deterministic run cannot go by what is faster today"
    return f"bfloat16 is {speedup():.2f} times as fast here as float32"


def speedup() -> float:
    """Returns how many times faster a convolution and its gradient are in bfloat16 than in float32.

    0 where bfloat16 cannot be computed at all.
    """
    try:
        return rate("bfloat16") / rate("float32")
    except (tf.errors.UnimplementedError, tf.errors.InvalidArgumentError, tf.errors.NotFoundError):
        return 0.0


def rate(dtype: str) -> float:
    """Measures, once a process, the floating-point operations a second of a convolution and its gradient.

    The convolution is one of VGG19's middle ones, 128 to 128 filters on 64 x 64 positions.
    """
    with _MEASURING:
        return _measured(dtype)


@functools.cache
def _measured(dtype: str) -> float:
    generator = np.random.default_rng(0)
    activation = tf.cast(generator.standard_normal((1, 64, 64, 128)), dtype)
    kernel = tf.cast(generator.standard_normal((3, 3, 128, 128)) / 34, dtype)

    @tf.function
    def step(activation):
        with tf.GradientTape() as tape:
            tape.watch(activation)
            result = tf.nn.relu(tf.nn.conv2d(activation, kernel, 1, "SAME"))
        return tf.reduce_sum(tf.cast(tape.gradient(result, activation), tf.float32))

    step(activation).numpy()
    seconds = []
    for _ in range(_TRIALS):
        began = time.perf_counter()
        step(activation).numpy()
        seconds.append(time.perf_counter() - began)
    return 2 * 2 * 9 * 128 * 128 * 64 * 64 / min(seconds)
