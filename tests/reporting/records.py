"""A picture and a record to report."""

import numpy as np
import tensorflow as tf

from tfstyle.reporting import Progress

IMAGE = tf.constant(np.linspace(-0.5, 1.5, 4 * 5 * 3, dtype=np.float32).reshape(1, 4, 5, 3))


def progress(step, seconds=0.0, note="", total_steps=100, scale=0, scales=1):
    losses = {"content/block4_conv2": 30.0, "style/block1_conv1": 8.0, "style/block2_conv1": 4.0}
    unweighted = {name: value / 2 for name, value in losses.items()}
    return Progress(step, total_steps, scale, scales, losses, unweighted, 42.0, seconds, step + 1, note)
