"""What the pixels of a picture keep of the content's: structure and edges. No network is asked."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from tfstyle.io import images

# The window of SSIM; a picture must be at least as large.
LEAST_SIZE = 11
_SIGMA, _RADIUS = 1.5, 5  # of the blur before edges are taken, in pixels
_STRONG = 0.9  # edges are the pixels above this quantile of the content's gradients …
_FAINT = 8 * 0.5 / 255  # … and above half a grey level a pixel, in units of Sobel's filter


def luminance(picture: tf.Tensor) -> tf.Tensor:
    """Returns `[1, H, W, 1]` in [0, 1]: ITU-R BT.601's luma of a picture as `images.load_image` takes it."""
    return tf.image.rgb_to_grayscale(images.load_image(picture, "picture"))


def structural_similarity(picture: tf.Tensor, content: tf.Tensor) -> float:
    """Returns the mean SSIM of two pictures' luminance.

    Wang, Bovik, Sheikh & Simoncelli, "Image Quality Assessment: From Error
    Visibility to Structural Similarity", IEEE TIP 2004: local means, variances
    and covariance under a Gaussian window of 11 pixels, K1 = 0.01, K2 = 0.03.

    Args:
      picture, content: `[1, H, W, 3]` in [0, 1], of the same size, 11 pixels or more on each side.

    Returns:
      At most 1, for the same luminance; about 0 for unrelated pictures, and
      below 0 for negatives. Higher is nearer.
    """
    return float(tf.image.ssim(luminance(picture), luminance(content), max_val=1.0)[0])


def edge_fidelity(picture: tf.Tensor, content: tf.Tensor) -> float | None:
    """Tells whether the content's edges are still there, at their places and in their directions.

    The mean of cos(2 d) over the content's strong edges, d being the angle
    between the two pictures' luminance gradients there. The angle is doubled
    as in structure tensors (Granlund 1978): an edge from light to dark counts
    like one from dark to light, as a style may swap them, and directions that
    have nothing to do with one another average to 0. Paint between the edges,
    where every stroke has edges of its own, does not count, nor does contrast.
    Where the picture has no gradient at all, the edge is lost and counts 0.

    Gradients are Sobel's after a Gaussian blur (sigma 1.5 pixels), which takes
    the grain away. Strong edges are the tenth of the content's pixels where
    they are largest.

    Args:
      picture, content: `[1, H, W, 3]` in [0, 1], of the same size, 5 pixels or more on each side.

    Returns:
      In [-1, 1]: 1 where every edge is kept, about 0 by chance, -1 where all
      are crossed at right angles. Higher is nearer. None if the content has no
      edges.
    """
    kept, edges = _gradients(picture), _gradients(content)
    strength = np.hypot(*edges)
    strong = strength >= max(np.quantile(strength, _STRONG), _FAINT)
    if not strong.any():
        return None
    (a, b), (c, d) = kept[:, strong], edges[:, strong]
    size = np.hypot(a, b) * np.hypot(c, d)
    seen = np.hypot(a, b) >= _FAINT
    along, across = a * c + b * d, a * d - b * c
    # The double angle's cosine, from the cosine and sine of the angle.
    agreement = (np.square(along) - np.square(across)) / np.where(seen, np.square(size), 1.0)
    return float(np.mean(np.where(seen, agreement, 0.0)))


def _gradients(picture: tf.Tensor) -> np.ndarray:
    """Returns `[2, H, W]` float64: Sobel's slopes of the blurred luminance, downwards and to the right."""
    offsets = np.arange(-_RADIUS, _RADIUS + 1)
    bell = np.exp(-0.5 * np.square(offsets / _SIGMA))
    bell = (bell / bell.sum()).astype(np.float32)
    around = [_RADIUS, _RADIUS]
    blurred = tf.pad(luminance(picture), [[0, 0], around, around, [0, 0]], "SYMMETRIC")
    for shape in ([-1, 1, 1, 1], [1, -1, 1, 1]):
        blurred = tf.nn.conv2d(blurred, bell.reshape(shape), 1, "VALID")
    return np.moveaxis(tf.image.sobel_edges(blurred)[0, :, :, 0].numpy().astype(np.float64), -1, 0)
