"""The frozen network whose activations are content and style, and sums over them.

network.py          the Keras graph: VGG19's layers, cut at the deepest one asked for, normalised or not
weights.py          weights from files: hdf5.py and coded_weights.py read two of their formats
sources.py          where the ImageNet weights are found, or fetched from
random_weights.py   seeded random numbers, calibrated layer by layer
receptive_field.py  which pixels an activation depends on; masks on the grids of layers
position_sums.py    sums over activations and their gradient: plain, recomputed or tiled (blocks.py, tiles.py)
costs.py            what an evaluation computes and keeps

This package is the only place that knows of BGR channels and mean pixels.
"""

from __future__ import annotations

from collections.abc import Iterable

import tensorflow as tf

from tfstyle.config.layer_names import canonical_name, require_known
from tfstyle.vgg import network, random_weights
from tfstyle.vgg import weights as weight_files
from tfstyle.vgg.network import minimum_size, normalize_activations

__all__ = ["feature_extractor", "minimum_size", "normalize_activations"]


def feature_extractor(
    layers: Iterable[str],
    *,
    weights: str = "imagenet",
    pooling: str = "max",
    padding: str = "zeros",
    dtype: str = "float32",
    seed: int = 0,
) -> tf.keras.Model:
    """Builds the model that turns pictures into the activations of chosen layers.

    The model is VGG19's convolutional part (Simonyan & Zisserman 2015) from
    `tf.keras.applications`, cut at the deepest layer asked for, and frozen.
    Activations are taken after the ReLU.

    Args:
      layers: names of convolutions, ``block4_conv2`` or ``conv4_2``.
      weights: where the numbers come from.
        ``imagenet``: Keras' file, downloaded once, its hash checked.
        ``random``: see `tfstyle.vgg.random_weights`.
        ``mini``: the network embedded in the package. It predicts VGG19's activations,
        in its channels and units, and ends at ``block5_conv2``.
        Else a path: Keras' ``.h5`` (whole model or weights, with or without the
        top) or ``.weights.h5``, or an ``.npz`` of arrays ``block1_conv1/kernel``,
        ``block1_conv1/bias``, … whose widths may differ from VGG19's. In it,
        a layer may have a head, ``block1_conv1_head/kernel`` ``[1, 1, C, N]`` and
        ``block1_conv1_head/bias`` ``[N]``: the layer's output is then
        relu(its activation · kernel + bias), while the next layer takes its
        activation as ever.
      pooling: ``max``, as VGG19 was trained, or ``average``, which the paper
        prefers for synthesis. Average pooling is not rescaled, as in the paper.
      padding: what a convolution sees past the border: ``zeros``, ``reflect``
        or ``replicate``.
      dtype: ``float32``; ``bfloat16`` computes in bfloat16 on float32 weights;
        ``float64`` is for tests.
      seed: seed of ``random`` weights; the others do not use it.

    Returns:
      A `keras.Model` from `[B, H, W, 3]` float pictures, RGB in [0, 1], to a
      dict ``{layer: [B, h, w, C] activations}`` under Keras' layer names, in
      network order.

    Raises:
      ValueError: a layer or option is unknown, the file holds another network,
        or Keras does not run on TensorFlow.
      OSError: the weights can be neither found nor downloaded.
    """
    network.require_tensorflow_backend()
    names = [canonical_name(name) for name in ([layers] if isinstance(layers, str) else layers)]
    layout = network.layout(network.vgg19())
    if not names:
        raise ValueError("layers: must name at least one layer, such as conv4_2")
    require_known("layers", names, layout)
    if weights == "random":
        values = random_weights.calibrated(layout, names, pooling, seed)
    else:
        values = weight_files.load(weights, layout)
        known = [name for name in values if name in layout]  # heads are none
        require_known(f"layers (of weights={weights!r})", names, known)
    return network.build(values, names, pooling=pooling, padding=padding, dtype=dtype)
