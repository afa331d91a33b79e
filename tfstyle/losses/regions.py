"""Which styles go where: regions of the picture, and what of which style pictures counts for each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import tensorflow as tf

from tfstyle.io import images
from tfstyle.losses.targets import StyleTargets


@dataclass(frozen=True)
class Source:
    """A style of a region.

    Attributes:
      style: a picture `[1, H, W, 3]` in [0, 1], or what was measured of one before.
      share: of the style where there are several; they are divided by their sum.
      mask: `[1, H, W, 1]` in [0, 1], what of the picture counts; None: all.
    """

    style: tf.Tensor | StyleTargets
    share: float = 1.0
    mask: tf.Tensor | None = None

    def shrunk(self, factor: float) -> Source:
        """Returns it with a picture whose sides are as much as `factor` of what they are."""
        if factor == 1:
            return self
        size = images.scaled(tuple(self.style.shape[1:3]), factor)
        mask = None if self.mask is None else images.resize(self.mask, size)
        return replace(self, style=images.resize(self.style, size), mask=mask)


@dataclass(frozen=True)
class Region:
    """A part of the picture to be made, and its style.

    Attributes:
      sources: at least one.
      mask: `[1, H, W, 1]` in [0, 1], where it lies in the picture; None: everywhere.
      name: '' for the only one.
    """

    sources: tuple[Source, ...]
    mask: tf.Tensor | None = None
    name: str = ""


def everywhere(*pictures: tf.Tensor) -> list[Region]:
    """Returns the one region of a picture without regions, with all of some style pictures."""
    return [Region(tuple(Source(picture) for picture in pictures))]


def make_regions(
    styles: Sequence[tf.Tensor | StyleTargets],
    shares: Sequence[float],
    pairs: Sequence[tuple[tf.Tensor | None, tf.Tensor | None]],
) -> list[Region]:
    """Returns the regions of styles and pairs of masks.

    Without pairs, all styles are blended everywhere. One style serves every
    region; of several, each has the region of its number.

    Args:
      styles: `[1, H, W, 3]` each, or targets.
      shares: of the styles, as many.
      pairs: (where in the picture, what of the style); see `masks.paired`.

    Raises:
      ValueError: styles and pairs do not fit one another.
    """
    if not pairs:
        return [Region(tuple(map(Source, styles, shares)))]
    if len(styles) not in (1, len(pairs)):
        raise ValueError(
            f"style: {len(styles)} pictures for {len(pairs)} regions of the masks;"
            f" must be one, or {len(pairs)} in the order of the masks"
        )
    if all(where is None for where, _ in pairs):  # masks of style pictures alone
        if len(styles) != len(pairs):
            raise ValueError(
                f"style_masks: {len(pairs)} of them for one style and no content_masks;"
                " must be one for each style"
            )
        return [Region(tuple(map(Source, styles, shares, (what for _, what in pairs))))]
    found = []
    for index, (where, what) in enumerate(pairs):
        source = Source(styles[index if len(styles) > 1 else 0], mask=what)
        found.append(Region((source,), where, str(index + 1) if len(pairs) > 1 else ""))
    return found


def painted(regions: Sequence[Region]) -> tf.Tensor | None:
    """Returns where any region lies, `[1, H, W, 1]` in [0, 1]; None: everywhere."""
    masks = [region.mask for region in regions]
    if not masks or any(mask is None for mask in masks):
        return None
    together = tf.clip_by_value(tf.add_n(masks), 0.0, 1.0)
    return None if float(tf.reduce_min(together)) >= _ALL else together


# Eight bits cannot tell this from 1.
_ALL = 1 - 1 / 510


def within(mask: tf.Tensor | None, other: tf.Tensor | None) -> tf.Tensor | None:
    """Returns where both masks are; None stands for everywhere."""
    if mask is None or other is None:
        return other if mask is None else mask
    return mask * other


def limited(
    regions: Sequence[Region], content_alpha: tf.Tensor | None, style_alphas: Mapping[int, tf.Tensor | None]
) -> list[Region]:
    """Returns regions without what is transparent.

    Args:
      regions: any.
      content_alpha: `[1, H, W, 1]` of the picture.
      style_alphas: {id of a source's picture: its alpha}.
    """
    return [
        replace(
            region,
            mask=within(region.mask, content_alpha),
            sources=tuple(
                replace(source, mask=within(source.mask, style_alphas.get(id(source.style))))
                for source in region.sources
            ),
        )
        for region in regions
    ]
