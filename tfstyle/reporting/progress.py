"""Where a run stands, and what wants to know it; the simplest of that writes pictures."""

from __future__ import annotations

import pathlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

import tensorflow as tf

from tfstyle.io import encode


@dataclass(frozen=True)
class Progress:
    """Where a run stands.

    Attributes:
      step: iterations done, over all scales.
      total_steps: iterations to be done, over all scales.
      scale: index of the current scale, coarsest first.
      scales: number of scales.
      losses: {term: weighted value}; they add up to `total`.
      unweighted: {term: value before its weight}.
      total: value of the objective.
      seconds: wall time since the run began.
      evaluations: times that value and gradient were computed.
      note: something the reader should know that happened since the last
        record, such as a restart; empty otherwise.
      remaining: what is left to do, in steps as long as the current ones; None:
        as many as are left.
      metrics: {name: value} of what else is measured, such as an accuracy.
    """

    step: int
    total_steps: int
    scale: int
    scales: int
    losses: dict[str, float]
    unweighted: dict[str, float]
    total: float
    seconds: float
    evaluations: int
    note: str = ""
    remaining: float | None = None
    metrics: dict[str, float] = field(default_factory=dict)


class Pace:
    """How fast a run is, from its records in turn; steps of another scale are of another length."""

    def __init__(self):
        self._first: Progress | None = None

    def of(self, progress: Progress) -> tuple[float | None, float | None]:
        """Takes a record; returns seconds a step, and the seconds left; None where no step took any yet."""
        if self._first is None or progress.scale != self._first.scale:
            self._first = progress
        steps, seconds = progress.step - self._first.step, progress.seconds - self._first.seconds
        if not steps or not seconds:
            return None, None
        left = progress.total_steps - progress.step if progress.remaining is None else progress.remaining
        return seconds / steps, left * seconds / steps


class Reporter(Protocol):
    """Anything that wants to see a run."""

    def report(self, progress: Progress, image: tf.Tensor) -> None:
        """Takes one record and the picture `[1, H, W, 3]` it speaks of (values may leave [0, 1])."""


class SnapshotReporter:
    """Writes the picture of every report into a folder, as ``step_000010.png``.

    Args:
      folder: made if it is not there.
    """

    def __init__(self, folder):
        self._folder = pathlib.Path(folder)
        self._folder.mkdir(parents=True, exist_ok=True)

    def report(self, progress: Progress, image: tf.Tensor) -> None:
        encode.save_image(self._folder / f"step_{progress.step:06}.png", encode.to_uint8(image))


def by_kind(losses: Mapping[str, float]) -> dict[str, float]:
    """Returns {``content``, ``style``, …: the sum of its terms}, of terms such as ``style/block1_conv1``."""
    sums: dict[str, float] = {}
    for name, value in losses.items():
        kind = name.partition("/")[0]
        sums[kind] = sums.get(kind, 0.0) + value
    return sums
