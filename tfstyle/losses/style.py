"""The style's terms: a statistic of a layer's activations, in a region, held to that of style pictures."""

from __future__ import annotations

import functools
import operator
from collections.abc import Callable, Mapping, Sequence

import tensorflow as tf

from tfstyle.config.units import UNITS
from tfstyle.losses import statistics
from tfstyle.losses.regions import Region, Source
from tfstyle.losses.statistics import Statistic
from tfstyle.losses.target_file import filters_of
from tfstyle.losses.terms import SummedTerm, compiled
from tfstyle.vgg import position_sums
from tfstyle.vgg.layer_masks import propagated
from tfstyle.vgg.position_sums import Cut, Summand
from tfstyle.vgg.receptive_field import reaches

_Measures = Mapping[str, Statistic]  # by layer
_Targets = dict[str, statistics.Sums]  # normalised, by layer


def style_terms(
    extractor,
    regions: Sequence[Region],
    layers: Sequence[str],
    *,
    size: tuple[int, int],
    weight: float,
    layer_weights: Sequence[float] = (),
    units: str,
    statistic: str = "gram",
    blend: str = "targets",
    tile: int | None = None,
) -> list[SummedTerm]:
    """Returns a term a layer and region that holds the picture to the styles' statistics.

    Where the paper resizes the style picture to the content's size, this keeps
    its aspect and compares statistics per position. A region weighs as much as
    its share of the picture, so that its pixels are drawn to its style as
    strongly as they would be without regions.

    Args:
      extractor: model with these layers among its outputs.
      regions: where which styles go; of each picture, of any size, only what
        its mask shows counts.
      layers: Keras' names.
      size: (height, width) of the picture to be made, and of the regions' masks.
      weight: the paper's beta.
      layer_weights: the paper's w_l, as many as layers; empty for the units' own.
        A layer of weight 0 has no term.
      units: key of `UNITS`.
      statistic: key of `statistics.STATISTICS`.
      blend: ``targets``: one target, the mean of the sources' statistics by
        their shares; ``losses``: the mean of the losses against each.
      tile: compute the style pictures' activations in tiles of this side, as
        `terms.content_terms` does.
    """
    layer_weights = layer_weights or [UNITS[units].layer_weight(len(layers))] * len(layers)
    weights = {layer: weight * share for layer, share in zip(layers, layer_weights) if share > 0}
    found = []
    for region in regions:
        measures, targets = _described(extractor, region, list(weights), statistic, units, tile)
        shares = _shares(region)
        guides = _guides(extractor, region.mask, weights)
        for layer, measure in measures.items():
            own = [target[layer] for target in targets]
            parts, portions = own, shares
            if blend == "targets":
                parts, portions = [statistics.blended(own, shares)], [1.0]
            distances = [measure.loss_to(target) for target in parts]
            wholes = functools.partial(_of_nothing, measure, own[0], distances)
            if UNITS[units].relative:
                portions = [
                    portion * tf.math.reciprocal_no_nan(whole) for portion, whole in zip(portions, wholes())
                ]
            factor = _factor(units, statistic, own[0], size)
            found.append(
                SummedTerm(
                    "/".join(filter(None, ("style", layer, region.name))),
                    weights[layer] * region.area,
                    layer,
                    part=_part(measure, guides.get(layer)),
                    outcome=_outcome(portions, distances, factor),
                    whole=_whole(extractor, layer, size, region, factor, portions, wholes),
                )
            )
    return found


def _described(
    extractor, region: Region, layers: list[str], statistic: str, units: str, tile: int | None
) -> tuple[_Measures, list[_Targets]]:
    """Returns what is measured in each layer, and what of each source that gives."""

    references: dict[str, statistics.Sums] = {}
    if statistic == "histogram":  # its bins are in units of the style's own spread
        means = {layer: statistics.make("moments") for layer in layers}
        moments = [_of_source(extractor, source, means, tile, reference=True) for source in region.sources]
        shares = _shares(region)
        references = {
            layer: statistics.blended([each[layer] for each in moments], shares) for layer in layers
        }
        if len(moments) > 1 and any(source.targets for source in region.sources):
            raise ValueError(
                "style: targets of histograms are in units of one style; to blend several, give the pictures"
            )
    scale = UNITS[units].activation
    measures = {layer: statistics.make(statistic, references.get(layer), scale=scale) for layer in layers}
    return measures, [_of_source(extractor, source, measures, tile) for source in region.sources]


