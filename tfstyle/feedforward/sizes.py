"""The sizes that networks work at, free of TensorFlow."""

import numpy as np

# Networks halve twice and double twice; of their smallest map, two positions are needed to reflect one.
MULTIPLE, LEAST = 4, 8


def enlarged_side(side: int, multiple: int = MULTIPLE) -> int:
    """Returns what a picture's side is reflected up to: a multiple of 4, no less than 8."""
    return max(-(-side // multiple) * multiple, LEAST)


def enlarged(picture: np.ndarray, multiple: int = MULTIPLE) -> np.ndarray:
    """Returns `[1, H, W, 3]` reflected up to those sides, as `layers.ReflectedUp` does."""
    more = [(0, enlarged_side(side, multiple) - side) for side in picture.shape[1:3]]
    return np.pad(picture, [(0, 0), *more, (0, 0)], mode="reflect")
