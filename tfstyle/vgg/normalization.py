"""Filters at one size of activation: the paper's normalised network."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import tensorflow as tf

from tfstyle.vgg.network import convolutions, heads, set_weights


def normalize_activations(
    extractor: tf.keras.Model, images: tf.Tensor | Sequence[tf.Tensor]
) -> tf.keras.Model:
    """Scales every filter so that its mean activation over the pictures is 1.

    This is what the paper, section 2, does to VGG19 "over images and
    positions". A ReLU and both poolings pass a positive factor through, so a
    filter is divided by its mean and the next convolution's weights for that
    input multiplied by it: the network computes what it computed before, in
    other units. A filter that none of the pictures excites is left as it is.
    Where a layer has a head, the head's filters are scaled, too, and nothing
    takes what they give.

    The paper takes the mean over ImageNet's validation set; here it is over
    the pictures given.

    Args:
      extractor: a model from `feature_extractor`.
      images: one `[B, H, W, 3]` tensor in [0, 1], or several of any sizes.

    Returns:
      A new model; the one given is unchanged.
    """
    if isinstance(images, (tf.Tensor, np.ndarray)):
        images = [images]
    chain, ends = convolutions(extractor), heads(extractor)
    layers = [*chain, *ends.values()]
    probe = tf.keras.Model(extractor.input, [layer.output for layer in layers])
    sums, positions = [0.0] * len(layers), [0] * len(layers)
    for image in images:
        activations = probe(tf.cast(image, extractor.input.dtype), training=False)
        for index, activation in enumerate(activations):
            sums[index] += tf.reduce_sum(tf.cast(activation, tf.float64), axis=[0, 1, 2]).numpy()
            positions[index] += np.prod(activation.shape[:3])

    means = {
        layer.name: np.where(total > 0, total / count, 1.0)
        for layer, total, count in zip(layers, sums, positions)
    }
    incoming = dict(zip([layer.name for layer in chain], [np.ones(3), *means.values()]))
    incoming |= {end.name: means[layer] for layer, end in ends.items()}
    scaled = {}
    for layer in layers:
        (kernel, bias), mean = layer.get_weights(), means[layer.name]
        scaled[layer.name] = (kernel * incoming[layer.name][:, np.newaxis] / mean, bias / mean)
    normalized = tf.keras.models.clone_model(extractor)
    set_weights(normalized, scaled)
    normalized.trainable = False
    return normalized