def described(
    extractor, picture: tf.Tensor, mask: tf.Tensor | None, layers: Sequence[str], statistic: str
) -> tuple[_Targets, _Targets]:
    """Returns what `StyleTargets` keep of a picture at one scale.

    Args:
      extractor, layers, statistic: as in `style_terms`.
      picture, mask: as in `Source`.

    Returns:
      Normalised sums by layer, and those of `Moments` where the statistic refers to them.
    """
    source = Source(picture, mask=mask)
    _, (targets,) = _described(extractor, Region((source,)), list(layers), statistic, "paper", None)
    if statistic != "histogram":
        return targets, {}
    return targets, _of_source(
        extractor, source, {layer: statistics.make("moments") for layer in layers}, None
    )


def _of_source(
    extractor, source: Source, measures: _Measures, tile: int | None, *, reference: bool = False
) -> _Targets:
    if source.targets is not None:
        return source.targets.at(source.level, list(measures), reference=reference)
    return _of_picture(extractor, source, measures, tile)


def _of_picture(extractor, source: Source, measures: _Measures, tile: int | None) -> _Targets:
    guides = _guides(extractor, source.mask, measures)
    summands = {
        layer: Summand(layer, _part(measure, guides.get(layer))) for layer, measure in measures.items()
    }
    summed = (
        position_sums.plain(extractor, summands)
        if tile is None
        else position_sums.tiled(extractor, summands, tile)
    )
    found = compiled(lambda picture: summed(picture)[0], source.picture)
    return {layer: statistics.normalised(found[layer]) for layer in measures}


def _guides(extractor, mask: tf.Tensor | None, layers) -> dict[str, tf.Tensor]:
    """Returns the guidance T of each layer, none without a mask.

    Positions count by T^2, which is the share of what they see that lies in the
    region: where regions meet, a position counts for each of them, and no less
    for all of them together than any other. With the share itself for T, those
    between two regions would count half, and a strip would hardly be painted.
    """
    shares = {} if mask is None else propagated(extractor, mask, list(layers))
    return {layer: tf.sqrt(share) for layer, share in shares.items()}


def _shares(region: Region) -> list[float]:
    total = sum(source.share for source in region.sources)
    return [source.share / total for source in region.sources]


def _part(measure: Statistic, guide: tf.Tensor | None) -> Callable[[tf.Tensor, Cut], statistics.Sums]:
    return lambda features, cut: measure.sums(features, None if guide is None else cut(guide))


def _of_nothing(measure: Statistic, target: statistics.Sums, distances) -> list[tf.Tensor]:
    """Returns each distance of a layer whose activations are 0."""
    nothing = statistics.of_zeros(measure, target, filters_of(target))
    return [distance(nothing) for distance in distances]


def _whole(extractor, layer: str, size, region: Region, factor, portions, wholes) -> Callable[[], tf.Tensor]:
    """Returns what gives a term's value where the layer's activations are 0, from each distance's."""

    def whole() -> tf.Tensor:
        found, stride = wholes(), reaches(extractor)[layer].stride
        rows, columns = (tf.floor(tf.cast(side, found[0].dtype) / stride) for side in size)
        return factor(region.area * rows * columns) * sum(map(operator.mul, portions, found))

    return whole


def _outcome(portions, distances, factor: Callable[[tf.Tensor], tf.Tensor]) -> Callable:
    def outcome(summed: statistics.Sums) -> tf.Tensor:
        described = statistics.normalised(summed)
        values = [portion * distance(described) for portion, distance in zip(portions, distances)]
        return tf.add_n(values) * factor(summed["count"])

    return outcome


def _factor(units: str, statistic: str, target: statistics.Sums, size) -> Callable:
    """Returns the units' factor from the number of positions; only Gram matrices have one."""
    if statistic != "gram":
        return lambda count: tf.ones([], count.dtype)
    filters, pixels = next(iter(target.values())).shape[-1], size[0] * size[1]
    return lambda count: UNITS[units].style(filters, tf.reduce_mean(count), pixels)
