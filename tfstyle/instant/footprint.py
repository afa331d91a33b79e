"""What memory a training takes beside what its process has, and whether that is there.

The factors were fitted to the greatest resident set of trainings of 2 to 8
photographs of 128 to 512 pixels, at widths 4 to 32. With a skip connection they
are within 13 % of it; without, within 26 %, most above; of networks for any
style they are up to 29 % below, and of style_loss=bures some 20 %.
"""

from __future__ import annotations

import dataclasses

from tfstyle.config import TransferConfig
from tfstyle.features.costs import costs
from tfstyle.instant.recipe import LEAST_CROP, InstantRecipe
from tfstyle.instant.tasks import Task
from tfstyle.memory import free_bytes, largest_that, most_bytes, resident_bytes

# Bytes for each value that a network's layers give: of the layer, of its normalisation, of its
# ReLU, and of the border reflected around it. Normalisation takes float32 copies of bfloat16.
_NETWORK_BYTES = {"float32": 12.5, "bfloat16": 8.5}
_EXTRACTOR_BYTES = {"float32": 4, "bfloat16": 2}
_STEP_BYTES = 60e6  # of the compiled step, whatever the pictures


def needed_bytes(task: Task, config: TransferConfig, recipe: InstantRecipe, replicas: int = 1) -> int:
    """Returns what a step takes on one of the replicas, beside what the process has."""
    side = recipe.crop_size
    seen = costs(task.extractor, config.style_layers, (side, side))
    picture = _EXTRACTOR_BYTES[recipe.computed_in] * seen.kept
    picture += _NETWORK_BYTES[recipe.computed_in] * task.kept(side)
    return int(_STEP_BYTES + recipe.batch_size // replicas * picture)


def require_fit(task: Task, config: TransferConfig, recipe: InstantRecipe, replicas: int = 1) -> None:
    """Checks that a training can be made in the memory that there is, or that `config.memory_limit` allows.

    What a GPU has is not known; there, only a limit is held to.

    Raises:
      ValueError: it cannot; the message says what would fit.
    """
    resident = resident_bytes()
    most = most_bytes(config.memory_limit, resident, free_bytes())

    def needs(**changes) -> int:
        return resident + needed_bytes(task, config, dataclasses.replace(recipe, **changes), replicas)

    if (peak := needs()) <= most:
        return
    remedies = []
    if share := largest_that(
        lambda share: needs(batch_size=share * replicas) <= most, recipe.batch_size // replicas - 1
    ):
        remedies.append(f"batch_size={share * replicas}")
    side = largest_that(lambda side: needs(crop_size=max(side, LEAST_CROP)) <= most, recipe.crop_size - 1)
    if side >= LEAST_CROP:
        remedies.append(f"crop_size={side}")
    advice = f"what would fit: {' or '.join(remedies)}" if remedies else "no training would fit"
    raise ValueError(
        f"batch_size={recipe.batch_size}, crop_size={recipe.crop_size}: need {peak / 1e9:.2f} GB of memory,"
        f" and {most / 1e9:.2f} GB are there; {advice}; memory_limit=GB says otherwise how much may be used"
    )
