"""Layers of image-transformation networks: convolutions without a frame, and one normalisation per style.

They take activations `[B, h, w, C]` of any size from 1 x 1 upwards, in the
dtype of their policy.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import tensorflow as tf

from tfstyle.feedforward.sizes import LEAST, MULTIPLE, enlarged_side

_registered = tf.keras.utils.register_keras_serializable("tfstyle")


def reflected_up(pictures: tf.Tensor, size: Sequence) -> tf.Tensor:
    """Adds rows below and columns to the right by reflection, the border itself not repeated.

    Where there are more to add than the picture has, it is reflected again at
    its other border, as by `np.pad(mode="reflect")`; a single row or column is
    repeated.

    Args:
      pictures: `[B, h, w, C]`.
      size: height and width to come to, at least h and w.
    """
    for axis in (1, 2):
        own = tf.shape(pictures)[axis]
        pictures = tf.gather(pictures, reflected_indices(own, size[axis - 1]), axis=axis)
    return pictures


def reflected_indices(own: tf.Tensor, size: tf.Tensor) -> tf.Tensor:
    """Returns where positions 0 to size - 1 of an axis lie after reflection, int32 in [0, own)."""
    period = tf.maximum(2 * (own - 1), 1)  # there and back
    along = tf.math.floormod(tf.range(size), period)
    return tf.minimum(along, period - along)


@_registered
class ReflectedUp(tf.keras.layers.Layer):
    """Pictures reflected up to sides that are multiples of 4, and no less than 8.

    So that halving twice and doubling twice comes back to the same size.
    """

    def call(self, pictures):
        sides = -(-tf.shape(pictures)[1:3] // MULTIPLE) * MULTIPLE
        return reflected_up(pictures, tf.unstack(tf.maximum(sides, LEAST)))

    def compute_output_shape(self, shape):
        return (shape[0], *(side and enlarged_side(side) for side in shape[1:3]), shape[3])


@_registered
class CutToSize(tf.keras.layers.Layer):
    """Maps cut at bottom and right to the size of others."""

    def call(self, activation, like):
        shape = tf.shape(like)
        return activation[:, : shape[1], : shape[2]]

    def compute_output_shape(self, activation_shape, like_shape):
        return (*like_shape[:3], activation_shape[3])


@_registered
class ReflectedConv2D(tf.keras.layers.Conv2D):
    """A convolution that sees the picture's reflection past the border.

    From `[B, h, w, C]` to `[B, ceil(h / stride), ceil(w / stride), filters]`, where
    h and w are more than half of the kernel. Zero padding, as in Johnson et al. 2016, gives pictures a frame.

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
        return super().call(padded(activation, self.kernel_size[0] // 2, "REFLECT"))

    def compute_output_shape(self, shape):
        sides = [side and -(-side // stride) for side, stride in zip(shape[1:3], self.strides)]
        return (shape[0], *sides, self.filters)


@_registered
class DoublingConv2D(tf.keras.layers.Conv2D):
    """A convolution, 3 x 3, of the activation at twice its size, linear in between.

    From `[B, h, w, C]` to `[B, 2 h, 2 w, filters]`; past the border, there is the border again.

    In place of the strided transposed convolution of Johnson et al. 2016, which
    draws checkerboards (Odena, Dumoulin & Olah, "Deconvolution and Checkerboard
    Artifacts", Distill 2016). Mere repetition of each position draws them, too,
    when training is short: the convolution can tell even positions from odd ones.

    Nothing is doubled in memory. Each of four neighbouring positions is a sum over
    the same 3 x 3 positions of the smaller map; that is one convolution
    with four times the filters (Shi et al., "Real-Time Single Image and Video
    Super-Resolution Using an Efficient Sub-Pixel Convolutional Neural Network", CVPR 2016).

    Args:
      filters: as for `Conv2D`.
      kernel_size: 3.
      options: as for `Conv2D`, but for padding and strides.
    """

    def __init__(self, filters, kernel_size=3, **options):
        options = {"data_format": "channels_last", **options, "padding": "valid"}
        super().__init__(filters, kernel_size, **options)
        if self.kernel_size != (3, 3) or self.strides != (1, 1) or self.data_format != "channels_last":
            raise ValueError("kernel_size, strides, data_format: must be 3, 1 and channels_last")

    def call(self, activation):
        made = doubled_convolution(activation, folded(self.kernel))
        return self.activation(made + self.bias if self.use_bias else made)

    def compute_output_shape(self, shape):
        return (shape[0], *(side and 2 * side for side in shape[1:3]), self.filters)


def folded(kernel: tf.Tensor) -> tf.Tensor:
    """Returns the kernel `[3, 3, C, 4 F]` of `doubled_convolution` for one of `DoublingConv2D`."""
    channels, filters = kernel.shape[2:]
    both = tf.constant(FOLDS, kernel.dtype) @ tf.reshape(kernel, [9, channels * filters])
    both = tf.transpose(tf.reshape(both, [2, 2, 3, 3, channels, filters]), [2, 3, 4, 0, 1, 5])
    return tf.reshape(both, [3, 3, channels, 4 * filters])


# [half, neighbour, tap]: what of a neighbour is seen by a tap at the first or second half of a position.
_SEEN = np.array(
    [
        [[0.75, 0.25, 0.0], [0.25, 0.75, 0.75], [0.0, 0.0, 0.25]],
        [[0.25, 0.0, 0.0], [0.75, 0.75, 0.25], [0.0, 0.25, 0.75]],
    ]
)
# From the taps of a kernel, 9 in rows and columns, to the neighbours of four positions, 36.
FOLDS = np.einsum("auk,bvl->abuvkl", _SEEN, _SEEN).reshape(36, 9)


def doubled_convolution(activation: tf.Tensor, kernel: tf.Tensor) -> tf.Tensor:
    """Returns `[B, 2 h, 2 w, F]` of `[B, h, w, C]` and a kernel of `folded`."""
    made = tf.nn.conv2d(padded(activation, 1, "SYMMETRIC"), kernel, 1, "VALID")
    return tf.nn.depth_to_space(made, 2)


def padded(activation: tf.Tensor, margin: int, mode: str) -> tf.Tensor:
    """Pads height and width by so much on each side, as `tf.pad`."""
    return tf.pad(activation, [[0, 0], [margin, margin], [margin, margin], [0, 0]], mode)


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
      epsilon: what is added to the variance. With 1e-5, as is usual, what is nearly
        flat, such as a clear sky in a small crop, is amplified up to 300 times, and its
        noise or rounding is what the next layers see; with this, 30 times.
      options: `name` and `dtype`, as for every layer of Keras.

    Call args:
      activation: `[B, h, w, C]`.
      style: `[B, styles]` weights of the styles, which should add up to 1.
    """

    def __init__(self, styles: int, *, epsilon: float = 1e-3, **options):
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
