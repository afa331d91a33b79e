"""Painted frames brought nearer to the ones before, and how much frames flicker."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from tfstyle.config.options import number
from tfstyle.video import flow, scenes
from tfstyle.video.extra import imported

_FEATHER = 5  # pixels over which trust ends
_MOST_GAIN = 1.5


class Shown(NamedTuple):
    """What a clip came to last: all that the next frame depends on.

    Attributes:
      frame: `[H, W, 3]` uint8, of the clip.
      painted: `[H, W, 3]` float32 in [0, 1], what was shown of it.
    """

    frame: np.ndarray
    painted: np.ndarray


def steadied(frame: np.ndarray, painted: np.ndarray, before: Shown | None, steadiness: float) -> Shown:
    """Returns a frame of a clip that is painted frame by frame, nearer to the one before.

    What was shown before is warped along with what is seen, and where that can be trusted it is
    blended with what is painted now: m s warp(before) + (1 - m s) painted, with the share m of
    trust and the steadiness s. A new scene begins afresh.

    Args:
      frame: `[H, W, 3]` uint8.
      painted: `[H, W, 3]` in [0, 1], of it alone.
      before: what this returned of the frame before; None: there is none.
      steadiness: from 0 (each frame by itself) to below 1.

    Raises:
      ValueError: the steadiness is out of range.
    """
    require_steadiness(steadiness)
    painted = np.asarray(painted, np.float32)
    if before is None or not steadiness:
        return Shown(frame, painted)
    now, then = flow.small(frame), flow.small(before.frame)
    found = flow.between(now, then)
    if scenes.change(now, then, found).is_cut:
        return Shown(frame, painted)
    found = found.resized(frame.shape[:2])
    cv2 = imported("cv2")
    trust = cv2.blur(np.float32(found.trusted), (_FEATHER, _FEATHER))
    moved = np.clip(flow.warped(before.painted, found.back, sharp=True), 0, 1)
    return Shown(frame, painted + steadiness * trust[..., np.newaxis] * (moved - painted))


def sharpened(shown: np.ndarray, painted: np.ndarray) -> np.ndarray:
    """Returns what is shown, its fine detail as strong as in what was painted; warping weakens it.

    Args:
      shown, painted: `[H, W, 3]` in [0, 1]. Detail is what a Gaussian of one pixel takes away; it is made up
        to half as strong again.
    """
    cv2 = imported("cv2")
    own, wanted = (each - cv2.GaussianBlur(each, (0, 0), 1.0) for each in (shown, np.float32(painted)))
    gain = np.sqrt(np.square(wanted).mean() / max(np.square(own).mean(), 1e-12))
    return np.clip(shown + (np.clip(gain, 1.0, _MOST_GAIN) - 1) * own, 0, 1)


def require_steadiness(steadiness: float) -> None:
    """Checks how much of what was shown before is kept.

    Raises:
      ValueError: it is not a number from 0 to below 1.
    """
    if not 0 <= number("steadiness", steadiness, 0) < 1:
        raise ValueError(f"steadiness={steadiness:g}: must be from 0 to below 1")


def difference(along: flow.Flow, painted: np.ndarray, painted_later: np.ndarray) -> float:
    """Measures the flicker between two painted frames, their warping error.

    Lai et al., "Learning Blind Video Temporal Consistency", ECCV 2018, eq. (8): the mean square, over
    channels and all that can be followed, of the later picture warped back less the earlier one.

    Args:
      along: from the earlier frame of the clip to the later one, of their size.
      painted, painted_later: what became of them, `[H, W, 3]` in [0, 1].
    """
    change = flow.warped(np.float32(painted_later), along.back, sharp=True) - painted
    return float(np.square(change)[along.trusted].mean())
