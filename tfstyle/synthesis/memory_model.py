"""What memory a run takes beside what its process has.

The factors were fitted to the greatest resident set of runs at 256 to 2048
pixels (`scripts/benchmark.py --sizes` measures it).
"""

from __future__ import annotations

from collections.abc import Collection

import tensorflow as tf

from tfstyle.config import TransferConfig
from tfstyle.vgg.costs import Costs, costs
from tfstyle.vgg.receptive_field import reaches

TILE = 512
# Bytes a pixel of the optimisers' variables and temporary vectors, without history.
_OPTIMIZER_BYTES = {"adam": 110, "sgd": 50, "lbfgs": 100, "hager_zhang": 330}
_AVERAGING_BYTES = 24  # of the running mean, beside them
_MATTING_BYTES = 310  # of the matting loss, at its making
_STEP_BYTES = 60e6  # of the compiled step, whatever the picture


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
