"""Optical flow: what moves where between two frames, by OpenCV's DIS, and where that can be trusted.

Kroeger, Timofte, Dai & Van Gool, "Fast Optical Flow using Dense Inverse Search", ECCV 2016.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from tfstyle.video.extra import imported

# Ruder, Dosovitskiy & Brox, "Artistic Style Transfer for Videos", GCPR 2016, eqs. (5) and (6), after Sundaram
# et al. 2010: shares of squared lengths, and squared pixels.
_DISOCCLUDED = 0.01, 0.5
_EDGE = 0.01, 0.002
_LEAST, _LONGEST = 32, 480  # pixels a side at which flow is estimated


class Flow(NamedTuple):
    """From a frame to the one before it.

    Attributes:
      back: `[H, W, 2]` float32, pixels to the right and down: what is seen at p was at p + back(p).
      trusted: `[H, W]` bool: not where nothing of it was seen before, where motion has an edge, or
        where it comes from outside the frame.
    """

    back: np.ndarray
    trusted: np.ndarray

    def resized(self, size: tuple[int, int]) -> Flow:
        """Returns the flow of frames of another (height, width)."""
        cv2, (height, width) = imported("cv2"), size
        if size == self.back.shape[:2]:
            return self
        back = cv2.resize(self.back, (width, height), interpolation=cv2.INTER_LINEAR)
        back *= np.float32([width / self.back.shape[1], height / self.back.shape[0]])
        trusted = cv2.resize(np.uint8(self.trusted), (width, height), interpolation=cv2.INTER_NEAREST)
        return Flow(back, trusted > 0)


def small(frame: np.ndarray) -> np.ndarray:
    """Returns a frame, `[H, W, 3]` uint8, with its longer side brought down to 480 pixels."""
    cv2 = imported("cv2")
    share = _LONGEST / max(frame.shape[:2])
    if share >= 1:
        return frame
    size = tuple(max(1, round(side * share)) for side in frame.shape[1::-1])
    return cv2.resize(frame, size, interpolation=cv2.INTER_AREA)


def between(frame: np.ndarray, before: np.ndarray) -> Flow:
    """Returns the flow from a frame to another, `[H, W, 3]` uint8 both."""
    cv2 = imported("cv2")
    grey, grey_before = (cv2.cvtColor(each, cv2.COLOR_RGB2GRAY) for each in (frame, before))
    back, forth = estimated(grey, grey_before), estimated(grey_before, grey)
    return Flow(back, trusted(back, forth))


def estimated(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Returns where what is at p of a frame, `[H, W]` uint8, is in another, less p; `[H, W, 2]`."""
    cv2 = imported("cv2")
    # Small frames have no pyramid that the search could begin on.
    pads = [(0, max(0, _LEAST - side)) for side in first.shape]
    padded = [np.pad(each, pads, mode="edge") for each in (first, second)]
    found = cv2.DISOpticalFlow_create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM).calc(*padded, None)
    return found[: first.shape[0], : first.shape[1]]


def trusted(back: np.ndarray, forth: np.ndarray) -> np.ndarray:
    """Returns where a flow from a frame to the one before agrees with that the other way round; see `Flow`.

    Args:
      back, forth: `[H, W, 2]`.
    """
    height, width = back.shape[:2]
    again = warped(forth, back)
    lengths = np.square(back).sum(-1) + np.square(again).sum(-1)
    share, rest = _DISOCCLUDED
    agrees = np.square(back + again).sum(-1) <= share * lengths + rest
    slopes = sum(np.square(np.gradient(back[..., axis], axis=along)) for axis in (0, 1) for along in (0, 1))
    share, rest = _EDGE
    smooth = slopes <= share * np.square(back).sum(-1) + rest
    columns, rows = np.arange(width) + back[..., 0], np.arange(height)[:, np.newaxis] + back[..., 1]
    inside = (columns >= 0) & (columns <= width - 1) & (rows >= 0) & (rows <= height - 1)
    return agrees & smooth & inside


def warped(picture: np.ndarray, flow: np.ndarray, *, sharp: bool = False) -> np.ndarray:
    """Returns what a picture has at p + flow(p); past its border, the border.

    Args:
      picture: `[H, W, C]` float32.
      flow: `[H, W, 2]`.
      sharp: by a window of 8 x 8 pixels (Lanczos), not by linear interpolation, which blurs what is
        warped again and again.
    """
    cv2 = imported("cv2")
    height, width = flow.shape[:2]
    columns = (np.arange(width, dtype=np.float32) + flow[..., 0]).astype(np.float32)
    rows = (np.arange(height, dtype=np.float32)[:, np.newaxis] + flow[..., 1]).astype(np.float32)
    kind = cv2.INTER_LANCZOS4 if sharp else cv2.INTER_LINEAR
    made = cv2.remap(np.ascontiguousarray(picture), columns, rows, kind, borderMode=cv2.BORDER_REPLICATE)
    return made.reshape(picture.shape)
