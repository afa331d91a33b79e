"""What a run will take, before it is begun, and how its pictures go through the network.

Memory is that of the process as it stands, plus what `memory_model` has for the run. Time
is the operations of `vgg.costs` at the rate that `precision.rate` measures.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from types import MappingProxyType
from typing import Any, NamedTuple

import tensorflow as tf
from absl import logging

from tfstyle.config import TransferConfig
from tfstyle.config.layer_names import require_known
from tfstyle.runtime import determinism, memory
from tfstyle.runtime.memory import largest_that
from tfstyle.runtime.memory_model import PROCESS
from tfstyle.runtime.precision import rate, resolved
from tfstyle.runtime.workshop import Workshop
from tfstyle.synthesis.memory_model import TILE, held_bytes, needed_bytes, read_bytes
from tfstyle.synthesis.objective import EVALUATIONS
from tfstyle.synthesis.scales import Size, Sizes, Stage, at_level, number_of_scales, stages
from tfstyle.synthesis.term_options import TermOptions, extractor_of, workshop_for
from tfstyle.vgg import minimum_size
from tfstyle.vgg.costs import costs

# Of the memory that is free, this share may be used.
_SHARE = 0.8
# Of an evaluation's time, by way: the backward pass computes things again, and
# tiles see their neighbourhood.
_WORK = {"plain": 1.05, "recompute": 1.4, "tiled": 1.6}


@dataclass(frozen=True)
class Plan:
    """How a run's pictures are evaluated, and what that takes.

    Attributes:
      stages: what is done, in order.
      precision: what the stages that are not exact compute in.
      coarse_weights: those of the scales before the last, where they are others than the last one's; or ''.
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
    coarse_weights: str
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
        asked = f"image_size={self.asked}"
        memory.require(asked, self.peak_bytes, self.most_bytes, self.remedies)

    def warn(self) -> None:
        """Tells where there is memory enough, but hardly."""
        if not self.fits:
            logging.warning(
                "memory: %.2f GB are needed, and of those there %.2f GB can be used without fear; %s",
                self.peak_bytes / 1e9,
                self.limit_bytes / 1e9,
                memory.advice(self.remedies),
            )

    def describe(self) -> str:
        """Returns the plan in words, a line a stage."""
        lines = []
        for stage in self.stages:
            precision = "float32" if stage.exact else self.precision
            height, width = stage.size
            way = self.evaluations[stage.size, precision]
            is_coarse = self.coarse_weights and stage.scale < self.stages[-1].scale
            network = f", with {self.coarse_weights}" if is_coarse else ""
            lines.append(f"{width} x {height}: {stage.iterations} iterations in {precision}, {way}{network}")
        taken = f"memory: {self.peak_bytes / 1e9:.2f} GB of {self.limit_bytes / 1e9:.2f} GB"
        lines.append(taken + ("" if self.fits else "; it does not fit: " + memory.advice(self.remedies)))
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


def foresee(
    sizes: Sizes,
    config: TransferConfig,
    extractor: tf.keras.Model | None = None,
    workshop: Workshop | None = None,
    *,
    pictures: int = 1,
    choices: Mapping = MappingProxyType({}),
    read: bool = False,
) -> Plan:
    """Plans a run before its pictures are read, with as many scales as they are large enough for.

    It is in float32 with a given extractor.

    Args:
      sizes: of its pictures.
      config: the run's config.
      extractor: model to use instead of the one that the config describes.
      workshop: where networks are kept; None: as in `workshop_for`.
      pictures, read: as in `make_plan`.
      choices: of the same run, when it was begun; see `Plan.choices`. Where
        the config leaves a choice to the machine, it stays as it was.

    Raises:
      ValueError, OSError: a layer, a picture's size or the weights are not what they should be.
    """
    options = TermOptions.of(config, sizes)
    precision, network = "float32", extractor
    if extractor is None:
        known = choices.get("precision") if config.precision == "auto" else None
        precision = known if known in ("float32", "bfloat16") else resolved(config)
        workshop = workshop or workshop_for(config, extractor)
        described = partial(extractor_of, config, options.layers, dtype=precision, workshop=workshop)
        network = described()
    require_known("content_layers", options.content_layers, network.output)
    require_known("style_layers", options.style_layers, network.output)
    config = replace(config, scales=_scales(sizes.fitted(config), config, minimum_size(network)))
    coarse = described(coarse=True) if extractor is None and config.scales > 1 else network
    networks = coarse, network
    plan = make_plan(networks, options.style_layers, sizes, config, precision, pictures=pictures, read=read)
    return plan.chosen(choices) if config.evaluation == "auto" else plan


def _scales(sizes: Sizes, config: TransferConfig, least: int) -> int:
    """Returns how many scales there are; a network sees nothing of a side below `least` pixels."""
    for argument, (height, width) in sizes.pictures:
        if min(height, width) < least:
            raise ValueError(
                f"{argument}: is {width} x {height} pixels, but these layers need at least"
                f" {least} on each side; give a larger image_size or picture, or shallower layers"
            )
    pictures = [size for _, size in sizes.pictures]
    return min([number_of_scales(sizes.made, config, least=least, pictures=pictures), *sizes.scales])


