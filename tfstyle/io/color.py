"""The colours of pictures: light apart from colour, and one picture's colours brought to another's.

Gatys, Bethge, Hertzmann & Shechtman 2016, "Preserving Color in Neural Artistic
Style Transfer". All on sRGB-encoded values in [0, 1], as there.
"""

from __future__ import annotations

import tensorflow as tf

from tfstyle.io.pixels import LUMA

# A standard deviation of 0.003, about a step of 8 bits: what varies by less is noise, to be
# scaled up by no more than if it varied by that. A grey or constant picture has an inverse then.
_LEAST_VARIANCE = 1e-5


def luminance(image: tf.Tensor) -> tf.Tensor:
    """Returns the luma `[B, H, W, 1]` of `[B, H, W, 3]`, the Y of YIQ, in the picture's dtype."""
    image = tf.convert_to_tensor(image)
    return tf.reduce_sum(image * tf.constant(LUMA, image.dtype), axis=-1, keepdims=True)


def grey(image: tf.Tensor) -> tf.Tensor:
    """Returns the luma three times, `[B, H, W, 3]`."""
    return tf.repeat(luminance(image), 3, axis=-1)


def with_luminance(image: tf.Tensor, light: tf.Tensor) -> tf.Tensor:
    """Returns a picture's chrominance with another luma, in [0, 1].

    In YIQ, to add the same to all channels is to change Y alone.

    Args:
      image: `[B, H, W, 3]`.
      light: `[B, H, W, 1]`, of the same dtype.

    Returns:
      `[B, H, W, 3]`. Where it had to be clipped, chrominance is not quite kept.
    """
    image = tf.convert_to_tensor(image)
    return tf.clip_by_value(image + (light - luminance(image)), 0.0, 1.0)


def match_luminance(light: tf.Tensor, reference: tf.Tensor) -> tf.Tensor:
    """Brings mean and standard deviation of a luma to those of another, in [0, 1] (Gatys et al. 2016).

    Args:
      light: `[B, H, W, 1]`. Deviations below 0.003, as of constant pictures,
        are scaled as that would be: by rounding alone they are not 0.
      reference: `[B or 1, H', W', 1]`.

    Returns:
      `[B, H, W, 1]`.
    """
    mean, deviation = _moments(light)
    wanted_mean, wanted_deviation = _moments(reference)
    scale = wanted_deviation / tf.maximum(deviation, _LEAST_VARIANCE**0.5)
    return tf.clip_by_value((light - mean) * scale + wanted_mean, 0.0, 1.0)


def match_colors(
    image: tf.Tensor,
    reference: tf.Tensor,
    form: str = "pca",
    mask: tf.Tensor | None = None,
    reference_mask: tf.Tensor | None = None,
) -> tf.Tensor:
    """Brings the mean and covariance of a picture's colours to another's, by a linear map, in [0, 1].

    x' = L' L^-1 (x - mean) + mean', with roots L, L' of the covariances, L L^T
    (Gatys et al. 2016). In float64.

    Args:
      image: `[1, H, W, 3]`.
      reference: `[1, H', W', 3]`.
      form: ``pca``: symmetric roots; ``cholesky``: Cholesky factors.
      mask: `[1, H, W, 1]` in [0, 1], how much the picture's pixels count; all
        of them are moved.
      reference_mask: `[1, H', W', 1]`, the same of the reference.

    Returns:
      `[1, H, W, 3]`, of the picture's dtype. Directions of colour in which the
      picture varies by less than 0.003, as grey ones do, are scaled as if they
      varied by that, and keep the smaller share of the variance asked for.

    Raises:
      ValueError: there is no such form (the message calls it color_matching),
        or a mask is 0 everywhere.
    """
    if form not in _ROOTS:
        raise ValueError(f"color_matching={form!r}: must be one of {', '.join(_ROOTS)}")
    image = tf.convert_to_tensor(image)
    mean, covariance = _color_moments(image, mask, "mask")
    wanted_mean, wanted_covariance = _color_moments(reference, reference_mask, "reference_mask")
    root = _ROOTS[form](_with_least(covariance, _LEAST_VARIANCE))
    # Cholesky's needs a little; what a reference lacks is not to be made up.
    wanted_root = _ROOTS[form](_with_least(wanted_covariance, 1e-12))
    transform = tf.matmul(wanted_root, tf.linalg.inv(root))
    moved = tf.einsum("bhwc,dc->bhwd", tf.cast(image, tf.float64) - mean, transform) + wanted_mean
    return tf.cast(tf.clip_by_value(moved, 0.0, 1.0), image.dtype)


def _symmetric_root(matrix: tf.Tensor) -> tf.Tensor:
    values, vectors = tf.linalg.eigh(matrix)
    return tf.matmul(vectors * tf.sqrt(values), vectors, transpose_b=True)


_ROOTS = {"pca": _symmetric_root, "cholesky": tf.linalg.cholesky}


def _with_least(covariance: tf.Tensor, variance: float) -> tf.Tensor:
    """Raises the variance in every direction to at least this."""
    values, vectors = tf.linalg.eigh(covariance)
    return tf.matmul(vectors * tf.maximum(values, variance), vectors, transpose_b=True)


def _color_moments(image: tf.Tensor, mask: tf.Tensor | None, argument: str) -> tuple[tf.Tensor, tf.Tensor]:
    """Returns mean `[3]` and covariance `[3, 3]` of a picture's colours, float64."""
    colors = tf.reshape(tf.cast(image, tf.float64), [-1, 3])
    weights = tf.ones_like(colors[:, :1]) if mask is None else tf.reshape(tf.cast(mask, tf.float64), [-1, 1])
    total = tf.reduce_sum(weights)
    if not total > 0:
        raise ValueError(f"{argument}: is 0 everywhere; it must leave some colours to match")
    mean = tf.reduce_sum(weights * colors, axis=0) / total
    centred = colors - mean
    return mean, tf.matmul(weights * centred, centred, transpose_a=True) / total


def _moments(light: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Returns mean and standard deviation of each picture, `[B, 1, 1, 1]`."""
    mean = tf.reduce_mean(light, axis=[1, 2], keepdims=True)
    return mean, tf.math.reduce_std(light, axis=[1, 2], keepdims=True)
