"""What memory a training takes, whether it is there, and if not, which batch or crops would fit."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

from tfstyle.config import TransferConfig
from tfstyle.runtime import memory
from tfstyle.runtime.memory_model import STEP, activation_bytes
from tfstyle.training.recipe import InstantRecipe
from tfstyle.training.tasks import Task
from tfstyle.vgg.costs import costs


def needed_bytes(task: Task, config: TransferConfig, recipe: InstantRecipe, replicas: int = 1) -> int:
    """Returns what a step takes on one of the replicas, beside what the process has."""
    side, precision = recipe.crop_size, recipe.computed_in
    picture = activation_bytes("training", precision, task.kept(side))
    # The largest layer is not counted: it is small beside those of a batch.
    picture += activation_bytes(
        "plain", precision, costs(task.extractor, config.style_layers, (side, side)).kept
    )
    return int(STEP + recipe.batch_size // replicas * picture)


def require_fit(
    needed: Callable[[Any], int],
    recipe,
    *,
    least_crop: int,
    multiple: int = 1,
    memory_limit: float = 0.0,
) -> None:
    """Checks that a training can be made in the memory that there is, or that a limit allows.

    What a GPU has is not known; there, only a limit is held to.

    Args:
      needed: what a training by a recipe takes beside what the process has.
      recipe: a dataclass with `batch_size` and `crop_size`.
      least_crop: what a recipe may have at least.
      multiple: what a batch has to be a multiple of.
      memory_limit: as in `TransferConfig`, in GB.

    Raises:
      ValueError: it cannot; the message says what would fit.
    """
    room = memory.Room.now(memory_limit)

    def needs(**changes) -> int:
        return room.resident + needed(dataclasses.replace(recipe, **changes))

    def largest(name: str, least: int, unit: int) -> str:
        """Returns the largest value below the recipe's that fits, as an option; '' if none does."""
        count = (getattr(recipe, name) - 1) // unit
        units = memory.largest_that(
            lambda units: needs(**{name: max(least, units * unit)}) <= room.most, count
        )
        return f"{name}={units * unit}" if units * unit >= least else ""

    sought = ("batch_size", multiple, multiple), ("crop_size", least_crop, 1)
    remedies = (found for each in sought if (found := largest(*each)))
    asked = f"batch_size={recipe.batch_size}, crop_size={recipe.crop_size}"
    memory.require(asked, needs(), room.most, remedies)
