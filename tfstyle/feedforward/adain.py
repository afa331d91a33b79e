"""Adaptive instance normalisation: the means and deviations of one picture's activations given to another's.

Huang & Belongie, "Arbitrary Style Transfer in Real-time with Adaptive Instance
Normalization", ICCV 2017.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import tensorflow as tf

from tfstyle.config.options import listed, number
from tfstyle.feedforward.layers import instance_moments


class Moments(NamedTuple):
    """What is taken of a style.

    Attributes:
      mean: `[B, C]`, over positions.
      deviation: `[B, C]`, the square root of variance + epsilon.
    """

    mean: tf.Tensor
    deviation: tf.Tensor


def moments(features: tf.Tensor, epsilon: float = 1e-5) -> Moments:
    """Returns eqs. (5) and (6) of activations `[B, h, w, C]`, in float32 at least."""
    wide = tf.cast(features, _wide(features))
    mean, variance = instance_moments(wide)
    return Moments(mean, tf.sqrt(variance + epsilon))


def adaptive_instance_normalization(
    content: tf.Tensor, style: tf.Tensor | Moments, epsilon: float = 1e-5
) -> tf.Tensor:
    """Brings each map of a content to the mean and the deviation that it has in a style.

    Huang & Belongie 2017, eq. (8):
    AdaIN(x, y) = deviation(y) (x - mean(x)) / deviation(x) + mean(y).

    Args:
      content: `[B, h, w, C]`.
      style: `[1 or B, h', w', C]`, or its `Moments`, as many.
      epsilon: what is added to variances, of both, under the root.

    Returns:
      `[B, h, w, C]` in the content's dtype.
    """
    own = moments(content, epsilon)
    mean, deviation = style if isinstance(style, Moments) else moments(style, epsilon)
    centred = tf.cast(content, own.mean.dtype) - own.mean[:, tf.newaxis, tf.newaxis]
    factor = deviation / own.deviation
    made = centred * factor[:, tf.newaxis, tf.newaxis] + mean[:, tf.newaxis, tf.newaxis]
    return tf.cast(made, content.dtype)


def mixed(styles: Sequence[Moments], weights: Sequence[float] | None = None) -> Moments:
    """Returns the moments that mix several styles.

    AdaIN is linear in them: with these it gives the features that eq. (15) of
    Huang & Belongie 2017 decodes, sum_k w_k AdaIN(x, y_k).

    Args:
      styles: one or more.
      weights: one each, of which the ratios count; None: all equal.

    Raises:
      ValueError: there is no style, or the weights are of another number, below 0, or all 0.
    """
    if not styles:
        raise ValueError("styles: must be at least one")
    shares = [1.0] * len(styles) if weights is None else [number("weights", each, 0) for each in weights]
    if len(shares) != len(styles) or sum(shares) == 0:
        raise ValueError(
            f"weights={listed(shares)}: must be one for each of the {len(styles)} styles, not all of them 0"
        )
    shares = [share / sum(shares) for share in shares]
    return Moments(
        *(sum(share * each for share, each in zip(shares, values)) for values in zip(*styles, strict=True))
    )


def _wide(tensor: tf.Tensor) -> tf.DType:
    return tf.float64 if tensor.dtype == tf.float64 else tf.float32
