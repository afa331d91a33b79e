"""Runs that come out the same to the last bit, each time on one machine.

There is one switch, TensorFlow's own (`enable_op_determinism`), and no second
one here that could disagree with it: whoever turns it on, by `enable` or
without this package, has ops that give the same bits each time, tf.data in
order, and no choice of this package that depends on timing or on free memory
(`precision=auto`, `evaluation=auto`).
"""

from __future__ import annotations

import os

import tensorflow as tf

# TensorFlow tells whether it is on in no public place; a test sees that it does in this one.
from tensorflow.python.framework import config as _config


def enable(seed: int = 0) -> None:
    """Makes all that is computed from here on repeatable on this machine, in this process and its children.

    It cannot be taken back; call it before anything is computed. Other
    machines, other TensorFlow versions, and another number of threads may
    still round otherwise.

    Args:
      seed: of Python's, NumPy's and TensorFlow's global generators, for code
        that draws from those; this package draws from its own `seed` options.
    """
    tf.config.experimental.enable_op_determinism()
    # What this process starts (Beam's workers, checks of exports) reads it from here.
    os.environ["TF_DETERMINISTIC_OPS"] = "1"
    tf.keras.utils.set_random_seed(seed)


def enabled() -> bool:
    """Returns whether ops are to be deterministic, and with them all choices."""
    return _config.is_op_determinism_enabled()
