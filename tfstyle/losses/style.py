"""The style's terms: a statistic of a layer's activations, in a region, held to that of style pictures."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import NamedTuple

import tensorflow as tf

from tfstyle.config.units import UNITS
from tfstyle.losses.measuring import Target, guided_sums, guides, make_statistic
from tfstyle.losses.statistics import Statistic, Sums, blended, normalised, of_zeros
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
      statistic: key of `measuring.STATISTICS`: of the targets.
      blend: ``targets``: one target, the mean of the sources' statistics by
        their shares; ``losses``: the mean of the losses against each.
    """
    layer_weights = layer_weights or [UNITS[units].layer_weight(len(layers))] * len(layers)
    weights = {layer: weight * share for layer, share in zip(layers, layer_weights) if share > 0}

    def term(target: Target, layer: str, guide: tf.Tensor | None) -> SummedTerm:
        held, pixels = comparison(target, layer, units, statistic, blend), size[0] * size[1]

        def whole() -> tf.Tensor:
            stride = reaches(extractor)[layer].stride
            rows, columns = (tf.floor(tf.cast(side, tf.float32) / stride) for side in size)
            return held.whole(pixels, target.area * rows * columns)

        return SummedTerm(
            "/".join(filter(None, ("style", layer, target.name))),
            weights[layer] * target.area,
            layer,
            part=partial(guided_sums, held.measure, guide),
            outcome=partial(held.loss, pixels),
            whole=whole,
            kind="style",
        )

    found = []
    for target in targets:
        shown = guides(extractor, target.mask, list(weights))
        found += [term(target, layer, shown.get(layer)) for layer in weights]
    return found


class Comparison(NamedTuple):
    """How far a layer is from what styles come to in it.

    Attributes:
      measure: the statistic.
      loss: from the picture's number of pixels and its sums over positions to `[B]`.
      whole: gives that where all activations are 0, from the numbers of pixels and of positions.
    """

    measure: Statistic
    loss: Callable[[int | tf.Tensor, Sums], tf.Tensor]
    whole: Callable[[int | tf.Tensor, tf.Tensor], tf.Tensor]


def comparison(target: Target, layer: str, units: str, statistic: str, blend: str = "targets") -> Comparison:
    """Returns the comparison with a region's styles; arguments are as in `style_terms`."""
    references = target.styles[0].references.get(layer)
    measure = make_statistic(statistic, references, scale=UNITS[units].activation)
    own, portions = [style.sums[layer] for style in target.styles], target.shares
    if blend == "targets":
        own, portions = [blended(own, portions)], (1.0,)
    distances, filters = [measure.loss_to(each) for each in own], filters_of(own[0])

    def of_nothing() -> list[tf.Tensor]:
        """Returns each distance where the layer's activations are 0."""
        nothing = of_zeros(measure, own[0], filters)
        return [distance(nothing) for distance in distances]

    if UNITS[units].relative:
        portions = [portion * tf.math.reciprocal_no_nan(one) for portion, one in zip(portions, of_nothing())]

    # Only Gram matrices have a factor.
    weighted = partial(_weighted, tuple(portions), units if statistic == "gram" else None, filters)
    loss = partial(_loss, tuple(distances), weighted)
    return Comparison(measure, loss, lambda pixels, count: weighted(pixels, count, of_nothing()))


def _weighted(portions, units: str | None, filters: int, pixels, count: tf.Tensor, found) -> tf.Tensor:
    total = tf.add_n([portion * each for portion, each in zip(portions, found)])
    if units is None:
        return total
    return total * UNITS[units].style(filters, tf.cast(tf.reduce_mean(count), total.dtype), pixels)


def _loss(distances, weighted: Callable, pixels, summed: Sums) -> tf.Tensor:
    described = normalised(summed)
    return weighted(pixels, summed["count"], [distance(described) for distance in distances])
