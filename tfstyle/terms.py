"""What a picture is moved towards: named, weighted terms.

A term is data: a name, a weight and a pure function of the picture and its
activations. Targets are computed once, when a term is made; nothing but the
picture goes through the network after that.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import tensorflow as tf

from tfstyle import losses, sums, tiles
from tfstyle.sums import Activations, Cut, Summand


@dataclass(frozen=True)
class Units:
    """What weight 1 means, as factors on the paper's losses.

    Attributes:
      content: factor on eq. (1) for N filters and M positions.
      style: factor on eq. (4) for N filters.
      layer_weight: w_l of eq. (5) for a number of layers, where none is given.
    """

    content: Callable[[int, int], float]
    style: Callable[[int], float]
    layer_weight: Callable[[int], float]


UNITS: dict[str, Units] = {
    "paper": Units(
        content=lambda filters, positions: 1.0,
        style=lambda filters: 1.0,
        layer_weight=lambda layers: 1.0 / layers,
    ),
    # PytorchNeuralStyleTransfer: content is the mean of (F - P)^2, which is 2/(NM)
    # of eq. (1); style is the mean of (G/M - A/M)^2, 4 times eq. (4), with
    # weights 1e3/N^2. The 1e3 is this package's style_weight.
    "gatys_code": Units(
        content=lambda filters, positions: 2.0 / (filters * positions),
        style=lambda filters: 4.0 / filters**2,
        layer_weight=lambda layers: 1.0,
    ),
}


@dataclass(frozen=True)
class Term:
    """One summand of the objective.

    Attributes:
      name: what reports call it, such as ``style/block1_conv1``.
      weight: its factor in the total.
      loss: `(image [B, H, W, 3], {layer: activation}) -> scalar`, unweighted.
    """

    name: str
    weight: float
    loss: Callable[[tf.Tensor, Activations], tf.Tensor]


@dataclass(frozen=True)
class ImageTerm(Term):
    """A term on the picture alone.

    Attributes:
      name, weight, loss: as in `Term`; `loss` is made from `value`.
      value: `(image [B, H, W, 3]) -> scalar`, unweighted.
    """

    loss: Callable = field(init=False, repr=False, compare=False)
    value: Callable[[tf.Tensor], tf.Tensor]

    def __post_init__(self):
        value = self.value  # not self, which would then hold itself
        object.__setattr__(self, "loss", lambda image, activations: value(image))


@dataclass(frozen=True)
class SummedTerm(Term):
    """A term that needs no more of a layer than sums over its positions.

    Such a term can be computed a part of the picture at a time.

    Attributes:
      name, weight, loss: as in `Term`; `loss` is made from the others.
      layer: whose activations it is on.
      part: `(activation [B, h, w, N], cut) -> tensors`: the sums over the
        positions of a rectangle; see `sums.Summand`.
      outcome: `(the sums over all positions) -> scalar`, unweighted.
    """

    loss: Callable = field(init=False, repr=False, compare=False)
    layer: str
    part: Callable[[tf.Tensor, Cut], Any]
    outcome: Callable[[Any], tf.Tensor]

    def __post_init__(self):
        layer, part, outcome = self.layer, self.part, self.outcome

        def loss(image, activations):
            return outcome(part(activations[layer], lambda whole: whole))

        object.__setattr__(self, "loss", loss)


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
      content: `[1, H, W, 3]`, of the size of the picture to be made.
      layers: Keras' names.
      weight: the paper's alpha; every layer has it whole.
      units: key of `UNITS`.
      tile: compute the content's activations in tiles of this side, which is
        for pictures that are too large for one; see `sums.tiled`, also for errors.
    """
    layers = list(layers)
    if tile is None:
        targets = _activations(extractor, content, layers)
    else:
        targets = tiles.activations(extractor, content, layers, tile)
    return [_content_term(layer, weight, target, UNITS[units]) for layer, target in targets.items()]


def _content_term(layer: str, weight: float, target: tf.Tensor, units: Units) -> SummedTerm:
    _, height, width, filters = target.shape
    factor = units.content(filters, height * width)
    return SummedTerm(
        f"content/{layer}",
        weight,
        layer,
        part=lambda features, cut: losses.content_loss(features, cut(target)),
        outcome=lambda loss: factor * loss,
    )


def style_terms(
    extractor,
    style: tf.Tensor,
    layers: Sequence[str],
    *,
    weight: float,
    layer_weights: Sequence[float] = (),
    units: str,
    tile: int | None = None,
) -> list[SummedTerm]:
    """Returns a term a layer that holds the picture to the style's Gram matrices.

    Where the paper resizes the style picture to the content's size, this keeps
    its aspect and compares Gram matrices per position.

    Args:
      extractor: model with these layers among its outputs.
      style: `[1, H', W', 3]`, of any size.
      layers: Keras' names.
      weight: the paper's beta.
      layer_weights: the paper's w_l, as many as layers; empty for the units' own.
        A layer of weight 0 has no term.
      units: key of `UNITS`.
      tile: as in `content_terms`, for the style picture.
    """
    weights = style_weights(layers, weight, layer_weights, units)
    summands = {layer: Summand(layer, _gram_and_positions) for layer in layers}
    summed = sums.plain(extractor, summands) if tile is None else sums.tiled(extractor, summands, tile)
    targets = _compiled(lambda picture: summed(picture)[0], style)
    means = {layer: targets[layer][0] / targets[layer][1] for layer in layers}
    return [
        _style_term(layer, weights[layer], mean, UNITS[units])
        for layer, mean in means.items()
        if weights[layer] > 0
    ]


def style_weights(
    layers: Sequence[str], weight: float, layer_weights: Sequence[float], units: str
) -> dict[str, float]:
    """Returns each layer's weight in the total: the paper's beta times its w_l (eqs. 5 and 7)."""
    layer_weights = layer_weights or [UNITS[units].layer_weight(len(layers))] * len(layers)
    return {layer: weight * layer_weight for layer, layer_weight in zip(layers, layer_weights)}


def _gram_and_positions(features: tf.Tensor, cut: Cut) -> tuple[tf.Tensor, tf.Tensor]:
    gram = losses.gram_matrix(features)
    return gram, tf.cast(tf.shape(features)[1] * tf.shape(features)[2], gram.dtype)


def _style_term(layer: str, weight: float, mean_gram: tf.Tensor, units: Units) -> SummedTerm:
    factor = units.style(mean_gram.shape[-1])

    def outcome(summed):
        gram, positions = summed
        return factor * losses.gram_loss(gram, mean_gram * positions, positions)

    return SummedTerm(f"style/{layer}", weight, layer, part=_gram_and_positions, outcome=outcome)


def variation_terms(weight: float) -> list[ImageTerm]:
    """Returns the total variation as a term."""
    return [ImageTerm("total_variation", weight, losses.total_variation)]


def _activations(extractor, image: tf.Tensor, layers: Sequence[str]) -> dict[str, tf.Tensor]:
    # What only other layers need is not computed.
    values = _compiled(lambda picture: {layer: extractor(picture)[layer] for layer in layers}, image)
    return {layer: values[layer] for layer in layers}


def _compiled(function: Callable, image: tf.Tensor):
    # As a concrete function: TensorFlow would warn of retracing where every run traces once.
    return tf.function(function).get_concrete_function(image)(image)
