"""Feed-forward networks that turn pictures into pictures in learned styles.

The layout is that of Johnson, Alahi & Fei-Fei, "Perceptual Losses for
Real-Time Style Transfer and Super-Resolution", ECCV 2016 (supplementary
material), with the normalisation of Dumoulin, Shlens & Kudlur, ICLR 2017: one
network for many styles, and for mixtures of them. Departures from Johnson et al.:

- Pictures are in [0, 1] and come out of a sigmoid (as in Dumoulin et al.), not
  in [0, 255] out of a scaled tanh.
- Every convolution sees the reflected border (those that double, the border
  again). There, only the input is reflected, 40 pixels wide, residual blocks cut
  their borders off, and the others pad with zeros. So here the size may be any:
  it is reflected up to multiples of 4 first.
- Activations are doubled by linear interpolation within a convolution, not by
  transposed convolutions, which draw checkerboards.
- Instance normalisation in place of batch normalisation; before it, no biases,
  which it would take off again.

From Dumoulin et al. it departs in that the last convolution is not normalised:
light and contrast of the picture may differ from one picture to the next. Colours may come from the
photograph; see `style_colors`.
"""

from __future__ import annotations

import hashlib
import numbers
import operator
from collections.abc import Callable, Mapping

import numpy as np
import tensorflow as tf

from tfstyle.feedforward.layers import (
    ConditionalInstanceNormalization,
    CutToSize,
    DoublingConv2D,
    ReflectedConv2D,
    ReflectedUp,
)
from tfstyle.feedforward.style_colors import StyleColors

# {Keras' policy: dtype of parameters and pictures}.
POLICIES = {
    "float32": "float32",
    "mixed_bfloat16": "float32",
    "mixed_float16": "float32",
    "float64": "float64",
}

COLORS = "style_colors/colors"  # the parameter of `StyleColors`


def transformation_network(
    styles: int = 1,
    *,
    width: int = 32,
    residual_blocks: int = 5,
    colors: bool = False,
    seed: int = 0,
    dtype: str = "float32",
) -> tf.keras.Model:
    """Builds a network, not yet trained.

    Args:
      styles: how many it can learn.
      width: filters of the first convolution; a half and a quarter of the
        size, it has twice and four times as many.
      residual_blocks: at a quarter of the size.
      colors: whether the photograph's colours, brought to the style's, take the place of those that
        it paints; see `StyleColors`.
      seed: of the kernels; the same seed gives the same network.
      dtype: Keras' policy: ``float32``; ``mixed_bfloat16`` or ``mixed_float16``
        for activations in half precision; ``float64`` is for tests.

    Returns:
      A `keras.Model` from `{"image": [B, H, W, 3], "style": [B, styles]}`, RGB
      in [0, 1] and weights of the styles that should add up to 1, to
      `[B, H, W, 3]` in [0, 1], float32 (float64 for ``float64``). Sides may be
      any from 1. A pixel depends on what is up to 20 + 8 `residual_blocks` (and with colours 24)
      pixels away, and on the statistics of the whole picture.

    Raises:
      ValueError: an argument is out of range.
    """
    for name, value, least in (
        ("styles", styles, 1), ("width", width, 1), ("residual_blocks", residual_blocks, 0), ("seed", seed, 0)
    ):  # fmt: skip
        if not isinstance(value, numbers.Integral) or value < least:
            raise ValueError(f"{name}={value!r}: must be a whole number, {least} or above")
    if dtype not in POLICIES:
        raise ValueError(f"dtype={dtype!r}: must be one of {', '.join(POLICIES)}")
    layers = _layers(styles, width, residual_blocks, colors, np.random.default_rng(seed), dtype)
    image = tf.keras.Input((None, None, 3), name="image", dtype=POLICIES[dtype])
    style = tf.keras.Input((styles,), name="style", dtype=POLICIES[dtype])
    picture = connect(layers, image, style)
    return tf.keras.Model({"image": image, "style": style}, picture, name="transformation_network")


