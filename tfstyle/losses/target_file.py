"""Sums of a style's statistics as the arrays of a file, and back, once they are known to be such sums."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import tensorflow as tf

from tfstyle.losses.histogram import BINS
from tfstyle.losses.statistics import Sums

KINDS = ("targets", "references")

Scales = Sequence[Mapping[str, Sums]]  # {layer: sums per position}, finest first

# By statistic, the shapes of a layer of so many filters, behind the axis of pictures.
_Shapes = Mapping[str, Callable[[int], tuple[int, ...]]]
_SHAPES: Mapping[str, _Shapes] = {
    "gram": {"gram": lambda filters: (filters, filters)},
    "moments": {"first": lambda filters: (filters,), "second": lambda filters: (filters,)},
    "bures": {"first": lambda filters: (filters,), "second": lambda filters: (filters, filters)},
    "histogram": {"positions": lambda filters: (filters, BINS), "values": lambda filters: (filters, BINS)},
}
# Gram matrices and second moments: half of them will do.
_SYMMETRIC = ("gram", "second")
_MOST_SCALES = 64


def packed(targets: Scales, references: Scales) -> dict[str, np.ndarray]:
    """Returns all sums as float32 arrays, by names that tell where they belong.

    Args:
      targets: sums of the statistic.
      references: the same of `Moments`; empty where the statistic refers to none.
    """
    arrays = {}
    for kind, scales in zip(KINDS, (targets, references)):
        for level, of_layers in enumerate(scales):
            for layer, sums in of_layers.items():
                for name, value in sums.items():
                    values = np.asarray(value, np.float32)
                    half = name in _SYMMETRIC and values.ndim == 3
                    if half:
                        values = values[:, *np.triu_indices(values.shape[-1])]
                    arrays[f"{level}|{kind}|{layer}|{name}|{'upper' if half else 'all'}"] = values
    return arrays


def unpacked(arrays: Mapping[str, np.ndarray], count: int, statistic: str) -> tuple[Scales, Scales]:
    """Returns what `packed` was given.

    Args:
      arrays: from a file that may hold anything.
      count: how many scales there must be.
      statistic: whose sums they must be.

    Raises:
      ValueError: they are not; what is wrong here would go wrong in the middle of a run.
    """
    if type(count) is not int or not 0 < count <= _MOST_SCALES:
        raise ValueError(f"it has {count!r:.80} scales; must have 1 to {_MOST_SCALES}")
    if not isinstance(statistic, str) or statistic not in _SHAPES:
        raise ValueError(f"it is of the statistic {statistic!r:.80}; must be one of {', '.join(_SHAPES)}")
    found: dict[str, list[dict[str, Sums]]] = {kind: [{} for _ in range(count)] for kind in KINDS}
    for name, values in arrays.items():
        try:
            level, kind, layer, part, form = name.split("|")
            if level not in map(str, range(count)):
                raise ValueError
            sums = found[kind][int(level)].setdefault(layer, {})
        except (ValueError, KeyError):
            raise ValueError(f"it has an array {name!r:.80}, which is none of a style's") from None
        sums[part] = tf.constant(_restored(f"{name!r:.80}", part, form, values))
    for level in range(count):
        _require_complete(level, found, statistic)
    return found["targets"], found["references"]


def filters_of(sums: Sums) -> int:
    """Returns how many filters the layer has whose sums these are."""
    return next(iter(sums.values())).shape[1]


def _restored(named: str, part: str, form: str, values: np.ndarray) -> np.ndarray:
    """Returns an array `[1, ...]` as it was before it was packed."""
    if values.dtype != np.float32 or values.ndim < 2 or len(values) != 1 or not values.size:
        raise ValueError(f"{named} is of shape {values.shape} and type {values.dtype}")
    if not np.isfinite(values).all():
        raise ValueError(f"{named} has values that are not finite")
    if form == "all":
        return values
    filters = round((np.sqrt(8 * values.shape[-1] + 1) - 1) / 2)
    if form != "upper" or part not in _SYMMETRIC or values.shape != (1, filters * (filters + 1) // 2):
        raise ValueError(f"{named} is no half of a matrix")
    whole = np.zeros((1, filters, filters), np.float32)
    upper = np.triu_indices(filters)
    whole[:, *upper] = values
    whole[:, upper[1], upper[0]] = values
    return whole


def _require_complete(level: int, found: Mapping[str, Scales], statistic: str) -> None:
    """Checks that a scale has the layers of the first, and each of them what a statistic compares."""
    layers = found["targets"][0]
    wanted = {"targets": statistic, "references": "moments" if statistic == "histogram" else None}
    for kind, needed in wanted.items():
        of_layers = found[kind][level]
        if of_layers.keys() != (layers.keys() if needed else set()) or not layers:
            raise ValueError(f"its {kind} of scale {level} are not of the layers that they must be of")
        for layer, sums in of_layers.items():
            # References must be of the same filters as the targets.
            filters = filters_of(found["targets"][level][layer])
            shapes = {name: tuple(value.shape[1:]) for name, value in sums.items()}
            if shapes != {name: shape(filters) for name, shape in _SHAPES[needed].items()}:
                raise ValueError(f"its {kind} of {layer!r:.80} at scale {level} have shapes {shapes!s:.200}")
            if filters != filters_of(layers[layer]):
                raise ValueError(f"its {layer!r:.80} has other filters at scale {level} than at the first")
