"""Statistics of first and second order: Gram matrices, variances, covariances."""

from __future__ import annotations

from collections.abc import Callable

import tensorflow as tf

from tfstyle.losses import gram_losses, gram_matrix
from tfstyle.statistics.contract import Statistic, Sums, weighed

# Both in squared activations, after the division by the scale. That of variances is what layers of
# normalisation commonly have; that of covariances is crowsonkb/style-transfer-pytorch's.
VARIANCE_EPSILON = 1e-5
COVARIANCE_EPSILON = 1e-4

# As many as crowsonkb/style-transfer-pytorch takes.
ROOT_STEPS = 12


class Gram(Statistic):
    """Gram matrices per position, G/M: the paper's own style, eq. (3) to (4).

    Loss: 1/(4 N^2) sum (G/M - A/M')^2 for a style A of M' positions.
    """

    def sums(self, features: tf.Tensor, mask: tf.Tensor | None = None) -> Sums:
        count = weighed(features, mask)[-1]
        return {"count": count, "gram": gram_matrix(features, mask)}

    def loss_to(self, target: Sums) -> Callable[[Sums], tf.Tensor]:
        # The scale takes the place of M in eq. (4), which divides by its square once more: scale^-4.
        return lambda described: gram_losses(described["gram"], target["gram"], self._scale**2)


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
        features, weights, count = weighed(features, mask)
        weighted = features if weights is None else weights * features
        return {
            "count": count,
            "first": tf.reduce_sum(weighted, axis=[1, 2]),
            "second": tf.reduce_sum(weighted * features, axis=[1, 2]),
        }

    def loss_to(self, target: Sums) -> Callable[[Sums], tf.Tensor]:
        mean, deviation = self._measured(target)

        def loss(described: Sums) -> tf.Tensor:
            own_mean, own_deviation = self._measured(described)
            squares = tf.square(own_mean - mean) + tf.square(own_deviation - deviation)
            return tf.reduce_mean(squares, axis=-1)

        return loss

    def _measured(self, described: Sums) -> tuple[tf.Tensor, tf.Tensor]:
        """Returns mu and sigma `[B, N]` of scaled activations."""
        mean = described["first"] / self._scale
        # Rounding may leave less than nothing of a variance much smaller than the squared mean.
        variance = tf.maximum(described["second"] / self._scale**2 - tf.square(mean), 0.0)
        return mean, tf.sqrt(variance + VARIANCE_EPSILON)


class Bures(Statistic):
    """Means and covariances, as the Wasserstein-2 distance between Gaussians that have them.

    Loss: 1/N (sum (mu - mu')^2 + tr(C + C' - 2 (C'^1/2 C C'^1/2)^1/2)), whose
    second part is the squared Bures distance of C = covariance +
    `COVARIANCE_EPSILON` I.

    As in crowsonkb/style-transfer-pytorch, the roots are those of a few
    Newton-Schulz steps, which regularises: gradients stay bounded where the
    covariance is singular, but the roots' small eigenvalues are too small (see
    `square_root`). So variance is missed in vain in directions in which the
    style has less than about a hundredth of its covariance's norm. The style
    itself is left with a loss of up to twice this variance over N, and a
    gradient that would lessen it.
    """

    def sums(self, features: tf.Tensor, mask: tf.Tensor | None = None) -> Sums:
        wide, weights, count = weighed(features, mask)
        weighted = wide if weights is None else weights * wide
        return {
            "count": count,
            "first": tf.reduce_sum(weighted, axis=[1, 2]),
            "second": gram_matrix(features, mask),
        }

    def loss_to(self, target: Sums) -> Callable[[Sums], tf.Tensor]:
        mean, covariance = self._measured(target)
        # In units of the target's mean variance: products of covariances stay in the range of float32.
        unit = tf.reduce_mean(tf.linalg.diag_part(covariance), axis=-1)
        covariance /= unit[:, tf.newaxis, tf.newaxis]
        root = square_root(covariance)

        def loss(described: Sums) -> tf.Tensor:
            own_mean, own = self._measured(described)
            own /= unit[:, tf.newaxis, tf.newaxis]
            common = square_root(root @ own @ root)
            squared = unit * tf.linalg.trace(covariance + own - 2.0 * common)
            return tf.reduce_mean(tf.square(own_mean - mean), axis=-1) + squared / own_mean.shape[-1]

        return loss

    def _measured(self, described: Sums) -> tuple[tf.Tensor, tf.Tensor]:
        """Returns mu `[B, N]` and C `[B, N, N]` of scaled activations."""
        mean = described["first"] / self._scale
        covariance = described["second"] / self._scale**2 - mean[:, :, tf.newaxis] * mean[:, tf.newaxis]
        return mean, covariance + COVARIANCE_EPSILON * tf.eye(mean.shape[-1], dtype=mean.dtype)


def square_root(matrix: tf.Tensor) -> tf.Tensor:
    """Returns the square roots of symmetric positive semidefinite matrices, nearly.

    The coupled Newton-Schulz iteration (Higham, "Functions of Matrices", 2008,
    chapter 6), which needs nothing but products: `ROOT_STEPS` of it on the
    matrix divided by its Frobenius norm. A step makes an eigenvalue's root at
    most 1.5 times as large. If the eigenvalue is 1e-3 of the norm, its root
    comes out to six digits; of 1e-4, 1e-5, 1e-6: 0.89, 0.39, 0.13 of the root.
    More steps are no remedy in float32: each more than doubles an eigenvalue
    that should be 0 and by rounding is less.

    Args:
      matrix: `[..., N, N]`, not 0.
    """
    norm = tf.sqrt(tf.reduce_sum(tf.square(matrix), axis=[-2, -1], keepdims=True))
    identity = tf.eye(matrix.shape[-1], dtype=matrix.dtype)
    root, inverse = matrix / norm, identity
    for _ in range(ROOT_STEPS):
        step = 1.5 * identity - 0.5 * (inverse @ root)
        root, inverse = root @ step, step @ inverse
    return root * tf.sqrt(norm)
