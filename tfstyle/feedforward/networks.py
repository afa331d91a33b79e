"""Feed-forward networks that turn pictures into pictures in learned styles.

The layout is that of Johnson, Alahi & Fei-Fei, "Perceptual Losses for
Real-Time Style Transfer and Super-Resolution", ECCV 2016 (supplementary
material), with the normalisation of Dumoulin, Shlens & Kudlur, ICLR 2017: one
network for many styles, and for mixtures of them. Departures from Johnson et al.:

- Pictures are in [0, 1] and come out of a sigmoid (as in Dumoulin et al.), not
  in [0, 255] out of a scaled tanh.
- Every convolution sees the reflected border. There, only the input is
  reflected, 40 pixels wide, residual blocks cut their borders off, and the
  others pad with zeros. So here the size may be any.
- Activations are doubled by linear interpolation with a convolution behind, not
  by transposed convolutions, which draw checkerboards.
- Instance normalisation in place of batch normalisation; before it, no biases,
  which it would take off again.
- On request, a skip connection (Ronneberger, Fischer & Brox, "U-Net", MICCAI
  2015): the last but one convolution sees what the first found, at full size.
  What is fine in a picture need not be learned to come back from a quarter of
  its size, at which most of a short training would be spent.

From Dumoulin et al. it departs in that the last convolution is not normalised:
light and contrast of the picture may differ from one picture to the next.

Sides that are no multiple of 4 need no padding to one: a strided convolution
rounds sides up and `Doubled` cuts what is too much, so that there are never
positions without picture under them, and statistics are over all there are.
"""

from __future__ import annotations

import hashlib
import numbers
from collections.abc import Callable, Mapping

import numpy as np
import tensorflow as tf

from tfstyle.feedforward.layers import ConditionalInstanceNormalization, Doubled, ReflectedConv2D

# {Keras' policy: dtype of parameters and pictures}.
_POLICIES = {
    "float32": "float32",
    "mixed_bfloat16": "float32",
    "mixed_float16": "float32",
    "float64": "float64",
}

_JOINED = "joined"  # the layer of the skip connection

# {name of a layer: (mean, variance)}, `[B, C]` each.
Statistics = Mapping[str, tuple[tf.Tensor, tf.Tensor]]

# From a layer, its activation and the styles' weights to the activation normalised.
Normalise = Callable[[ConditionalInstanceNormalization, tf.Tensor, tf.Tensor], tf.Tensor]


def transformation_network(
    styles: int = 1,
    *,
    width: int = 32,
    residual_blocks: int = 5,
    skip_connection: bool = False,
    seed: int = 0,
    dtype: str = "float32",
) -> tf.keras.Model:
    """Builds a network, not yet trained.

    Args:
      styles: how many it can learn.
      width: filters of the first convolution; a half and a quarter of the
        size, it has twice and four times as many.
      residual_blocks: at a quarter of the size.
      skip_connection: whether there is one at full size, as said above.
      seed: of the kernels; the same seed gives the same network.
      dtype: Keras' policy: ``float32``; ``mixed_bfloat16`` or ``mixed_float16``
        for activations in half precision; ``float64`` is for tests.

    Returns:
      A `keras.Model` from `{"image": [B, H, W, 3], "style": [B, styles]}`, RGB
      in [0, 1] and weights of the styles that should add up to 1, to
      `[B, H, W, 3]` in [0, 1], float32 (float64 for ``float64``). Sides may be
      any from 1. A pixel depends on what is up to 20 + 8 `residual_blocks`
      pixels away, and on the statistics of the whole picture.

    Raises:
      ValueError: an argument is out of range.
    """
    for name, value, least in (
        ("styles", styles, 1), ("width", width, 1), ("residual_blocks", residual_blocks, 0), ("seed", seed, 0)
    ):  # fmt: skip
        if not isinstance(value, numbers.Integral) or value < least:
            raise ValueError(f"{name}={value!r}: must be a whole number, {least} or above")
    if not isinstance(skip_connection, bool):
        raise ValueError(f"skip_connection={skip_connection!r}: must be true or false")
    if dtype not in _POLICIES:
        raise ValueError(f"dtype={dtype!r}: must be one of {', '.join(_POLICIES)}")
    layers = _layers(styles, width, residual_blocks, skip_connection, np.random.default_rng(seed), dtype)
    image = tf.keras.Input((None, None, 3), name="image", dtype=_POLICIES[dtype])
    style = tf.keras.Input((styles,), name="style", dtype=_POLICIES[dtype])
    picture = connect(layers, image, style, lambda layer, *tensors: layer(*tensors))
    return tf.keras.Model({"image": image, "style": style}, picture, name="transformation_network")


def run(network: tf.keras.Model, image: tf.Tensor, style: tf.Tensor, normalise: Normalise) -> tf.Tensor:
    """Runs a network layer by layer, its instance normalisation done by the caller.

    `network({"image": image, "style": style})` is the same as to run it with
    `lambda layer, activation, style: layer(activation, style)`. With

        lambda layer, activation, style: layer.normalise(activation, *statistics[layer.name], style)

    it takes statistics found before, such as those of the whole picture for a
    part of it whose corners lie at multiples of 4.

    Args:
      network: a model from `transformation_network`, also if it was saved and loaded.
      image: `[B, H, W, 3]` in [0, 1].
      style: `[B, styles]`.
      normalise: called once for each normalisation, in network order.

    Returns:
      What the network returns.
    """
    return connect({layer.name: layer for layer in network.layers}, image, style, normalise)


