"""The metric in which L-BFGS measures a step: learned from its own steps, band by band.

A gradient is noise pixel by pixel, and a step down it changes grain first and
the light and colour of large areas last. Pictures are the other way round:
their amplitude falls about as 1/f with spatial frequency f (Field 1987). A
quasi-Newton method may begin from any positive definite inverse Hessian
(Nocedal & Wright 2006, eq. 7.20 takes a multiple of the identity). This one is
diagonal in the basis of `spectrum.py`, with one gain for each band of
frequencies and each opponent colour.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import tensorflow as tf

from tfstyle.optimizers.spectrum import Bands, cosines, each_plane, from_cosines, from_planes, planes

# Before anything is known, gains are f^-power. Losses after about 100 evaluations
# at powers 0, 0.5, 0.75, 1 and 1.5 that stay, --weights=random at 192 px: transfer
# 5106, 4804, 4995, 5821, 10860; texture from noise 7081, 1512, 1746, 2593, 13990.
_POWER = 0.75
# How much of what earlier steps taught counts after one more.
_DECAY = 0.9
# Steps that must be seen before they count for more than the power of frequency.
_ENOUGH = 3
_LEAST = 1e-30


class Metric:
    """A symmetric, positive definite operator P on pictures of one size.

    Args:
      height, width: the pictures' size.
    """

    def __init__(self, height: int, width: int):
        self._bands = Bands.of(height, width)
        prior = -_POWER * np.log(self._bands.frequency)
        prior -= self._bands.interpolated(tf.constant(prior, tf.float32)).numpy().mean()
        self._prior = np.tile(prior.astype(np.float32), [3, 1])
        self._levels = tf.Variable(self._prior)  # logarithms of the gains
        self._energies = tf.Variable(tf.zeros([2, *self._prior.shape]))  # of steps and differences
        self._seen = tf.Variable(0)

    def forget(self) -> None:
        """Goes back to the power of frequency."""
        self._levels.assign(self._prior)
        self._energies.assign(tf.zeros_like(self._energies))
        self._seen.assign(0)

    def variables(self) -> Mapping[str, tf.Variable]:
        """Returns all that P depends on, by name."""
        return {"levels": self._levels, "energies": self._energies, "seen": self._seen}

    def apply(self, image: tf.Tensor) -> tf.Tensor:
        """Returns P times a picture `[1, H, W, 3]`."""

        def scaled(of):
            plane, levels = of
            return from_cosines(cosines(plane) * self._gains(levels))

        return from_planes(each_plane(scaled, (planes(image), self._levels.read_value())))

    def learn(self, step: tf.Tensor, difference: tf.Tensor) -> tf.Tensor:
        """Takes a step and the difference of the gradients at its ends into account.

        An inverse Hessian H turns differences y into steps s = H y. Diagonal in
        this basis and the same over a band, it has gains of about |s| / |y|
        there: the geometric mean of the two Barzilai-Borwein lengths (1988) of
        the band, which is positive whatever the signs.

        Args:
          step, difference: `[1, H, W, 3]`, with a positive product.

        Returns:
          difference P difference, of the P that has learned.
        """
        differences = planes(difference)

        def measured(of):
            s, y = (cosines(plane) for plane in of)
            energies = [self._bands.sums(tf.square(values)) for values in (s, y)]
            return tf.stack(energies), tf.reduce_sum(s * y)

        energies, products = each_plane(measured, (planes(step), differences), (tf.float32, tf.float32))
        # In units in which every step counts the same, whatever its length.
        energies = tf.transpose(energies, [1, 0, 2]) / tf.reduce_sum(products)
        self._energies.assign(_DECAY * self._energies + energies)
        self._seen.assign_add(1)
        if self._seen >= _ENOUGH:
            of_steps, of_differences = tf.unstack(tf.math.log(self._energies + _LEAST))
            self._levels.assign((of_steps - of_differences) / 2)

        def length(of):
            plane, levels = of
            return tf.reduce_sum(tf.square(cosines(plane)) * self._gains(levels))

        return tf.reduce_sum(each_plane(length, (differences, self._levels.read_value())))

    def _gains(self, levels: tf.Tensor) -> tf.Tensor:
        return tf.exp(self._bands.interpolated(levels))
