"""How strong a style is, without units: each loss is measured against what it is where nothing is matched.

One weight gives another picture at another size, with another network, pooling
or statistic, because the sizes of losses change, and which layers outweigh the
others. In units in which every layer's style loss is 1 at the content, and the
content loss is 1 for a picture with nothing in it, a weight means about the
same everywhere.

Weights from the norms of gradients at the start were tried first: `mini`, two
sizes, both poolings, strength 0.5: style error over content error from 0.016 to
0.063, and with fixed weights from 0.013 to 6.2. So, it is 3.7 to 6.0.
"""

from __future__ import annotations

from collections.abc import Mapping

import tensorflow as tf

from tfstyle.objective import Objective


def balanced(
    objective: Objective, weights: Mapping[str, float], content: tf.Tensor, style_strength: float
) -> dict[str, float]:
    """Returns the weights of an objective's style terms that give a style its strength.

    With c the weighted content loss of a picture of the content's mean colour,
    s_l a term's unweighted loss at the content and p_l its share of all style
    weights, a term's weight is strength / (1 - strength) c p_l / s_l.

    Args:
      objective: with terms ``content/…`` and ``style/…``.
      weights: {term: weight}; of style terms only the ratios count.
      content: `[1, H, W, 3]`, of the objective's size.
      style_strength: above 0 and below 1.

    Returns:
      {style term: weight}.

    Raises:
      ValueError: content and style, or the content and nothing, do not differ.
    """
    styles = {name: weight for name, weight in weights.items() if name.startswith("style/")}
    empty = tf.zeros_like(content) + tf.reduce_mean(content, axis=[1, 2], keepdims=True)
    lost = objective.losses(empty)
    whole = sum(weight * float(lost[name]) for name, weight in weights.items() if name.startswith("content/"))
    start = {name: float(value) for name, value in objective.losses(content).items() if name in styles}
    if not (0 < whole < float("inf") and all(0 < value < float("inf") for value in start.values())):
        raise ValueError(
            f"style_strength={style_strength:g}: cannot be measured here, as content and style do not differ"
            " in every layer; use content_weight and style_weight"
        )
    unit = style_strength / (1 - style_strength) * whole / sum(styles.values())
    return {name: unit * weight / start[name] for name, weight in styles.items()}


def describe(style_strength: float, content_weight: float, layer_weights: Mapping[str, float]) -> str:
    """Returns in words what a strength comes to: weights that give the same without it."""
    listed = ",".join(f"{weight:.4g}" for weight in layer_weights.values())
    return (
        f"style_strength={style_strength:g}: content_weight={content_weight:.4g}, style_weight=1,"
        f" style_layer_weights={listed}"
    )
