"""A style picture: patches of pastel hatching in bright colours, layer over layer, on dark paper."""

import numpy as np

from pictures.noise import FINE, fractal, sample, shrunk, smoothstep

_PAPER = np.array((34, 26, 46), np.float32)
# Neighbouring colours go well together; patches take them by a slowly changing field.
_PALETTE = np.array(
    [
        (238, 78, 128),  # pink
        (252, 142, 150),  # rose
        (250, 118, 46),  # orange
        (255, 186, 70),  # apricot
        (186, 218, 62),  # lime
        (54, 190, 140),  # sea green
        (40, 186, 202),  # turquoise
        (92, 108, 214),  # blue
        (150, 82, 206),  # violet
        (214, 84, 184),  # orchid
    ],
    np.float32,
)


def crayon(width=768, height=576, seed=47):
    """Returns the style picture."""
    generator = np.random.default_rng(seed)
    wide, high = width * FINE, height * FINE
    # The tooth of the paper: its heights take the crayon, its hollows stay dark.
    y, x = np.mgrid[0:high, 0:wide].astype(np.float32)
    grain = fractal(generator, (512, 512), slope=0.6, lowest=24)
    tooth = sample(grain, y * 0.8, x * 0.8)
    color = _PAPER * (1 + 0.10 * tooth[..., np.newaxis])
    hue = fractal(generator, (64, 64), slope=1.2, lowest=1, highest=6)
    # patch and stroke width in pixels, pressure, how far colours stray along the palette
    for patch, brush, press, stray in ((200, 20, 0.1, 0.5), (170, 16, 0.0, 1.0), (120, 13, 0.2, 2.4)):
        for middle in _spots(generator, wide, high, patch * (0.72 if patch > 120 else 0.92)):
            place = 2.72 * sample(hue, *(middle[::-1] * 64 / (1.3 * wide)))
            tint = _PALETTE[int(np.round(place + generator.normal(0, stray))) % len(_PALETTE)]
            if generator.random() < 0.16:
                tint = 1.3 * _PAPER  # a dark crayon brings the paper back between the colours
            _hatch(generator, color, tooth, middle, patch, brush, press, tint)
    return shrunk(color)


def _spots(generator, wide, high, pitch):
    """Returns middles of patches (n, 2) on a jittered grid, in any order."""
    rows, columns = np.mgrid[-1 : high / pitch + 1, -1 : wide / pitch + 1]
    spots = np.stack([columns.ravel(), rows.ravel()], -1)
    return generator.permutation((spots + generator.uniform(-0.45, 0.45, spots.shape)) * pitch)


def _hatch(generator, color, tooth, middle, patch, brush, press, tint):
    """Draws a patch of parallel strokes, to and fro as a hand does."""
    angle = generator.choice([0.35, 0.95, 1.75, 2.45]) + generator.normal(0, 0.18)
    ahead = np.array([np.cos(angle), np.sin(angle)])
    aside = np.array([-ahead[1], ahead[0]])
    curve = generator.normal(0, 0.06) * patch
    for offset in np.arange(-patch / 2, patch / 2, brush * 1.55):
        # Strokes are shorter at the rim of the patch.
        half = patch * (0.62 - 0.9 * (offset / patch) ** 2) * generator.uniform(0.75, 1.1)
        start = middle + aside * (offset + generator.normal(0, brush * 0.16))
        start = start + ahead * generator.normal(0, patch * 0.06)
        tone = tint * generator.uniform(0.86, 1.12) + generator.normal(0, 7, 3)
        wide = brush * generator.uniform(0.75, 1.2)
        _stroke(generator, color, tooth, start, ahead, aside, half, wide, curve, press, tone)


def _stroke(generator, color, tooth, start, ahead, aside, half, brush, curve, press, tone):
    along, across = np.meshgrid(
        np.linspace(-1, 1, int(2.6 * half), dtype=np.float32),
        np.linspace(-1, 1, int(1.5 * brush), dtype=np.float32),
    )
    bow = across * brush / 2 + curve * (1 - along**2)
    x = (start[0] + ahead[0] * along * half + aside[0] * bow).astype(np.int32)
    y = (start[1] + ahead[1] * along * half + aside[1] * bow).astype(np.int32)
    high, wide = tooth.shape
    inside = (x >= 0) & (x < wide) & (y >= 0) & (y < high)
    x, y, along, across = x[inside], y[inside], along[inside], across[inside]
    # The hand presses first and lifts at the end; the crayon's edge touches only the highest grain.
    load = press + 1.5 - 0.9 * along**4 - 0.5 * along - 1.1 * across**4 + generator.normal(0, 0.25)
    rough = tooth[y, x]
    cover = (0.94 * smoothstep(-0.25, 0.55, load - 0.8 + 0.6 * rough))[:, np.newaxis]
    # One flank of the line is waxier and so lighter, which lets lines of one colour stand apart.
    wax = 1 + 0.08 * rough - 0.16 * across
    color[y, x] += cover * (tone * wax[:, np.newaxis] - color[y, x])
