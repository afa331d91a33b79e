"""The metric in which L-BFGS measures a step: learned from its own steps, band by band.

A gradient is noise pixel by pixel, and a step down it changes grain first and
the light and colour of large areas last. Pictures are the other way round:
their amplitude falls about as 1/f with spatial frequency f (Field 1987). A
quasi-Newton method may begin from any positive definite inverse Hessian
(Nocedal & Wright 2006, eq. 7.20 takes a multiple of the identity). This one is
diagonal in the basis of frequencies and opponent colours, with one gain for each
band of frequencies and each colour.

The cosine basis holds the frequencies of a picture mirrored at its borders, so
that what is done to them leaves no seam there. Frequencies are taken together
in bands of equal width on a logarithmic scale; what is said of a picture band
by band is interpolated between them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import tensorflow as tf

# Before anything is known, gains are f^-power. Losses after about 100 evaluations
# at powers 0, 0.5, 0.75, 1 and 1.5 that stay, --weights=random at 192 px: transfer
# 5106, 4804, 4995, 5821, 10860; texture from noise 7081, 1512, 1746, 2593, 13990.
_POWER = 0.75
# How much of what earlier steps taught counts after one more.
_DECAY = 0.9
# Steps that must be seen before they count for more than the power of frequency.
_ENOUGH = 3
_LEAST = 1e-30
# Pixels of a plane from which planes take turns.
_LARGE = 1 << 20
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


class Knowledge(NamedTuple):
    """What the steps of B pictures have taught, of N bands.

    Attributes:
      levels: `[B, 3, N]`, logarithms of the gains of P.
      energies: `[B, 2, 3, N]`, of steps and of differences.
      seen: `[B]`, steps that were learned from.
    """

    levels: tf.Tensor
    energies: tf.Tensor
    seen: tf.Tensor


class Metric:
    """A symmetric, positive definite operator P on pictures of one size.

    Args:
      height, width: the pictures' size, numbers or scalar tensors.
    """

    def __init__(self, height: int | tf.Tensor, width: int | tf.Tensor):
        self._bands = Bands.of(height, width)
        prior = -_POWER * tf.math.log(self._bands.frequency)
        prior = tf.cast(prior, tf.float32)
        self._prior = prior - tf.reduce_mean(self._bands.interpolated(prior[tf.newaxis]))

    def ignorance(self, pictures: int | tf.Tensor) -> Knowledge:
        """Returns what is known of so many pictures before any step: the power of frequency."""
        bands = tf.size(self._prior)
        return Knowledge(
            levels=tf.broadcast_to(self._prior, [pictures, 3, bands]),
            energies=tf.zeros(tf.stack([pictures, 2, 3, bands])),
            seen=tf.zeros([pictures], tf.int32),
        )

    def apply(self, images: tf.Tensor, levels: tf.Tensor) -> tf.Tensor:
        """Returns P times pictures `[B, H, W, 3]`, each with its own levels."""

        def scaled(of):
            values, own = of
            return from_cosines(cosines(values) * self._gains(own))

        return from_planes(each_plane(scaled, (planes(images), _by_plane(levels))))

    def learn(
        self, steps: tf.Tensor, differences: tf.Tensor, known: Knowledge
    ) -> tuple[Knowledge, tf.Tensor]:
        """Takes a step and the difference of the gradients at its ends into account, of each picture.

        An inverse Hessian H turns differences y into steps s = H y. Diagonal in
        this basis and the same over a band, it has gains of about |s| / |y|
        there: the geometric mean of the two Barzilai-Borwein lengths (1988) of
        the band, which is positive whatever the signs.

        Args:
          steps, differences: `[B, H, W, 3]`, each pair with a positive product.
          known: what was known before.

        Returns:
          What is known now, and differences P differences `[B]`, of the P that has learned.
        """
        products = tf.reduce_sum(steps * differences, axis=[1, 2, 3])
        # In units in which every step counts the same, whatever its length.
        unit = tf.repeat(1.0 / products, 3)
        enough = tf.repeat(known.seen + 1 >= _ENOUGH, 3)
        before = tf.transpose(known.energies, [0, 2, 1, 3])
        before = tf.reshape(before, tf.stack([-1, 2, tf.size(self._prior)]))

        def of_planes(values):
            step, difference, unit, enough, before, levels = values
            s, y = cosines(step), cosines(difference)
            energies = tf.stack(tf.split(self._bands.sums(tf.square(tf.concat([s, y], 0))), 2), axis=1)
            energies = _DECAY * before + energies * tf.reshape(unit, [-1, 1, 1])
            logarithms = tf.math.log(energies + _LEAST)
            learned = (logarithms[:, 0] - logarithms[:, 1]) / 2
            levels = tf.where(enough[:, tf.newaxis], learned, levels)
            return energies, levels, tf.reduce_sum(tf.square(y) * self._gains(levels), axis=[1, 2])

        values = (planes(steps), planes(differences), unit, enough, before, _by_plane(known.levels))
        energies, levels, lengths = each_plane(of_planes, values, (tf.float32,) * 3)
        bands = tf.size(self._prior)
        energies = tf.transpose(tf.reshape(energies, tf.stack([-1, 3, 2, bands])), [0, 2, 1, 3])
        levels = tf.reshape(levels, tf.stack([-1, 3, bands]))
        lengths = tf.reduce_sum(tf.reshape(lengths, [-1, 3]), axis=1)
        return Knowledge(levels, energies, known.seen + 1), lengths

    def _gains(self, levels: tf.Tensor) -> tf.Tensor:
        return tf.exp(self._bands.interpolated(levels))


def _by_plane(levels: tf.Tensor) -> tf.Tensor:
    """Turns `[B, 3, N]` into `[B * 3, N]`."""
    return tf.reshape(levels, [-1, levels.shape[-1] or tf.shape(levels)[-1]])
