"""Layers of image-transformation networks: convolutions without a frame, and one normalisation per style.

They take activations `[B, h, w, C]` of any size from 1 x 1 upwards, in the
dtype of their policy.
"""

from __future__ import annotations

import tensorflow as tf

_registered = tf.keras.utils.register_keras_serializable("tfstyle")


def reflected(activation: tf.Tensor, margin: int) -> tf.Tensor:
    """Pads height and width by reflection, the border itself not repeated, however wide the margin.

    Where the margin is as wide as the picture or wider, it is reflected again
    at the other border, as by `np.pad(mode="reflect")`; a single row or column
    is repeated.

    Args:
      activation: `[B, h, w, C]`.
      margin: rows and columns to add on each side.

    Returns:
      `[B, h + 2 margin, w + 2 margin, C]`.
    """
    for axis in (1, 2):
        indices = reflected_indices(tf.shape(activation)[axis], margin)
        activation = tf.gather(activation, indices, axis=axis)
    return activation


def reflected_indices(size: tf.Tensor, margin: int) -> tf.Tensor:
    """Returns where positions -margin to size + margin - 1 lie after reflection, int32 in [0, size)."""
    period = tf.maximum(2 * (size - 1), 1)  # there and back
    along = tf.math.floormod(tf.range(-margin, size + margin), period)
    return tf.minimum(along, period - along)


