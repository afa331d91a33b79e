"""Brings a trained encoder's activations to the units that losses expect."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import tensorflow as tf

from tfstyle.features import network
from tfstyle.features.network import Weights
from tfstyle.features.normalization import normalize_activations

# About VGG19's, for whose activations the usual weights of content and style are made.
MEAN_ACTIVATION = 100.0


def in_usual_units(weights: Weights, photographs: Sequence[np.ndarray]) -> Weights:
    """Scales every filter so that its mean activation over photographs is `MEAN_ACTIVATION`.

    Training leaves each block at a scale of its own, over many powers of ten.
    What the network computes stays the same, as in the paper's normalised network.

    Args:
      weights: `{layer: (kernel, bias)}`.
      photographs: `[H, W, 3]` uint8, of any sizes.

    Returns:
      Weights of the same shapes.
    """
    model = network.build(
        network.vgg19(), weights, list(weights), pooling="average", padding="zeros", dtype="float32"
    )
    pictures = [tf.constant(photograph[np.newaxis] / np.float32(255)) for photograph in photographs]
    scaled, factor = {}, MEAN_ACTIVATION
    for layer in network.convolutions(normalize_activations(model, pictures)):
        kernel, bias = layer.get_weights()
        scaled[layer.name] = (kernel * factor, bias * MEAN_ACTIVATION)
        factor = 1.0
    return scaled
