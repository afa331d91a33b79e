"""A run's weights in the units of the codes that people know: what to give each for the same objective."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import tensorflow as tf

from tfstyle.config import TransferConfig
from tfstyle.presets import PRESETS
from tfstyle.units import UNITS, Units

_NONE = "-"
_COLUMNS = ("content_weight", "style_weight", "tv_weight")
# These divide the content's weight among its layers; here, each has it whole.
_DIVIDES_CONTENT = ("tf_tutorial", "crowsonkb")
# Degree of a statistic's loss in the activations. The other losses are those of no code in `UNITS`.
_DEGREES = {"gram": 4, "bures": 2}


def explain(
    extractor: tf.keras.Model, size: tuple[int, int], config: TransferConfig, weights: Mapping[str, float]
) -> str:
    """Returns a run's weights converted into the units of each key of `UNITS`, as a table.

    A weight that a code would need a different one of for each layer is a list
    of these, in the order of the config's layers. Where a code has another
    style statistic or form of total variation, or none, there is a dash. For
    ``bures`` between units of other activations the conversion holds but for
    the 1e-4 that is added to covariances.

    Args:
      extractor: the network, from which layers have their filters and positions.
      size: (height, width) of the picture to be made.
      config: the run's units, layers, statistic and form of total variation.
      weights: of the kinds ``content``, ``style`` and ``total_variation``, in
        the config's units; a kind that is left out weighs nothing.
    """
    shapes = extractor.compute_output_shape((1, *size, 3))
    rows = [("", *_COLUMNS)]
    for name in UNITS:
        content = _content(name, [shapes[layer] for layer in config.content_layers], config, weights)
        style = _style(name, [shapes[layer] for layer in config.style_layers], size, config, weights)
        rows.append((name, _text(content), _text(style), _text(_variation(name, size, config, weights))))
    widths = [max(map(len, column)) for column in zip(*rows)]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip() for row in rows]
    height, width = size
    return "\n".join([f"The same objective, at {width} x {height} pixels, in the units of", *lines])


def _content(name: str, shapes, config: TransferConfig, weights: Mapping[str, float]) -> list[float]:
    if "content" not in weights:
        return [0.0]
    layers = len(shapes) if name in _DIVIDES_CONTENT else 1

    def factor(units: Units, filters: int, positions: int) -> float:
        return units.content(filters, positions) / units.activation**2

    counts = [_filters_and_positions(shape) for shape in shapes]
    return [
        weights["content"] * layers * factor(UNITS[config.units], *count) / factor(UNITS[name], *count)
        for count in counts
    ]


def _style(name: str, shapes, size, config: TransferConfig, weights: Mapping[str, float]) -> list[float]:
    """Returns a weight a layer; none where the code has another statistic."""
    if "style" not in weights:
        return [0.0]
    statistic = config.style_loss
    if statistic not in _DEGREES or statistic != PRESETS[name].style_loss:
        return []
    pixels = size[0] * size[1]

    def factor(units: Units, filters: int, positions: int) -> float:
        own = units.style(filters, positions, pixels) if statistic == "gram" else 1.0
        return own / units.activation ** _DEGREES[statistic]

    ours = _layer_weights(config.units, config.style_layer_weights, len(shapes))
    known = PRESETS[name].style_layer_weights if config.style_layers == PRESETS[name].style_layers else ()
    theirs = _layer_weights(name, known, len(shapes))
    return [
        weights["style"] * own / other * factor(UNITS[config.units], *count) / factor(UNITS[name], *count)
        for own, other, count in zip(ours, theirs, map(_filters_and_positions, shapes))
    ]


def _variation(name: str, size, config: TransferConfig, weights: Mapping[str, float]) -> list[float]:
    """Returns one weight; none where the code has another form of total variation, or no such thing."""
    preset = PRESETS[name]
    if preset.tv_weight == 0:
        return []
    if "total_variation" not in weights:
        return [0.0]
    if config.tv_loss != preset.tv_loss:
        return []
    pixels = size[0] * size[1]
    ours, theirs = UNITS[config.units].variation(pixels), UNITS[name].variation(pixels)
    return [weights["total_variation"] * ours / theirs]


def _layer_weights(units: str, given: Sequence[float], layers: int) -> Sequence[float]:
    return given or [UNITS[units].layer_weight(layers)] * layers


def _filters_and_positions(shape: Sequence[int]) -> tuple[int, int]:
    _, height, width, filters = shape
    return filters, height * width


def _text(weights: Sequence[float]) -> str:
    shown = [f"{weight:.6g}" for weight in weights]
    return ", ".join(shown if len(set(shown)) > 1 else shown[:1]) or _NONE
