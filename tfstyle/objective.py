"""What a picture is moved towards: a list of named, weighted terms on one extractor.

A term is data: a name, a weight and a pure function of the picture and its
activations. Targets are computed once, when a term is made; nothing but the
picture goes through the network after that.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import tensorflow as tf

from tfstyle import losses

Activations = Mapping[str, tf.Tensor]


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


class Objective:
    """The weighted sum of terms, with its gradient, for pictures of one size.

    Each function is compiled once, at its first call.

    Args:
      extractor: model from pictures to `{layer: activation}`.
      terms: the summands; names must differ.

    Raises:
      ValueError: there is no term, or two of one name.
    """

    def __init__(self, extractor: Callable[[tf.Tensor], Activations], terms: Sequence[Term]):
        names = [term.name for term in terms]
        if not names or len(set(names)) < len(names):
            raise ValueError(f"terms: must be at least one, each with its own name, not {names}")
        self.terms = tuple(terms)
        self._extractor = extractor
        # A variable, so that other weights need no other compiled code; double, so that none is rounded.
        self._weights = tf.Variable([term.weight for term in terms], dtype=tf.float64, trainable=False)
        self.losses = _CompiledOnce(self._losses)
        # A line search calls this from nine places of its graph. Kept as a call
        # there, rather than nine copies of the network, it compiles in half
        # the time and runs as fast.
        self.value_and_gradient = _CompiledOnce(
            self._value_and_gradient, experimental_attributes={"_noinline": True}
        )

    def _losses(self, image: tf.Tensor) -> dict[str, tf.Tensor]:
        activations = self._extractor(image)
        return {term.name: term.loss(image, activations) for term in self.terms}

    def _value_and_gradient(self, image: tf.Tensor):
        with tf.GradientTape() as tape:
            tape.watch(image)
            values = self._losses(image)
            weights = tf.unstack(self._weights.read_value())
            parts = zip(weights, (values[term.name] for term in self.terms))
            total = tf.add_n([tf.cast(weight, value.dtype) * value for weight, value in parts])
        return total, values, tape.gradient(total, image)

    def weigh(self, weights: Mapping[str, float]) -> None:
        """Gives every term another weight, by name; nothing is compiled again."""
        self.terms = tuple(replace(term, weight=weights[term.name]) for term in self.terms)
        self._weights.assign([term.weight for term in self.terms])

    def weighted(self, values: Mapping[str, tf.Tensor]) -> dict[str, float]:
        """Returns each term's part of the total, from the terms' unweighted values."""
        return {term.name: term.weight * float(values[term.name]) for term in self.terms}


class _CompiledOnce:
    """A function of a picture, compiled for the size of the first one that it is called with.

    `tf.function` alone would take each objective's first call for a retracing
    of the last one's, and warn of it where a process makes several pictures.
    """

    def __init__(self, function: Callable, **options):
        self._function = tf.function(function, **options)
        self._compiled = None

    def __call__(self, image: tf.Tensor):
        if self._compiled is None:
            self._compiled = self._function.get_concrete_function(tf.TensorSpec(image.shape, image.dtype))
        return self._compiled(image)


def content_terms(
    extractor, content: tf.Tensor, layers: Iterable[str], *, weight: float, units: str
) -> list[Term]:
    """Returns a term a layer that holds the picture to the content's activations.

    Args:
      extractor: model with these layers among its outputs.
      content: `[1, H, W, 3]`, of the size of the picture to be made.
      layers: Keras' names.
      weight: the paper's alpha; every layer has it whole.
      units: key of `UNITS`.
    """
    targets = activations(extractor, content, layers)
    return [
        Term(f"content/{layer}", weight, _content(layer, target, UNITS[units]))
        for layer, target in targets.items()
    ]


def _content(layer: str, target: tf.Tensor, units: Units):
    _, height, width, filters = target.shape
    factor = units.content(filters, height * width)
    return lambda image, activations: factor * losses.content_loss(activations[layer], target)


def style_terms(
    extractor,
    style: tf.Tensor,
    layers: Sequence[str],
    *,
    weight: float,
    layer_weights: Sequence[float] = (),
    units: str,
) -> list[Term]:
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
    """
    weights = style_weights(layers, weight, layer_weights, units)
    targets = {
        layer: losses.gram_matrix(features) / (features.shape[1] * features.shape[2])
        for layer, features in activations(extractor, style, layers).items()
    }
    return [
        Term(f"style/{layer}", weights[layer], _style(layer, target, UNITS[units]))
        for layer, target in targets.items()
        if weights[layer] > 0
    ]


def style_weights(
    layers: Sequence[str], weight: float, layer_weights: Sequence[float], units: str
) -> dict[str, float]:
    """Returns each layer's weight in the total: the paper's beta times its w_l (eqs. 5 and 7)."""
    layer_weights = layer_weights or [UNITS[units].layer_weight(len(layers))] * len(layers)
    return {layer: weight * layer_weight for layer, layer_weight in zip(layers, layer_weights)}


def _style(layer: str, mean_gram: tf.Tensor, units: Units):
    factor = units.style(mean_gram.shape[-1])

    def loss(image, activations):
        features = activations[layer]
        positions = tf.cast(tf.shape(features)[1] * tf.shape(features)[2], mean_gram.dtype)
        return factor * losses.style_loss(features, mean_gram * positions)

    return loss


def variation_terms(weight: float) -> list[Term]:
    """Returns the total variation as a term."""
    return [Term("total_variation", weight, lambda image, activations: losses.total_variation(image))]


def activations(extractor, image: tf.Tensor, layers: Iterable[str]) -> dict[str, tf.Tensor]:
    """Returns the activations of some of an extractor's layers, in the order given."""
    layers = list(layers)
    # Compiled, so that what only other layers need is not computed.
    chosen = tf.function(lambda picture: {layer: extractor(picture)[layer] for layer in layers})
    # As a concrete function: TensorFlow would warn of retracing where every run traces once.
    values = chosen.get_concrete_function(image)(image)
    return {layer: values[layer] for layer in layers}
