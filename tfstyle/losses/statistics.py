"""What of a style picture's activations is matched: sums over positions, and a distance between them.

statistic.py  what every statistic promises; sums per position, and mixtures of them
moments.py    Gram matrices; means and variances; means and covariances
histogram.py  every filter's distribution

No statistic knows where in a picture a position is. So its sums over disjoint
parts of a picture add up to those of the whole, and a mixture of several
styles has the mean of their sums per position.
"""

from __future__ import annotations

import math

from tfstyle.losses.histogram import Histogram
from tfstyle.losses.moments import Bures, Gram, Moments
from tfstyle.losses.statistic import Statistic, Sums, blended, normalised, of_zeros

__all__ = [
    "STATISTICS",
    "Bures",
    "Gram",
    "Histogram",
    "Moments",
    "Statistic",
    "Sums",
    "blended",
    "make",
    "normalised",
    "of_zeros",
]

STATISTICS: dict[str, type[Statistic]] = {
    "gram": Gram,
    "moments": Moments,
    "bures": Bures,
    "histogram": Histogram,
}


def make(name: str, reference: Sums | None = None, scale: float = 1.0) -> Statistic:
    """Returns a statistic by name.

    Args:
      name: key of `STATISTICS`.
      reference: normalised sums of `Moments` of the style in the layer at hand;
        ``histogram`` needs them, to know how large its bins must be.
      scale: positive; losses are those of activations divided by it. Sums are
        of activations as they come, those in `reference` too.

    Raises:
      ValueError: there is no such statistic (the message calls it style_loss),
        it lacks its reference, or the scale is not positive.
    """
    if name not in STATISTICS:
        raise ValueError(f"style_loss={name!r}: must be one of {', '.join(STATISTICS)}")
    if not (math.isfinite(scale) and scale > 0):
        raise ValueError(f"scale={scale}: must be positive and finite")
    return STATISTICS[name](reference, float(scale))
