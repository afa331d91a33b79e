"""Transfers inside `tf.data`: pictures in, pictures out, in the type and batches that came in."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import tensorflow as tf

from tfstyle.config import DEFAULT_PRESET, PRESETS, TransferConfig
from tfstyle.io import images
from tfstyle.io.decode import OVERSHOOT, require_range
from tfstyle.losses.targets import StyleTargets, stacked
from tfstyle.runtime.precision import resolved
from tfstyle.synthesis.graph_transfer import GraphTransfer
from tfstyle.synthesis.style_targets import style_targets


def stylizer(style, config: TransferConfig = PRESETS[DEFAULT_PRESET]) -> Callable[[tf.Tensor], tf.Tensor]:
    """Returns a function of pictures that is a TensorFlow graph, for `Dataset.map` or a `tf.function`.

    What it makes is what `transfer` makes of each picture alone, but for
    rounding. It is compiled once, for pictures of any size.

    Args:
      style: a picture, as `transfer` takes it, or `StyleTargets`, with which no
        picture is needed.
      config: as in `transfer`; see `GraphTransfer` for what a graph cannot do.
        `image_size=0` keeps the sizes of pictures. In bfloat16, which
        `precision=auto` may choose, rounding decides where steps go: pictures
        are then alike, not equal.

    Returns:
      From `[H, W, 3]` or `[B, H, W, 3]`, uint8 or floats in [0, 1], static shape
      known or not, to pictures of that type and number of dimensions.

    Raises:
      ValueError, OSError: as in `GraphTransfer` and `style_targets`; and of the
        function, if what comes in has another type or shape.
    """
    config = dataclasses.replace(config, precision=resolved(config))
    graph, given = GraphTransfer(config, style if isinstance(style, StyleTargets) else None), None
    if not isinstance(style, StyleTargets):
        if config.color == "style":
            given = stacked(style_targets(style, config, extractor=graph.extractor))
        else:  # the style's light is matched to each content's
            given = images.load_image(style, "style")
    paint = tf.function(
        lambda content: graph.paint(content, given, tf.constant(config.iterations)),
        input_signature=[tf.TensorSpec([None, None, None, 3], tf.float32)],
        autograph=False,
    )

    def stylize(image: tf.Tensor) -> tf.Tensor:
        image = tf.convert_to_tensor(image)
        pictures = batched(image)
        rank, floats = image.shape.rank, image.dtype.is_floating
        values = from_integers(pictures)
        made = paint(inside(values, "image") if floats else values)
        made = tf.cast(made, image.dtype) if floats else to_integers(made)
        made = tf.ensure_shape(made, [image.shape[0] if rank == 4 else 1, None, None, 3])
        return made if rank == 4 else made[0]

    # Held by the function, so that its variables live as long.
    stylize.graph = graph
    return stylize


def batched(image: tf.Tensor) -> tf.Tensor:
    """Returns `[B, H, W, 3]` of `[H, W, 3]` or of what has that shape already.

    Raises:
      ValueError: the image has another shape or type.
    """
    rank, channels = image.shape.rank, image.shape[-1] if image.shape.rank else None
    if (
        rank not in (3, 4)
        or channels not in (3, None)
        or not (image.dtype.is_floating or image.dtype == tf.uint8)
    ):
        raise ValueError(
            f"image: a tensor of shape {image.shape} and type {image.dtype.name}: must be [H, W, 3] or"
            " [B, H, W, 3], uint8 or floats in [0, 1]"
        )
    return tf.ensure_shape(image if rank == 4 else image[tf.newaxis], [None, None, None, 3])


def stylize_dataset(
    dataset: tf.data.Dataset, style, config: TransferConfig = PRESETS[DEFAULT_PRESET]
) -> tf.data.Dataset:
    """Paints every picture of a dataset in the manner of a style, in the order in which they come.

    Args:
      dataset: of pictures as `stylizer` takes them; of dicts with a picture
        under ``image``, such as `tfrecords.read_records` gives; or of tuples
        that begin with a picture. What else is in an element stays.
      style, config: as in `stylizer`.

    Returns:
      A dataset of the same elements, with other pictures.

    Raises:
      ValueError, OSError: as in `stylizer`.
    """
    stylize = stylizer(style, config)

    def element(*parts):
        if len(parts) > 1:
            return (stylize(parts[0]), *parts[1:])
        if isinstance(parts[0], dict):
            if "image" not in parts[0]:
                raise ValueError(f"dataset: its elements have no 'image', but {', '.join(parts[0])}")
            return {**parts[0], "image": stylize(parts[0]["image"])}
        return stylize(parts[0])

    # One at a time: a picture keeps all cores busy.
    return dataset.map(element).prefetch(1)


def from_integers(pictures: tf.Tensor) -> tf.Tensor:
    """Returns float32 of uint8 pictures in [0, 1], the values of `load_image`, or of floats as they are."""
    if pictures.dtype != tf.uint8:
        return tf.cast(pictures, tf.float32)
    # TensorFlow's graphs multiply by 1/255 instead, which in float32 misses the last bit of many values.
    return tf.cast(tf.cast(pictures, tf.float64) / 255.0, tf.float32)


def inside(pictures: tf.Tensor, name: str) -> tf.Tensor:
    """Returns floats cut to [0, 1], of which they must be; a resize may go beyond by rounding.

    Raises:
      ValueError: they are not; the message begins with the name.
      tf.errors.InvalidArgumentError: the same when a graph runs.
    """
    if tf.executing_eagerly():
        require_range(pictures.numpy(), name)
        return tf.clip_by_value(pictures, 0.0, 1.0)
    within = tf.reduce_all((pictures >= -OVERSHOOT) & (pictures <= 1 + OVERSHOOT))
    message = [f"{name}: floats must be in [0, 1]; divide 0..255 by 255"]
    with tf.control_dependencies([tf.debugging.Assert(within, message)]):
        return tf.clip_by_value(pictures, 0.0, 1.0)


def to_integers(pictures: tf.Tensor) -> tf.Tensor:
    """Returns uint8 of floats in [0, 1], rounded."""
    return tf.cast(tf.round(tf.clip_by_value(pictures, 0.0, 1.0) * 255.0), tf.uint8)
