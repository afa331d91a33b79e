"""Which sizes a run goes through, and how long it stays at each.

The style of a picture is what the network sees of it, and it sees no further
than its receptive field: in a large picture made at once, strokes shrink to
grain. Made small first and then larger, they keep their size (Gatys et al.
2017, section 5, on high resolution).
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

from tfstyle.config import TransferConfig

# In bfloat16, this share of the last scale's iterations is made in float32.
FINISH = 0.1


@dataclass(frozen=True)
class Stage:
    """A number of iterations at one size.

    Attributes:
      scale: index of the size, coarsest first.
      size: (height, width) in pixels.
      iterations: at least 1.
      exact: in float32, whatever the stages before computed in.
    """

    scale: int
    size: tuple[int, int]
    iterations: int
    exact: bool = False


def number_of_scales(
    size: tuple[int, int],
    config: TransferConfig,
    *,
    least: int = 1,
    pictures: Sequence[tuple[int, int]] = (),
) -> int:
    """Returns the config's scales, or as many as bring the first to at most coarsest_size.

    There are fewer, but one, where a picture would be too small at the first.

    Args:
      size: (height, width) of the picture to be made.
      config: of it, scales and scale_factor.
      least: pixels that a side must have at each scale; see `vgg.minimum_size`.
      pictures: (height, width) of the contents and styles that must have them.
    """

    def is_wanted(level: int) -> bool:
        if config.scales:
            return level < config.scales
        return max(size) > coarsest(config) * config.scale_factor ** (level - 1)

    def is_possible(level: int) -> bool:
        return all(min(at_level(each, config.scale_factor, level)) >= least for each in pictures)

    return next(level for level in itertools.count(1) if not (is_wanted(level) and is_possible(level)))


def coarsest(config: TransferConfig) -> float:
    """Returns the longest side of the first of automatic scales, in pixels.

    A factor that misses by rounding alone, as 1.41421356 misses the root of 2, is taken to meet.
    """
    return config.coarsest_size * (1 + 1e-6)


def scale_sizes(size: tuple[int, int], scales: int, factor: float) -> list[tuple[int, int]]:
    """Returns the (height, width) of each scale, coarsest first, each `factor` times the one before."""
    return [at_level(size, factor, level) for level in reversed(range(scales))]


def at_level(size: tuple[int, int], factor: float, level: int) -> tuple[int, int]:
    """Returns the (height, width) of a scale, so many before the last; a side has a pixel at least."""
    # A negative power: of very many scales it becomes 0, where a positive one would overflow.
    share = float(factor) ** -level
    return tuple(max(1, round(side * share)) for side in size)


def stages(size: tuple[int, int], config: TransferConfig, *, finish: bool = False) -> list[Stage]:
    """Returns what a run does, in order.

    Args:
      size: (height, width) of the picture to be made.
      config: of it, iterations, finer_share, scales and scale_factor.
      finish: make the last iterations of all exact.
    """
    sizes = scale_sizes(size, number_of_scales(size, config), config.scale_factor)
    finer = max(1, round(config.iterations * config.finer_share))
    made = [
        Stage(scale, scale_size, finer if scale else config.iterations)
        for scale, scale_size in enumerate(sizes)
    ]
    if finish:
        *before, last = made
        exact = max(1, round(FINISH * last.iterations))
        rest = [Stage(last.scale, last.size, last.iterations - exact)] if last.iterations > exact else []
        made = [*before, *rest, Stage(last.scale, last.size, exact, exact=True)]
    return made


def remaining(planned: Sequence[Stage], index: int, step: int) -> float:
    """Returns what is left to do after some steps of a stage, in steps as long as that stage's.

    Time goes with the number of pixels, and in float32 after bfloat16 it is twice that.
    """

    def cost(stage: Stage) -> float:
        return stage.size[0] * stage.size[1] * (2 if stage.exact else 1)

    here = planned[index]
    later = sum(stage.iterations * cost(stage) for stage in planned[index + 1 :])
    return here.iterations - step + later / cost(here)
