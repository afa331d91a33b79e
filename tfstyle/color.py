"""The colours of pictures: light apart from colour, and one picture's colours brought to another's.

Gatys, Bethge, Hertzmann & Shechtman 2016, "Preserving Color in Neural Artistic
Style Transfer". All on sRGB-encoded values in [0, 1], as there.
"""

from __future__ import annotations

import tensorflow as tf

_LUMA = (0.299, 0.587, 0.114)  # Rec. 601, the Y of YIQ
_REGULAR = 1e-5  # variance added to each channel: a grey picture's covariance has no inverse


def luminance(image: tf.Tensor) -> tf.Tensor:
    """Returns the luma `[B, H, W, 1]` of `[B, H, W, 3]`."""
    image = tf.convert_to_tensor(image)
    return tf.reduce_sum(image * tf.constant(_LUMA, image.dtype), axis=-1, keepdims=True)


def grey(image: tf.Tensor) -> tf.Tensor:
    """Returns the luma three times, `[B, H, W, 3]`."""
    return tf.repeat(luminance(image), 3, axis=-1)


def with_luminance(image: tf.Tensor, light: tf.Tensor) -> tf.Tensor:
    """Returns a picture's chrominance with another luma, in [0, 1].

    In YIQ, to add the same to all channels is to change Y alone.

    Args:
      image: `[B, H, W, 3]`.
      light: `[B, H, W, 1]`.
    """
    return tf.clip_by_value(image + (light - luminance(image)), 0.0, 1.0)


def match_luminance(light: tf.Tensor, reference: tf.Tensor) -> tf.Tensor:
    """Brings the mean and deviation of a luma `[B, H, W, 1]` to those of another, in [0, 1]."""
    mean, deviation = _moments(light)
    wanted_mean, wanted_deviation = _moments(reference)
    scaled = tf.math.divide_no_nan(light - mean, deviation) * wanted_deviation
    return tf.clip_by_value(scaled + wanted_mean, 0.0, 1.0)


def match_colors(
    image: tf.Tensor,
    reference: tf.Tensor,
    form: str = "pca",
    *,
    mask: tf.Tensor | None = None,
    reference_mask: tf.Tensor | None = None,
) -> tf.Tensor:
    """Brings the mean and covariance of a picture's colours to another's, by a linear map, in [0, 1].

    Args:
      image, reference: `[1, H, W, 3]`, of any sizes.
      form: ``pca``: the map is L' L^-1 with the symmetric roots of the
        covariances; ``cholesky``: with their Cholesky factors.
      mask, reference_mask: `[1, H, W, 1]` in [0, 1], how much pixels count.

    Returns:
      `[1, H, W, 3]`. Variances below 1e-5, as of grey pictures, are raised by it.

    Raises:
      ValueError: there is no such form; the message calls it color_matching.
    """
    if form not in _ROOTS:
        raise ValueError(f"color_matching={form!r}: must be one of {', '.join(_ROOTS)}")
    mean, covariance = _color_moments(image, mask)
    wanted_mean, wanted_covariance = _color_moments(reference, reference_mask)
    root = _ROOTS[form]
    transform = tf.matmul(root(wanted_covariance), tf.linalg.inv(root(covariance)))
    moved = tf.einsum("bhwc,dc->bhwd", tf.cast(image, tf.float64) - mean, transform) + wanted_mean
    return tf.cast(tf.clip_by_value(moved, 0.0, 1.0), image.dtype)


def _symmetric_root(matrix: tf.Tensor) -> tf.Tensor:
    values, vectors = tf.linalg.eigh(matrix)
    return tf.matmul(vectors * tf.sqrt(tf.maximum(values, 0.0)), vectors, transpose_b=True)


_ROOTS = {"pca": _symmetric_root, "cholesky": tf.linalg.cholesky}


def _color_moments(image: tf.Tensor, mask: tf.Tensor | None) -> tuple[tf.Tensor, tf.Tensor]:
    colors = tf.reshape(tf.cast(image, tf.float64), [-1, 3])
    weights = tf.ones_like(colors[:, :1]) if mask is None else tf.reshape(tf.cast(mask, tf.float64), [-1, 1])
    weights /= tf.reduce_sum(weights)
    mean = tf.reduce_sum(weights * colors, axis=0)
    centred = colors - mean
    covariance = tf.matmul(weights * centred, centred, transpose_a=True)
    return mean, covariance + _REGULAR * tf.eye(3, dtype=tf.float64)


def _moments(light: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    mean = tf.reduce_mean(light, axis=[1, 2], keepdims=True)
    return mean, tf.math.reduce_std(light, axis=[1, 2], keepdims=True)
