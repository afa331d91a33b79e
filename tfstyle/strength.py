"""How strong a style is, without units: each loss is measured against what it is where nothing is matched.

One weight gives another picture at another size, with another network, pooling
or statistic, because the sizes of losses change, and which layers outweigh the
others. In units in which every layer's style loss is 1 at the content, and the
content loss is 1 for a picture with nothing of it, a weight means about the
same everywhere.

How much a picture with nothing in it loses says how much there is to lose, but
not how soon: with maximum pooling, noise costs twice as much of it as with
average pooling. A quarter of the unit, in logarithms, is therefore noise.

Style error over content error at strength 0.5 (`mini`, one pair of pictures, 256,
512 and 1024 px, both poolings): from 1.5 to 2.7; without noise from 3.0 to 6.4;
with weights from the norms of gradients at the start, which were tried first, at
256 and 512 px from 0.016 to 0.063; with fixed weights from 0.013 to 6.2.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import tensorflow as tf

from tfstyle.objective import Objective

# Noise of this deviation, for so much of the logarithm of the content's unit.
_NOISE = 0.1
_NOISE_SHARE = 0.25
# The matting loss of noise of deviation 0.05 is 0.044 a pixel; that of a picture painted by `mini`, 0.043.
_PAINTED = 0.043


def calibrated(
    objective: Objective, weights: Mapping[str, float], content: tf.Tensor, style_strength: float
) -> dict[str, float]:
    """Returns an objective's weights with those that have no units brought to its own.

    Of the weighted content losses, c is that of a picture of the content's mean
    colour and n that of the content with noise of deviation 0.1. With s_l a
    style term's unweighted loss at the content and p_l its share of all style
    weights, that term's weight is
    strength / (1 - strength) c^(3/4) n^(1/4) p_l / s_l.
    Photorealism of weight 1 makes brush strokes cost as much as all of the
    style does at the content.

    Args:
      objective: its terms are told apart by what their names begin with.
      weights: {term: weight}; with a strength, of style terms only the ratios
        count. That of photorealism is a number without units.
      content: `[1, H, W, 3]`, of the objective's size.
      style_strength: below 1; 0: the style's weights stay.

    Raises:
      ValueError: there is a strength, and content and style, or the content and
        nothing, do not differ.
    """
    styles = {name: weight for name, weight in weights.items() if name.startswith("style/")}
    start = {name: float(value) for name, value in objective.losses(content).items() if name in styles}
    if style_strength > 0:
        styles = _balanced(objective, weights, content, style_strength, start)
    found = {**weights, **styles}
    if "photorealism" in found:
        found["photorealism"] *= sum(styles[name] * value for name, value in start.items()) / _PAINTED
    return found


def _balanced(objective, weights, content, style_strength, start: Mapping[str, float]) -> dict[str, float]:
    found = balanced(objective.losses, weights, content, style_strength)
    values = {name: float(value) for name, value in found.items()}
    if not all(0 < value < float("inf") for value in (*values.values(), *start.values())):
        raise ValueError(
            f"style_strength={style_strength:g}: cannot be measured here, as content and style do not differ"
            " in every layer; use content_weight and style_weight"
        )
    return values


def balanced(
    losses: Callable[[tf.Tensor], Mapping[str, tf.Tensor]],
    weights: Mapping[str, float],
    content: tf.Tensor,
    style_strength: float,
) -> dict[str, tf.Tensor]:
    """Returns the weights of style terms that a strength comes to; see `calibrated`.

    Args:
      losses: gives {term: unweighted values}, scalars or `[B]`, of pictures.
      weights: as in `calibrated`.
      content: `[B, H, W, 3]`.
      style_strength: above 0 and below 1.

    Returns:
      {style term: weight}, each as losses come; 0 or not finite where there is
      nothing to measure.
    """

    def lost(image: tf.Tensor) -> tf.Tensor:
        found = losses(image)
        return tf.add_n([w * found[name] for name, w in weights.items() if name.startswith("content/")])

    start = {name: value for name, value in losses(content).items() if name.startswith("style/")}
    empty = tf.zeros_like(content) + tf.reduce_mean(content, axis=[1, 2], keepdims=True)
    # The same noise for every picture: it is a measure, and no part of it.
    noise = tf.random.stateless_normal(tf.shape(content[:1]), [0, 1], stddev=_NOISE)
    noisy = tf.clip_by_value(content + noise, 0.0, 1.0)
    whole = lost(empty) ** (1 - _NOISE_SHARE) * lost(noisy) ** _NOISE_SHARE
    unit = style_strength / (1 - style_strength) * whole / sum(weights[name] for name in start)
    return {name: unit * weights[name] / value for name, value in start.items()}


def describe(style_strength: float, content_weight: float, layer_weights: Mapping[str, float]) -> str:
    """Returns in words what a strength comes to: weights that give the same without it."""
    listed = ",".join(f"{weight:.4g}" for weight in layer_weights.values())
    return (
        f"style_strength={style_strength:g}: content_weight={content_weight:.4g}, style_weight=1,"
        f" style_layer_weights={listed}"
    )