def instance_statistics(network: tf.keras.Model, image: tf.Tensor, style: tf.Tensor) -> Statistics:
    """Returns the statistics that a network finds in pictures, in network order; see `run`."""
    found = {}

    def normalise(layer, activation, style):
        found[layer.name] = layer.moments(activation)
        return layer.normalise(activation, *found[layer.name], style)

    run(network, image, style, normalise)
    return found


def layout(network: tf.keras.Model) -> dict[str, int | bool | str]:
    """Returns arguments of `transformation_network` that make a network of the same layers, as JSON types."""
    names, first = {layer.name for layer in network.layers}, network.get_layer("first")
    return {
        "styles": int(network.input["style"].shape[-1]),
        "width": first.filters,
        "residual_blocks": sum(f"residual{index}_sum" in names for index in range(1, len(names))),
        "skip_connection": _JOINED in names,
        "dtype": first.dtype_policy.name,
    }


def parameters(network: tf.keras.Model) -> dict[str, tf.Variable]:
    """Returns {layer/parameter: variable}, such as first/kernel and first_norm/scale, in network order."""
    return {
        f"{layer.name}/{variable.name}": variable for layer in network.layers for variable in layer.weights
    }


def take_over(network: tf.keras.Model, other: tf.keras.Model) -> None:
    """Gives a network the parameters of another one, `start` in errors.

    Styles take those of their place; if they are not as many, each begins as the mean of the other's.

    Raises:
      ValueError: they have not the same layers of the same size.
    """
    own, given = parameters(network), parameters(other)
    if own.keys() != given.keys():
        raise ValueError(f"start: has other layers: {layout(other)}, not {layout(network)}")
    for name, variable in own.items():
        values = given[name].numpy()
        if name.endswith(("_norm/scale", "_norm/shift")) and values.shape[0] != variable.shape[0]:
            values = np.broadcast_to(values.mean(0), variable.shape)
        if values.shape != variable.shape:
            raise ValueError(f"start: has {name} of shape {values.shape}, not {tuple(variable.shape)}")
        variable.assign(values)


def fingerprint(network: tf.keras.Model) -> str:
    """Returns a hash of all parameters."""
    digest = hashlib.sha256()
    for name, variable in parameters(network).items():
        values = np.ascontiguousarray(variable, np.float32)
        digest.update(f"{name} {values.shape}".encode() + values.tobytes())
    return digest.hexdigest()[:16]


def _layers(
    styles, width, residual_blocks, skip_connection, generator, dtype
) -> dict[str, tf.keras.layers.Layer]:
    """Returns the layers of a network by name; `connect` knows what follows what."""
    found = {}

    def add(layer):
        found[layer.name] = layer

    def convolution(name, filters, size, strides=1, normalised=True):
        kernel = tf.keras.initializers.GlorotUniform(seed=int(generator.integers(2**31)))
        add(
            ReflectedConv2D(
                filters, size, strides=strides, use_bias=not normalised, kernel_initializer=kernel,
                name=name, dtype=dtype,
            )
        )  # fmt: skip
        if normalised:
            add(ConditionalInstanceNormalization(styles, name=f"{name}_norm", dtype=dtype))

    convolution("first", width, 9)
    convolution("half", 2 * width, 3, strides=2)
    convolution("quarter", 4 * width, 3, strides=2)
    for index in range(1, residual_blocks + 1):
        convolution(f"residual{index}_a", 4 * width, 3)
        convolution(f"residual{index}_b", 4 * width, 3)
        add(tf.keras.layers.Add(name=f"residual{index}_sum", dtype=dtype))
    for name, filters in (("half_again", 2 * width), ("whole_again", width)):
        add(Doubled(name=f"{name}_doubled", dtype=dtype))
        convolution(name, filters, 3)
    if skip_connection:
        add(tf.keras.layers.Concatenate(name=_JOINED, dtype=dtype))
    convolution("last", 3, 9, normalised=False)
    # Of logits in bfloat16 the sigmoid is exact to half a step of 8 bits, unless it is rounded, too.
    add(tf.keras.layers.Activation("sigmoid", name="picture", dtype=_POLICIES[dtype]))
    return found


def connect(
    layers: Mapping[str, Callable],
    image,
    style,
    normalise: Callable,
    *,
    relu: Callable = tf.keras.ops.relu,
    outline: Callable = lambda activation: activation,
):
    """Calls the layers one after the other: on tensors, on symbols of them, or on what stands for them.

    Args:
      layers: {name: layer, or what does the same with other kinds of activations}.
      image: what the first layer takes.
      style: handed to `normalise`.
      normalise: called with the layer `NAME_norm`, as it is, an activation and the style.
      relu: of an activation.
      outline: of an activation, that of which only the size will be read; the
        activation itself is then held no longer.

    Returns:
      What the last layer gives.
    """

    def block(name, activation, rectified=True):
        normal = normalise(layers[f"{name}_norm"], layers[name](activation), style)
        return relu(normal) if rectified else normal

    activation = block("first", image)
    first = activation if _JOINED in layers else outline(activation)
    activation = block("half", activation)
    half = outline(activation)
    activation = block("quarter", activation)
    index = 1
    while f"residual{index}_sum" in layers:
        inner = block(f"residual{index}_a", activation)
        # Its shift is idle: without a ReLU behind, the normalisations to come take it off again.
        inner = block(f"residual{index}_b", inner, rectified=False)
        activation = layers[f"residual{index}_sum"]([activation, inner])
        index += 1
    activation = block("half_again", layers["half_again_doubled"](activation, half))
    activation = layers["whole_again_doubled"](activation, first)
    if _JOINED in layers:
        activation = layers[_JOINED]([activation, first])
    activation = block("whole_again", activation)
    return layers["picture"](layers["last"](activation))
