"""What a run will take, before it is begun, and how its pictures go through the network.

Memory is that of the process as it stands, plus `memory_model.needed_bytes`. Time
is the operations of `vgg.costs` at the rate that `precision.rate` measures.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import tensorflow as tf
from absl import logging

from tfstyle.config import TransferConfig
from tfstyle.io.images import fitted_size
from tfstyle.runtime import determinism
from tfstyle.runtime.memory import free_bytes, largest_that, most_bytes, resident_bytes
from tfstyle.runtime.precision import rate
from tfstyle.synthesis.memory_model import TILE, needed_bytes
from tfstyle.synthesis.objective import EVALUATIONS
from tfstyle.synthesis.scales import Stage, stages
from tfstyle.vgg.costs import costs

# Of the memory that is free, this share may be used.
_SHARE = 0.8
# Of an evaluation's time, by way: the backward pass computes things again, and
# tiles see their neighbourhood.
_WORK = {"plain": 1.05, "recompute": 1.4, "tiled": 1.6}
# Taken for the process as it stands where a run is to be deterministic: no two processes are equal.
_PROCESS_BYTES = 700e6


@dataclass(frozen=True)
class Plan:
    """How a run's pictures are evaluated, and what that takes.

    Attributes:
      stages: what is done, in order.
      precision: what the stages that are not exact compute in.
      evaluations: {((height, width), precision): ``plain``, ``recompute`` or ``tiled``}.
      tile: side of a tile, where tiled.
      peak_bytes: memory of the process at its most.
      limit_bytes: memory that may be used.
      seconds: time that it takes, at least.
      asked: the image_size that the config asks for.
      most_bytes: memory that is there, of which `limit_bytes` is a part that can be used
        without fear; infinite where that is not known, as on a GPU.
      remedies: changes, such as ``image_size=1200``, with each of which it would fit; empty
        if it does.
    """

    stages: tuple[Stage, ...]
    precision: str
    evaluations: Mapping[tuple[tuple[int, int], str], str]
    tile: int
    peak_bytes: int
    limit_bytes: int
    seconds: float
    asked: int
    most_bytes: float
    remedies: tuple[str, ...]

    @property
    def fits(self) -> bool:
        """Whether the memory suffices."""
        return self.peak_bytes <= self.limit_bytes

    def require_fit(self) -> None:
        """Checks that the run can be made in the memory that there is.

        Raises:
          ValueError: it cannot; the message says what would fit.
        """
        if self.peak_bytes > self.most_bytes:
            raise ValueError(
                f"image_size={self.asked}: needs {self.peak_bytes / 1e9:.2f} GB of memory, and"
                f" {self.most_bytes / 1e9:.2f} GB are there; {self._advice()}; memory_limit=GB says"
                " otherwise how much may be used"
            )
        if not self.fits:
            logging.warning(
                "memory: %.2f GB are needed, and of those there %.2f GB can be used without fear; %s",
                self.peak_bytes / 1e9,
                self.limit_bytes / 1e9,
                self._advice(),
            )

    def describe(self) -> str:
        """Returns the plan in words, a line a stage."""
        lines = []
        for stage in self.stages:
            precision = "float32" if stage.exact else self.precision
            height, width = stage.size
            lines.append(
                f"{width} x {height}: {stage.iterations} iterations in {precision},"
                f" {self.evaluations[stage.size, precision]}"
            )
        memory = f"memory: {self.peak_bytes / 1e9:.2f} GB of {self.limit_bytes / 1e9:.2f} GB"
        lines.append(memory + ("" if self.fits else "; it does not fit: " + self._advice()))
        minutes, seconds = divmod(round(self.seconds), 60)
        lines.append(f"time: about {minutes} min {seconds} s")
        return "\n".join(lines)

    def choices(self) -> dict[str, Any]:
        """Returns as JSON types what was chosen by the machine and the moment, for a run that goes on."""
        ways = [[*size, dtype, way] for (size, dtype), way in self.evaluations.items()]
        return {"precision": self.precision, "evaluations": ways}

    def chosen(self, choices: Mapping[str, Any]) -> Plan:
        """Returns the plan with the evaluations of such choices, if they are of its sizes, or else itself."""
        try:
            known = {((height, width), dtype): way for height, width, dtype, way in choices["evaluations"]}
        except (KeyError, TypeError, ValueError):
            return self
        if known.keys() != self.evaluations.keys() or not all(way in EVALUATIONS for way in known.values()):
            return self
        return replace(self, evaluations=known)

    def _advice(self) -> str:
        if not self.remedies:
            return "no picture would fit; end other programs or take a larger machine"
        return f"what would fit: {' or '.join(self.remedies)}"


def precision_in(choices: Mapping[str, Any]) -> str | None:
    """Returns the precision of a plan's choices; None where none is known."""
    precision = choices.get("precision")
    return precision if precision in ("float32", "bfloat16") else None


