"""What memory a run takes beside what its process has: its pictures at their reading, and each stage."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence

import tensorflow as tf

from tfstyle.config import TransferConfig
from tfstyle.runtime.memory_model import DECODED, HELD, RESIZED, STEP, VALUE, activation_bytes, pixel_bytes
from tfstyle.synthesis.scales import Size, Sizes
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
    styles: Sequence[Sequence[Size]] = (),
    pictures: int = 1,
) -> dict[str, int]:
    """Returns {evaluation: bytes} that a stage takes, for its steps or for measuring the styles before them.

    Args:
      extractor, style_layers: as in `costs`, also for errors.
      size: (height, width) of the pictures to be made.
      config, dtype: the run's config, and what the stage computes in.
      styles: sizes of the style pictures at this scale and at each before it. They are measured one after
        the other; what one scale takes for it does not go back to the system, and serves others of its size.
      pictures: how many are made together.
    """
    halo = max(reach.radius + reach.stride for reach in reaches(extractor).values())

    def tile(size: Size) -> Size:
        return tuple(min(side, TILE + 2 * halo) for side in size)

    def stepped(way: str, size: Size) -> float:
        found = costs(extractor, style_layers, size)
        return activation_bytes(way, dtype, found.kept, found.widest)

    shape = extractor.compute_output_shape((1, *size, 3))
    targets = sum(
        rows * columns * filters
        for layer, (_, rows, columns, filters) in shape.items()
        if layer in config.content_layers
    )
    steady = STEP + VALUE[dtype] * targets + pixel_bytes(config) * size[0] * size[1]
    steps = {way: stepped(way, size) for way in ("plain", "recompute")}
    steps["tiled"] = stepped("plain", tile(size))
    needs = {way: pictures * (steady + step) for way, step in steps.items()}

    def measured(way: str) -> float:
        seen = [[tile(style) if way == "tiled" else style for style in of_scale] for of_scale in styles]
        largest = {max(of_scale, key=math.prod) for of_scale in seen}
        return sum(measured_bytes(extractor, config, style, dtype) for style in largest)

    return {way: int(max(taken, measured(way))) for way, taken in needs.items()}


def measured_bytes(extractor: tf.keras.Model, config: TransferConfig, size: Size, dtype: str) -> float:
    """Returns what measuring a style picture of (height, width) takes; 0 where the graph is not known."""
    try:
        widest = costs(extractor, config.style_layers, size).widest
    except ValueError:
        return 0.0
    kind = "histogram" if config.style_loss == "histogram" else "measuring"
    return STEP + activation_bytes(kind, dtype, 0, widest)


def held_bytes(sizes: Sizes) -> int:
    """Returns what a run's pictures take from their reading on, of these sizes."""
    return HELD * sum(sizes.areas)


def read_bytes(own: Sizes, fitted: Sizes) -> int:
    """Returns what reading a run's pictures takes at its most, one after the other."""
    each = [DECODED * before + RESIZED * after for before, after in zip(own.areas, fitted.areas)]
    return held_bytes(fitted) + max(each)
