"""How far a picture is from content and style in the eyes of a network.

The losses are those of Gatys, Ecker & Bethge, CVPR 2016. Here they are divided
by what they are a deviation from, so that a layer's value can be compared with
another's, and a network's with another's.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import tensorflow as tf

from tfstyle.io import images
from tfstyle.losses.paper import gram_matrix

# Weights of Gatys' published code (PytorchNeuralStyleTransfer), whatever the picture was made with.
_CONTENT_WEIGHT, _STYLE_WEIGHT = 1.0, 1e3


@dataclass(frozen=True)
class Described:
    """What a network sees of a picture.

    Attributes:
      activations: `{content layer: [1, h, w, N]}`, the paper's F or P.
      grams: `{style layer: [1, N, N]}`, Gram matrices per position: G/M or A/M.
    """

    activations: Mapping[str, tf.Tensor]
    grams: Mapping[str, tf.Tensor]


def describe(
    extractor, picture: tf.Tensor, content_layers: Sequence[str], style_layers: Sequence[str]
) -> Described:
    """Looks at a picture.

    Args:
      extractor: from pictures to `{layer: [B, h, w, N]}`; see `tfstyle.feature_extractor`.
      picture: `[1, H, W, 3]` in [0, 1].
      content_layers, style_layers: names among its outputs.
    """

    def look(picture: tf.Tensor):
        seen = extractor(picture)
        activations = {layer: tf.cast(seen[layer], tf.float32) for layer in content_layers}
        return activations, {layer: _gram_per_position(seen[layer]) for layer in style_layers}

    # As a graph: in eager mode all layers' activations would be held until the end. As a concrete
    # function: TensorFlow would warn of retracing where every size is traced once.
    picture = images.load_image(picture, "picture")
    activations, grams = tf.function(look).get_concrete_function(picture)(picture)
    return Described(
        {layer: activations[layer] for layer in content_layers},
        {layer: grams[layer] for layer in style_layers},
    )


def _gram_per_position(features: tf.Tensor) -> tf.Tensor:
    gram = gram_matrix(features)
    return gram / tf.cast(tf.shape(features)[1] * tf.shape(features)[2], gram.dtype)


def mean_grams(styles: Sequence[Described]) -> dict[str, tf.Tensor]:
    """Returns the mean of several style pictures' Gram matrices per position, `{layer: [1, N, N]}`."""
    return {
        layer: tf.add_n([style.grams[layer] for style in styles]) / len(styles) for layer in styles[0].grams
    }


def content_error(picture: Described, content: Described) -> float:
    """Returns sum (F - P)^2 / sum P^2, over all content layers: the paper's eq. (1), relative.

    0 for the content itself, 1 where nothing is left of it (F = 0); no upper
    bound. Lower is nearer.
    """
    deviation = sum(_squares(picture.activations[layer] - own) for layer, own in content.activations.items())
    return _relative(deviation, sum(map(_squares, content.activations.values())))


def style_errors(picture: Described, grams: Mapping[str, tf.Tensor]) -> dict[str, float]:
    """Returns ||G/M - A/M||_F^2 / ||A/M||_F^2 for each style layer: the paper's eq. (4), relative.

    G/M and A/M are Gram matrices per position, so that the sizes of the two
    pictures do not count. 0 for the style itself, 1 for an all-black
    activation (G = 0); no upper bound. Lower is nearer.

    Args:
      picture: what the network sees of the picture.
      grams: `{layer: [1, N, N]}`, the style's A/M.
    """
    return {
        layer: _relative(_squares(picture.grams[layer] - target), _squares(target))
        for layer, target in grams.items()
    }


def common_objective(picture: Described, content: Described, grams: Mapping[str, tf.Tensor]) -> float:
    """Returns the objective of Gatys' published code, as one number to compare runs of any settings by.

    The mean of (F - P)^2 at each content layer, plus 1000 times the mean of
    (G/M - A/M)^2 over N^2 at each style layer of N filters; in [0, inf). Lower
    is nearer to both. Its unit is that of the network's activations: values of
    different networks cannot be compared.

    Args:
      picture, content: what the network sees of them, at the same size.
      grams: `{layer: [1, N, N]}`, the style's A/M.
    """
    of_content = sum(
        _mean_square(picture.activations[layer] - target) for layer, target in content.activations.items()
    )
    of_style = sum(
        _mean_square(picture.grams[layer] - target) / target.shape[-1] ** 2 for layer, target in grams.items()
    )
    return _CONTENT_WEIGHT * of_content + _STYLE_WEIGHT * of_style


def _squares(tensor: tf.Tensor) -> float:
    return float(tf.reduce_sum(tf.square(tensor)))


def _mean_square(tensor: tf.Tensor) -> float:
    return float(tf.reduce_mean(tf.square(tensor)))


def _relative(deviation: float, whole: float) -> float:
    if whole == 0:  # a layer that answers to nothing in this picture
        return 0.0 if deviation == 0 else math.inf
    return deviation / whole
