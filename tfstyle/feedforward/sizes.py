"""The sizes that networks work at, free of TensorFlow."""

# Networks halve twice and double twice; of their smallest map, two positions are needed to reflect one.
MULTIPLE, LEAST = 4, 8


def enlarged_side(side: int) -> int:
    """Returns what a picture's side is reflected up to: a multiple of 4, no less than 8."""
    return max(-(-side // MULTIPLE) * MULTIPLE, LEAST)
