"""What belongs to neither content nor style: a frame at the border, seams of tiles.

Both are steps along a whole row or column. The strength of a line between two
rows (or columns) is the mean absolute difference between its sides, taken over
stretches of 16 pixels: from one pixel to the next a step may drown in the grain
of paint, which goes up and down; over a stretch that cancels, and the step stays.
"""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from tfstyle.io import images
from tfstyle.vgg import tiles

_FAINT = 1e-3  # a quarter of a grey level: differences below it do not show
_STRETCH = 16  # pixels along a line; told 3 % steps of light from none in paintings better than 1 or 8
_NEAR = 8  # lines on each side that a seam is compared with
_FRAME = 1 / 32  # of the shorter side: a frame is at most so wide
_STRIDE = 16  # of VGG19's block 5, on whose multiples tfstyle cuts tiles
LEAST_TILE = 2 * _STRIDE  # so that there is something between two seams


def border_score(picture: tf.Tensor, content: tf.Tensor) -> float:
    """Tells whether a frame runs along a picture's border.

    At each of the four sides: the strongest of the outermost lines parallel to
    it, over the median of twice as many lines next to them; the mean of the
    four, over the content's own. Outermost are those within 1/32 of the
    shorter side (2 at least): a frame that is wider is not noticed. (The
    measure is this package's own.)

    Args:
      picture, content: `[1, H, W, 3]` in [0, 1], of the same size, 8 pixels or more on each side.

    Returns:
      In (0, inf): 1 where the border is as the content's; 2 where it stands
      out twice as much. What is below 1 is as good as 1.
    """
    return _prominence(picture) / _prominence(content)


def _prominence(picture: tf.Tensor) -> float:
    band = max(2, round(_FRAME * min(picture.shape[1:3])))
    rows, columns = _lines(picture)
    ratios = []
    for inwards in (rows, rows[::-1], columns, columns[::-1]):
        outer, inner = inwards[:band].max(), np.median(inwards[band : 3 * band])
        ratios.append((outer + _FAINT) / (inner + _FAINT))
    return float(np.mean(ratios))


def seam_score(picture: tf.Tensor, tile: int = 512) -> float | None:
    """Tells whether tiles of a size, put together, have left seams.

    The mean strength of the lines where tiles meet, over that of the 8 lines
    on either side of each. Tiles meet at multiples of their size in most
    codes, and here where `tiles.spans` cuts a picture into equal parts; the
    score is the higher one of the two. (The measure is this package's own.)

    Args:
      picture: `[1, H, W, 3]` in [0, 1], as it was made: resizing smooths seams away.
      tile: side of the tiles in pixels, 32 or above.

    Returns:
      In (0, inf): about 1 where there is no seam (1 to 1.3 for photographs and
      paintings), 2 where the lines stand out twice as much as what is near
      them. What is below 1 is as good as 1. None for a picture that is one
      tile.

    Raises:
      ValueError: the tile is too small.
    """
    if tile < LEAST_TILE:
        raise ValueError(f"tile={tile}: must be at least {LEAST_TILE} pixels")
    strengths, lengths = _lines(picture), picture.shape[1:3]
    multiples = [range(tile, length, tile) for length in lengths]
    equal_parts = [[span.start for span in tiles.spans(length, tile, _STRIDE, 0)][1:] for length in lengths]
    scores = [_standing_out(strengths, places) for places in (multiples, equal_parts) if any(places)]
    return max(scores, default=None)


def _standing_out(strengths, places) -> float:
    """Returns the strength of the lines before some rows and columns, over that of those near them."""
    seams, near = [], []
    for along, starts in zip(strengths, places):
        lines = [start - 1 for start in starts]
        others = set(range(len(along))) - set(lines)
        for line in lines:
            seams.append(along[line])
            near.append(along[sorted(others & set(range(line - _NEAR, line + _NEAR + 1)))].mean())
    return float((np.mean(seams) + _FAINT) / (np.mean(near) + _FAINT))


def _lines(picture: tf.Tensor) -> tuple[np.ndarray, np.ndarray]:
    """Returns the strengths of the lines between rows, `[H - 1]`, and between columns, `[W - 1]`."""
    values = images.load_image(picture, "picture")[0].numpy()
    return _strengths(values), _strengths(values.swapaxes(0, 1))


def _strengths(rows: np.ndarray) -> np.ndarray:
    length = rows.shape[1]
    stretches = np.add.reduceat(np.diff(rows, axis=0), np.arange(0, length, _STRETCH), axis=1)
    return np.abs(stretches).sum(1, dtype=np.float64).mean(-1) / length
