"""A run's weights in the units of the codes that people know: what to give each for the same objective."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import tensorflow as tf

from tfstyle.config.presets import PRESETS
from tfstyle.config.transfer import TransferConfig
from tfstyle.config.units import UNITS, Units

_NONE = "-"
_COLUMNS = ("content_weight", "style_weight", "tv_weight")
# These divide the content's weight among its layers; here, each has it whole.
_DIVIDES_CONTENT = ("tf_tutorial", "crowsonkb")
# Degree of a statistic's loss in the activations. The other losses are those of no code in `UNITS`.
_DEGREES = {"gram": 4, "bures": 2}


def explain(
    extractor: tf.keras.Model,
    size: tuple[int, int],
    config: TransferConfig,
    weights: Mapping[str, float],
    wholes: Mapping[str, float],
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
      wholes: {term: its unweighted loss in the paper's units where all activations are 0}.
    """
    shapes = extractor.compute_output_shape((1, *size, 3))
    contents, styles = (
        [
            (filters, height * width, wholes.get(f"{kind}/{layer}", 0.0))
            for layer in layers
            for _, height, width, filters in [shapes[layer]]
        ]
        for kind, layers in (("content", config.content_layers), ("style", config.style_layers))
    )
    rows = [("", *_COLUMNS)]
    for name in UNITS:
        content = _content(name, contents, config, weights)
        style = _style(name, styles, size, config, weights)
        rows.append((name, _text(content), _text(style), _text(_variation(name, size, config, weights))))
    widths = [max(map(len, column)) for column in zip(*rows)]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip() for row in rows]
    height, width = size
    return "\n".join([f"The same objective, at {width} x {height} pixels, in the units of", *lines])


def _content(name: str, measures, config: TransferConfig, weights: Mapping[str, float]) -> list[float]:
    if "content" not in weights:
        return [0.0]
    layers = len(measures) if name in _DIVIDES_CONTENT else 1

    def factor(units: Units, filters: int, positions: int, whole: float) -> float:
        if units.relative:
            return 1 / whole
        return units.content(filters, positions) / units.activation**2

    return [
        weights["content"] * layers * factor(UNITS[config.units], *each) / factor(UNITS[name], *each)
        for each in measures
    ]


def _style(name: str, measures, size, config: TransferConfig, weights: Mapping[str, float]) -> list[float]:
    """Returns a weight a layer; none where the code has another statistic."""
    if "style" not in weights:
        return [0.0]
    statistic, same = config.style_loss, config.units == name
    known = statistic in _DEGREES and (UNITS[name].relative or statistic == _preset(name).style_loss)
    if not (known or (same and UNITS[name].relative)):
        return []
    pixels = size[0] * size[1]

    def factor(units: Units, filters: int, positions: int, whole: float) -> float:
        if units.relative:
            return 1 / whole
        own = units.style(filters, positions, pixels) if statistic == "gram" else 1.0
        return own / units.activation ** _DEGREES[statistic]

    ours = _layer_weights(config.units, config.style_layer_weights, len(measures))
    preset = _preset(name)
    usual = preset.style_layer_weights if config.style_layers == preset.style_layers else ()
    theirs = _layer_weights(name, usual, len(measures))
    return [
        weights["style"] * own / other * factor(UNITS[config.units], *each) / factor(UNITS[name], *each)
        for own, other, each in zip(ours, theirs, measures)
    ]


def _variation(name: str, size, config: TransferConfig, weights: Mapping[str, float]) -> list[float]:
    """Returns one weight; none where the code has another form of total variation, or no such thing."""
    preset = _preset(name)
    if preset.tv_weight == 0 and not UNITS[name].relative:
        return []
    if "total_variation" not in weights:
        return [0.0]
    if config.tv_loss != preset.tv_loss and not UNITS[name].relative:
        return []
    pixels = size[0] * size[1]
    ours, theirs = UNITS[config.units].variation(pixels), UNITS[name].variation(pixels)
    return [weights["total_variation"] * ours / theirs]


def _preset(units: str) -> TransferConfig:
    """Returns the preset that has these units."""
    return next(preset for preset in PRESETS.values() if preset.units == units)


def _layer_weights(units: str, given: Sequence[float], layers: int) -> Sequence[float]:
    return given or [UNITS[units].layer_weight(layers)] * layers


def _text(weights: Sequence[float]) -> str:
    shown = [f"{weight:.6g}" for weight in weights]
    return ", ".join(shown if len(set(shown)) > 1 else shown[:1]) or _NONE
