"""Any style in one pass: adaptive instance normalisation between a frozen encoder and a learned decoder.

Huang & Belongie, "Arbitrary Style Transfer in Real-time with Adaptive Instance
Normalization", ICCV 2017. The style is a picture that comes with each call, and
its means and deviations in one layer are all that is taken of it. Departures:

- The encoder is whatever `feature_extractor` gives, and each filter is measured
  in units of its own (see `_units`). There, it is VGG19 normalised beforehand.
- Pictures come out of a sigmoid, not out of a linear layer, and so are in range.
- Sizes may be any: pictures are reflected up to whole positions of the layer,
  and what the decoder makes is cut on its way back up.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import tensorflow as tf

from tfstyle.config.options import number, whole_number
from tfstyle.feedforward.adain import Moments, adaptive_instance_normalization, mixed, moments
from tfstyle.feedforward.layers import DoublingConv2D, ReflectedConv2D, reflected_up
from tfstyle.vgg import feature_extractor, minimum_size
from tfstyle.vgg.network import convolutions
from tfstyle.vgg.random_weights import reference_pictures
from tfstyle.vgg.receptive_field import is_pooling, reaches

# {Keras' policy: what the encoder computes in, and the dtype of parameters and pictures}.
_POLICIES = {
    "float32": ("float32", "float32"),
    "mixed_bfloat16": ("bfloat16", "float32"),
    "float64": ("float64", "float64"),
}

# Quieter filters, in root mean squares of all, are not made as loud as the others.
_QUIETEST = 0.1


def style_network(
    *,
    layer: str = "block4_conv1",
    width: float = 1.0,
    seed: int = 0,
    dtype: str = "float32",
    weights: str = "imagenet",
    pooling: str = "max",
    padding: str = "reflect",
) -> StyleNetwork:
    """Builds a network for any style, its decoder not yet trained.

    Args:
      layer: where features are normalised; ``conv4_1`` means the same.
      width: filters of the decoder over those of the encoder's layer that each
        convolution mirrors.
      seed: of the decoder's kernels; the same seed gives the same network.
      dtype: Keras' policy: ``float32``; ``mixed_bfloat16`` for activations in
        half precision; ``float64`` is for tests.
      weights, pooling, padding: of the encoder, as in `feature_extractor`. But
        for ``zeros``, pictures have no frame.

    Raises:
      ValueError: an argument is out of range.
      OSError: the weights cannot be read.
    """
    if dtype not in _POLICIES:
        raise ValueError(f"dtype={dtype!r}: must be one of {', '.join(_POLICIES)}")
    if number("width", width, 0) == 0:
        raise ValueError("width=0: must be above 0")
    generator = np.random.default_rng(whole_number("seed", seed, 0))
    options = {"weights": weights, "pooling": pooling, "padding": padding}
    encoder = feature_extractor([layer], dtype=_POLICIES[dtype][0], **options)
    return StyleNetwork(encoder, _mirrored(encoder, width, generator, dtype), dtype=_POLICIES[dtype][1])


class StyleNetwork(tf.keras.Model):
    """An encoder, adaptive instance normalisation, a decoder; see `style_network`.

    Called with a dict, it gives `[B, H, W, 3]` pictures in [0, 1], float32
    (float64 for ``float64``), of the images' size, which may be any from 1 x 1:

    ==========  ============================================================
    `image`     `[B, H, W, 3]`, RGB in [0, 1]
    `style`     `[1 or B, h, w, 3]`, the same, also of any size
    `strength`  tensor, scalar or `[B]`, from 0 (the image, as far as the decoder can
                tell it from its features) to 1, which it is by default:
                eq. (14), g((1 - a) f(c) + a AdaIN(f(c), f(s)))
    ==========  ============================================================

    Args:
      encoder: an extractor of one layer, whose weights stay.
      decoder: `ReflectedConv2D` and `DoublingConv2D` layers, in order.
      dtype: of pictures.

    Attributes:
      encoder: the extractor.
      layer: its output's name.
    """

    def __init__(
        self, encoder: tf.keras.Model, decoder: Sequence[tf.keras.layers.Layer], *, dtype: str = "float32"
    ):
        super().__init__(name="style_network", dtype=dtype)
        (self.layer,) = encoder.output
        self.encoder, self._decoder = encoder, list(decoder)
        self._stride = reaches(encoder)[self.layer].stride
        self._least = max(minimum_size(encoder), 2 * self._stride)  # two positions, to be reflected
        units = _units(encoder, self.layer)
        self._units = self.add_weight(
            shape=units.shape, initializer="ones", trainable=False, autocast=False, name="units"
        )
        self._units.assign(units)
        self.built = True  # all variables are there; Keras need not run it to find them

    def call(self, inputs, training=None):
        """See the class."""
        return self.restyled(inputs["image"], self.measured(inputs["style"]), inputs.get("strength", 1.0))

    def measured(self, style: tf.Tensor) -> Moments:
        """Returns what is taken of styles `[B, h, w, 3]`, to be kept and mixed (see `mixed`)."""
        sides = tf.shape(style)[1:3]
        return moments(self._features(style, tf.maximum(sides, self._least)))

    def restyled(self, image: tf.Tensor, style: Moments, strength: tf.Tensor | float = 1.0) -> tf.Tensor:
        """Returns the pictures that a call makes, in a style measured before."""
        whole = tf.shape(image)[1:3]
        whole = tf.maximum(-(-whole // self._stride) * self._stride, self._least)
        content = self._features(image, whole)
        target = adaptive_instance_normalization(content, style)
        if not tf.is_tensor(strength):
            strength = tf.constant(strength, content.dtype)
        share = tf.reshape(tf.cast(strength, content.dtype), [-1, 1, 1, 1])
        return self._decoded(content + share * (target - content), image)

    def paint(
        self,
        image: tf.Tensor,
        styles: Sequence[tf.Tensor],
        weights: Sequence[float] | None = None,
        strength: tf.Tensor | float = 1.0,
    ) -> tf.Tensor:
        """Paints pictures in a mixture of styles.

        Args:
          image, strength: as in a call.
          styles: one or more, each as in a call; their sizes may differ.
          weights: as in `mixed`, also for errors.

        Returns:
          `[B, H, W, 3]`, as a call gives.
        """
        return self.restyled(image, mixed([self.measured(style) for style in styles], weights), strength)

    def _features(self, pictures: tf.Tensor, size: tf.Tensor) -> tf.Tensor:
        """Returns the encoder's activations of pictures reflected up to a size."""
        pictures = tf.cast(pictures, self.variable_dtype)
        found = self.encoder(reflected_up(pictures, [size[0], size[1]]))[self.layer]
        return tf.cast(found, self.variable_dtype) / self._units

    def _decoded(self, features: tf.Tensor, image: tf.Tensor) -> tf.Tensor:
        """Returns pictures of the image's size; of the image, nothing else is used."""
        activation = features
        for layer in self._decoder:
            activation = layer(activation)
        size = tf.shape(image)
        return tf.sigmoid(tf.cast(activation[:, : size[1], : size[2]], self.variable_dtype))


