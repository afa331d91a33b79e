"""What memory runs take beside what their process has, by bytes a unit, measured for each kind of run.

All were fitted to greatest resident sets: of transfers at 256 to 2048 pixels
(`scripts/benchmark.py --sizes` measures it), of styles measured at 1024 and 2048 pixels, of
pictures of 2.5 to 25 megapixels painted by the network that ships with tfstyle, and of
trainings on 2 to 8 photographs of 128 to 512 pixels, at widths 4 to 32. Trainings with a skip
connection come within 13 %; without, within 26 %, most above; networks for any style are up to
29 % below, and style_loss=bures some 20 %.
"""

from __future__ import annotations

from collections.abc import Callable

from tfstyle.config import TransferConfig
from tfstyle.io.decode import size_of
from tfstyle.runtime import memory

PROCESS = 700e6  # taken for a process where a run is to be deterministic: no two are equal
STEP = 60e6  # of a compiled step, whatever the picture
VALUE = {"float32": 4, "bfloat16": 2}
# Bytes for each value that is kept for the gradient, and for each of the largest layer: Gram
# matrices are made of float32 copies, one layer at a time. Of tiles, for those of one.
EVALUATION = {
    ("plain", "float32"): (4, 4),
    ("plain", "bfloat16"): (2, 4),
    ("recompute", "float32"): (0, 16),
    ("recompute", "bfloat16"): (0, 10),
    # Of a style picture that is measured, without a gradient; histograms sort copies.
    ("measuring", "float32"): (0, 9.2),
    ("measuring", "bfloat16"): (0, 7.2),
    ("histogram", "float32"): (0, 22),
    ("histogram", "bfloat16"): (0, 22),
    # Of a network in training: for each layer, its normalisation, its ReLU, and the border
    # reflected around it. Normalisation takes float32 copies of bfloat16.
    ("training", "float32"): (12.5, 0),
    ("training", "bfloat16"): (8.5, 0),
}
# Bytes a pixel: of the optimisers' variables and temporary vectors, and of what comes to them.
OPTIMIZER = {"adam": 110, "sgd": 50, "lbfgs": 100, "hager_zhang": 330}
PAIR = 24  # of L-BFGS' history
AVERAGE = 24  # of first-order methods
HELD = 12  # of a picture
DECODED = 31  # at its reading, in its own size
RESIZED = 24  # beside them, in its new size
JUDGED = 150  # of a picture that is compared with another
PAINTING = 50  # of a picture that a network paints: itself, what it becomes, and their copies
PAINTED = 50  # and filter, in float32: 26 compiled, some 80 not, of the network before this one
PAINTED_LIGHT = 15  # by onnxruntime
PAINTED_IN_STRIPS = 3  # and filter, kept from sweep to sweep
STRIP_PIXELS = 1 << 19  # of the picture, in one strip
_MOST_WHOLE = 2 << 30  # bytes that a picture painted whole may take
MATTING = 310  # at the making of the matting loss


def pixel_bytes(config: TransferConfig) -> int:
    """Returns what a run takes for each pixel of its picture beside the network's values."""
    kind = "hager_zhang" if config.optimizer == "lbfgs" and config.line_search == "hager_zhang" else None
    found = OPTIMIZER[kind or config.optimizer] + (MATTING if config.photorealistic else 0)
    if config.optimizer == "lbfgs":
        return found + PAIR * config.lbfgs_history
    return found + (AVERAGE if config.averaging > 0 else 0)


def activation_bytes(kind: str, precision: str, kept: float, widest: float = 0) -> float:
    """Returns what a network's values take.

    Args:
      kind, precision: of `EVALUATION`.
      kept: how many values the gradient needs.
      widest: how many the largest layer has.
    """
    of_kept, of_widest = EVALUATION[kind, precision]
    return of_kept * kept + of_widest * widest


def most_whole_pixels(filters: float, painted: int = PAINTED) -> int:
    """Returns the pixels above which a network of so many filters in its first layer paints in strips."""
    return int(_MOST_WHOLE // (painted * filters))


def strip_pixels(whole: int) -> int:
    """Returns the pixels of a strip, where pictures of more than so many pixels are painted in strips."""
    return min(STRIP_PIXELS, max(1, whole))


def painting_bytes(pixels: float, filters: float, whole: int, painted: int = PAINTED) -> float:
    """Returns what a network takes for a picture, beside it.

    Args:
      pixels: of the picture.
      filters: of the network's first layer, in float32.
      whole: pixels of the largest picture that is painted whole.
      painted: bytes a pixel and filter that it then takes.
    """
    if pixels <= whole:
        return painted * filters * pixels
    return filters * (PAINTED * strip_pixels(whole) + PAINTED_IN_STRIPS * pixels)


def require_paintable(
    source, argument: str, needed_bytes: Callable[[float], float], *, on_gpu: bool | None = None
) -> None:
    """Checks, before a picture is decoded, that it can be painted in the memory that there is.

    Args:
      source, argument: as in `decode.size_of`, also for errors.
      needed_bytes: from pixels to what painting them takes, beside the picture.
      on_gpu: as in `memory.Room.now`.

    Raises:
      ValueError: it cannot; the message says what size could.
    """
    height, width = size_of(source, argument)
    room, longer = memory.Room.now(on_gpu=on_gpu), max(height, width)

    def peak(side: int) -> float:
        pixels = height * width * (side / longer) ** 2
        return room.resident + max(DECODED * pixels, PAINTING * pixels + needed_bytes(pixels))

    asked = f"{argument} of {width} x {height} pixels"
    memory.require_side(asked, peak, longer, longer, room.most, "a longer side of {} pixels")
