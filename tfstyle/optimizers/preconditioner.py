"""The metric in which L-BFGS measures a step: learned from its own steps, band by band.

A gradient is noise pixel by pixel, and a step down it changes grain first and
the light and colour of large areas last. Pictures are the other way round:
their amplitude falls about as 1/f with spatial frequency f (Field 1987). A
quasi-Newton method may begin from any positive definite inverse Hessian
(Nocedal & Wright 2006, eq. 7.20 takes a multiple of the identity). This one is
diagonal in the basis of `cosine_transform.py`, with one gain for each band of
frequencies and each opponent colour.
"""

from __future__ import annotations

from typing import NamedTuple

import tensorflow as tf

from tfstyle.optimizers.cosine_transform import Bands, cosines, each_plane, from_cosines, from_planes, planes

# Before anything is known, gains are f^-power. Losses after about 100 evaluations
# at powers 0, 0.5, 0.75, 1 and 1.5 that stay, --weights=random at 192 px: transfer
# 5106, 4804, 4995, 5821, 10860; texture from noise 7081, 1512, 1746, 2593, 13990.
_POWER = 0.75
# How much of what earlier steps taught counts after one more.
_DECAY = 0.9
# Steps that must be seen before they count for more than the power of frequency.
_ENOUGH = 3
_LEAST = 1e-30


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
