"""What memory a training takes, whether it is there, and if not, which batch or crops would fit."""

from __future__ import annotations

import dataclasses

from tfstyle.config import TransferConfig
from tfstyle.runtime import memory
from tfstyle.runtime.memory_model import STEP, activation_bytes
from tfstyle.training.recipe import LEAST_CROP, InstantRecipe
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


def require_fit(task: Task, config: TransferConfig, recipe: InstantRecipe, replicas: int = 1) -> None:
    """Checks that a training can be made in the memory that there is, or that the config's limit allows.

    What a GPU has is not known; there, only a limit is held to.

    Raises:
      ValueError: it cannot; the message says which batch, a multiple of the replicas, or crops would fit.
    """
    room = memory.Room.now(config.memory_limit)

    def needs(**changes) -> int:
        return room.resident + needed_bytes(task, config, dataclasses.replace(recipe, **changes), replicas)

    def largest(name: str, least: int, unit: int) -> str:
        """Returns the largest value below the recipe's that fits, as an option; '' if none does."""
        count = (getattr(recipe, name) - 1) // unit
        units = memory.largest_that(
            lambda units: needs(**{name: max(least, units * unit)}) <= room.most, count
        )
        return f"{name}={units * unit}" if units * unit >= least else ""

    sought = ("batch_size", replicas, replicas), ("crop_size", LEAST_CROP, 1)
    remedies = (found for each in sought if (found := largest(*each)))
    asked = f"batch_size={recipe.batch_size}, crop_size={recipe.crop_size}"
    memory.require(asked, needs(), room.most, remedies)