def run(
    network: tf.keras.Model, image: tf.Tensor, style: tf.Tensor, normalise: Callable = operator.call
) -> tf.Tensor:
    """Runs a network layer by layer, where its instance normalisation may be the caller's.

    By default it does what `network({"image": image, "style": style})` does. With

        lambda layer, activation, style: layer.normalise(activation, *statistics[layer.name], style)

    it takes statistics found before, such as those of the whole picture for a
    part of it whose corners lie at multiples of 4.

    Args:
      network: a model from `transformation_network`, also if it was saved and loaded.
      image: `[B, H, W, 3]` in [0, 1].
      style: `[B, styles]`.
      normalise: called with each normalisation, its activation and the style, in network order.

    Returns:
      What the network returns.
    """
    return connect({layer.name: layer for layer in network.layers}, image, style, normalise)


def layout(network: tf.keras.Model) -> dict[str, int | bool | str]:
    """Returns arguments of `transformation_network` that make a network of the same layers, as JSON types."""
    names, first = {layer.name for layer in network.layers}, network.get_layer("first")
    return {
        "styles": int(network.input["style"].shape[-1]),
        "width": first.filters,
        "residual_blocks": sum(f"residual{index}_sum" in names for index in range(1, len(names))),
        "colors": "style_colors" in names,
        "dtype": first.dtype_policy.name,
    }


def parameters(network: tf.keras.Model) -> dict[str, tf.Variable]:
    """Returns {layer/parameter: variable}, such as first/kernel and first_norm/scale, in network order."""
    found = {}
    for layer in network.layers:
        inner = parameters(layer) if isinstance(layer, tf.keras.Model) else {v.name: v for v in layer.weights}
        found |= {f"{layer.name}/{name}": variable for name, variable in inner.items()}
    return found


def take_over(network: tf.keras.Model, other: tf.keras.Model) -> None:
    """Gives a network the parameters of another one, `start` in errors, but for the colours of styles.

    Styles take those of their place; if they are not as many, each begins as the mean of the other's.

    Raises:
      ValueError: they have not the same layers of the same size.
    """
    own, given = (
        {name: each for name, each in parameters(model).items() if not name.endswith(COLORS)}
        for model in (network, other)
    )
    if own.keys() != given.keys():
        differs = min(own.keys() ^ given.keys())
        raise ValueError(f"start: has other layers, only one of the two has {differs}")
    for name, variable in own.items():
        values = given[name].numpy()
        if name.endswith(("_norm/scale", "_norm/shift")) and values.shape[0] != variable.shape[0]:
            values = np.broadcast_to(values.mean(0), variable.shape)
        if values.shape != variable.shape:
            raise ValueError(f"start: has {name} of shape {values.shape}, not {tuple(variable.shape)}")
        variable.assign(values)


def in_precision(network: tf.keras.Model, dtype: str) -> tf.keras.Model:
    """Returns a network in the precision of a Keras policy: itself, or another with its parameters."""
    own = layout(network)
    if own["dtype"] == dtype:
        return network
    made = transformation_network(**{**own, "dtype": dtype})
    made.set_weights(network.get_weights())
    return made


def in_half_precision(network: tf.keras.Model) -> tf.keras.Model:
    """Returns a network whose parameters are those of another, rounded to float16, as files keep them."""
    return take_rounded(transformation_network(**layout(network)), network)


def take_rounded(made: tf.keras.Model, network: tf.keras.Model) -> tf.keras.Model:
    """Gives a model the parameters of another one of the same layers, rounded to float16, and returns it."""
    made.set_weights([each.astype(np.float16).astype(each.dtype) for each in network.get_weights()])
    return made


