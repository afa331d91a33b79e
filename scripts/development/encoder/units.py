"""Brings a trained encoder's activations to the units that losses expect."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tfstyle.io import images
from tfstyle.vgg import network
from tfstyle.vgg.network import Weights
from tfstyle.vgg.normalization import normalize_activations

# About that of VGG19's activations, for which the usual weights of content and style are made.
ROOT_MEAN_SQUARE = 200.0
# Photographs count at these zooms: the pictures that it will see are sharper or softer than they are.
_ZOOMS = (1, 2)


def in_usual_units(weights: Weights, photographs: Sequence[np.ndarray]) -> Weights:
    """Scales every filter to one root mean square of activations, `ROOT_MEAN_SQUARE`.

    Training leaves each filter at a scale of its own, over many powers of ten.
    What the network computes stays the same, as in the paper's normalised
    network. That one equals means; then a filter that is seldom active, but
    strongly, outweighs a whole layer's Gram matrix (top-1 of `conv5_1` alone
    on held-out photographs: 0.25 with equal means, 0.48 with equal squares).

    Args:
      weights: `{layer: (kernel, bias)}`.
      photographs: `[H, W, 3]` uint8, of any sizes.

    Returns:
      Weights of the same shapes.
    """
    model = network.build(
        network.vgg19(), weights, list(weights), pooling="average", padding="zeros", dtype="float32"
    )
    pictures = [
        images.resize(
            photograph[np.newaxis] / np.float32(255), tuple(zoom * side for side in photograph.shape[:2])
        )
        for photograph in photographs
        for zoom in _ZOOMS
    ]
    scaled, factor = {}, ROOT_MEAN_SQUARE
    for layer in network.convolutions(normalize_activations(model, pictures, power=2)):
        kernel, bias = layer.get_weights()
        scaled[layer.name] = (kernel * factor, bias * ROOT_MEAN_SQUARE)
        factor = 1.0
    return scaled
