"""The sizes that networks paint at: multiples of 4, and large pictures coarse to fine; free of TensorFlow.

A network's strokes have the size, in pixels, that they had in training. A larger
picture would get finer ones, until it looks like a photograph again. So it is
first painted at the size of training, enlarged to twice the size and painted once
more, and so on: large strokes stay, and each pass makes them sharp.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence

import numpy as np

from tfstyle.config.options import whole_number
from tfstyle.feedforward.style_mixing import blended, require_strength
from tfstyle.io.pixels import resized

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
      stroke_size: pixels of the longer side up to which a picture is painted at once, so that in
        larger ones, strokes have the same share of it. 0: at once at any size.

    Returns:
      From pictures, weights and a strength, from 0 (the pictures as they are) to 1, to pictures.

    Raises:
      ValueError: the size is no whole number from 0 on; of what is returned: the strength is out of range.
    """
    whole_number("stroke_size", stroke_size, 0)

    def painted(pictures: np.ndarray, weights: Sequence[float], strength: float = 1.0) -> np.ndarray:
        require_strength(strength)
        made = pictures = np.asarray(pictures, np.float32)
        for size in passes(made.shape[1:3], stroke_size):
            if size != made.shape[1:3]:
                made = np.stack([resized(each, size) for each in made])
            made = paint(made, weights)
        return blended(made, pictures, strength)

    return painted


def passes(size: Sequence[int], stroke_size: int) -> Iterator[tuple[int, int]]:
    """Gives the sizes at which a picture of a size is painted, (height, width), the last one its own."""
    halvings = max(0, math.ceil(math.log2(max(size) / stroke_size))) if stroke_size else 0
    for halving in range(halvings, -1, -1):
        yield tuple(max(1, round(side / 2**halving)) for side in size)
