"""What memory the training of an encoder takes beside what its process has.

The factors were fitted to the greatest resident set of 20 trainings on 20 to 2,000
photographs: batches of 16 to 256, crops of 64 to 128 pixels, both precisions, both
normalisations, with and without worst-case changes, and VGG19's own layout.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from encoder.recipe import LEAST, VIEWS, EncoderRecipe
from tfstyle.runtime.memory import free_bytes
from tfstyle.training import memory_model

# Bytes for each value that a layer gives: kept for its gradient, and that gradient.
_VALUE_BYTES = {
    ("weight", "bfloat16"): 5.3,
    ("weight", "float32"): 7.4,
    ("batch", "bfloat16"): 8.1,
    ("batch", "float32"): 11.1,
}
_ADVERSARIAL = 1.2  # times as much with a second pass, for the worst-case change
_PARAMETER_BYTES = 33  # with its normalised copy, gradient and AdamW's moments
_COPIES = 3.8  # of the photographs, in full and at half size, where streams are made
_STEP_BYTES = 160e6  # of the compiled step and of what reads ahead, whatever the batch


def values(recipe: EncoderRecipe) -> int:
    """Returns how many values the convolutions and poolings give for one view."""
    count, side = 0, recipe.crop_size
    for block, (width, depth) in enumerate(zip(recipe.widths, recipe.depths)):
        if block:
            side //= 2
            count += recipe.widths[block - 1] * side**2
        count += depth * width * side**2
    return count


def parameters(recipe: EncoderRecipe) -> int:
    """Returns how many weights and biases the convolutions have."""
    count, channels = 0, 3
    for width, depth in zip(recipe.widths, recipe.depths):
        for _ in range(depth):
            count += 9 * channels * width + width
            channels = width
    return count


def needed_bytes(recipe: EncoderRecipe, photographs: float) -> int:
    """Returns what a training takes on photographs of so many bytes, which the process has already."""
    value = _VALUE_BYTES[recipe.normalization, recipe.precision] * (_ADVERSARIAL if recipe.adversarial else 1)
    step = _STEP_BYTES + recipe.batch_size * values(recipe) * value
    return int(step + _PARAMETER_BYTES * parameters(recipe) + _COPIES * photographs)


def require_fit(recipe: EncoderRecipe, photographs: Sequence[np.ndarray]) -> None:
    """Checks that a training can be made in the memory that there is.

    Raises:
      ValueError: it cannot; the message says what would fit.
    """
    size = sum(photograph.nbytes for photograph in photographs)
    memory_model.require_fit(
        lambda changed: needed_bytes(changed, size),
        recipe,
        least_batch=LEAST["batch_size"],
        least_crop=LEAST["crop_size"],
        multiple=VIEWS,
    )


def require_room(read: int, size: int, count: int) -> None:
    """Checks that all photographs will have a place.

    Args:
      read: how many have been read.
      size: their bytes.
      count: how many there are in all.

    Raises:
      ValueError: they will not; the message says about how many would.
    """
    each = size / read
    most = int((free_bytes() + size) / (each * (1 + _COPIES)))
    if most < count:
        raise ValueError(f"photos: {count} of them take more memory than there is; about {most} would fit")
