"""Pixels in NumPy: more of what lies around behind transparency, and light apart from colour."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PIL import Image

_LEAST_OPACITY = 1 / 16
_ASPECT = 0.02  # by so much a mask's may differ
LUMA = (0.299, 0.587, 0.114)  # Rec. 601, the Y of YIQ


def recolored(painted: np.ndarray, picture: np.ndarray) -> np.ndarray:
    """Returns the chrominance of a picture with the luma of what was painted from it, `[H, W, 3]` in [0, 1].

    In YIQ, to add the same to all channels is to change Y alone; where that has to be clipped,
    chrominance is not quite kept (Gatys et al. 2016, "Preserving Color in Neural Artistic Style Transfer").
    """
    light = (painted - picture) @ np.float32(LUMA)
    return np.clip(picture + light[..., np.newaxis], 0, 1)


def in_unit_range(pixels: np.ndarray | Image.Image) -> np.ndarray:
    """Returns pixels of 8 bits as float32 in [0, 1]."""
    values = np.array(pixels, np.float32)
    values /= 255  # in place: a large picture takes much memory once
    return values


def stacked(pictures: Sequence[np.ndarray]) -> np.ndarray:
    """Returns pictures `[H, W, C]` of one size as `[B, H, W, C]`; one alone, maybe large, is not copied."""
    return pictures[0][np.newaxis] if len(pictures) == 1 else np.stack(pictures)


def require_aspect(own: tuple[int, int], size: tuple[int, int], named: str) -> None:
    """Checks that a mask has the aspect of its picture, both (height, width).

    Raises:
      ValueError: it has another; begins with `named`.
    """
    height, width = own
    # Sides are whole pixels: small pictures cannot keep an aspect that well.
    tolerance = _ASPECT + 1 / min(*own, *size)
    if abs(height * size[1] / (width * size[0]) - 1) > tolerance:
        raise ValueError(
            f"{named}: {width} x {height} pixels (width x height); must have the aspect of its picture,"
            f" {size[1]} x {size[0]}"
        )


def filled(pixels: np.ndarray, opacity: np.ndarray) -> np.ndarray:
    """Fills what is transparent from what is around it, so that a painted picture has no edge there.

    The colours are spread by pull and push (Gortler et al., "The Lumigraph", SIGGRAPH 1996): each
    half size has the means of what is opaque, and what is not takes those of the next one that has any.

    Args:
      pixels: `[H, W, 3]` in [0, 1], laid on white by their opacity.
      opacity: `[H, W]` in [0, 1].

    Returns:
      `[H, W, 3]` in [0, 1]: the colours before they were laid on white; where the opacity is below
      1/16, and 8 bits leave little of them, those of what is around.
    """
    weight = np.where(opacity < _LEAST_OPACITY, np.float32(0), opacity)[..., np.newaxis]
    pixels = np.where(weight > 0, pixels, 1)
    # The colour times its opacity; rounding of the file may leave it outside.
    return np.clip(_filled(pixels - (1 - weight), weight), 0, 1).astype(np.float32)


def _filled(weighted: np.ndarray, weight: np.ndarray) -> np.ndarray:
    known = weight > 0
    colors = np.divide(weighted, weight, out=np.zeros_like(weighted), where=known)
    if known.all() or weight.size == 1:
        return colors
    coarse = _filled(_halved(weighted), _halved(weight))
    height, width, _ = weighted.shape
    around = coarse.repeat(2, axis=0)[:height].repeat(2, axis=1)[:, :width]
    return np.where(known, colors, around)


def _halved(values: np.ndarray) -> np.ndarray:
    """Returns the sums of 2 x 2 values each."""
    height, width, _ = values.shape
    even = np.pad(values, [(0, height % 2), (0, width % 2), (0, 0)])
    return even[::2, ::2] + even[1::2, ::2] + even[::2, 1::2] + even[1::2, 1::2]


def fitted(picture: np.ndarray, longer_side: int) -> np.ndarray:
    """Resizes `[H, W, 3]` as `resized` does, to a longer side; 0: as it is."""
    share = longer_side / max(picture.shape[:2]) if longer_side else 1
    return resized(picture, tuple(max(1, round(side * share)) for side in picture.shape[:2]))


def resized(picture: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Resizes `[H, W, 3]` in [0, 1] to (height, width), by a bicubic filter, without aliasing."""
    if picture.shape[:2] == tuple(size):
        return picture
    made = np.empty((*size, picture.shape[-1]), np.float32)
    for channel in range(picture.shape[-1]):
        values = Image.fromarray(np.ascontiguousarray(picture[..., channel], np.float32))
        made[..., channel] = values.resize(size[::-1], Image.Resampling.BICUBIC)
    return np.clip(made, 0, 1, out=made)  # in place: a large picture takes much memory once
