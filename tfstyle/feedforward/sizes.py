"""The sizes that networks paint at: multiples of 4, and that of strokes; free of TensorFlow.

A network's strokes have the size, in pixels, that they had in training. A larger
picture would get finer ones, until it looks like a photograph again. So it is
painted at the size of training and enlarged, which keeps large strokes; what the smaller
photograph could not hold, fine detail, is added to the light of the painted picture, which makes it sharp.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from tfstyle.config.options import whole_number
from tfstyle.feedforward.style_mixing import blended, require_strength
from tfstyle.io.pixels import LUMA, fitted, resized, stacked

# From pictures `[B, H, W, 3]` in [0, 1] and weights of the styles to pictures.
Paint = Callable[[np.ndarray, Sequence[float]], np.ndarray]

# Networks halve twice and double twice; of their smallest map, two positions are needed to reflect one.
MULTIPLE, LEAST = 4, 8


def enlarged_side(side: int, multiple: int = MULTIPLE) -> int:
    """Returns what a picture's side is reflected up to: a multiple of 4, no less than 8."""
    return max(-(-side // multiple) * multiple, LEAST)


def enlarged(picture: np.ndarray, multiple: int = MULTIPLE) -> np.ndarray:
    """Returns `[1, H, W, 3]` reflected up to those sides, as `layers.ReflectedUp` does."""
    more = [(0, enlarged_side(side, multiple) - side) for side in picture.shape[1:3]]
    return np.pad(picture, [(0, 0), *more, (0, 0)], mode="reflect")


def in_stroke_size(paint: Paint, stroke_size: int) -> Callable[..., np.ndarray]:
    """Returns what paints with strokes of a size relative to the picture.

    Args:
      paint: paints pictures as they are.
      stroke_size: pixels of the longer side that larger pictures are painted at, so that strokes have
        the same share of each. 0: pictures are painted at their own size.

    Returns:
      From pictures, weights and a strength, from 0 (the pictures as they are) to 1, to pictures.

    Raises:
      ValueError: the size is no whole number from 0 on; of what is returned: the strength is out of range.
    """
    whole_number("stroke_size", stroke_size, 0)

    def painted(pictures: np.ndarray, weights: Sequence[float], strength: float = 1.0) -> np.ndarray:
        require_strength(strength)
        pictures = np.asarray(pictures, np.float32)
        if 0 < stroke_size < max(pictures.shape[1:3]):
            made = stacked([_with_detail(paint, each, weights, stroke_size) for each in pictures])
        else:
            made = paint(pictures, weights)
        return blended(made, pictures, strength)

    return painted


def painted_pixels(pixels: float, stroke_size: int) -> float:
    """Returns how many pixels a network paints at once, at most, of a picture of so many."""
    return min(pixels, stroke_size**2) if stroke_size else pixels


def _with_detail(paint: Paint, picture: np.ndarray, weights: Sequence[float], size: int) -> np.ndarray:
    """Paints `[H, W, 3]` smaller, enlarges the result, and adds the detail of the picture's light."""
    small, whole = fitted(picture, size), picture.shape[:2]
    luma = np.float32(LUMA)[:, np.newaxis]
    detail = picture @ luma - resized(small @ luma, whole)
    made = resized(paint(small[np.newaxis], weights)[0], whole)
    made += detail  # in place, as pictures may be large
    return np.clip(made, 0, 1, out=made)
