"""Teacher and student: VGG19's layout as a function of its weights, so that these can be trained.

Activations are in hundreds: VGG19's own are of that size, and so are its biases,
but for which one learning rate would not suit kernels and biases alike.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import tensorflow as tf

import tfstyle
from tfstyle.config import TransferConfig
from tfstyle.losses.paper import gram_matrix
from tfstyle.vgg import network
from tfstyle.vgg import weights as weight_files
from tfstyle.vgg.network import caffe_pixels, head

HUNDRED = 100.0
# Filters of the student's own layers. The first is VGG19's, and needs no head. Layers
# that no preset names and the next ones can do without are left out.
WIDTHS = {
    "block1_conv1": 64, "block1_conv2": 16,
    "block2_conv1": 48, "block2_conv2": 64,
    "block3_conv1": 96, "block3_conv2": 96, "block3_conv3": 96,
    "block4_conv1": 208, "block4_conv2": 208, "block4_conv3": 208,
    "block5_conv1": 448, "block5_conv2": 128,
}  # fmt: skip
LAYERS = tuple(WIDTHS)
DEFAULTS = TransferConfig()
STYLE_LAYERS = DEFAULTS.style_layers
(CONTENT_LAYER,) = DEFAULTS.content_layers

Weights = Mapping[str, tuple[tf.Tensor, tf.Tensor]]


def teacher() -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Returns VGG19's convolutions, {layer: (kernel, bias in hundreds)}."""
    extractor = tfstyle.feature_extractor([LAYERS[-1]])
    return in_hundreds({layer.name: layer.get_weights() for layer in network.convolutions(extractor)})


def load(path: str) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Returns the weights in a file, as the functions here take them."""
    return in_hundreds(weight_files.load(path, network.layout(network.vgg19())))


def in_hundreds(weights: Mapping) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Returns weights as the functions here take them."""
    return {name: (kernel, bias / HUNDRED) for name, (kernel, bias) in weights.items()}


def in_usual_units(weights: Weights) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Returns weights as `tfstyle.vgg.weights.save` takes them."""
    return {
        name: (np.asarray(kernel), np.asarray(bias) * HUNDRED) for name, (kernel, bias) in weights.items()
    }


def without_heads(weights: Weights) -> Weights:
    """Returns the weights of the layers that the next ones build on."""
    return {name: pair for name, pair in weights.items() if not name.endswith(head(""))}


def pixels(pictures: tf.Tensor) -> tf.Tensor:
    """Turns pictures `[B, H, W, 3]`, RGB in [0, 1], into what the first layer takes."""
    return caffe_pixels(pictures) / HUNDRED


def convolved(activation: tf.Tensor, weights: tuple[tf.Tensor, tf.Tensor]) -> tf.Tensor:
    """Returns a convolution's values before the ReLU; what lies past the border is reflected."""
    kernel, bias = weights
    wide = kernel.shape[0] // 2
    padded = (
        tf.pad(activation, [[0, 0], [wide, wide], [wide, wide], [0, 0]], "REFLECT") if wide else activation
    )
    return tf.nn.conv2d(padded, kernel, 1, "VALID") + bias


def pooled(activation: tf.Tensor) -> tf.Tensor:
    """Returns the maxima of 2 x 2 positions."""
    return tf.nn.max_pool2d(activation, 2, 2, "VALID")


def activations(
    weights: Weights, pictures: tf.Tensor, layers: Sequence[str] = LAYERS
) -> dict[str, tf.Tensor]:
    """Returns `{layer: [B, h, w, C]}`, in hundreds, for pictures `[B, H, W, 3]`, RGB in [0, 1]."""
    found, activation = {}, pixels(pictures)
    for name in without_heads(weights):
        if name.endswith("conv1") and not name.startswith("block1"):
            activation = pooled(activation)
        activation = tf.nn.relu(convolved(activation, weights[name]))
        if name in layers:
            own = weights.get(head(name))
            found[name] = activation if own is None else tf.nn.relu(convolved(activation, own))
        if len(found) == len(layers):
            break
    return found


def gram(activation: tf.Tensor) -> tf.Tensor:
    """Returns `[B, C, C]` Gram matrices, means over positions."""
    return gram_matrix(activation) / (activation.shape[1] * activation.shape[2])