@_registered
class ReflectedConv2D(tf.keras.layers.Conv2D):
    """A convolution that sees the picture's reflection past the border.

    From `[B, h, w, C]` to `[B, ceil(h / stride), ceil(w / stride), filters]`.
    Zero padding, as in Johnson et al. 2016, gives pictures a frame.

    Args:
      filters: as for `Conv2D`.
      kernel_size: an odd number, so that a kernel has a centre.
      options: as for `Conv2D`, but for the padding.

    Raises:
      ValueError: the kernel has no centre, or the channels are to come first.
    """

    def __init__(self, filters, kernel_size, **options):
        options = {"data_format": "channels_last", **options, "padding": "valid"}
        super().__init__(filters, kernel_size, **options)
        if self.kernel_size[0] != self.kernel_size[1] or self.kernel_size[0] % 2 == 0:
            raise ValueError(f"kernel_size={kernel_size}: must be odd, and the same for both sides")
        if self.data_format != "channels_last":
            raise ValueError(f"data_format={self.data_format!r}: must be channels_last")

    def call(self, activation):
        return super().call(reflected(activation, self.kernel_size[0] // 2))

    def compute_output_shape(self, shape):
        sides = [side and -(-side // stride) for side, stride in zip(shape[1:3], self.strides)]
        return (shape[0], *sides, self.filters)


@_registered
class Doubled(tf.keras.layers.Layer):
    """Twice the size, linear in between, cut at bottom and right to the size of another map.

    The map is the one that was halved, rounding up; so any size comes back.
    With a convolution behind it, it takes the place of the strided transposed
    convolution of Johnson et al. 2016, which draws checkerboards (Odena,
    Dumoulin & Olah, "Deconvolution and Checkerboard Artifacts", Distill 2016).
    Mere repetition of each position draws them, too, when training is short:
    the convolution behind can tell even positions from odd ones.
    """

    def call(self, activation, like):
        for axis in (1, 2):
            nearest, next_to = doubled_indices(tf.shape(activation)[axis], tf.shape(like)[axis])
            own, other = (tf.gather(activation, indices, axis=axis) for indices in (nearest, next_to))
            activation = 0.75 * own + 0.25 * other
        return activation

    def compute_output_shape(self, activation_shape, like_shape):
        return (activation_shape[0], like_shape[1], like_shape[2], activation_shape[3])


def doubled_indices(size: tf.Tensor, doubled: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Returns what the positions of a doubled axis lie in, and next to; the border is its own neighbour."""
    position = tf.range(doubled)
    nearest = position // 2
    return nearest, tf.clip_by_value(nearest + 2 * (position % 2) - 1, 0, size - 1)


def instance_moments(activation: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Returns mean and variance over the positions of activations `[B, h, w, C]`, `[B, C]` each.

    A mean is that of the rows' means, as float32 has too few digits to add up a
    large picture's positions at once: of a nearly flat one of 512 x 512, the
    network's picture was off by 12 of 255.
    """
    mean = _mean(activation)
    return mean, _mean(tf.math.squared_difference(activation, mean[:, tf.newaxis, tf.newaxis]))


def _mean(activation: tf.Tensor) -> tf.Tensor:
    # Not with kept axes that are sliced off: at that, XNNPACK's second call of a size gave other pictures.
    return tf.reduce_mean(tf.reduce_mean(activation, axis=2), axis=1)


def normalised(
    activation: tf.Tensor,
    mean: tf.Tensor,
    variance: tf.Tensor,
    scale: tf.Tensor,
    shift: tf.Tensor,
    epsilon: float,
) -> tf.Tensor:
    """Returns scale (x - mean) / sqrt(variance + epsilon) + shift; all but the activation are `[B, C]`."""
    factor = scale * tf.math.rsqrt(variance + epsilon)
    rest = shift - mean * factor
    return activation * factor[:, tf.newaxis, tf.newaxis] + rest[:, tf.newaxis, tf.newaxis]


@_registered
class ConditionalInstanceNormalization(tf.keras.layers.Layer):
    """Each map of each picture to mean 0 and variance 1, then to a scale and a shift of the style.

    Dumoulin, Shlens & Kudlur, "A Learned Representation for Artistic Style",
    ICLR 2017, eq. (5): z = scale_s (x - mean) / sqrt(variance + epsilon) + shift_s.
    Between styles, scales and shifts are interpolated linearly.
    For one style it is the instance normalisation of Ulyanov, Vedaldi &
    Lempitsky, "Improved Texture Networks", CVPR 2017.

    Statistics, scales and shifts are in float32 also where activations are in
    half precision. A call is `moments` followed by `normalise`; who has only a
    part of a picture calls the second with the statistics of the whole.

    Args:
      styles: how many.
      epsilon: what is added to the variance.
      options: `name` and `dtype`, as for every layer of Keras.

    Call args:
      activation: `[B, h, w, C]`.
      style: `[B, styles]` weights of the styles, which should add up to 1.
    """

    def __init__(self, styles: int, *, epsilon: float = 1e-5, **options):
        # Keras would round the weights of the styles to half precision.
        super().__init__(autocast=False, **options)
        self.styles = styles
        self.epsilon = epsilon

    def build(self, activation_shape):
        # Said for each: the layer's own autocast=False keeps Keras from rounding inputs only.
        options = {"shape": (self.styles, activation_shape[-1]), "autocast": False}
        self.scale = self.add_weight(initializer="ones", name="scale", **options)
        self.shift = self.add_weight(initializer="zeros", name="shift", **options)

    def call(self, activation, style):
        return self.normalise(activation, *self.moments(activation), style)

    def moments(self, activation: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Returns the mean and the variance over positions, `[B, C]` each."""
        return instance_moments(tf.cast(activation, self.variable_dtype))

    def normalise(
        self, activation: tf.Tensor, mean: tf.Tensor, variance: tf.Tensor, style: tf.Tensor
    ) -> tf.Tensor:
        """Applies eq. (5) with given statistics.

        Args:
          activation: `[B, h, w, C]`.
          mean: `[B, C]`, or what broadcasts to it; see `moments`.
          variance: likewise.
          style: `[B, styles]`.

        Returns:
          `[B, h, w, C]` in the layer's compute dtype.
        """
        style = tf.cast(style, self.variable_dtype)
        scale, shift = tf.matmul(style, self.scale), tf.matmul(style, self.shift)
        wide = tf.cast(activation, self.variable_dtype)
        return tf.cast(normalised(wide, mean, variance, scale, shift, self.epsilon), self.compute_dtype)

    def compute_output_shape(self, activation_shape, style_shape):
        return activation_shape

    def get_config(self):
        return {**super().get_config(), "styles": self.styles, "epsilon": self.epsilon}