def _mirrored(encoder: tf.keras.Model, width: float, generator, dtype: str) -> list[tf.keras.layers.Layer]:
    """Returns the decoder's layers: the encoder's, last first, with channels in and out exchanged.

    A head has no mirror: the first layer takes what the head gives.
    """
    chain = convolutions(encoder)
    plan = [each for each in encoder.layers if is_pooling(each) or each in chain]
    found, channels, kind = [], next(iter(encoder.output.values())).shape[-1], ReflectedConv2D
    for mirror in reversed(plan):
        if is_pooling(mirror):
            kind = DoublingConv2D
            continue
        last, seed = mirror is plan[0], int(generator.integers(2**31))
        filters = 3 if last else max(1, round(width * mirror.kernel.shape[2]))
        # Without normalisation between them, it takes He's to keep nine layers' activations alive.
        spread = tf.keras.initializers.GlorotUniform if last else tf.keras.initializers.HeNormal
        layer = kind(
            filters,
            3,
            activation=None if last else "relu",
            kernel_initializer=spread(seed=seed),
            name=f"{mirror.name}_mirrored",
            dtype=dtype,
        )
        layer.build((None, None, None, channels))
        found.append(layer)
        channels, kind = filters, ReflectedConv2D
    return found


def _units(encoder: tf.keras.Model, layer: str) -> np.ndarray:
    """Returns each filter's root mean square over reference pictures, `[C]`.

    Encoders differ in it by factors of hundreds, and filters of one by tens.
    The decoder is to see activations of about 1, and epsilon is to mean the
    same. A filter that these pictures do not excite has a share of the others'.
    """
    found = encoder(reference_pictures(0).astype(encoder.input.dtype))[layer]
    squares = tf.reduce_mean(tf.square(tf.cast(found, tf.float64)), axis=[0, 1, 2]).numpy()
    return np.sqrt(np.maximum(squares, max(_QUIETEST**2 * squares.mean(), 1e-12)))
