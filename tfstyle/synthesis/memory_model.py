"""What memory a run takes beside what its process has: its pictures at their reading, and each stage."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import tensorflow as tf

from tfstyle.config import TransferConfig
from tfstyle.runtime.memory_model import (
    AVERAGE,
    DECODED,
    HELD,
    MATTING,
    OPTIMIZER,
    PAIR,
    RESIZED,
    STEP,
    VALUE,
    activation_bytes,
)
from tfstyle.synthesis.sizes import Size, Sizes
from tfstyle.vgg.costs import costs
from tfstyle.vgg.receptive_field import reaches

TILE = 512


def needed_bytes(
    extractor: tf.keras.Model,
    style_layers: Collection[str],
    size: Size,
    config: TransferConfig,
    dtype: str,
    *,
    styles: Sequence[Size] = (),
    pictures: int = 1,
) -> dict[str, int]:
    """Returns {evaluation: bytes} that a stage takes, for its steps or for measuring the styles before them.

    Args:
      extractor, style_layers: as in `costs`, also for errors.
      size: (height, width) of the pictures to be made.
      config, dtype: the run's config, and what the stage computes in.
      styles: sizes of the style pictures at this stage, which are measured one after the other.
      pictures: how many are made together.
    """
    halo = max(reach.radius + reach.stride for reach in reaches(extractor).values())

    def bytes_of(kind: str, size: Size, tiled: bool = False) -> float:
        size = tuple(min(side, TILE + 2 * halo) for side in size) if tiled else size
        found = costs(extractor, style_layers, size)
        return activation_bytes(kind, dtype, found.kept, found.widest)

    def measured(tiled: bool) -> float:
        kind = "histogram" if config.style_loss == "histogram" else "measuring"
        return max((bytes_of(kind, style, tiled) for style in styles), default=0)

    shape = extractor.compute_output_shape((1, *size, 3))
    targets = sum(
        rows * columns * filters
        for layer, (_, rows, columns, filters) in shape.items()
        if layer in config.content_layers
    )
    kind = "hager_zhang" if config.optimizer == "lbfgs" and config.line_search == "hager_zhang" else None
    pixel = OPTIMIZER[kind or config.optimizer] + (MATTING if config.photorealistic else 0)
    if config.optimizer == "lbfgs":
        pixel += PAIR * config.lbfgs_history
    elif config.averaging > 0:
        pixel += AVERAGE
    steady = STEP + VALUE[dtype] * targets + pixel * size[0] * size[1]
    steps = {way: bytes_of(way, size) for way in ("plain", "recompute")}
    steps["tiled"] = bytes_of("plain", size, tiled=True)
    return {
        way: int(max(pictures * (steady + step), STEP + measured(way == "tiled")))
        for way, step in steps.items()
    }


def held_bytes(sizes: Sizes) -> int:
    """Returns what a run's pictures take from their reading on, of these sizes."""
    return HELD * sum(height * width for _, (height, width) in sizes.pictures)


def read_bytes(own: Sizes, fitted: Sizes) -> int:
    """Returns what reading a run's pictures takes at its most, one after the other."""
    each = zip(own.pictures, fitted.pictures)
    most = max(
        (DECODED * h * w + RESIZED * height * width for (_, (h, w)), (_, (height, width)) in each), default=0
    )
    return held_bytes(fitted) + most
