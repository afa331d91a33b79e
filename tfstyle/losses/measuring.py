"""Style pictures measured: what they come to in a network's layers, to which a picture is then held."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import tensorflow as tf

from tfstyle.io import images
from tfstyle.losses.histogram import Histogram
from tfstyle.losses.regions import Region, Source
from tfstyle.losses.statistics import Bures, Gram, Moments, Statistic, Sums, blended, normalised
from tfstyle.losses.targets import Measured, StyleTargets
from tfstyle.runtime.workshop import compiled
from tfstyle.vgg import position_sums
from tfstyle.vgg.position_sums import Cut, Summand
from tfstyle.vgg.receptive_field import propagated

STATISTICS: dict[str, type[Statistic]] = {
    "gram": Gram,
    "moments": Moments,
    "bures": Bures,
    "histogram": Histogram,
}


def make_statistic(name: str, reference: Sums | None = None, scale: float = 1.0) -> Statistic:
    """Returns a statistic by name.

    Args:
      name: key of `STATISTICS`.
      reference: normalised sums of `Moments` of the style in the layer at hand;
        ``histogram`` needs them, to know how large its bins must be.
      scale: losses are those of activations divided by it. Sums are of
        activations as they come, those in `reference` too.

    Raises:
      ValueError: there is no such statistic (the message calls it style_loss),
        or it lacks its reference.
    """
    if name not in STATISTICS:
        raise ValueError(f"style_loss={name!r}: must be one of {', '.join(STATISTICS)}")
    return STATISTICS[name](reference, scale)


@dataclass(frozen=True)
class Target:
    """What a region of the picture to be made is held to.

    Attributes:
      styles: at least one.
      shares: of the styles; they add up to 1.
      mask: `[1, H, W, 1]` in [0, 1], where the region lies; None: everywhere.
      name: '' for the only one.
    """

    styles: tuple[Measured, ...]
    shares: tuple[float, ...] = (1.0,)
    mask: tf.Tensor | None = None
    name: str = ""

    @property
    def area(self) -> float:
        """The region's share of the picture."""
        return 1.0 if self.mask is None else float(tf.reduce_mean(self.mask))


def measure(
    extractor,
    picture: tf.Tensor,
    layers: Sequence[str],
    statistic: str,
    *,
    mask: tf.Tensor | None = None,
    references: Mapping[str, Sums] | None = None,
    tile: int | None = None,
) -> Measured:
    """Returns what a style picture comes to.

    Args:
      extractor: model with these layers among its outputs; sums are computed in its precision.
      picture: `[B, H, W, 3]` in [0, 1].
      layers: Keras' names.
      statistic: key of `STATISTICS`.
      mask: `[1, H, W, 1]` in [0, 1], what of the picture counts; None: all.
      references: what bins of histograms are in units of; None: the picture's own.
      tile: compute activations in tiles of this side; see `position_sums.tiled`, also for errors.
    """

    def sums(statistic: str, references: Mapping[str, Sums]) -> dict[str, Sums]:
        measures = {layer: make_statistic(statistic, references.get(layer)) for layer in layers}
        summands = {
            layer: Summand(layer, partial(guided_sums, each, of.get(layer)))
            for layer, each in measures.items()
        }
        found = compiled(partial(_summed, extractor, summands, tile), picture)
        return {layer: normalised(found[layer]) for layer in layers}

    of = guides(extractor, mask, layers)
    if references is None:
        references = sums("moments", {}) if statistic == "histogram" else {}
    return Measured(sums(statistic, references), references)


def targets_of(
    extractor,
    regions: Sequence[Region],
    layers: Sequence[str],
    statistic: str,
    *,
    size: tuple[int, int] | None = None,
    level: int = 0,
    scale_factor: float = 1.0,
    tile: int | None = None,
) -> list[Target]:
    """Returns what regions come to at one scale.

    The histograms of several pictures have the units of their mixture.

    Args:
      extractor, layers, statistic, tile: as in `measure`.
      regions: at the final size.
      size: (height, width) of the picture at this scale; None: that of the regions.
      level: how many scales there are after this one.
      scale_factor: from one scale to the next, sides of the style pictures grow by it.
    """

    def measured(source: Source, statistic: str, references: Mapping[str, Sums] | None = None) -> Measured:
        if isinstance(source.style, StyleTargets):
            return source.style.at(level)
        shrunk = source.shrunk(scale_factor**-level)
        options = {"mask": shrunk.mask, "references": references, "tile": tile}
        return measure(extractor, shrunk.style, layers, statistic, **options)

    def target(region: Region) -> Target:
        total = sum(source.share for source in region.sources)
        shares = tuple(source.share / total for source in region.sources)
        references = None
        if statistic == "histogram" and len(shares) > 1:
            moments = [measured(source, "moments").sums for source in region.sources]
            references = {layer: blended([each[layer] for each in moments], shares) for layer in layers}
        styles = tuple(measured(source, statistic, references) for source in region.sources)
        mask = region.mask if size is None or region.mask is None else images.resize(region.mask, size)
        return Target(styles, shares, mask, region.name)

    return [target(region) for region in regions]


def guides(extractor, mask: tf.Tensor | None, layers: Sequence[str]) -> dict[str, tf.Tensor]:
    """Returns the guidance T of each layer, none without a mask.

    Positions count by T^2, which is the share of what they see that lies in the
    region: where regions meet, a position counts for each of them, and no less
    for all of them together than any other. With the share itself for T, those
    between two regions would count half, and a strip would hardly be painted.
    """
    shares = {} if mask is None else propagated(extractor, mask, list(layers))
    return {layer: tf.sqrt(share) for layer, share in shares.items()}


def guided_sums(measure: Statistic, guide: tf.Tensor | None, features: tf.Tensor, cut: Cut) -> Sums:
    """Returns what a statistic sums over some positions of a layer; see `position_sums.Summand`."""
    return measure.sums(features, None if guide is None else cut(guide))


def _summed(extractor, summands: Mapping[str, Summand], tile: int | None, picture: tf.Tensor):
    if tile is None:
        return position_sums.plain(extractor, summands)(picture)[0]
    return position_sums.tiled(extractor, summands, tile)(picture)[0]
