"""What a picture is moved towards: named, weighted terms.

A term is data: a name, a weight and a pure function of the picture and its
activations. Targets are computed once, when a term is made; nothing but the
picture goes through the network after that. Functions here are
`functools.partial`s of their targets, so that terms of other pictures need no
other graph (see `runtime.workshop`).
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import tensorflow as tf

from tfstyle.config.units import UNITS, Units
from tfstyle.losses import paper, photorealism
from tfstyle.runtime.workshop import compiled
from tfstyle.vgg import tiles
from tfstyle.vgg.position_sums import Activations, Cut


@dataclass(frozen=True)
class _Weighted:
    """What every summand of the objective has; `kind` names a weight of a config, '' a user's own."""

    name: str
    weight: float | Sequence[float]
    kind: str = field(default="", kw_only=True)


@dataclass(frozen=True)
class Term(_Weighted):
    """A summand of any kind.

    Attributes:
      name: what reports call it, such as ``style/block1_conv1``.
      weight: its factor in the total, or one for each picture.
      loss: `(image [B, H, W, 3], {layer: activation}) -> [B]`, unweighted: one
        value for each picture. For one, a scalar will do.
    """

    loss: Callable[[tf.Tensor, Activations], tf.Tensor]


@dataclass(frozen=True)
class ImageTerm(_Weighted):
    """A term on the picture alone.

    Attributes:
      name, weight: as in `Term`.
      value: `(image [B, H, W, 3]) -> [B]` or scalar, unweighted.
    """

    value: Callable[[tf.Tensor], tf.Tensor]

    def loss(self, image: tf.Tensor, activations: Activations) -> tf.Tensor:
        """Returns the value of pictures, as `Term.loss` does."""
        del activations
        return self.value(image)


@dataclass(frozen=True)
class SummedTerm(_Weighted):
    """A term that needs no more of a layer than sums over its positions.

    Such a term can be computed a part of the picture at a time.

    Attributes:
      name, weight: as in `Term`.
      layer: whose activations it is on.
      part: `(activation [B, h, w, N], cut) -> tensors`: the sums over the
        positions of a rectangle; see `position_sums.Summand`.
      outcome: `(the sums over all positions) -> [B]` or scalar, unweighted.
      whole: gives `[B or 1]`, the value, unweighted, where all activations are 0; None: not known.
    """

    layer: str
    part: Callable[[tf.Tensor, Cut], Any]
    outcome: Callable[[Any], tf.Tensor]
    whole: Callable[[], tf.Tensor] | None = field(default=None, repr=False, compare=False)

    def loss(self, image: tf.Tensor, activations: Activations) -> tf.Tensor:
        """Returns the value of pictures, as `Term.loss` does."""
        del image
        return self.outcome(self.part(activations[self.layer], lambda whole: whole))


# A summand of the objective.
AnyTerm = Term | ImageTerm | SummedTerm


def content_terms(
    extractor,
    content: tf.Tensor,
    layers: Iterable[str],
    *,
    weight: float,
    units: str,
    tile: int | None = None,
) -> list[SummedTerm]:
    """Returns a term a layer that holds the picture to the content's activations.

    Args:
      extractor: model with these layers among its outputs.
      content: `[1 or B, H, W, 3]`, of the size of the pictures to be made.
      layers: Keras' names.
      weight: the paper's alpha; every layer has it whole.
      units: key of `UNITS`.
      tile: compute the content's activations in tiles of this side, which is
        for pictures that are too large for one; see `position_sums.tiled`, also for errors.
    """
    layers = tuple(layers)
    targets = compiled(partial(_activations, extractor, layers, tile), content)
    return [content_term(layer, weight, targets[layer], UNITS[units]) for layer in layers]


def content_term(layer: str, weight: float, target: tf.Tensor, units: Units) -> SummedTerm:
    """Returns the term that holds a layer to activations `[1 or B, h, w, N]`."""
    filters = target.shape[-1]
    whole = paper.content_losses(tf.zeros_like(target), target)
    factor = units.content(filters, positions_of(target, whole.dtype)) / units.activation**2
    if units.relative:
        factor = tf.math.reciprocal_no_nan(whole)
    return SummedTerm(
        f"content/{layer}",
        weight,
        layer,
        part=partial(_content_losses, target),
        outcome=partial(operator.mul, factor),
        whole=lambda: factor * whole,
        kind="content",
    )


def _content_losses(target: tf.Tensor, features: tf.Tensor, cut: Cut) -> tf.Tensor:
    return paper.content_losses(features, cut(target))


def variation_terms(weight: float, *, units: str = "paper", form: str = "squared") -> list[ImageTerm]:
    """Returns the total variation as a term.

    Args:
      weight: its factor in the total, or one for each picture.
      units: key of `UNITS`.
      form: see `paper.total_variation`.
    """
    value = partial(_variation, units, form)
    return [ImageTerm("total_variation", weight, value, kind="total_variation")]


def _variation(units: str, form: str, image: tf.Tensor) -> tf.Tensor:
    found = paper.total_variations(image, form)
    return UNITS[units].variation(positions_of(image, found.dtype)) * found


def photorealism_term(content: tf.Tensor) -> ImageTerm:
    """Returns the matting Laplacian's loss per pixel, as a term of weight 1.

    Args:
      content: `[1, H, W, 3]`, of the size of the picture to be made.
    """
    value = partial(_by_pixel, photorealism.matting_loss(content))
    return ImageTerm("photorealism", 1.0, value, kind="photorealism")


def temporal_term(reference: tf.Tensor, share: tf.Tensor) -> ImageTerm:
    """Returns the mean square difference from a picture, where that counts, as a term of weight 1.

    Ruder, Dosovitskiy & Brox, "Artistic Style Transfer for Videos", GCPR 2016, eq. (7): the mean is over
    all pixels and channels, also those that do not count.

    Args:
      reference: `[1, H, W, 3]` in [0, 1], of the size of the picture to be made.
      share: `[1, H, W, 1]` in [0, 1], how much each pixel of it counts.
    """
    return ImageTerm("temporal", 1.0, partial(_difference, reference, share), kind="temporal")


def _difference(reference: tf.Tensor, share: tf.Tensor, image: tf.Tensor) -> tf.Tensor:
    share, reference = tf.cast(share, image.dtype), tf.cast(reference, image.dtype)
    return tf.reduce_mean(share * tf.square(image - reference), axis=[1, 2, 3])


def _by_pixel(loss: Callable[[tf.Tensor], tf.Tensor], image: tf.Tensor) -> tf.Tensor:
    return loss(image) / (image.shape[1] * image.shape[2])


def positions_of(values: tf.Tensor, dtype: tf.DType) -> int | tf.Tensor:
    """Returns M of `[B, h, w, N]`: a number where the shape is known, else a tensor of that type."""
    height, width = values.shape[1:3]
    if None in (height, width):
        return tf.cast(tf.reduce_prod(tf.shape(values)[1:3]), dtype)
    return height * width


def _activations(extractor, layers: Sequence[str], tile: int | None, image: tf.Tensor):
    if tile is not None:
        return tiles.activations(extractor, image, layers, tile)
    # As a graph: what only other layers need is not computed.
    return {layer: extractor(image)[layer] for layer in layers}