def make_plan(
    networks: tuple[tf.keras.Model, tf.keras.Model],
    style_layers: Collection[str],
    sizes: Sizes,
    config: TransferConfig,
    precision: str,
    *,
    pictures: int = 1,
    read: bool = False,
) -> Plan:
    """Decides how each stage's picture goes through the network.

    With ``evaluation=auto`` it is the fastest way that fits into memory, and
    the tiled one where none does. Where runs are to be deterministic, it is the
    fastest that fits into the config's memory_limit or, without one, plain: what
    is free differs from day to day.

    Args:
      networks: of the scales before the last, and of the last. Of one whose graph
        is not known, nothing is predicted, and it is evaluated plainly.
      style_layers: those of their layers whose Gram matrices are computed.
      sizes: of the run's pictures.
      config: the run's config.
      precision: what the stages that are not exact compute in.
      pictures: how many of this size are made together.
      read: the pictures are among what the process has; if not, their reading is counted, too.

    Returns:
      The plan, also of a run that does not fit: see `Plan.require_fit`.

    Raises:
      ValueError: an evaluation is asked for that a network does not allow.
    """
    room = memory.Room.now(config.memory_limit)
    resident = room.resident
    limit = room.most if config.memory_limit else int(resident + _SHARE * room.free)
    if config.memory_limit and determinism.enabled():
        resident = int(PROCESS)

    run = _Run(networks, style_layers, sizes, config, precision, pictures, read, limit - resident)
    found = run.ways()
    peak = resident + found.bytes
    return Plan(
        stages=found.stages,
        precision=precision,
        coarse_weights="" if networks[0] is networks[1] else config.coarse_network,
        evaluations=found.evaluations,
        tile=TILE,
        peak_bytes=int(peak),
        limit_bytes=limit,
        seconds=found.seconds,
        asked=config.image_size,
        most_bytes=room.most,
        remedies=() if peak <= limit else tuple(run.remedies()),
    )


class _Ways(NamedTuple):
    """How the stages of a run are evaluated, and what that takes beside what the process has."""

    stages: tuple[Stage, ...]
    evaluations: Mapping[tuple[Size, str], str]
    bytes: int
    seconds: float


@dataclass(frozen=True)
class _Run:
    """The arguments of `make_plan`, and how many bytes of room there are."""

    networks: tuple[tf.keras.Model, tf.keras.Model]
    style_layers: Collection[str]
    sizes: Sizes
    config: TransferConfig
    precision: str
    pictures: int
    read: bool
    room: int

    def ways(self, last_scale: bool = False) -> _Ways:
        """Chooses how each stage is evaluated; of the last scale alone, which takes the most, or of all."""
        config, fitted = self.config, self.sizes.fitted(self.config)
        held = 0 if self.read else held_bytes(fitted)
        most, seconds, evaluations = 0 if self.read else read_bytes(self.sizes, fitted), 0.0, {}
        planned = stages(fitted.made, config, finish=self.precision == "bfloat16")
        for stage in planned:
            level = planned[-1].scale - stage.scale
            if level and last_scale:
                continue
            dtype = "float32" if stage.exact else self.precision
            needs, operations = self._needs(stage.size, fitted, range(level, planned[-1].scale + 1), dtype)
            way = config.evaluation
            if way == "auto":
                way = _fastest(needs, dtype, self.room - held, config)
            evaluations[stage.size, dtype] = way
            most = max(most, held + needs.get(way, 0))
            seconds += stage.iterations * operations * _WORK[way] / rate(dtype)
        return _Ways(tuple(planned), evaluations, most, seconds)

    def _needs(self, size: Size, fitted: Sizes, levels: range, dtype: str) -> tuple[Mapping[str, int], float]:
        """Returns {evaluation: bytes} of a stage, and the operations of an iteration."""
        styles = [
            [at_level(style, self.config.scale_factor, level) for style in fitted.styles]
            for level in (levels if fitted.styles else ())
        ]
        network = self.networks[not levels[0]], self.style_layers
        try:
            needs = needed_bytes(*network, size, self.config, dtype, styles=styles, pictures=self.pictures)
            return needs, self.pictures * costs(*network, size).operations
        except ValueError:
            if self.config.evaluation not in ("auto", "plain"):
                raise
            return {"plain": 0}, 0

    def _fits(self, pictures: int | None = None, **changes) -> bool:
        run = replace(self, config=replace(self.config, **changes), pictures=pictures or self.pictures)
        try:
            return run.ways(last_scale=True).bytes <= self.room
        except ValueError:  # an extractor whose graph is not known can be evaluated in one way only
            return False

    def remedies(self) -> Iterator[str]:
        """Gives changes to a run that does not fit with each of which it would."""
        config = self.config
        side = config.image_size or max(self.sizes.made)
        if largest := largest_that(lambda side: self._fits(image_size=side), side - 1):
            yield f"image_size={largest}"
        if tenths := largest_that(
            lambda tenths: self._fits(style_scale=tenths / 10), math.ceil(10 * config.style_scale) - 1
        ):
            yield f"style_scale={tenths / 10:g}"
        if config.evaluation != "tiled" and self._fits(evaluation="tiled"):
            yield "evaluation=tiled"
        if config.optimizer == "lbfgs":
            pairs = largest_that(lambda pairs: self._fits(lbfgs_history=pairs), config.lbfgs_history - 1)
            if pairs:
                yield f"lbfgs_history={pairs}"
            if self._fits(optimizer="adam"):
                yield "optimizer=adam"
        if fewer := largest_that(lambda fewer: self._fits(pictures=fewer), self.pictures - 1):
            yield f"batch_size={fewer}"


def _fastest(needs: Mapping[str, int], dtype: str, room: int, config: TransferConfig) -> str:
    """Returns the fastest way that fits, or else the smallest."""
    if determinism.enabled() and not config.memory_limit:
        return "plain"
    # In bfloat16, recomputation costs time and saves hardly anything: block 1 alone, at work, is
    # as large as all that is kept.
    worthwhile = [known for known in EVALUATIONS if known != "recompute" or dtype == "float32"]
    return next((way for way in worthwhile if needs.get(way, 0) <= room), "tiled")
