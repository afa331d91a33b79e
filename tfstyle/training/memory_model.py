"""What memory a training takes beside what its process has, and whether that is there.

The factors were fitted to the greatest resident set of trainings of 2 to 8
photographs of 128 to 512 pixels, at widths 4 to 32. With a skip connection they
are within 13 % of it; without, within 26 %, most above; of networks for any
style they are up to 29 % below, and of style_loss=bures some 20 %.
"""

from __future__ import annotations

from tfstyle.config import TransferConfig
from tfstyle.training import training_memory
from tfstyle.training.recipe import LEAST_CROP, InstantRecipe
from tfstyle.training.tasks import Task
from tfstyle.vgg.costs import costs

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

    Raises:
      ValueError: it cannot; the message says what would fit.
    """
    training_memory.require_fit(
        lambda changed: needed_bytes(task, config, changed, replicas),
        recipe,
        least_batch=replicas,
        least_crop=LEAST_CROP,
        multiple=replicas,
        memory_limit=config.memory_limit,
    )
