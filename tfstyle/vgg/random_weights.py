"""Random weights that keep activations alive at every depth.

He, Wang & Hopcroft, "A Powerful Generative Model Using Random Weights for the
Deep Image Representation" (2016), show that VGG19 with random weights inverts
pictures and makes textures. They draw Gaussian weights and keep, per layer,
the best of many draws. Here nothing is searched; each layer is calibrated on
seeded pictures instead, in the way of Mishkin & Matas (2016) and Krähenbühl
et al. (2016):

1. Kernels are drawn from a Gaussian with a generator of (seed, layer).
2. A reference batch, noise with about the spectrum and the correlated colours
   of natural pictures, goes through the layers before it.
3. Each filter is scaled and its bias set so that before the ReLU it has mean
   0 and standard deviation `MAGNITUDE`: it fires at half of the positions, at
   about the strength of the trained network, for whose activations the
   presets' weights are made.

The layers do not depend on how many of them are asked for.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
import tensorflow as tf

from tfstyle.vgg.network import Weights, caffe_pixels

MAGNITUDE = 100.0
_REFERENCE_SIZE = 160
_REFERENCE_COUNT = 4


def calibrated(
    layout: Mapping[str, tf.keras.layers.Layer], layers: Iterable[str], pooling: str, seed: int
) -> Weights:
    """Returns `{layer: (kernel, bias)}` down to the deepest of the layers."""
    names = list(layout)
    deepest = max(names.index(name) for name in layers)
    activation = caffe_pixels(reference_pictures(seed))
    pool = tf.nn.max_pool2d if pooling == "max" else tf.nn.avg_pool2d
    values: dict[str, tuple[np.ndarray, np.ndarray]] = {}
    for index, name in enumerate(names[: deepest + 1]):
        if index and name.endswith("conv1"):
            activation = pool(activation, 2, 2, "VALID")
        shape = (3, 3, activation.shape[-1], layout[name].filters)
        kernel = np.random.default_rng([seed, index]).standard_normal(shape).astype(np.float32)
        response = tf.nn.conv2d(activation, kernel, 1, "SAME")
        mean = tf.reduce_mean(response, [0, 1, 2]).numpy()
        deviation = tf.math.reduce_std(response, [0, 1, 2]).numpy()
        scale = MAGNITUDE / deviation
        values[name] = (kernel * scale, -mean * scale)
        activation = tf.nn.relu(response * scale - mean * scale)
    return values


def reference_pictures(seed: int) -> np.ndarray:
    """Returns cloud-like noise pictures, `[B, H, W, 3]` float32 in [0, 1].

    Their amplitude falls as 1/f^1.4, somewhat faster than that of natural
    pictures, and each has a tint: deep layers see what is left after many
    poolings, and would meet more contrast in a photograph than in 1/f noise of
    this size.
    """
    generator = np.random.default_rng([seed, 1_000])
    size, count = _REFERENCE_SIZE, _REFERENCE_COUNT
    frequency = np.hypot(np.fft.fftfreq(size)[:, np.newaxis], np.fft.rfftfreq(size))
    frequency[0, 0] = np.inf
    noise = np.fft.rfft2(generator.standard_normal((count, 3, size, size)))
    clouds = np.fft.irfft2(noise / frequency**1.4, s=(size, size))
    clouds /= clouds.std(axis=(-2, -1), keepdims=True)
    # Most of a natural picture's variance is common to its channels.
    clouds = 1.5 * clouds.mean(axis=1, keepdims=True) + 0.5 * clouds
    tint = generator.standard_normal((count, 3, 1, 1))
    return np.clip(0.5 + 0.3 * clouds + 0.2 * tint, 0, 1).transpose(0, 2, 3, 1).astype(np.float32)
