"""Whether bfloat16 pays on this machine: found out by trying, once a machine."""

from __future__ import annotations

import contextlib
import functools
import hashlib
import json
import os
import pathlib
import platform
import statistics
import threading
import time
from collections.abc import Callable

import numpy as np
import tensorflow as tf

from tfstyle.config import TransferConfig
from tfstyle.io import untrusted
from tfstyle.io.files import own_folders, writable, write_atomically
from tfstyle.runtime import determinism

# How much faster bfloat16 must be to be worth its rounding.
_WORTHWHILE = 1.25
# Pairs of measurements are made until this many are all on one side of that, by this factor; or so many.
_AGREEING, _CLEARLY, _MOST = 3, 1.1, 11
# Longer sides in pixels at which it is tried; that of a run is rounded up, if it is not above the last.
_SIDES = (64, 128, 256)
# Of VGG19's blocks: filters, and by what the sides of a picture are divided.
_BLOCKS = ((64, 1), (128, 2), (256, 4), (512, 8))
_TRIALS = 5
_FORMAT = 1
# One thread measures at a time, and the others take what it found.
_MEASURING = threading.RLock()
_NO_KERNEL = (tf.errors.UnimplementedError, tf.errors.InvalidArgumentError, tf.errors.NotFoundError)


def resolved(config: TransferConfig) -> str:
    """Returns ``float32`` or ``bfloat16``, which ``auto`` leaves to the machine.

    Where runs are to be deterministic it is float32: a measurement may come out
    another way the next time.
    """
    if config.precision != "auto":
        return config.precision
    if determinism.enabled():
        return "float32"
    return "bfloat16" if speedup(_side_of(config)) >= _WORTHWHILE else "float32"


def choice(config: TransferConfig) -> str:
    """Returns in words what ``auto`` goes by on this machine."""
    if determinism.enabled():
        return "a deterministic run cannot go by what is faster today"
    return f"bfloat16 is {speedup(_side_of(config)):.2f} times as fast here as float32"


def _side_of(config: TransferConfig) -> int:
    return next((side for side in _SIDES if 0 < config.image_size <= side), _SIDES[-1])


def speedup(side: int) -> float:
    """Returns how many times faster VGG19's convolutions and their gradients are in bfloat16 than in float32.

    It is measured once and kept in the cache folder, for later processes on such a machine. 0 where
    bfloat16 cannot be computed at all.

    Args:
      side: of the picture, in pixels.
    """
    with _MEASURING:
        return _known_speedup(side)


@functools.cache
def _known_speedup(side: int) -> float:
    about = {
        "format": _FORMAT,
        "side": side,
        "tensorflow": tf.__version__,
        "processor": _processor(),
        "threads": (tf.config.threading.get_intra_op_parallelism_threads(), os.cpu_count()),
        "devices": [device.name for device in tf.config.list_physical_devices()],
    }
    about = json.dumps(about)
    name = f"bfloat16-{hashlib.sha256(about.encode()).hexdigest()[:16]}.json"
    for folder in own_folders():
        with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
            found = untrusted.parse_json((folder / name).read_bytes(), limit=1 << 14)
            if found["about"] == about and found["speedup"] >= 0:
                return float(found["speedup"])
    ratio = _measured_speedup(side)
    with contextlib.suppress(OSError):  # whole or not at all, whoever else writes it
        write_atomically(
            writable(own_folders()) / name, json.dumps({"about": about, "speedup": ratio}).encode()
        )
    return ratio


def _measured_speedup(side: int) -> float:
    """Returns the median of pairs of measurements, each of which is of one moment."""
    try:
        layers = [(side // share, filters) for filters, share in _BLOCKS]
        steps = [_compiled(dtype, layers) for dtype in ("float32", "bfloat16")]
    except _NO_KERNEL:
        return 0.0
    ratios: list[float] = []
    while len(ratios) < _MOST:
        float32, bfloat16 = map(_seconds, steps)
        ratios.append(float32 / bfloat16)
        low, high = min(ratios), max(ratios)
        agree = low >= _WORTHWHILE * _CLEARLY or high <= _WORTHWHILE / _CLEARLY
        if agree and len(ratios) >= _AGREEING:
            break
    return statistics.median(ratios)


def rate(dtype: str) -> float:
    """Measures, once a process, the floating-point operations a second of a convolution and its gradient.

    The convolution is one of VGG19's middle ones, 128 to 128 filters on 64 x 64 positions.
    """
    with _MEASURING:
        return _measured(dtype)


@functools.cache
def _measured(dtype: str) -> float:
    step = _compiled(dtype, [(64, 128)])
    return 2 * 2 * 9 * 128 * 128 * 64 * 64 / min(_seconds(step) for _ in range(_TRIALS))


def _compiled(dtype: str, layers: list[tuple[int, int]]) -> Callable[[], tf.Tensor]:
    """Returns convolutions of so many positions a side and filters, with their gradients, called once."""
    generator = np.random.default_rng(0)
    pairs = [
        (
            tf.cast(generator.standard_normal((1, side, side, filters)), dtype),
            tf.cast(generator.standard_normal((3, 3, filters, filters)) / (3 * filters**0.5), dtype),
        )
        for side, filters in layers
    ]

    @tf.function
    def step():
        sums = []
        for activation, kernel in pairs:
            with tf.GradientTape() as tape:
                tape.watch(activation)
                result = tf.nn.relu(tf.nn.conv2d(activation, kernel, 1, "SAME"))
            sums.append(tf.reduce_sum(tf.cast(tape.gradient(result, activation), tf.float32)))
        return tf.add_n(sums)

    step().numpy()
    return step


def _seconds(step: Callable[[], tf.Tensor]) -> float:
    began = time.perf_counter()
    step().numpy()
    return time.perf_counter() - began


def _processor() -> str:
    with contextlib.suppress(OSError):
        for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
