"""How strong a style is, as a number above 0 and up to 1.

A strength stands for a style weight in `relative` units, in which a loss of 1
is all that there is to lose, whatever the size, the pictures and the statistic.
A quarter more multiplies that weight by 5. In other units, each layer's style
term is weighed so that it comes to the same.

Strength 0.5 is the default style weight. Both were chosen by eye on VGG19:
docs/defaults.md shows how.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import tensorflow as tf

from tfstyle.config import TransferConfig
from tfstyle.losses.terms import AnyTerm

_HALF = TransferConfig().style_weight
_RANGE = 5.0**4


def style_weight(style_strength: float) -> float:
    """Returns the weight of the style in `relative` units, where the content's is 1."""
    return _HALF * _RANGE ** (style_strength - 0.5)


def balanced(
    terms: Sequence[AnyTerm], weights: Mapping[str, float], style_strength: float
) -> dict[str, float | tf.Tensor]:
    """Returns weights with those of the style brought to a strength.

    With c what the weighted content terms come to where all activations are 0,
    s_l what a style term does, unweighted, and p_l its share of all style
    weights, that term's weight is style_weight(strength) c p_l / s_l.

    Args:
      terms: an objective's; those of content and style know their `whole`.
      weights: {term: weight}; of style terms only the ratios count.
      style_strength: above 0.

    Returns:
      {term: weight}, those of style terms `[B or 1]`.
    """
    content = tf.add_n([weights[term.name] * term.whole() for term in terms if term.kind == "content"])
    styles = [term for term in terms if term.kind == "style"]
    unit = style_weight(style_strength) * content / sum(weights[term.name] for term in styles)
    return dict(weights) | {
        term.name: unit * weights[term.name] * tf.math.reciprocal_no_nan(term.whole()) for term in styles
    }


def describe(style_strength: float, content_weight: float, layer_weights: Mapping[str, float]) -> str:
    """Returns in words what a strength comes to: weights that give the same without it."""
    listed = ",".join(f"{weight:.4g}" for weight in layer_weights.values())
    return (
        f"style_strength={style_strength:g}: content_weight={content_weight:.4g}, style_weight=1,"
        f" style_layer_weights={listed}"
    )
