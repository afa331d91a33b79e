"""Losses of a network's own, beside the objective of a transfer: against faults that networks learn."""

from __future__ import annotations

from collections.abc import Container

import tensorflow as tf

from tfstyle.feedforward.networks import run
from tfstyle.training.recipe import InstantRecipe

OUTLIERS = "outliers"  # the loss of `outliers`
UNSTEADINESS = "unsteadiness"  # the loss of `unsteadiness`
PALETTE = "palette"  # the loss of `off_palette`
NAMES = OUTLIERS, PALETTE, UNSTEADINESS

_CUT = 3  # pixels: beginning with 0 to 3, a pixel has all places that it can in a network that halves twice
_NOISE = 2 / 255
_SAME_COLOR = 13 / 255  # a distance in RGB
_COLORS = 32  # rows and columns of a style picture's pixels that are its palette
_FAR = 5  # standard deviations from the mean: of 160 x 160 normal values, one in a hundred pictures has one


def own_weights(recipe: InstantRecipe) -> dict[str, float]:
    """Returns {name: weight} of the losses of a network's own, but for those without weight."""
    weights = {
        OUTLIERS: recipe.outlier_weight,
        PALETTE: recipe.palette_weight,
        UNSTEADINESS: recipe.steadiness_weight,
    }
    return {name: weight for name, weight in weights.items() if weight}


def learned(
    network: tf.keras.Model,
    contents: tf.Tensor,
    style: tf.Tensor,
    names: Container[str],
    colors: tf.Tensor | None,
) -> tuple[tf.Tensor, dict[str, tf.Tensor]]:
    """Returns what a network makes of photographs, and its own losses of these names; see `Task.learn`.

    Args:
      network: from `transformation_network`.
      contents: `[B, S, S, 3]`.
      style: `[B, styles]`.
      names: some of `NAMES`.
      colors: `[B, 1024, 3]`, see `palette`; needed for `PALETTE`.
    """
    made, far = outliers(network, contents, style)
    losses = {
        OUTLIERS: lambda: far,
        PALETTE: lambda: off_palette(made, colors),
        UNSTEADINESS: lambda: unsteadiness(network, contents, style, made),
    }
    return made, {name: loss() for name, loss in losses.items() if name in names}


def palette(pictures: tf.Tensor) -> tf.Tensor:
    """Returns colours of pictures `[B, H, W, 3]`, `[B, 1024, 3]`: of 32 by 32 of their pixels."""
    rows, columns = (tf.range(_COLORS) * tf.shape(pictures)[axis] // _COLORS for axis in (1, 2))
    found = tf.gather(tf.gather(pictures, rows, axis=1), columns, axis=2)
    return tf.reshape(found, [-1, _COLORS**2, 3])


def off_palette(made: tf.Tensor, colors: tf.Tensor) -> tf.Tensor:
    """Measures how far the colours of pictures are from those of styles.

    Gram matrices and a deep content layer hardly see what colour a small dark area has: networks
    painted some in a green that is nowhere in the style. Kolkin, Salavon & Shakhnarovich, "Style Transfer
    by Relaxed Optimal Transport and Self-Similarity", CVPR 2019, match palettes so, both ways.

    Args:
      made: `[B, H, W, 3]`; means of 2 x 2 pixels are looked at.
      colors: `[B, K, 3]`, K of each style.

    Returns:
      `[B]`: mean distance in RGB to the nearest colour, as far as it is above 13/255.
    """
    pixels = tf.nn.avg_pool2d(made, 2, 2, "SAME")
    pixels = tf.reshape(pixels, [tf.shape(made)[0], -1, 3])
    products = tf.matmul(pixels, colors, transpose_b=True)
    squares = tf.reduce_sum(tf.square(colors), axis=-1)[:, tf.newaxis] - 2 * products
    nearest = tf.gather(colors, tf.argmin(squares, axis=-1), batch_dims=1)
    distance = tf.sqrt(tf.reduce_sum(tf.square(pixels - nearest), axis=-1) + 1e-8)
    return tf.reduce_mean(tf.nn.relu(distance - _SAME_COLOR), axis=-1)


def unsteadiness(
    network: tf.keras.Model, contents: tf.Tensor, style: tf.Tensor, made: tf.Tensor
) -> tf.Tensor:
    """Measures how much a network's pictures change with what nobody sees.

    The photographs get noise of 2/255, and lose 3 rows and 3 columns at their borders, which moves
    all on the grids of the halved maps (after Gupta et al., "Characterizing and
    Improving Stability in Neural Style Transfer", ICCV 2017, who take neighbouring pictures of
    videos). A network that is free to draws a grid of its own over what is even.

    Args:
      network: from `transformation_network`.
      contents: `[B, S, S, 3]`; noise and cut are drawn from each, the same of the same photograph.
      style: `[B, styles]`.
      made: what the network makes of these.

    Returns:
      `[B]`: mean square of the change.
    """

    def seen_otherwise(both):
        photograph, painted = both
        seed = tf.bitcast(tf.cast(photograph[0, 0, :2], tf.float32), tf.int32)
        top, left = tf.unstack(tf.random.stateless_uniform([2], seed, 0, _CUT + 1, tf.int32))
        noise = tf.random.stateless_normal(tf.shape(photograph), seed, stddev=_NOISE, dtype=photograph.dtype)
        height, width = (tf.shape(photograph)[axis] - _CUT for axis in (0, 1))
        return [
            each[top : top + height, left : left + width]
            for each in (tf.clip_by_value(photograph + noise, 0, 1), painted)
        ]

    spec = [tf.TensorSpec([None, None, 3], each.dtype) for each in (contents, made)]
    photographs, painted = tf.map_fn(seen_otherwise, [contents, made], fn_output_signature=spec)
    again = network({"image": photographs, "style": style}, training=True)
    return tf.reduce_mean(tf.square(again - painted), axis=[1, 2, 3])


def outliers(network: tf.keras.Model, image: tf.Tensor, style: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Runs a network, and measures how far its activations stand out.

    A network can learn to put a huge activation on a small even area, a dark one as a rule: it
    makes the deviation that all others are divided by. It shows as a black spot (Karras et al.,
    "Analyzing and Improving the Image Quality of StyleGAN", CVPR 2020, find the same of instance
    normalisation).

    Returns:
      What the network returns, and `[B]`: mean over its normalisations and all that they normalise of
      max(|z| - 5, 0)^2, where z is the activation less its mean, over its standard deviation.
    """
    found = []

    def normalise(layer, activation, style):
        mean, variance = layer.moments(activation)
        wide = tf.cast(activation, mean.dtype) - mean[:, tf.newaxis, tf.newaxis]
        deviations = tf.abs(wide) * tf.math.rsqrt(variance + layer.epsilon)[:, tf.newaxis, tf.newaxis]
        found.append(tf.reduce_mean(tf.square(tf.nn.relu(deviations - _FAR)), axis=[1, 2, 3]))
        return layer.normalise(activation, mean, variance, style)

    made = run(network, image, style, normalise)
    return made, tf.add_n(found) / len(found)