def fingerprint(network: tf.keras.Model) -> str:
    """Returns a hash of all parameters."""
    digest = hashlib.sha256()
    for name, variable in parameters(network).items():
        values = np.ascontiguousarray(variable, np.float32)
        digest.update(f"{name} {values.shape}".encode() + values.tobytes())
    return digest.hexdigest()[:16]


def _layers(styles, width, residual_blocks, colors, generator, dtype) -> dict[str, tf.keras.layers.Layer]:
    """Returns the layers of a network by name; `connect` knows what follows what."""
    found = {}

    def add(layer):
        found[layer.name] = layer

    def convolution(kind, name, filters, *size, normalised=True, **options):
        kernel = tf.keras.initializers.GlorotUniform(seed=int(generator.integers(2**31)))
        add(
            kind(
                filters, *size, use_bias=not normalised, kernel_initializer=kernel, name=name, dtype=dtype,
                **options,
            )
        )  # fmt: skip
        if normalised:
            add(ConditionalInstanceNormalization(styles, name=f"{name}_norm", dtype=dtype))

    add(ReflectedUp(name="reflected_up", dtype=POLICIES[dtype]))
    convolution(ReflectedConv2D, "first", width, 9)
    convolution(ReflectedConv2D, "half", 2 * width, 3, strides=2)
    convolution(ReflectedConv2D, "quarter", 4 * width, 3, strides=2)
    for index in range(1, residual_blocks + 1):
        convolution(ReflectedConv2D, f"residual{index}_a", 4 * width, 3)
        convolution(ReflectedConv2D, f"residual{index}_b", 4 * width, 3)
        add(tf.keras.layers.Add(name=f"residual{index}_sum", dtype=dtype))
    convolution(DoublingConv2D, "half_again", 2 * width)
    convolution(DoublingConv2D, "whole_again", width)
    convolution(ReflectedConv2D, "last", 3, 9, normalised=False)
    # Of logits in bfloat16 the sigmoid is exact to half a step of 8 bits, unless it is rounded, too.
    add(tf.keras.layers.Activation("sigmoid", name="sigmoid", dtype=POLICIES[dtype]))
    if colors:
        # Without the noise of single pixels, of which colours would make more; nobody sees them as sharply.
        pooled = {"pool_size": 5, "strides": 1, "padding": "same"}
        add(tf.keras.layers.AveragePooling2D(**pooled, name="smoothed", dtype=POLICIES[dtype]))
        add(StyleColors(styles, name="style_colors", dtype=POLICIES[dtype]))
    add(CutToSize(name="picture", dtype=POLICIES[dtype]))
    return found


def connect(
    layers: Mapping[str, Callable],
    image,
    style,
    normalise: Callable = operator.call,
    *,
    relu: Callable = tf.keras.ops.relu,
):
    """Calls the layers one after the other: on tensors, on symbols of them, or on what stands for them.

    Args:
      layers: {name: layer, or what does the same with other kinds of activations}.
      image: what the first layer takes.
      style: handed to `normalise`.
      normalise: called with the layer `NAME_norm`, as it is, an activation and the style.
      relu: of an activation.

    Returns:
      What the last layer gives.
    """

    def block(name, activation, rectified=True):
        normal = normalise(layers[f"{name}_norm"], layers[name](activation), style)
        return relu(normal) if rectified else normal

    seen = layers["reflected_up"](image)
    activation = block("first", seen)
    activation = block("half", activation)
    activation = block("quarter", activation)
    index = 1
    while f"residual{index}_sum" in layers:
        inner = block(f"residual{index}_a", activation)
        # Its shift is idle: without a ReLU behind, the normalisations to come take it off again.
        inner = block(f"residual{index}_b", inner, rectified=False)
        activation = layers[f"residual{index}_sum"]([activation, inner])
        index += 1
    activation = block("whole_again", block("half_again", activation))
    painted = layers["sigmoid"](layers["last"](activation))
    if "style_colors" in layers:
        painted = layers["style_colors"](painted, layers["smoothed"](seen), style)
    return layers["picture"](painted, image)
