"""A trained network as a Keras layer: in `tf.data`, in models of one's own, or called with a picture."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Self

import numpy as np
import tensorflow as tf

from tfstyle.api.dataset import batched, from_integers, inside, to_integers
from tfstyle.config.options import whole_number
from tfstyle.feedforward.cards import ANY_STYLE, STYLES, shipped, style_names
from tfstyle.feedforward.cards import stroke_size as stroke_size_of
from tfstyle.feedforward.loading import load_network, load_style_network
from tfstyle.feedforward.networks import layout, run, transformation_network
from tfstyle.feedforward.painting import Painter
from tfstyle.feedforward.sizes import in_stroke_size, painted_pixels
from tfstyle.feedforward.style_mixing import Mixture, require_strength, weights_of
from tfstyle.io import images
from tfstyle.runtime.memory_model import require_paintable


@tf.keras.utils.register_keras_serializable("tfstyle")
class InstantStylizer(tf.keras.layers.Layer):
    """Pictures in, painted pictures out, of the same type and shape, in one pass.

        stylize = InstantStylizer.load("saved_models/styles", style="mosaic")
        stylize = InstantStylizer.load(pictures=["any_painting.jpg"])
        painted = dataset.map(stylize)             # pictures or batches of them, of any sizes
        painted = stylize(pictures, style={"swirls": 0.7, "mosaic": 0.3}, strength=0.8)
        painted = stylize.paint("photo.jpg")       # a file, however large

    It is differentiable, has the network's parameters as its weights (which a
    model that it is part of would train, unless `trainable` is set to False),
    and is saved with such a model. To load one, import this class first.

    Args:
      names: of the styles, in order.
      width, residual_blocks, colors: of the network; see `transformation_network`.
      style: in which it paints where a call names none: a place, a name, {name:
        share}, or a share for each; see `style_mixing.weights_of`.
      strength: likewise, from 0 (the picture as it is) to 1.
      stroke_size: of `paint`, where it does not say; a call paints once, at the size that pictures have.
      options: `name`, `trainable` and `dtype`, as for every layer of Keras.

    Call args:
      image: `[H, W, 3]` or `[B, H, W, 3]`, uint8 or floats in [0, 1]; static shapes may be unknown.
      style: as above; or a tensor of shares, `[styles]` or `[1 or B, styles]`.
      strength: as above; or a tensor, `[]` or `[B]`.

    Raises:
      ValueError: there is no such style, the strength is out of range, or the
        image has another type, shape or range.
      tf.errors.InvalidArgumentError: the same of values that are known only
        when a graph runs.
    """

    def __init__(
        self,
        names: Sequence[str],
        *,
        width: int = 16,
        residual_blocks: int = 5,
        colors: bool = False,
        style: Mixture | None = None,
        strength: float = 1.0,
        stroke_size: int = 0,
        **options,
    ):
        # Pictures stay of the type that they are.
        super().__init__(**{**options, "autocast": False})
        self.names = list(names)
        self.weights_of_styles = weights_of(style, self.names)
        require_strength(strength)
        self.strength = float(strength)
        self.stroke_size = whole_number("stroke_size", stroke_size, 0)
        self.network = transformation_network(
            len(self.names),
            width=width,
            residual_blocks=residual_blocks,
            colors=colors,
            dtype=self.dtype_policy.name,
        )
        self.built = True
        self._painter: Painter | None = None

    @classmethod
    def load(
        cls,
        folder=None,
        *,
        pictures: Sequence = (),
        style: Mixture | None = None,
        strength: float = 1.0,
        **options,
    ) -> Self:
        """Reads a network that `export_network` or `export_style_network` wrote.

        Args:
          folder: such as ``saved_models/styles``; None: one that ships with tfstyle.
          pictures: of the styles, for a network for any style: paths, PIL images or arrays, as for
            `images.load_image`. A style is named as its file, or else style1, style2, …
          style, strength, options: as for the class. The stroke size is by default that of the styles
            in training.

        Raises:
          ValueError, OSError: as `loading.load_network`, `images.load_image` and the class.
        """
        if folder is None:
            folder = shipped(ANY_STYLE if pictures else STYLES)
        if pictures:
            any_style, card = load_style_network(folder)
            shown = [images.load_fitted(each, "pictures", stroke_size_of(card)) for each in pictures]
            network = any_style.for_known(shown)
            files = [str(each) if isinstance(each, str | os.PathLike) else "" for each in pictures]
            card |= {"styles_known": len(pictures), "styles": files if all(files) else []}
        else:
            network, card = load_network(folder)
        options = {"name": None, "stroke_size": stroke_size_of(card), **options}
        of_network = layout(network)
        del of_network["styles"]
        stylizer = cls(style_names(card), style=style, strength=strength, **{**of_network, **options})
        stylizer.network.set_weights(network.get_weights())
        return stylizer

    def call(self, image, style=None, strength=None):
        image = tf.convert_to_tensor(image)
        single = image.shape.rank == 3
        pictures = batched(image)
        values = from_integers(pictures)
        if image.dtype.is_floating:
            values = inside(values, "image")
        values = tf.cast(values, self.network.input["image"].dtype)
        weights = self._weights(style, tf.shape(values)[0], values.dtype)
        made = run(self.network, values, weights)
        made = values + self._strength(strength, values.dtype) * (made - values)
        made = to_integers(made) if image.dtype == tf.uint8 else tf.cast(made, image.dtype)
        made = tf.ensure_shape(made, pictures.shape)
        return made[0] if single else made

    def compute_output_spec(self, image, style=None, strength=None):
        return tf.keras.KerasTensor(image.shape, image.dtype)

    def paint(
        self,
        source,
        *,
        style: Mixture | None = None,
        strength: float | None = None,
        stroke_size: int | None = None,
    ) -> np.ndarray:
        """Paints one picture, which may be too large for the network's memory as a whole.

        Args:
          source: a path, a PIL image or an array, as for `images.load_image`.
          style, strength: as for the class; no tensors.
          stroke_size: see `sizes.in_stroke_size`; 0: strokes have their size in pixels. None: the
            layer's own.

        Returns:
          `[1, H, W, 3]` in [0, 1], float32.

        Raises:
          ValueError, OSError: as the class and `images.load_image`; also if it would not fit into memory.
        """
        if self._painter is None:
            self._painter = Painter(self.network)
        weights = self.weights_of_styles if style is None else weights_of(style, self.names)
        strength = self.strength if strength is None else strength
        stroke_size = self.stroke_size if stroke_size is None else stroke_size
        paint, painter = in_stroke_size(self._painter, stroke_size), self._painter
        require_paintable(
            source, "source", lambda pixels: painter.needed_bytes(painted_pixels(pixels, stroke_size))
        )
        return paint(images.load_image(source), weights, strength)

    def get_config(self):
        of_network = layout(self.network)
        del of_network["styles"], of_network["dtype"]  # those are the names and the layer's own
        return {
            **super().get_config(),
            **of_network,
            "names": self.names,
            "style": self.weights_of_styles,
            "strength": self.strength,
            "stroke_size": self.stroke_size,
        }

    def _weights(self, style, count: tf.Tensor, dtype: tf.DType) -> tf.Tensor:
        """Returns `[B, styles]`; a row adds up to 1."""
        styles = len(self.names)
        if not tf.is_tensor(style) and not isinstance(style, np.ndarray):
            style = self.weights_of_styles if style is None else weights_of(style, self.names)
        style = tf.cast(style, dtype)
        if style.shape.rank not in (1, 2) or style.shape[-1] not in (styles, None):
            raise ValueError(
                f"style: a tensor of shape {style.shape}: must be [{styles}] or [1 or B, {styles}],"
                f" for {', '.join(self.names)}"
            )
        total = tf.reduce_sum(style, axis=-1, keepdims=True)
        right = tf.reduce_all(style >= 0) & tf.reduce_all(total > 0) & tf.reduce_all(tf.math.is_finite(total))
        message = ["style: shares must be numbers, none below 0, and not all 0"]
        with tf.control_dependencies([tf.debugging.Assert(right, message)]):
            return tf.broadcast_to(style / total, [count, styles])

    def _strength(self, strength, dtype: tf.DType) -> tf.Tensor:
        """Returns `[]` or `[B, 1, 1, 1]`."""
        if strength is None:
            strength = self.strength
        if not tf.is_tensor(strength) and not isinstance(strength, np.ndarray):
            require_strength(strength)
        strength = tf.cast(strength, dtype)
        right = tf.reduce_all((strength >= 0) & (strength <= 1))
        with tf.control_dependencies([tf.debugging.Assert(right, ["strength: must be from 0 to 1"])]):
            return strength if strength.shape.rank == 0 else tf.reshape(strength, [-1, 1, 1, 1])
