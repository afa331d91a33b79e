"""Every filter's distribution of activations.

Risser, Wilmot & Barnes, "Stable and Controllable Neural Texture Synthesis and
Style Transfer Using Histogram Losses", 2017: an activation F is drawn to M(F),
what histogram matching with the style would make of it. The mean of (F - M(F))^2
is what it costs to move one distribution to the other: their squared
Wasserstein-2 distance in one dimension.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import tensorflow as tf

from tfstyle.losses.statistics import Statistic, Sums, weighed

# Bins a filter, and the activation at which they would end, in root mean squares of the style's.
BINS = 256
REACH = 8.0


@dataclass(frozen=True, eq=False)
class Histogram(Statistic):
    """Histograms of activations, filter by filter.

    Bin 0 is for what is not positive: the zeros of the ReLU. The others have a
    width of r `REACH` / `BINS`, r being the root mean square of the filter's
    activations in the style; the last has no end. Of every bin, the positions
    in it and the sum of their activations are kept.

    Loss: the mean over filters of the squared Wasserstein distance of the two
    histograms, as if all that is in a bin had its mean activation:
    sum_k s_k (f_k - m_k)^2 + s_k v_k. A share s_k of the positions is in bin k,
    with the mean f_k. They are certain quantiles of the picture's distribution;
    m_k and v_k are mean and variance of the style in the same quantiles.

    The gradient with respect to an activation is 2 (f_k - m_k) / (M N), Risser's
    with the means of bins. m_k and v_k have no part in it: they depend on how
    many positions are in which bin and on nothing else.

    Attributes:
      reference: normalised sums of `Moments` of the style, `[1, N]`.
      scale: as for `Statistic`.

    Raises:
      ValueError: there is no reference.
    """

    def __post_init__(self):
        if self.reference is None:
            raise ValueError("reference=None: must be normalised sums of Moments of the style")

    def sums(self, features: tf.Tensor, mask: tf.Tensor | None = None) -> Sums:
        features, weights, count = weighed(features, mask)
        batch, filters = tf.shape(features)[0], features.shape[-1]
        rows = tf.reshape(tf.range(batch * filters), [batch, 1, 1, filters])
        cells = rows * BINS + self._bins(features)

        def summed(values: tf.Tensor) -> tf.Tensor:
            found = tf.math.unsorted_segment_sum(values, cells, batch * filters * BINS)
            return tf.reshape(found, [batch, filters, BINS])

        every = tf.ones_like(features) if weights is None else tf.broadcast_to(weights, tf.shape(features))
        weighted = features if weights is None else weights * features
        return {"count": count, "positions": summed(every), "values": summed(weighted)}

    def _bins(self, features: tf.Tensor) -> tf.Tensor:
        """Returns each activation's bin, int32."""
        width = tf.sqrt(self.reference["second"]) * (REACH / BINS)
        # Where a filter is silent in the style, all that is positive is in the last bin.
        width = tf.maximum(tf.cast(width, features.dtype), 1e-30)
        steps = tf.stop_gradient(features) / width[:, tf.newaxis, tf.newaxis]
        # The bound comes before the cast: integers do not go as far.
        return tf.where(steps > 0, 1 + tf.cast(tf.minimum(steps, BINS - 2.0), tf.int32), 0)

    def loss_to(self, target: Sums) -> Callable[[Sums], tf.Tensor]:
        positions, values = (tf.cast(target[name], tf.float64) for name in ("positions", "values"))
        total = tf.reduce_sum(positions, axis=-1, keepdims=True)
        powers = (positions, values, tf.math.divide_no_nan(tf.square(values), positions))
        quantiles, *integrals = (_cumulated(tf.math.divide_no_nan(power, total)) for power in powers)
        return partial(self._distance, quantiles, tf.stack(integrals, axis=-1))

    def _distance(self, quantiles: tf.Tensor, integrals: tf.Tensor, described: Sums) -> tf.Tensor:
        positions = tf.stop_gradient(described["positions"])
        mean = tf.math.divide_no_nan(described["values"], positions)
        matched, spread = (
            tf.stop_gradient(tf.cast(each, mean.dtype)) for each in _matched(positions, quantiles, integrals)
        )
        squares = positions * tf.square(mean - matched) + spread
        return tf.reduce_mean(tf.reduce_sum(squares, axis=-1), axis=-1) / self.scale**2


def _matched(positions: tf.Tensor, quantiles: tf.Tensor, integrals: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Returns what the target has in the quantiles that each bin of a picture holds.

    Args:
      positions: `[B, N, BINS]`, each bin's share of the positions.
      quantiles: `[B or 1, N, BINS + 1]` float64, where the target's bins begin and end.
      integrals: `[B or 1, N, BINS + 1, 2]`, those of the target's quantile
        function and of its square from 0 to there.

    Returns:
      The mean activation, 0 for an empty bin, and the variance around it times
      the bin's share: both `[B, N, BINS]` float64.
    """
    positions = tf.cast(positions, tf.float64)
    shares = tf.math.divide_no_nan(positions, tf.reduce_sum(positions, axis=-1, keepdims=True))
    places = _cumulated(shares)
    reached = _interpolated(places, tf.broadcast_to(quantiles, tf.shape(places)), integrals)
    first, second = tf.unstack(reached[:, :, 1:] - reached[:, :, :-1], axis=-1)
    mean = tf.math.divide_no_nan(first, shares)
    return mean, tf.maximum(second - mean * first, 0.0)


def _interpolated(places: tf.Tensor, knots: tf.Tensor, values: tf.Tensor) -> tf.Tensor:
    """Returns, row by row, the piecewise linear functions that have these values at rising knots.

    Args:
      places: `[B, N, P]`, between the first knot and the last.
      knots: `[B, N, Q]`; some may coincide.
      values: `[B or 1, N, Q, V]`, of V functions.

    Returns:
      `[B, N, P, V]`.
    """
    values = tf.broadcast_to(values, tf.concat([tf.shape(knots), tf.shape(values)[-1:]], axis=0))
    upper = tf.clip_by_value(tf.searchsorted(knots, places, side="right"), 1, tf.shape(knots)[-1] - 1)
    left, right = (tf.gather(knots, index, batch_dims=2) for index in (upper - 1, upper))
    below, above = (tf.gather(values, index, batch_dims=2) for index in (upper - 1, upper))
    share = tf.clip_by_value(tf.math.divide_no_nan(places - left, right - left), 0.0, 1.0)
    return below + share[..., tf.newaxis] * (above - below)


def _cumulated(shares: tf.Tensor) -> tf.Tensor:
    """Returns sums `[B, N, K + 1]` over the bins before each edge, from 0 to all.

    They are in float64: of a bin with few positions, little would be left in
    float32 of the difference of two of them.
    """
    return tf.pad(tf.cumsum(shares, axis=-1), [[0, 0], [0, 0], [1, 0]])
