"""Whether a training fits into memory; if not, which batch or crops would."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

from tfstyle.runtime.memory import free_bytes, largest_that, most_bytes, resident_bytes


def require_fit(
    needed_bytes: Callable[[Any], int],
    recipe,
    *,
    least_batch: int,
    least_crop: int,
    multiple: int = 1,
    memory_limit: float | None = None,
) -> None:
    """Checks that a training can be made in the memory that there is, or that a limit allows.

    What a GPU has is not known; there, only a limit is held to.

    Args:
      needed_bytes: what a training by a recipe takes beside what the process has.
      recipe: a dataclass with `batch_size` and `crop_size`.
      least_batch, least_crop: what a recipe may have at least.
      multiple: what a batch has to be a multiple of.
      memory_limit: as in `TransferConfig`, in GB; None: the training has no such option.

    Raises:
      ValueError: it cannot; the message says what would fit.
    """
    resident = resident_bytes()
    most = most_bytes(memory_limit or 0, resident, free_bytes())

    def needs(**changes) -> int:
        return resident + needed_bytes(dataclasses.replace(recipe, **changes))

    def largest(name: str, least: int, unit: int) -> str:
        """Returns the largest value below the recipe's that fits, as an option; '' if none does."""
        count = (getattr(recipe, name) - 1) // unit
        units = largest_that(lambda units: needs(**{name: max(least, units * unit)}) <= most, count)
        return f"{name}={units * unit}" if units * unit >= least else ""

    if (peak := needs()) <= most:
        return
    proposed = largest("batch_size", least_batch, multiple), largest("crop_size", least_crop, 1)
    remedies = " or ".join(filter(None, proposed))
    advice = f"what would fit: {remedies}" if remedies else "no training would fit"
    limit = "" if memory_limit is None else "; memory_limit=GB says otherwise how much may be used"
    raise ValueError(
        f"batch_size={recipe.batch_size}, crop_size={recipe.crop_size}: need {peak / 1e9:.2f} GB of memory,"
        f" and {most / 1e9:.2f} GB are there; {advice}{limit}"
    )
