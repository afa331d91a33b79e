"""What every statistic of a layer's activations promises.

The paper's F, N filters by M positions, comes as `[B, h, w, N]` with h*w = M. A
mask T multiplies F first (guided Gram matrices: Gatys et al., "Controlling
Perceptual Factors in Neural Style Transfer", CVPR 2017, eq. 4), so that in
whatever is of second order a position has the weight T^2. It has that in
everything here, and the positions are counted by it.
"""

from __future__ import annotations

import abc
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import tensorflow as tf

# By name, each of a batch or of one for all of it.
Sums = dict[str, tf.Tensor]

_COUNT = "count"


@dataclass(frozen=True, eq=False)
class Statistic(abc.ABC):
    """What is summed over positions, and how far two pictures are apart in it.

    Attributes:
      reference: normalised sums of `Moments` of the style; most do without.
      scale: activations are divided by it before they are compared.
    """

    reference: Sums | None = None
    scale: float = 1.0

    @abc.abstractmethod
    def sums(self, features: tf.Tensor, mask: tf.Tensor | None = None) -> Sums:
        """Returns sums over positions; those of disjoint parts of a picture add up to its own.

        Args:
          features: `[B, h, w, N]` activations F as the extractor gives them.
          mask: optional `[B or 1, h, w, 1]` guidance T in [0, 1].

        Returns:
          ``count``, `[B or 1]`: the number of positions, or the sum of T^2; and
          what the statistic is about. float32 or wider.
        """

    @abc.abstractmethod
    def loss_to(self, target: Sums) -> Callable[[Sums], tf.Tensor]:
        """Returns the distance from a target.

        What depends on the target alone is computed here, once.

        Args:
          target: normalised sums, of one picture or as many as are compared.

        Returns:
          From the normalised sums of B pictures to `[B]`: the loss of each,
          without a weight; a `functools.partial` (see `runtime.workshop`).
        """


def normalised(sums: Sums) -> Sums:
    """Returns sums per position, without ``count``; they are 0 where no position counts."""
    count = sums[_COUNT]
    return {
        name: tf.math.divide_no_nan(value, tf.reshape(count, [-1] + [1] * (value.shape.rank - 1)))
        for name, value in sums.items()
        if name != _COUNT
    }


def of_zeros(measure: Statistic, target: Sums, filters: int) -> Sums:
    """Returns normalised sums where a layer's activations are all 0, of as many pictures as a target's."""
    first = next(iter(target.values()))
    return normalised(measure.sums(tf.zeros(tf.stack([tf.shape(first)[0], 1, 1, filters]), first.dtype)))


def blended(targets: Sequence[Sums], shares: Sequence[float]) -> Sums:
    """Returns the normalised sums of a mixture of distributions.

    All that is summed is linear in the distribution of activations: a picture
    that took a share of its positions from each style would have these.

    Args:
      targets: normalised sums of the same statistic, at least one.
      shares: each one's share; they should add up to 1.
    """
    return {name: sum(share * target[name] for share, target in zip(shares, targets)) for name in targets[0]}


def weighed(features: tf.Tensor, mask: tf.Tensor | None) -> tuple[tf.Tensor, tf.Tensor | None, tf.Tensor]:
    """Returns what every sum begins with.

    Args:
      features, mask: as for `Statistic.sums`.

    Returns:
      Activations wide enough to be summed, the positions' weights T^2 (none
      without a mask), and their ``count``.
    """
    features = tf.convert_to_tensor(features)
    if features.dtype in (tf.bfloat16, tf.float16):
        features = tf.cast(features, tf.float32)
    if mask is None:
        height, width = tf.unstack(tf.shape(features)[1:3])
        return features, None, tf.reshape(tf.cast(height * width, features.dtype), [1])
    weights = tf.square(tf.cast(mask, features.dtype))
    return features, weights, tf.reduce_sum(weights, axis=[1, 2, 3])
