"""The encoder while it is trained: VGG19's layout, normalised inside; and what it folds to.

Two ways to keep activations at a healthy size, both gone once training is over:

- ``batch``: batch normalisation after each convolution (Ioffe & Szegedy 2015).
- ``weight``: weight normalisation (Salimans & Kingma 2016, eq. 2): each filter
  is a direction times a learned gain, and gains and biases start where every
  response to a first batch has mean 0 and deviation 1. It touches kernels
  only, not activations, and on a CPU makes a step three times faster.
"""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from encoder.recipe import EncoderRecipe
from tfstyle.vgg.network import Weights, caffe_pixels

# Caffe pixels have about this deviation over photographs.
_PIXEL_DEVIATION = 64.0


class NormalizedConv2D(tf.keras.layers.Conv2D):
    """A convolution whose filters are unit vectors times a gain that `calibrate` sets.

    A ReLU passes positive factors through, so a gain that is learned adds
    nothing; left free it grows without bound, block by block.

    Args:
      centred: take its mean off each filter. Activations are positive, and
        their common part would drown what differs; of colours it is the colour.
      **options: as for `Conv2D`.
    """

    def __init__(self, *, centred: bool, **options):
        super().__init__(**options)
        self._centred = centred

    def build(self, input_shape):
        super().build(input_shape)
        self.gain = self.add_weight(shape=(self.filters,), initializer="ones", trainable=False, name="gain")

    def normalized_kernel(self) -> tf.Tensor:
        """Returns the `[3, 3, C_in, C_out]` kernel that is applied, in float32."""
        kernel = tf.cast(self.kernel, tf.float32)
        if self._centred:
            kernel -= tf.reduce_mean(kernel, [0, 1, 2])
        return tf.math.l2_normalize(kernel, [0, 1, 2]) * tf.cast(self.gain, tf.float32)

    def convolution_op(self, inputs, kernel):
        """Keras' hook: convolves with the normalised kernel instead."""
        return super().convolution_op(inputs, tf.cast(self.normalized_kernel(), inputs.dtype))


def trunk(recipe: EncoderRecipe) -> tf.keras.Model:
    """Returns the trainable network.

    Returns:
      A model from `[B, S, S, 3]` in [0, 1] to `{layer: [B, s, s, C]}`, every
      convolution's activation after its ReLU, under VGG19's names.
    """
    policy = tf.keras.DTypePolicy("mixed_bfloat16" if recipe.precision == "bfloat16" else "float32")
    image = tf.keras.Input((None, None, 3), name="image", dtype="float32")
    activation = caffe_pixels(image) / _PIXEL_DEVIATION
    outputs = {}
    for block, (width, depth) in enumerate(zip(recipe.widths, recipe.depths), start=1):
        if block > 1:
            activation = tf.keras.layers.AveragePooling2D(2, dtype=policy)(activation)
        for index in range(1, depth + 1):
            name = f"block{block}_conv{index}"
            options = {"filters": width, "kernel_size": 3, "padding": "same", "name": name, "dtype": policy}
            options["kernel_initializer"] = "he_normal" if outputs else _colors_and_edges
            if recipe.normalization == "batch":
                activation = tf.keras.layers.Conv2D(use_bias=False, **options)(activation)
                activation = tf.keras.layers.BatchNormalization(
                    momentum=0.97, name=f"{name}_norm", dtype=policy
                )(activation)
                activation = tf.keras.layers.ReLU(dtype=policy)(activation)
            else:
                layer = NormalizedConv2D(centred=bool(outputs), activation="relu", **options)
                activation = layer(activation)
            outputs[name] = activation
    return tf.keras.Model(image, outputs, name="trunk")


def _colors_and_edges(shape, dtype=None) -> tf.Tensor:
    """Initialises the first layer: a quarter of its filters see colours, the others only contrasts.

    Left to chance all of them see mostly how light it is, and training takes
    long to tell them apart.
    """
    kernel = tf.keras.initializers.HeNormal()(shape, dtype)
    colors, edges = tf.split(kernel, [shape[-1] // 4, -1], axis=-1)
    return tf.concat([colors, edges - tf.reduce_mean(edges, [0, 1, 2])], -1)


def folded(model: tf.keras.Model) -> Weights:
    """Returns plain kernels and biases that compute the same from Caffe pixels.

    Normalisation, and every constant factor between the layers, goes into
    them: `{layer: (kernel, bias)}` for `tfstyle.feature_extractor`.
    """
    weights, factor = {}, 1 / _PIXEL_DEVIATION
    for layer in model.layers:
        if not isinstance(layer, tf.keras.layers.Conv2D):
            continue
        if isinstance(layer, NormalizedConv2D):
            kernel, bias = layer.normalized_kernel().numpy(), layer.bias.numpy()
        else:
            norm = model.get_layer(f"{layer.name}_norm")
            gamma, beta, mean, variance = (np.asarray(value) for value in norm.get_weights())
            scale = gamma / np.sqrt(variance + norm.epsilon)
            kernel, bias = np.asarray(layer.kernel) * scale, beta - mean * scale
        weights[layer.name] = (kernel * factor, bias)
        factor = 1.0
    return weights


def calibrate(model: tf.keras.Model, views: tf.Tensor) -> None:
    """Sets gains and biases so that every filter's response to these views has mean 0 and deviation 1.

    Salimans & Kingma 2016, section 3: what batch normalisation does at every
    step is done once, before the first.
    """
    for layer in model.layers:
        if isinstance(layer, NormalizedConv2D):
            inputs = tf.keras.Model(model.input, layer.input)(views)
            response = tf.nn.conv2d(tf.cast(inputs, tf.float32), layer.normalized_kernel(), 1, "SAME")
            mean, variance = tf.nn.moments(response, [0, 1, 2])
            scale = tf.math.rsqrt(variance + 1e-8)
            layer.gain.assign(layer.gain * scale)
            layer.bias.assign(-mean * scale)
