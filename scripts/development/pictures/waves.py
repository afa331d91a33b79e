"""A style picture: a printed sea, row before row of waves, nested contour lines under scalloped foam."""

import numpy as np

from pictures.noise import FINE, fractal, sample, shrunk, smoothstep

_INK = np.array((16, 24, 64), np.float32)
_FOAM = np.array((240, 234, 214), np.float32)
# Flat colours of a wave from its crest down; every wave takes one of these blocks.
_BLOCKS = [
    [(28, 62, 124), (66, 124, 170), (28, 62, 124), (20, 38, 92), (150, 192, 204), (20, 38, 92)],
    [(22, 40, 96), (22, 40, 96), (40, 88, 148), (128, 178, 198), (40, 88, 148), (22, 40, 96)],
    [(178, 208, 208), (88, 146, 182), (34, 76, 138), (24, 48, 106), (34, 76, 138), (24, 48, 106)],
    [(232, 112, 88), (240, 160, 128), (232, 112, 88), (30, 58, 118), (78, 136, 176), (22, 42, 98)],
]
_ORDER = (0, 2, 1, 3, 2, 0, 1, 2)  # coral comes seldom
_ROW = 76  # pixels of the picture from row to row
_LINE = 19  # from contour to contour


def waves(width=768, height=576, seed=31):
    """Returns the style picture."""
    generator = np.random.default_rng(seed)
    wide, high = width * FINE, height * FINE
    y, x = np.mgrid[0:high, 0:wide].astype(np.float32)
    # The whole sea is bent, so that rows rise and fall and crests lean over.
    bend = [fractal(generator, (256, 256), slope=2.2, lowest=1, highest=5) for _ in range(2)]
    span = 256 / (1.25 * wide)
    flow_x = x + 46 * sample(bend[0], y * span, x * span)
    flow_y = y + 62 * sample(bend[1], y * span, x * span)
    color = np.empty((high, wide, 3), np.float32)
    color[:] = _BLOCKS[0][0]
    for row in range(-3, int(high / _ROW) + 5):
        _wave(generator, color, flow_x, flow_y, row)
    # Ink takes to the paper unevenly, and along the grain of the wooden block.
    grain = fractal(generator, (512, 512), slope=0.7, lowest=6)
    print_ = 0.022 * sample(grain, y * 0.9, x * 0.09) + 0.016 * sample(grain, x * 0.8, y * 0.8)
    return shrunk(color * (1 + print_[..., np.newaxis]))


def _wave(generator, color, flow_x, flow_y, row):
    """Prints one row of waves upon those behind it."""
    length = generator.uniform(250, 380)
    tall = generator.uniform(74, 120)
    shift, sway, lean = generator.uniform(0, 2 * np.pi, 3)
    base = row * _ROW
    # Near rows only reach so far: what lies well above the crest or below the next rows is left alone.
    top, last = base - 1.7 * tall - 260, base + 4 * _ROW + 260
    band = slice(max(int(top), 0), max(int(last), 0))
    x, y, part = flow_x[band], flow_y[band], color[band]
    below = y - base
    # Crests are peaked and troughs wide; they lean the more the higher they rise.
    phase = 2 * np.pi * (x - 0.55 * below) / length + shift + 0.9 * np.sin(x / 410 + sway)
    swell = 1 - (np.sin(phase / 2) ** 2 + 0.006) ** 0.46
    fall = smoothstep(240, -40, below)  # contours flatten with depth
    height = tall * (0.75 + 0.35 * np.sin(x / 300 + lean)) * swell * (0.35 + 0.65 * fall)
    depth = below + 1.5 * height
    down, right = np.gradient(depth)
    slope = np.maximum(np.hypot(down, right), 0.5)
    # Foam is a string of bubbles along the crest, two sizes of them.
    bubble = 13 * np.abs(np.sin(x / 15 + sway)) + 5 * np.abs(np.sin(x / 6.5 + lean))
    edge = depth / slope**0.7 + bubble
    inside = edge > 0
    level = depth / slope**0.35 / _LINE
    block = np.array(_BLOCKS[_ORDER[row % len(_ORDER)]], np.float32)
    step = np.clip(np.floor(level), 0, None).astype(int)
    flat = block[step % len(block)]
    # Lines swell and thin out as a graver's do.
    weight = 0.13 + 0.07 * np.sin(x / 90 + step * 1.7 + shift)
    near = np.abs(level - np.round(level))
    ink = (near < weight) & (level > 0.5)
    pale = np.linalg.norm(flat, axis=-1) < 190  # dark colours are cut with pale lines, light ones with ink
    flat[ink & ~pale] = _INK
    flat[ink & pale & (np.round(level) % 2 == 1)] = (168, 202, 208)
    flat[ink & pale & (np.round(level) % 2 == 0)] = _INK
    foam = edge < 19 + 0.6 * bubble
    flat[foam] = _FOAM
    flat[(np.abs(edge - 19 - 0.6 * bubble) < 3) | (edge < 5)] = _INK
    part[inside] = flat[inside]
