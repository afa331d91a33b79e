"""What keeps a photograph a photograph: colours that change as local affine functions of the content's.

In a window of the content, a picture that was only relit or recoloured is an
affine function of the content's colours (Levin, Lischinski & Weiss 2008). What
is left of it beside the best such function is the loss; the guided filter (He,
Sun & Tang 2013) is that function, averaged over the windows that hold a pixel.
They are one computation: the loss pulls a picture towards what such a filter
makes of it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

import tensorflow as tf

from tfstyle.losses.box_filter import overlaps, window_moments, window_sum

# Added to the content's covariance of a window after a division by 9: a variance of
# (0.0033)^2, about a step of 8 bits. JPEG leaves that in flat areas, to which nothing
# should cling. Levin et al. have 1e-7, which needs float64: see `_LocalFits`.
_MATTING_EPSILON = 1e-4
# The filter's: contrasts of a root of this, 0.01, are halved. Ten times as much takes as much
# noise out of flat areas, and nearly half of an edge of 0.03 with it.
_FILTER_EPSILON = 1e-4
_FILTER_SHARE = 1 / 64  # of the longer side, its radius


def matting_loss(
    content: tf.Tensor, *, radius: int = 1, epsilon: float = _MATTING_EPSILON
) -> Callable[[tf.Tensor], tf.Tensor]:
    """Returns V^T L V of the content's matting Laplacian L, as a function of a picture, without the matrix.

    In each window w that lies inside, with the content's colours I, it is the
    residual of the best affine fit,
    |w| (var V - cov(I, V)^T (cov I + epsilon/|w| U)^-1 cov(I, V)), summed over
    windows and channels (Levin, Lischinski & Weiss 2008, "A Closed-Form
    Solution to Natural Image Matting"; Luan et al., CVPR 2017, eq. 2).

    Its gradient 2 L V comes with the value: for each pixel, twice the sum of
    the residuals that the fits of its windows leave there. Channels take turns,
    so that memory is that of one.

    Args:
      content: `[1, H, W, 3]` in [0, 1].
      radius: of the windows; 1: 3 x 3 pixels. A picture smaller than a window has no loss.
      epsilon: the regulariser of the affine maps, above 0.

    Returns:
      `picture [B, H, W, 3] -> scalar`, in squares of picture values, summed over
      the batch; of the picture's dtype, but no more exact than the content's.

    Raises:
      ValueError: the picture has another size.
    """
    return partial(_matting_loss, _LocalFits.of(content, radius, epsilon, cut=False))


def _matting_loss(fits: _LocalFits, image: tf.Tensor) -> tf.Tensor:
    @tf.custom_gradient
    def loss(image: tf.Tensor):
        def of_channel(plane: tf.Tensor):
            slopes, shift, residual = fits.fit(plane)
            pull = fits.counts(plane.dtype) * plane - fits.summed(slopes, shift)
            return tf.reduce_sum(residual), 2.0 * pull

        values, pulls = fits.each_channel(of_channel, image, (image.dtype, image.dtype))
        return tf.reduce_sum(values), lambda upstream: upstream * _picture(pulls, image)

    return loss(tf.convert_to_tensor(image)) if fits.whitening else 0.0 * tf.reduce_sum(image)


def guided_filter(image: tf.Tensor, guide: tf.Tensor, *, radius: int, epsilon: float) -> tf.Tensor:
    """Returns a picture as local affine functions of a guide's colours.

    He, Sun & Tang 2013, "Guided Image Filtering", for a guide in colour.

    Args:
      image: `[B, H, W, 3]`.
      guide: `[1, H, W, 3]`, whose edges the result has.
      radius: of the square windows; at the border they are cut off.
      epsilon: variance of the guide below which it counts as flat, above 0.

    Returns:
      `[B, H, W, 3]`, of the picture's dtype, not clipped.

    Raises:
      ValueError: the picture has another size.
    """
    image = tf.convert_to_tensor(image)
    fits = _LocalFits.of(guide, radius, epsilon, cut=True)

    def of_channel(plane: tf.Tensor) -> tf.Tensor:
        slopes, shift, _ = fits.fit(plane)
        return fits.summed(slopes, shift) / fits.counts(plane.dtype)

    return _picture(fits.each_channel(of_channel, image, image.dtype), image)


def edges_of(image: tf.Tensor, content: tf.Tensor) -> tf.Tensor:
    """Returns a picture with the content's edges and none of its own.

    It is a guided filter with a radius of 1/64 of the longer side, not clipped.
    """
    radius = max(2, round(_FILTER_SHARE * max(content.shape[1:3])))
    return guided_filter(image, content, radius=radius, epsilon=_FILTER_EPSILON)


@dataclass(frozen=True, eq=False)
class _LocalFits:
    """In every window, the affine function of a guide's colours that is nearest to a picture.

    With sums S over the window of products of deviations from its means, of the
    guide's colours I and a picture's channel V: slopes a = (S_II + r U)^-1 S_IV
    and shift b = mean V - a . mean I minimise |V - a . I - b|^2 + r |a|^2, and
    S_VV - S_IV . a is what is left.

    The matrices depend on the guide alone and are computed once, in float64. W
    is kept, with W^T W = (S_II + r U)^-1: in a grey window the inverse has
    entries of 1/r that cancel, and float32's rounding of them would outweigh
    the slopes; those of W are of the root of 1/r.

    Attributes:
      guide: the guide's channels `[H, W]`.
      whitening: the rows of W, up to the diagonal; none where no window fits into the guide.
      side: of the windows.
      margin: how far windows reach past the border, where they are cut off.
    """

    guide: tuple[tf.Tensor, ...]
    whitening: tuple[tf.Tensor, ...]
    side: int
    margin: int

    @classmethod
    def of(cls, guide: tf.Tensor, radius: int, epsilon: float, *, cut: bool) -> _LocalFits:
        """Computes the matrices.

        Args:
          guide: `[1, H, W, 3]`.
          radius: of the windows.
          epsilon: r; for windows that are cut off, r over their number of pixels.
          cut: windows around every pixel, cut off at the border; otherwise only those that lie inside.
        """
        guide = tf.convert_to_tensor(guide)
        planes = tuple(guide[0, :, :, channel] for channel in range(3))
        found = cls(planes, (), 2 * radius + 1, radius if cut else 0)
        if not cut and min(guide.shape[1:3]) < found.side:
            return found
        exact = [tf.cast(plane, tf.float64) for plane in planes]
        # One after the other: of a large picture, all at once in float64 take more memory than a step.
        pairs = [[exact[i], exact[j]] for i in range(3) for j in range(i + 1)]
        products = [window_moments(pair, [(0, 1)], found.side, found.margin)[1][0] for pair in pairs]
        # A window around a pixel holds as many pixels as there are windows that hold it.
        ridge = epsilon * (found.counts(tf.float64) if cut else 1.0)
        whitening = tuple(tf.cast(value, guide.dtype) for value in _inverse_root(products, ridge))
        return replace(found, whitening=whitening)

    @property
    def _size(self) -> tuple[int, int]:
        return tuple(self.guide[0].shape)

    @property
    def _way_back(self) -> int:
        """The margin the other way, from windows back to pixels."""
        return self.side - 1 - self.margin

    def each_channel(self, function: Callable, image: tf.Tensor, signature):
        """Applies a function to the channels `[H, W]` of a picture `[B, H, W, 3]`, one after the other."""
        if tuple(image.shape[1:3]) != self._size:
            height, width = self._size
            raise ValueError(f"image: of shape {list(image.shape)}: must be [B, {height}, {width}, 3]")
        planes = tf.reshape(tf.transpose(image, [0, 3, 1, 2]), [-1, *self._size])
        return tf.map_fn(function, planes, fn_output_signature=signature, parallel_iterations=1)

    def counts(self, dtype: tf.DType) -> tf.Tensor:
        """Returns how many windows hold each pixel, `[H, W]`."""
        rows, columns = (
            tf.constant(overlaps(length + 2 * self.margin - self.side + 1, self._way_back, self.side), dtype)
            for length in self._size
        )
        return rows[:, tf.newaxis] * columns

    def fit(self, plane: tf.Tensor) -> tuple[list[tf.Tensor], tf.Tensor, tf.Tensor]:
        """Returns slopes, shift and what is left of a channel `[H, W]`, of as many windows as there are."""
        guide = [tf.cast(own, plane.dtype) for own in self.guide]
        pairs = [(0, 3), (1, 3), (2, 3), (3, 3)]
        means, (*shared, own) = window_moments([*guide, plane], pairs, self.side, self.margin)
        w00, w10, w11, w20, w21, w22 = (tf.cast(value, plane.dtype) for value in self.whitening)
        r, g, b = shared
        white = [w00 * r, w10 * r + w11 * g, w20 * r + w21 * g + w22 * b]
        r, g, b = white
        slopes = [w00 * r + w10 * g + w20 * b, w11 * g + w21 * b, w22 * b]
        shift = means[3] - tf.add_n([slope * mean for slope, mean in zip(slopes, means)])
        return slopes, shift, own - tf.add_n([tf.square(value) for value in white])

    def summed(self, slopes: list[tf.Tensor], shift: tf.Tensor) -> tf.Tensor:
        """Returns the sum of what the functions of all of a pixel's windows are there, `[H, W]`."""
        *slopes, shift = (window_sum(values, self.side, self._way_back) for values in (*slopes, shift))
        guide = [tf.cast(own, shift.dtype) for own in self.guide]
        return shift + tf.add_n([slope * own for slope, own in zip(slopes, guide)])


def _inverse_root(products: list[tf.Tensor], ridge) -> list[tf.Tensor]:
    """Returns the inverse of the Cholesky factor of 3 x 3 matrices with a ridge; rows up to the diagonal."""
    rr, rg, gg, rb, gb, bb = products
    w00 = tf.math.rsqrt(rr + ridge)
    l10, l20 = rg * w00, rb * w00
    w11 = tf.math.rsqrt(gg + ridge - tf.square(l10))
    l21 = (gb - l20 * l10) * w11
    w22 = tf.math.rsqrt(bb + ridge - tf.square(l20) - tf.square(l21))
    w10, w21 = -l10 * w00 * w11, -l21 * w11 * w22
    return [w00, w10, w11, -(l20 * w00 + l21 * w10) * w22, w21, w22]


def _picture(planes: tf.Tensor, image: tf.Tensor) -> tf.Tensor:
    """Puts planes together to a picture of another's shape."""
    height, width, channels = image.shape[1:]
    return tf.transpose(tf.reshape(planes, [-1, channels, height, width]), [0, 2, 3, 1])
