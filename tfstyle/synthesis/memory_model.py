"""What memory a stage takes beside what its process has, from what its pictures come to in the network."""

from __future__ import annotations

from collections.abc import Collection

import tensorflow as tf

from tfstyle.config import TransferConfig
from tfstyle.runtime.memory_model import AVERAGE, MATTING, OPTIMIZER, PAIR, STEP, VALUE, activation_bytes
from tfstyle.vgg.costs import costs
from tfstyle.vgg.receptive_field import reaches

TILE = 512


def needed_bytes(
    extractor: tf.keras.Model,
    style_layers: Collection[str],
    size: tuple[int, int],
    config: TransferConfig,
    dtype: str,
) -> dict[str, int]:
    """Returns {evaluation: bytes} that a stage takes.

    Raises:
      ValueError: the extractor's graph is not known.
    """
    halo = max(reach.radius + reach.stride for reach in reaches(extractor).values())
    whole = costs(extractor, style_layers, size)
    part = costs(extractor, style_layers, tuple(min(side, TILE + 2 * halo) for side in size))
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
    return {
        "plain": int(steady + activation_bytes("plain", dtype, whole.kept, whole.widest)),
        "recompute": int(steady + activation_bytes("recompute", dtype, whole.kept, whole.widest)),
        "tiled": int(steady + activation_bytes("plain", dtype, part.kept, part.widest)),
    }
