"""The style's terms: a statistic of a layer's activations, in a region, held to that of style pictures."""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from functools import partial

import tensorflow as tf

from tfstyle.config.units import UNITS
from tfstyle.losses import statistics
from tfstyle.losses.measuring import Target, guides, part
from tfstyle.losses.target_file import filters_of
from tfstyle.losses.terms import SummedTerm
from tfstyle.vgg.receptive_field import reaches


def style_terms(
    extractor,
    targets: Sequence[Target],
    layers: Sequence[str],
    *,
    size: tuple[int, int],
    weight: float,
    layer_weights: Sequence[float] = (),
    units: str,
    statistic: str = "gram",
    blend: str = "targets",
) -> list[SummedTerm]:
    """Returns a term a layer and region that holds the picture to what was measured of styles.

    Where the paper resizes the style picture to the content's size, this keeps
    its aspect and compares statistics per position. A region weighs as much as
    its share of the picture, so that its pixels are drawn to its style as
    strongly as they would be without regions.

    Args:
      extractor: model with these layers among its outputs.
      targets: from `measuring.targets_of`, a region each.
      layers: Keras' names.
      size: (height, width) of the picture to be made, and of the regions' masks.
      weight: the paper's beta.
      layer_weights: the paper's w_l, as many as layers; empty for the units' own.
        A layer of weight 0 has no term.
      units: key of `UNITS`.
      statistic: key of `statistics.STATISTICS`: of the targets.
      blend: ``targets``: one target, the mean of the sources' statistics by
        their shares; ``losses``: the mean of the losses against each.
    """
    layer_weights = layer_weights or [UNITS[units].layer_weight(len(layers))] * len(layers)
    weights = {layer: weight * share for layer, share in zip(layers, layer_weights) if share > 0}

    def term(target: Target, layer: str, guide: tf.Tensor | None) -> SummedTerm:
        references = target.styles[0].references.get(layer)
        measure = statistics.make(statistic, references, scale=UNITS[units].activation)
        own, portions = [style.sums[layer] for style in target.styles], target.shares
        if blend == "targets":
            own, portions = [statistics.blended(own, portions)], (1.0,)
        distances = [measure.loss_to(each) for each in own]
        factor = _factor(units, statistic, own[0], size)

        def of_nothing() -> list[tf.Tensor]:
            """Returns each distance where the layer's activations are 0."""
            nothing = statistics.of_zeros(measure, own[0], filters_of(own[0]))
            return [distance(nothing) for distance in distances]

        if UNITS[units].relative:
            portions = [
                portion * tf.math.reciprocal_no_nan(one) for portion, one in zip(portions, of_nothing())
            ]

        def whole() -> tf.Tensor:
            found, stride = of_nothing(), reaches(extractor)[layer].stride
            rows, columns = (tf.floor(tf.cast(side, found[0].dtype) / stride) for side in size)
            return factor(target.area * rows * columns) * sum(map(operator.mul, portions, found))

        name = "/".join(filter(None, ("style", layer, target.name)))
        outcome = partial(_outcome, tuple(portions), tuple(distances), factor)
        weight = weights[layer] * target.area
        return SummedTerm(name, weight, layer, part(measure, guide), outcome, whole, kind="style")

    found = []
    for target in targets:
        shown = guides(extractor, target.mask, list(weights))
        found += [term(target, layer, shown.get(layer)) for layer in weights]
    return found


def _outcome(portions, distances, factor: Callable, summed: statistics.Sums) -> tf.Tensor:
    described = statistics.normalised(summed)
    values = [portion * distance(described) for portion, distance in zip(portions, distances)]
    return tf.add_n(values) * factor(summed["count"])


def _factor(units: str, statistic: str, target: statistics.Sums, size) -> Callable:
    """Returns the units' factor from the number of positions; only Gram matrices have one."""
    if statistic != "gram":
        return _one
    filters, pixels = next(iter(target.values())).shape[-1], size[0] * size[1]
    return partial(_factor_of_grams, units, filters, pixels)


def _one(count: tf.Tensor) -> tf.Tensor:
    return tf.ones([], count.dtype)


def _factor_of_grams(units: str, filters: int, pixels, count: tf.Tensor) -> tf.Tensor:
    return UNITS[units].style(filters, tf.reduce_mean(count), pixels)
