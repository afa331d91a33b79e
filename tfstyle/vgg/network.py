"""The Keras graph of the extractor, from VGG19's own layers and any weights for them; the normalised one."""

from __future__ import annotations

import functools
import os
import random
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import tensorflow as tf

from tfstyle.config.transfer import choices

# {layer: (kernel [3, 3, C_in, C_out], bias [C_out])}, in network order, each layer followed by its head
# if it has one: {head(layer): (kernel [1, 1, C_out, N], bias [N])}.
Weights = Mapping[str, tuple[np.ndarray, np.ndarray]]

# The mean pixel of the photographs that the Caffe network was trained on, in
# its channel order (blue, green, red) and range (0 to 255).
MEAN_PIXEL_BGR = (103.939, 116.779, 123.68)

_PAD_MODES = {"reflect": "reflect", "replicate": "symmetric"}  # the same for one pixel
_DTYPES = {"float32": "float32", "float64": "float64", "bfloat16": "mixed_bfloat16"}


def require_tensorflow_backend() -> None:
    """Checks that `tf.keras` is Keras 3 on TensorFlow.

    Raises:
      ValueError: the environment chooses another backend or the legacy Keras.
    """
    backend = os.environ.get("KERAS_BACKEND") or "tensorflow"
    if backend != "tensorflow":
        raise ValueError(f"KERAS_BACKEND={backend}: tfstyle needs KERAS_BACKEND=tensorflow")
    if os.environ.get("TF_USE_LEGACY_KERAS", "").lower() in ("1", "true"):
        raise ValueError("TF_USE_LEGACY_KERAS=1: tfstyle needs Keras 3; unset it")
    try:
        backend = tf.keras.config.backend()
    except ImportError as error:
        backend = f"unusable ({error})"
    if backend != "tensorflow":  # by Keras' own settings, which count without the variable
        settings = os.path.join(os.environ.get("KERAS_HOME", "~/.keras"), "keras.json")
        raise ValueError(
            f'{settings}: Keras\' backend is {backend}; write "backend": "tensorflow" there, or set'
            " KERAS_BACKEND=tensorflow before Keras is imported"
        )


@functools.cache
def vgg19() -> tuple[tf.keras.layers.Layer, ...]:
    """Returns VGG19's convolutions and poolings as `tf.keras.applications` has them, without weights."""
    state = random.getstate()  # from which Keras draws the seeds of weights
    made = tf.keras.applications.VGG19(include_top=False, weights=None)
    random.setstate(state)
    return tuple(_copy(layer, type(layer)) for layer in made.layers[1:])


def layout(layers: Iterable[tf.keras.layers.Layer]) -> dict[str, tf.keras.layers.Conv2D]:
    """Returns the convolutions among layers, {name: layer}, in network order."""
    return {layer.name: layer for layer in layers if isinstance(layer, tf.keras.layers.Conv2D)}


def head(layer: str) -> str:
    """Returns what a layer's head is called."""
    return f"{layer}_head"


def heads(extractor: tf.keras.Model) -> dict[str, tf.keras.layers.Conv2D]:
    """Returns {layer: its head} of those of an extractor's outputs that have one.

    A head is a convolution that makes the output of a layer's activation, each
    position on its own: in a distilled network, what the large one has there.
    The next layer takes the layer's activation, not what the head makes of it.
    """
    named, found = layout(extractor.layers), {}
    for layer, output in extractor.output.items():
        own, end = named.get(layer), named.get(head(layer))
        joined = own and end and end.input is own.output and end.output is output
        if joined and end.kernel_size == end.strides == (1, 1):
            found[layer] = end
    return found


def build(
    weights: Weights, layers: Iterable[str], *, pooling: str, padding: str, dtype: str
) -> tf.keras.Model:
    """Builds the extractor of `tfstyle.feature_extractor` from VGG19's layers and the given weights."""
    for name, value, known in (
        ("pooling", pooling, choices("pooling")),
        ("padding", padding, choices("padding")),
        ("dtype", dtype, _DTYPES),
    ):
        if value not in known:
            raise ValueError(f"{name}={value!r}: must be one of {', '.join(known)}")
    policy = tf.keras.DTypePolicy(_DTYPES[dtype])
    image = tf.keras.Input((None, None, 3), name="image", dtype=policy.variable_dtype)
    activation = caffe_pixels(image)
    wanted, outputs = set(layers), {}
    for layer in vgg19():
        if isinstance(layer, tf.keras.layers.Conv2D) and layer.name in weights:
            kernel, _ = weights[layer.name]
            if padding != "zeros":
                activation = tf.keras.ops.pad(
                    activation, ((0, 0), (1, 1), (1, 1), (0, 0)), _PAD_MODES[padding]
                )
            options = {
                "filters": kernel.shape[-1],
                "padding": "same" if padding == "zeros" else "valid",
                "data_format": "channels_last",  # TensorFlow has no CPU kernels for the other
                "dtype": policy,
            }
            activation = _copy(layer, tf.keras.layers.Conv2D, **options)(activation)
            if layer.name in wanted:
                outputs[layer.name] = activation
                if (name := head(layer.name)) in weights:
                    options |= {"filters": weights[name][0].shape[-1], "kernel_size": 1, "name": name}
                    outputs[layer.name] = _copy(layer, tf.keras.layers.Conv2D, **options)(activation)
        elif isinstance(layer, tf.keras.layers.MaxPooling2D):
            kind = tf.keras.layers.MaxPooling2D if pooling == "max" else tf.keras.layers.AveragePooling2D
            activation = _copy(layer, kind, data_format="channels_last", dtype=policy)(activation)
        if len(outputs) == len(wanted):
            break
    model = tf.keras.Model(image, outputs, name="feature_extractor")
    set_weights(model, weights)
    model.trainable = False
    return model


def caffe_pixels(image):
    """Turns RGB in [0, 1] into what the Caffe network was trained on: BGR, mean pixel taken off."""
    return tf.keras.ops.flip(image, axis=-1) * 255.0 - np.array(MEAN_PIXEL_BGR, np.float32)


def _copy(layer, kind, **changes):
    return kind.from_config({**layer.get_config(), **changes})


def convolutions(model: tf.keras.Model) -> list[tf.keras.layers.Conv2D]:
    """Returns an extractor's convolutions in network order, without heads."""
    others = heads(model).values()
    return [layer for layer in layout(model.layers).values() if layer not in others]


def is_pooling(operation) -> bool:
    """Returns whether a Keras operation is a maximum or average pooling."""
    return isinstance(operation, (tf.keras.layers.MaxPooling2D, tf.keras.layers.AveragePooling2D))


def set_weights(model: tf.keras.Model, weights: Weights) -> None:
    """Puts kernels and biases into the convolutions of those names, heads included."""
    for name, layer in layout(model.layers).items():
        layer.set_weights(weights[name])


def minimum_size(extractor: tf.keras.Model) -> int:
    """Returns the smallest side, in pixels, of a picture that the extractor can take.

    Each pooling halves a side, rounding down, and the deepest activation needs
    one position (two where a convolution reflects: there must be something to
    reflect).
    """
    pools = sum(map(is_pooling, extractor.layers))
    reflects = any(getattr(layer, "mode", None) == "reflect" for layer in extractor.operations)
    return 2**pools * (2 if reflects else 1)


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
