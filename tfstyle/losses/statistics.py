"""What of a style picture's activations is matched: sums over positions, and a distance between them.

The paper's F, N filters by M positions, comes as `[B, h, w, N]` with h*w = M. A
mask T multiplies F first (guided Gram matrices: Gatys et al., "Controlling
Perceptual Factors in Neural Style Transfer", CVPR 2017, eq. 4), so that in
whatever is of second order a position has the weight T^2. It has that in
everything here, and the positions are counted by it.

No statistic knows where in a picture a position is. So its sums over disjoint
parts of a picture add up to those of the whole, and a mixture of several
styles has the mean of their sums per position.
"""

from __future__ import annotations

import abc
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import tensorflow as tf

from tfstyle.losses.paper import accumulable, gram_losses, gram_matrix

# By name, each of a batch or of one for all of it.
Sums = dict[str, tf.Tensor]


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
    count = sums["count"]
    return {
        name: tf.math.divide_no_nan(value, tf.reshape(count, [-1] + [1] * (value.shape.rank - 1)))
        for name, value in sums.items()
        if name != "count"
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
    features = accumulable(features)
    if mask is None:
        height, width = tf.unstack(tf.shape(features)[1:3])
        return features, None, tf.reshape(tf.cast(height * width, features.dtype), [1])
    weights = tf.square(tf.cast(mask, features.dtype))
    return features, weights, tf.reduce_sum(weights, axis=[1, 2, 3])


# Both in squared activations, after the division by the scale. That of variances is what layers of
# normalisation commonly have; that of covariances is crowsonkb/style-transfer-pytorch's.
VARIANCE_EPSILON = 1e-5
COVARIANCE_EPSILON = 1e-4


class Gram(Statistic):
    """Gram matrices per position, G/M: the paper's own style, eq. (3) to (4).

    Loss: 1/(4 N^2) sum (G/M - A/M')^2 for a style A of M' positions.
    """

    def sums(self, features: tf.Tensor, mask: tf.Tensor | None = None) -> Sums:
        return {"count": weighed(features, mask)[-1], "gram": gram_matrix(features, mask)}

    def loss_to(self, target: Sums) -> Callable[[Sums], tf.Tensor]:
        return partial(self._distance, target["gram"])

    def _distance(self, target: tf.Tensor, described: Sums) -> tf.Tensor:
        # The scale takes the place of M in eq. (4), which divides by its square once more: scale^-4.
        return gram_losses(described["gram"], target, self.scale**2)


def _first_moments(features: tf.Tensor, mask: tf.Tensor | None) -> tuple[tf.Tensor, tf.Tensor, Sums]:
    """Returns activations wide enough to be summed, the same times T^2, and the sums of the latter."""
    features, weights, count = weighed(features, mask)
    weighted = features if weights is None else weights * features
    return features, weighted, {"count": count, "first": tf.reduce_sum(weighted, axis=[1, 2])}


class Moments(Statistic):
    """Means and standard deviations, filter by filter.

    Li, Wang, Liu & Hou, "Demystifying Neural Style Transfer", IJCAI 2017 (what
    batch normalisation keeps of a layer); the style loss of Huang & Belongie,
    "Arbitrary Style Transfer in Real-time with Adaptive Instance
    Normalization", ICCV 2017, but for that one's root over filters.

    Loss: 1/N sum (mu - mu')^2 + (sigma - sigma')^2, where sigma is
    sqrt(variance + `VARIANCE_EPSILON`): where a filter is silent, the gradient is 0.
    """

    def sums(self, features: tf.Tensor, mask: tf.Tensor | None = None) -> Sums:
        features, weighted, sums = _first_moments(features, mask)
        return {**sums, "second": tf.reduce_sum(weighted * features, axis=[1, 2])}

    def loss_to(self, target: Sums) -> Callable[[Sums], tf.Tensor]:
        return partial(self._distance, *self._measured(target))

    def _distance(self, mean: tf.Tensor, deviation: tf.Tensor, described: Sums) -> tf.Tensor:
        own_mean, own_deviation = self._measured(described)
        squares = tf.square(own_mean - mean) + tf.square(own_deviation - deviation)
        return tf.reduce_mean(squares, axis=-1)

    def _measured(self, described: Sums) -> tuple[tf.Tensor, tf.Tensor]:
        """Returns mu and sigma `[B, N]` of scaled activations."""
        mean = described["first"] / self.scale
        # Rounding may leave less than nothing of a variance much smaller than the squared mean.
        variance = tf.maximum(described["second"] / self.scale**2 - tf.square(mean), 0.0)
        return mean, tf.sqrt(variance + VARIANCE_EPSILON)


class Bures(Statistic):
    """Means and covariances, as the Wasserstein-2 distance between Gaussians that have them.

    Loss: 1/N (sum (mu - mu')^2 + tr(C + C' - 2 (C'^1/2 C C'^1/2)^1/2)), whose
    second part is the squared Bures distance of C = covariance +
    `COVARIANCE_EPSILON` I.

    A layer of fewer positions than filters has a singular covariance, of which
    float32 leaves small eigenvalues of either sign. Roots are therefore taken in
    float64, by eigenvalues, of which none is below what `COVARIANCE_EPSILON` has
    made it.
    """

    def sums(self, features: tf.Tensor, mask: tf.Tensor | None = None) -> Sums:
        return {**_first_moments(features, mask)[-1], "second": gram_matrix(features, mask)}

    def loss_to(self, target: Sums) -> Callable[[Sums], tf.Tensor]:
        mean, covariance = self._measured(target)
        variances, axes = tf.linalg.eigh(covariance)
        deviations = tf.sqrt(tf.maximum(variances, COVARIANCE_EPSILON))[:, tf.newaxis]
        root = tf.linalg.matmul(axes * deviations, axes, transpose_b=True)
        return partial(self._distance, mean, covariance, root)

    def _distance(self, mean: tf.Tensor, covariance: tf.Tensor, root: tf.Tensor, described: Sums):
        own_mean, own = self._measured(described)
        common = trace_of_root(root @ own @ root, COVARIANCE_EPSILON**2)
        squared = tf.linalg.trace(covariance + own) - 2.0 * common
        distance = tf.reduce_mean(tf.square(own_mean - mean), axis=-1) + squared / own_mean.shape[-1]
        return tf.cast(distance, described["first"].dtype)

    def _measured(self, described: Sums) -> tuple[tf.Tensor, tf.Tensor]:
        """Returns mu `[B, N]` and C `[B, N, N]` of scaled activations, float64.

        A product of float32 may differ from its transpose by rounding. C does not: of a
        matrix that is not quite symmetric, eigenvalues are off by the difference at the
        scale of the largest, which is far more than the smallest are.
        """
        mean = tf.cast(described["first"], tf.float64) / self.scale
        second = tf.cast(described["second"], tf.float64) / self.scale**2
        second = (second + tf.linalg.matrix_transpose(second)) / 2
        covariance = second - mean[:, :, tf.newaxis] * mean[:, tf.newaxis]
        return mean, covariance + COVARIANCE_EPSILON * tf.eye(mean.shape[-1], dtype=mean.dtype)


def trace_of_root(matrix: tf.Tensor, least: float) -> tf.Tensor:
    """Returns the traces `[...]` of the square roots of symmetric matrices `[..., N, N]`.

    Eigenvalues below `least`, above 0, count as if they were `least`. The
    gradient is half the inverse of the root, without the directions of these.
    """

    @tf.custom_gradient
    def trace(matrix):
        values, vectors = tf.linalg.eigh(matrix)
        roots = tf.sqrt(tf.maximum(values, least))

        def gradient(upstream):
            slopes = tf.where(values > least, 0.5 / roots, 0.0) * upstream[..., tf.newaxis]
            return tf.linalg.matmul(vectors * slopes[..., tf.newaxis, :], vectors, transpose_b=True)

        return tf.reduce_sum(roots, axis=-1), gradient

    return trace(matrix)
