"""Pictures as frequencies and opponent colours, the basis in which L-BFGS starts.

The cosine basis holds the frequencies of a picture mirrored at its borders, so
that what is done to them leaves no seam there. Frequencies are taken together
in bands of equal width on a logarithmic scale; what is said of a picture band
by band is interpolated between them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import tensorflow as tf

# Light, red against green, both against blue: orthonormal columns.
_OPPONENT = np.array([[1, 1, 1], [1, -1, 1], [1, 0, -2]], np.float32) / np.sqrt([3, 2, 6], dtype=np.float32)
_BANDS_PER_OCTAVE = 2.4


def planes(images: tf.Tensor) -> tf.Tensor:
    """Turns pictures `[B, H, W, 3]` into their opponent colours `[B * 3, H, W]`."""
    colors = tf.transpose(tf.tensordot(images, _OPPONENT, 1), [0, 3, 1, 2])
    return tf.reshape(colors, tf.concat([[-1], tf.shape(images)[1:3]], 0))


def from_planes(values: tf.Tensor) -> tf.Tensor:
    """Turns opponent colours `[B * 3, H, W]` back into pictures `[B, H, W, 3]`."""
    colors = tf.reshape(values, tf.concat([[-1, 3], tf.shape(values)[1:]], 0))
    return tf.tensordot(tf.transpose(colors, [0, 2, 3, 1]), _OPPONENT.T, 1)


def cosines(plane: tf.Tensor) -> tf.Tensor:
    """Returns the cosine coefficients of a plane `[H, W]`."""
    return _along_both(plane, tf.signal.dct)


def from_cosines(values: tf.Tensor) -> tf.Tensor:
    """Returns the plane `[H, W]` of cosine coefficients."""
    return _along_both(values, tf.signal.idct)


def _along_both(plane: tf.Tensor, transform) -> tf.Tensor:
    along_width = transform(plane, norm="ortho")
    return tf.transpose(transform(tf.transpose(along_width), norm="ortho"))


def each_plane(function: Callable, values, signature=tf.float32):
    """Returns a function of each plane of `[K, ...]`, one after the other.

    Transforms take ten times a plane's own memory, and there is none to spare for three at a time.
    """
    return tf.map_fn(function, values, fn_output_signature=signature, parallel_iterations=1)


@dataclass(frozen=True)
class Bands:
    """Which frequencies of a picture belong together.

    Attributes:
      frequency: `[N]` float64 of the bands' centres, cycles a pixel, rising.
      nearest: `[H, W]` uint8, the band of each frequency.
      lower: `[H, W]` uint8, the band whose centre is the next below; never the last of several.
      share: `[H, W]` float32 in [0, 1], how far on the way from there to the one above.

    All are tensors: as arrays they would be copied into every graph that uses them.
    """

    frequency: tf.Tensor
    nearest: tf.Tensor
    lower: tf.Tensor
    share: tf.Tensor

    @classmethod
    def of(cls, height: int | tf.Tensor, width: int | tf.Tensor) -> Bands:
        """Returns the bands of pictures of a size; none is empty.

        At frequency 0 stands half a cycle over the longer side, the slowest change there is.
        """
        rows, columns = (tf.cast(side, tf.float64) for side in (height, width))
        vertical = tf.range(rows)[:, tf.newaxis] / (2 * rows)
        horizontal = tf.range(columns)[tf.newaxis] / (2 * columns)
        least = 0.5 / tf.maximum(rows, columns)
        frequencies = tf.sqrt(tf.square(vertical) + tf.square(horizontal))
        octaves = tf.math.log(tf.maximum(frequencies, least) / least) / np.log(2)
        steps = tf.reshape(tf.cast(tf.round(octaves * _BANDS_PER_OCTAVE), tf.int32), [-1])
        used = tf.sort(tf.unique(steps).y)
        nearest = tf.searchsorted(used, steps)
        centres = tf.cast(used, tf.float64) / _BANDS_PER_OCTAVE
        last = tf.size(used) - 1
        lower = tf.searchsorted(centres, tf.reshape(octaves, [-1]), side="right") - 1
        lower = tf.clip_by_value(lower, 0, tf.maximum(0, last - 1))
        below, above = (tf.gather(centres, index) for index in (lower, tf.minimum(lower + 1, last)))
        share = (tf.reshape(octaves, [-1]) - below) / tf.maximum(above - below, 1e-9)
        size = tf.shape(octaves)
        return cls(
            frequency=least * 2**centres,
            nearest=tf.reshape(tf.cast(nearest, tf.uint8), size),
            lower=tf.reshape(tf.cast(lower, tf.uint8), size),
            share=tf.reshape(tf.cast(tf.clip_by_value(share, 0, 1), tf.float32), size),
        )

    def sums(self, values: tf.Tensor) -> tf.Tensor:
        """Adds up `[H, W]` over each band: `[N]`."""
        places = tf.cast(tf.reshape(self.nearest, [-1]), tf.int32)
        return tf.math.unsorted_segment_sum(tf.reshape(values, [-1]), places, tf.size(self.frequency))

    def interpolated(self, levels: tf.Tensor) -> tf.Tensor:
        """Spreads `[N]`, one level a band, over all frequencies: `[H, W]`."""
        lower = tf.cast(self.lower, tf.int32)
        below = tf.gather(levels, lower)
        above = tf.gather(levels, tf.minimum(lower + 1, tf.size(self.frequency) - 1))
        return below + self.share * (above - below)
