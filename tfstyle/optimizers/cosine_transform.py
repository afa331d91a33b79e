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


def cosines(planes: tf.Tensor) -> tf.Tensor:
    """Returns the cosine coefficients of planes, both `[K, H, W]`."""
    return _along_both(planes, tf.signal.dct)


def from_cosines(coefficients: tf.Tensor) -> tf.Tensor:
    """Returns the planes of cosine coefficients, both `[K, H, W]`."""
    return _along_both(coefficients, tf.signal.idct)


def _along_both(planes: tf.Tensor, transform) -> tf.Tensor:
    along_width = transform(planes, norm="ortho")
    return tf.linalg.matrix_transpose(transform(tf.linalg.matrix_transpose(along_width), norm="ortho"))


# Pixels of a plane from which planes take turns.
_LARGE = 1 << 20


def each_plane(function: Callable, values, signature=tf.float32):
    """Returns a function of planes, `[K, ...]` to `[K, ...]`, for all of them: large ones in turns.

    Transforms take ten times a plane's own memory, and of large planes there is
    none to spare for three at a time.

    Args:
      function: takes and returns nests of `[K, ...]` for any K.
      values: the nest; the first is planes `[K, H, W]`.
      signature: dtypes of what it returns, as a nest.
    """
    height, width = tf.nest.flatten(values)[0].shape[1:]
    if None in (height, width) or height * width < _LARGE:
        return function(values)

    def one(value):
        made = function(tf.nest.map_structure(lambda part: part[tf.newaxis], value))
        return tf.nest.map_structure(lambda part: part[0], made)

    return tf.map_fn(one, values, fn_output_signature=signature, parallel_iterations=1)


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
        """Adds up `[K, H, W]` over each band: `[K, N]`."""
        places = tf.cast(tf.reshape(self.nearest, [-1]), tf.int32)
        rows = tf.transpose(tf.reshape(values, tf.stack([tf.shape(values)[0], tf.size(places)])))
        return tf.transpose(tf.math.unsorted_segment_sum(rows, places, tf.size(self.frequency)))

    def interpolated(self, levels: tf.Tensor) -> tf.Tensor:
        """Spreads `[K, N]`, one level a band, over all frequencies: `[K, H, W]`."""
        lower = tf.cast(self.lower, tf.int32)
        below = tf.gather(levels, lower, axis=-1)
        above = tf.gather(levels, tf.minimum(lower + 1, tf.size(self.frequency) - 1), axis=-1)
        return below + self.share * (above - below)
