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


def planes(image: tf.Tensor) -> tf.Tensor:
    """Turns a picture `[1, H, W, 3]` into its opponent colours `[3, H, W]`."""
    return tf.transpose(tf.tensordot(image[0], _OPPONENT, 1), [2, 0, 1])


def from_planes(values: tf.Tensor) -> tf.Tensor:
    """Turns opponent colours `[3, H, W]` back into a picture `[1, H, W, 3]`."""
    return tf.tensordot(tf.transpose(values, [1, 2, 0]), _OPPONENT.T, 1)[tf.newaxis]


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
    """Returns a function of each plane of `[3, ...]`, one after the other.

    Transforms take ten times a plane's own memory, and there is none to spare for three at a time.
    """
    return tf.map_fn(function, values, fn_output_signature=signature, parallel_iterations=1)


@dataclass(frozen=True)
class Bands:
    """Which frequencies of a picture belong together.

    Attributes:
      frequency: `[N]` of the bands' centres, cycles a pixel, rising.
      nearest: `[H, W]` uint8, the band of each frequency.
      lower: `[H, W]` uint8, the band whose centre is the next below; never the last of several.
      share: `[H, W]` float32 in [0, 1], how far on the way from there to the one above.

    Maps are tensors: as arrays they would be copied into every graph that uses them.
    """

    frequency: np.ndarray
    nearest: tf.Tensor
    lower: tf.Tensor
    share: tf.Tensor

    @classmethod
    def of(cls, height: int, width: int) -> Bands:
        """Returns the bands of pictures of a size; none is empty.

        At frequency 0 stands half a cycle over the longer side, the slowest change there is.
        """
        vertical = np.arange(height)[:, np.newaxis] / (2 * height)
        horizontal = np.arange(width)[np.newaxis] / (2 * width)
        least = 0.5 / max(height, width)
        octaves = np.log2(np.maximum(np.hypot(vertical, horizontal), least) / least)
        centres, nearest = np.unique(np.round(octaves * _BANDS_PER_OCTAVE), return_inverse=True)
        centres /= _BANDS_PER_OCTAVE
        lower = np.clip(np.searchsorted(centres, octaves, side="right") - 1, 0, max(0, len(centres) - 2))
        upper = np.minimum(lower + 1, len(centres) - 1)
        gap = np.maximum(centres[upper] - centres[lower], 1e-9)
        share = np.clip((octaves - centres[lower]) / gap, 0, 1)
        return cls(
            frequency=least * 2**centres,
            nearest=tf.constant(nearest.reshape(octaves.shape).astype(np.uint8)),
            lower=tf.constant(lower.astype(np.uint8)),
            share=tf.constant(share.astype(np.float32)),
        )

    def sums(self, values: tf.Tensor) -> tf.Tensor:
        """Adds up `[H, W]` over each band: `[N]`."""
        places = tf.cast(tf.reshape(self.nearest, [-1]), tf.int32)
        return tf.math.unsorted_segment_sum(tf.reshape(values, [-1]), places, len(self.frequency))

    def interpolated(self, levels: tf.Tensor) -> tf.Tensor:
        """Spreads `[N]`, one level a band, over all frequencies: `[H, W]`."""
        lower = tf.cast(self.lower, tf.int32)
        below = tf.gather(levels, lower)
        above = tf.gather(levels, tf.minimum(lower + 1, len(self.frequency) - 1))
        return below + self.share * (above - below)
