"""What a run will take, before it is begun, and how its pictures go through the network.

Memory is that of the process as it stands, plus what is counted here; the
factors were fitted to the greatest resident set of runs at 256 to 2048 pixels
(`scripts/benchmark.py --sizes` measures it). Time is the operations of
`features.costs` at the rate that `precision.rate` measures.
"""

from __future__ import annotations

import pathlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass

import tensorflow as tf
from absl import logging

from tfstyle.config import TransferConfig
from tfstyle.features.costs import Costs, costs
from tfstyle.features.geometry import reaches
from tfstyle.objective import EVALUATIONS
from tfstyle.precision import rate
from tfstyle.schedule import Stage, stages

TILE = 512
# Of the memory that is free, this share may be used.
_SHARE = 0.8
# Of an evaluation's time, by way: the backward pass computes things again, and
# tiles see their neighbourhood.
_WORK = {"plain": 1.05, "recompute": 1.4, "tiled": 1.6}
# Bytes a pixel of the optimisers' variables and temporary vectors, without history.
_OPTIMIZER_BYTES = {"adam": 110, "sgd": 50, "lbfgs": 100, "hager_zhang": 330}
_AVERAGING_BYTES = 24  # of the running mean, beside them
_MATTING_BYTES = 310  # of the matting loss, at its making
_ADVICE = "lower image_size or lbfgs_history, or take optimizer=adam"
_STEP_BYTES = 60e6  # of the compiled step, whatever the picture


@dataclass(frozen=True)
class Plan:
    """How a run's pictures are evaluated, and what that takes.

    Attributes:
      stages: what is done, in order.
      precision: what the stages that are not exact compute in.
      pictures: how many of this size are made together.
      evaluations: {((height, width), precision): ``plain``, ``recompute`` or ``tiled``}.
      tile: side of a tile, where tiled.
      peak_bytes: memory of the process at its most.
      limit_bytes: memory that may be used.
      seconds: time that it takes, at least.
    """

    stages: tuple[Stage, ...]
    precision: str
    evaluations: Mapping[tuple[tuple[int, int], str], str]
    tile: int
    peak_bytes: int
    limit_bytes: int
    seconds: float

    @property
    def fits(self) -> bool:
        """Whether the memory suffices."""
        return self.peak_bytes <= self.limit_bytes

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
        lines.append(memory + ("" if self.fits else "; it does not fit: " + _ADVICE))
        minutes, seconds = divmod(round(self.seconds), 60)
        lines.append(f"time: about {minutes} min {seconds} s")
        return "\n".join(lines)


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
    the tiled one where none does.

    Args:
      extractor: the network. Of one whose graph is not known, nothing is
        predicted, and it is evaluated plainly.
      style_layers: those of its layers whose Gram matrices are computed.
      size: (height, width) of the picture to be made.
      config: the run's config.
      precision: what the stages that are not exact compute in.
      pictures: how many of this size are made together.

    Raises:
      ValueError: an evaluation is asked for that the extractor does not allow.
    """
    planned = stages(size, config, finish=precision == "bfloat16")
    resident = resident_bytes()
    limit = int(config.memory_limit * 1e9) if config.memory_limit else int(resident + _SHARE * free_bytes())
    ways, peak, work = {}, resident, {}
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
            # In bfloat16, recomputation costs time and saves hardly anything: block 1 alone, at work, is
            # as large as all that is kept.
            worthwhile = [known for known in EVALUATIONS if known != "recompute" or dtype == "float32"]
            fitting = [known for known in worthwhile if resident + needs.get(known, 0) <= limit]
            way = fitting[0] if fitting else "tiled"
        ways[stage.size, dtype] = way
        peak = max(peak, resident + needs.get(way, 0))
        work[stage] = stage.iterations * operations * _WORK[way] / rate(dtype)
    plan = Plan(tuple(planned), precision, ways, TILE, int(peak), limit, sum(work.values()))
    if not plan.fits:
        logging.warning(
            "memory: %.2f GB are needed and %.2f GB are there; %s", peak / 1e9, limit / 1e9, _ADVICE
        )
    return plan


def needed_bytes(
    extractor: tf.keras.Model,
    style_layers: Collection[str],
    size: tuple[int, int],
    config: TransferConfig,
    dtype: str,
) -> dict[str, int]:
    """Returns {evaluation: bytes} that a stage takes beside what the process has.

    Raises:
      ValueError: the extractor's graph is not known.
    """
    width = 2 if dtype == "bfloat16" else 4
    halo = max(reach.radius + reach.stride for reach in reaches(extractor).values())
    whole = costs(extractor, style_layers, size)
    window = tuple(min(side, TILE + 2 * halo) for side in size)
    part = costs(extractor, style_layers, window)
    pixels = size[0] * size[1]
    shape = extractor.compute_output_shape((1, *size, 3))
    targets = sum(
        width * rows * columns * filters
        for layer, (_, rows, columns, filters) in shape.items()
        if layer in config.content_layers
    )
    kind = "hager_zhang" if config.optimizer == "lbfgs" and config.line_search == "hager_zhang" else None
    optimizer = _OPTIMIZER_BYTES[kind or config.optimizer] * pixels + _STEP_BYTES
    if config.optimizer == "lbfgs":
        optimizer += 24 * config.lbfgs_history * pixels
    elif config.averaging > 0:
        optimizer += _AVERAGING_BYTES * pixels
    steady = targets + optimizer + (_MATTING_BYTES * pixels if config.photorealistic else 0)
    return {
        "plain": int(steady + _activation_bytes(whole, width)),
        "recompute": int(steady + (3 * width + 4) * whole.widest),
        "tiled": int(steady + _activation_bytes(part, width)),
    }


def _activation_bytes(found: Costs, width: int) -> int:
    # Gram matrices are made of float32 copies, one at a time.
    return width * found.kept + 4 * found.widest


def resident_bytes() -> int:
    """Returns the memory that this process has now; 0 where the system does not tell."""
    try:
        pages = int(pathlib.Path("/proc/self/statm").read_text().split()[1])
    except (OSError, ValueError, IndexError):
        return 0
    return 4096 * pages


def free_bytes() -> int:
    """Returns the memory that processes may still take, by the system and by this one's control group."""
    free = [_meminfo()]
    group = pathlib.Path("/sys/fs/cgroup")
    try:
        maximum, current = ((group / f"memory.{name}").read_text() for name in ("max", "current"))
        if maximum.strip() != "max":
            free.append(int(maximum) - int(current))
    except (OSError, ValueError):
        pass  # no control group of version 2 here
    return max(0, min(free))


def _meminfo() -> int:
    try:
        lines = pathlib.Path("/proc/meminfo").read_text().splitlines()
        (line,) = (line for line in lines if line.startswith("MemAvailable"))
        return 1024 * int(line.split()[1])
    except (OSError, ValueError):
        return 8 << 30  # not Linux: a common size
