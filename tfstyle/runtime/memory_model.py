"""What memory runs take beside what their process has: bytes a unit, measured for each kind of run.

All were fitted to greatest resident sets: of transfers at 256 to 2048 pixels
(`scripts/benchmark.py --sizes` measures it), of styles measured at 1024 and 2048 pixels, of
pictures of 2.5 to 25 megapixels painted by the network that ships with tfstyle, and of
trainings on 2 to 8 photographs of 128 to 512 pixels, at widths 4 to 32. Trainings with a skip
connection come within 13 %; without, within 26 %, most above; networks for any style are up to
29 % below, and style_loss=bures some 20 %.
"""

from __future__ import annotations

from tfstyle.config import TransferConfig

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
PAINTING = 40  # of a picture that a network paints: itself, what it becomes, and both on their way
PAINTED = 50  # and filter, in float32: 26 compiled, up to 50 with a skip connection, some 80 not compiled
PAINTED_IN_STRIPS = 3  # and filter, kept from sweep to sweep
RESTYLED = 1100  # by a network for any style on VGG19
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
