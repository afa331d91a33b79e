"""Steps with the spectrum of pictures: the metric in which L-BFGS starts.

A gradient is noise pixel by pixel, and a step down it changes grain first and
the light and colour of large areas last. Pictures are the other way round:
their amplitude falls about as 1/f with spatial frequency f (Field 1987). A
quasi-Newton method may begin from any positive definite inverse Hessian
(Nocedal & Wright 2006, eq. 7.20 takes a multiple of the identity); this is one
that is diagonal in the cosine basis, the frequencies of a picture mirrored at
its borders.
"""

from __future__ import annotations

import numpy as np
import tensorflow as tf


def spectral_gains(height: int, width: int, power: float) -> np.ndarray:
    """Returns `[H, W]` float32, f^-power at every frequency of the cosine basis.

    Frequencies are in cycles a pixel; at 0 stands the gain of half a cycle
    over the longer side, the slowest change there is. The geometric mean is 1,
    so that a power changes the shape of a step and not its overall size.
    """
    vertical = np.arange(height)[:, np.newaxis] / (2 * height)
    horizontal = np.arange(width)[np.newaxis] / (2 * width)
    frequency = np.maximum(np.hypot(vertical, horizontal), 0.5 / max(height, width))
    logarithm = -power * np.log(frequency)
    return np.exp(logarithm - logarithm.mean()).astype(np.float32)


def filtered(image: tf.Tensor, gains: tf.Tensor) -> tf.Tensor:
    """Multiplies a picture's cosine coefficients: a symmetric, positive definite operator.

    Args:
      image: `[B, H, W, C]` float32.
      gains: `[H, W]`, above 0.

    Returns:
      The shape of `image`.
    """
    rows = tf.transpose(image, [0, 3, 1, 2])
    coefficients = _along_height(tf.signal.dct, tf.signal.dct(rows, norm="ortho")) * gains
    rows = tf.signal.idct(_along_height(tf.signal.idct, coefficients), norm="ortho")
    return tf.transpose(rows, [0, 2, 3, 1])


def _along_height(transform, rows: tf.Tensor) -> tf.Tensor:
    return tf.linalg.matrix_transpose(transform(tf.linalg.matrix_transpose(rows), norm="ortho"))
