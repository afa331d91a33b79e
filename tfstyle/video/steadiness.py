"""Painted frames brought nearer to the ones before, and how much frames flicker."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

import numpy as np

from tfstyle.config.options import number
from tfstyle.io.pixels import in_unit_range
from tfstyle.video import flow, scenes
from tfstyle.video.extra import imported

_FEATHER = 5  # pixels over which trust ends
_DETAIL = 1.0, 2.0  # standard deviations of Gaussians, in pixels
_MOST_GAIN = 1.5  # of detail that is made as strong as it was painted


class Shown(NamedTuple):
    """A frame of a clip, and what was shown of it.

    Attributes:
      frame: `[H, W, 3]` uint8, of the clip.
      painted: `[H, W, 3]` float32 in [0, 1], what was shown of it.
    """

    frame: np.ndarray
    painted: np.ndarray


class Painted(NamedTuple):
    """What became of a frame.

    Attributes:
      picture: `[H, W, 3]` float32 in [0, 1].
      shown: this frame, and those before it that the next one is to be given.
      followed: share of the picture in [0, 1] that the frames before tell; 0 where a scene begins.
      warping_error: mean square difference from what they tell; None where a scene begins.
      losses: {term: weighted value} in the end, where it was optimised.
    """

    picture: np.ndarray
    shown: Sequence[Shown]
    followed: float = 0.0
    warping_error: float | None = None
    losses: Mapping[str, float] = MappingProxyType({})


# How a frame is painted: from it, `[H, W, 3]` uint8, and frames before it as shown, the last one first.
Step = Callable[[np.ndarray, Sequence[Shown]], Painted]


class Carried(NamedTuple):
    """What was shown before, moved along with what is seen.

    Attributes:
      picture: `[H, W, 3]` in [0, 1].
      trust: `[H, W, 1]` in [0, 1], how far it can be trusted.
    """

    picture: np.ndarray
    trust: np.ndarray

    def told(self, picture: np.ndarray) -> dict[str, float]:
        """Returns how much of a picture it tells, and how far that is from it; see `Painted`."""
        distance = self.trust * np.square(picture - self.picture)
        trust = float(self.trust.mean())
        return {"followed": trust, "warping_error": float(distance.mean()) / max(trust, 1e-9)}


def carried(frame: np.ndarray, before: Sequence[Shown]) -> Carried | None:
    """Returns what was shown of earlier frames as it would be seen in this one.

    An earlier one adds what the later ones cannot tell: they are mixed by the trust that each adds (the
    long-term consistency of Ruder et al. 2016, section 5.2).

    Args:
      frame: `[H, W, 3]` uint8.
      before: earlier frames of the same scene, the last one first.

    Returns:
      None where there is none, or where a new scene begins.
    """
    cv2, now, found = imported("cv2"), flow.small(frame), None
    for shown in before:
        then = flow.small(shown.frame)
        moves = flow.between(now, then)
        if found is None and scenes.change(now, then, moves).is_cut:
            return None
        moves = moves.resized(frame.shape[:2])
        trust = cv2.blur(np.float32(moves.trusted), (_FEATHER, _FEATHER))[..., np.newaxis]
        picture = np.clip(flow.warped(shown.painted, moves.back, sharp=True), 0, 1)
        if found is None:
            found = Carried(picture, trust)
            continue
        taken = np.maximum(trust - found.trust, 0)
        sum_of_trust = found.trust + taken
        share = np.divide(taken, sum_of_trust, out=np.zeros_like(taken), where=sum_of_trust > 0)
        found = Carried(found.picture + share * (picture - found.picture), sum_of_trust)
    return found


def steadied(painted: np.ndarray, before: Carried, steadiness: float) -> np.ndarray:
    """Returns a frame of a clip that is painted frame by frame, nearer to the one before.

    Where what was shown can be trusted, it is blended with what is painted now:
    m s before + (1 - m s) painted, with the share m of trust and the steadiness s.

    Args:
      painted: `[H, W, 3]` in [0, 1], of the frame alone.
      before: of the frame before.
      steadiness: from 0 (each frame by itself) to below 1.
    """
    return painted + steadiness * before.trust * (before.picture - painted)


def sharpened(shown: np.ndarray, painted: np.ndarray) -> np.ndarray:
    """Returns what is shown, its detail as strong as in what was painted; warping weakens it.

    Args:
      shown, painted: `[H, W, 3]` in [0, 1]. Detail is what Gaussians of one pixel, and then of two, take
        away; each of these bands is made up to half as strong again.
    """
    cv2 = imported("cv2")
    rest, wanted, made = np.float32(shown), np.float32(painted), 0.0
    for sigma in _DETAIL:
        smooth, wanted_smooth = (cv2.GaussianBlur(each, (0, 0), sigma) for each in (rest, wanted))
        energy, wanted_energy = np.square(rest - smooth).mean(), np.square(wanted - wanted_smooth).mean()
        gain = np.clip(np.sqrt(wanted_energy / max(energy, 1e-12)), 1.0, _MOST_GAIN)
        made += gain * (rest - smooth)
        rest, wanted = smooth, wanted_smooth
    return np.clip(made + rest, 0, 1)


def frame_by_frame(paint: Callable[[np.ndarray], np.ndarray], steadiness: float) -> Step:
    """Returns what paints a frame by itself and brings it nearer to the one before.

    Args:
      paint: from a frame, `[H, W, 3]` in [0, 1], to what becomes of it.
      steadiness: see `steadied`.

    Raises:
      ValueError: the steadiness is not a number from 0 to below 1.
    """
    if not 0 <= number("steadiness", steadiness, 0) < 1:
        raise ValueError(f"steadiness={steadiness:g}: must be from 0 to below 1")

    def step(frame: np.ndarray, before: Sequence[Shown]) -> Painted:
        painted = np.asarray(paint(in_unit_range(frame)), np.float32)
        known = carried(frame, before) if steadiness else None
        if known is None:
            return Painted(painted, [Shown(frame, painted)])
        # What is warped again and again would blur more and more.
        picture = sharpened(steadied(painted, known, steadiness), painted)
        return Painted(picture, [Shown(frame, picture)], **known.told(picture))

    return step


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
