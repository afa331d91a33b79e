"""Where a new scene begins: what is seen has nothing to do with the frame before."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from tfstyle.video import flow

_BINS = 8  # of each channel, in histograms


class Change(NamedTuple):
    """How a frame differs from the one before.

    Attributes:
      kept: share of it whose flow can be trusted.
      residual: mean difference from the frame before, warped, in [0, 1].
      histogram: half of the sum of differences of colour histograms, in [0, 1].
    """

    kept: float
    residual: float
    histogram: float

    @property
    def is_cut(self) -> bool:
        """Whether a new scene begins: at least two of the three say so."""
        return (self.kept < 0.3) + (self.residual > 0.08) + (self.histogram > 0.3) >= 2


def change(frame: np.ndarray, before: np.ndarray, found: flow.Flow) -> Change:
    """Compares two frames, `[H, W, 3]` uint8, by the flow from one to the other."""
    moved = flow.warped(np.float32(before), found.back)
    return Change(
        kept=float(found.trusted.mean()),
        residual=float(np.abs(frame - moved).mean() / 255),
        histogram=float(np.abs(_histogram(frame) - _histogram(before)).sum() / 2),
    )


def _histogram(frame: np.ndarray) -> np.ndarray:
    bins = (frame.reshape(-1, 3).astype(np.int64) * _BINS) // 256
    places = (bins[:, 0] * _BINS + bins[:, 1]) * _BINS + bins[:, 2]
    return np.bincount(places, minlength=_BINS**3) / len(places)
