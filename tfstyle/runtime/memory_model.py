"""What memory runs take beside what their process has: bytes a unit, measured for each kind of run.

All were fitted to greatest resident sets: of transfers at 256 to 2048 pixels
(`scripts/benchmark.py --sizes` measures it), and of trainings on 2 to 8 photographs of 128 to
512 pixels, at widths 4 to 32. Those with a skip connection come within 13 %; without, within
26 %, most above; networks for any style are up to 29 % below, and style_loss=bures some 20 %.
"""

from __future__ import annotations

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
    # Of a network in training: for each layer, its normalisation, its ReLU, and the border
    # reflected around it. Normalisation takes float32 copies of bfloat16.
    ("training", "float32"): (12.5, 0),
    ("training", "bfloat16"): (8.5, 0),
}
# Bytes a pixel: of the optimisers' variables and temporary vectors, and of what comes to them.
OPTIMIZER = {"adam": 110, "sgd": 50, "lbfgs": 100, "hager_zhang": 330}
PAIR = 24  # of L-BFGS' history
AVERAGE = 24  # of first-order methods
MATTING = 310  # at the making of the matting loss


def activation_bytes(kind: str, precision: str, kept: float, widest: float = 0) -> float:
    """Returns what a network's values take.

    Args:
      kind, precision: of `EVALUATION`.
      kept: how many values the gradient needs.
      widest: how many the largest layer has.
    """
    of_kept, of_widest = EVALUATION[kind, precision]
    return of_kept * kept + of_widest * widest