def make_plan(
    extractor: tf.keras.Model,
    style_layers: Collection[str],
    size: tuple[int, int],
    config: TransferConfig,
    precision: str,
    *,
    pictures: int = 1,
) -> Plan:
    """Decides how each stage's picture goes through the network.

    With ``evaluation=auto`` it is the fastest way that fits into memory, and
    the tiled one where none does. Where runs are to be deterministic, it is the
    fastest that fits into the config's memory_limit or, without one, plain: what
    is free differs from day to day.

    Args:
      extractor: the network. Of one whose graph is not known, nothing is
        predicted, and it is evaluated plainly.
      style_layers: those of its layers whose Gram matrices are computed.
      size: (height, width) of the picture to be made.
      config: the run's config.
      precision: what the stages that are not exact compute in.
      pictures: how many of this size are made together.

    Returns:
      The plan, also of a run that does not fit: see `Plan.require_fit`.

    Raises:
      ValueError: an evaluation is asked for that the extractor does not allow.
    """
    resident, free = resident_bytes(), free_bytes()
    most = most_bytes(config.memory_limit, resident, free)
    limit = most if config.memory_limit else int(resident + _SHARE * free)
    if config.memory_limit and determinism.enabled():
        resident = int(_PROCESS_BYTES)

    def ways_of(size: tuple[int, int], config: TransferConfig, pictures: int) -> _Ways:
        return _ways(extractor, style_layers, size, config, precision, pictures, limit - resident)

    found = ways_of(size, config, pictures)
    peak = resident + found.bytes
    return Plan(
        stages=found.stages,
        precision=precision,
        evaluations=found.evaluations,
        tile=TILE,
        peak_bytes=int(peak),
        limit_bytes=limit,
        seconds=found.seconds,
        asked=config.image_size,
        most_bytes=most,
        remedies=() if peak <= limit else tuple(_remedies(ways_of, size, config, pictures, limit - resident)),
    )


@dataclass(frozen=True)
class _Ways:
    """How the stages of a run are evaluated, and what that takes beside what the process has."""

    stages: tuple[Stage, ...]
    evaluations: Mapping[tuple[tuple[int, int], str], str]
    bytes: int
    seconds: float


def _ways(extractor, style_layers, size, config, precision, pictures, room) -> _Ways:
    """Chooses within so many bytes of room; the other arguments are those of `make_plan`."""
    planned = stages(size, config, finish=precision == "bfloat16")
    evaluations, most, seconds = {}, 0, 0.0
    for stage in planned:
        dtype = "float32" if stage.exact else precision
        try:
            needs = needed_bytes(extractor, style_layers, stage.size, config, dtype)
            needs = {way: pictures * taken for way, taken in needs.items()}
            operations = pictures * costs(extractor, style_layers, stage.size).operations
        except ValueError:
            if config.evaluation not in ("auto", "plain"):
                raise
            needs, operations = {"plain": 0}, 0
        way = config.evaluation
        if way == "auto":
            way = _fastest(needs, dtype, room, config)
        evaluations[stage.size, dtype] = way
        most = max(most, needs.get(way, 0))
        seconds += stage.iterations * operations * _WORK[way] / rate(dtype)
    return _Ways(tuple(planned), evaluations, most, seconds)


def _fastest(needs: Mapping[str, int], dtype: str, room: int, config: TransferConfig) -> str:
    """Returns the fastest way that fits, or else the smallest."""
    if determinism.enabled() and not config.memory_limit:
        return "plain"
    # In bfloat16, recomputation costs time and saves hardly anything: block 1 alone, at work, is
    # as large as all that is kept.
    worthwhile = [known for known in EVALUATIONS if known != "recompute" or dtype == "float32"]
    return next((way for way in worthwhile if needs.get(way, 0) <= room), "tiled")


def _remedies(
    ways_of: Callable[..., _Ways], size: tuple[int, int], config: TransferConfig, pictures: int, room: int
) -> Iterator[str]:
    """Gives changes to a run that does not fit with each of which it would."""

    def fits(size=size, pictures=pictures, **changes) -> bool:
        return ways_of(size, replace(config, **changes), pictures).bytes <= room

    if largest := largest_that(lambda side: fits(fitted_size(*size, side)), max(size) - 1):
        yield f"image_size={largest}"
    if config.evaluation != "tiled" and fits(evaluation="tiled"):
        yield "evaluation=tiled"
    if config.optimizer == "lbfgs":
        if pairs := largest_that(lambda pairs: fits(lbfgs_history=pairs), config.lbfgs_history - 1):
            yield f"lbfgs_history={pairs}"
        if fits(optimizer="adam"):
            yield "optimizer=adam"
    if fewer := largest_that(lambda fewer: fits(pictures=fewer), pictures - 1):
        yield f"batch_size={fewer}"
