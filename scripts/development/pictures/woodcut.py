"""A style picture: a woodcut, black ink on cream paper, its lines carved along curving contours."""

import numpy as np

from pictures.noise import FINE, blend, fractal, sample, shrunk, smoothstep

_LINE = 19  # pixels, printed at that multiple, from one line to the next
_PAPER, _INK = (240, 228, 200), (20, 17, 18)


def woodcut(width=768, height=576, seed=41):
    """Returns the picture."""
    generator = np.random.default_rng(seed)
    wide, high = width * FINE, height * FINE
    y, x = np.mgrid[0:high, 0:wide].astype(np.float32)
    shaky = fractal(generator, (512, 512), slope=1.3, lowest=6)
    s, t = x / high, y / high

    # Fields of lines lie over one another like hills; each has a flow of its own.
    ink = None
    bulk = fractal(generator, (256, 256), slope=1.7, highest=5)
    for number, (angle, foot) in enumerate(
        ((0.35, -9.0), (-0.9, 0.20), (1.25, 0.34), (0.1, 0.62), (-0.5, 0.84))
    ):
        level, along = _flow(generator, s, t, angle)
        level = level * high / _LINE + 0.10 * sample(shaky, y / 4, x / 4)
        line = np.floor(level)
        # How much of each line is left: from bare paper (0) to solid black (1), the ends per line.
        drift = sample(bulk, t * 110 + 61 * number, s * 110 + 17)
        ends = sample(shaky, line * 37.3 + 11 * number, along * 34)
        flick = sample(shaky, line * 53.1 + 5 * number, along * 150)
        share = 0.50 + 0.25 * drift + 0.15 * ends + 0.05 * flick + 0.035 * sample(shaky, y / 1.6, x / 1.6)
        crest = np.abs(level - line - 0.5) * 2
        # The gouge leaves no thinner line than it can, nor a narrower furrow.
        share = np.where(share < 0.17, -0.2, np.where(share > 0.86, 1.2, share))
        # As a distance in pixels, so that edges are sharp where lines lie far apart, too.
        pitch = np.clip(np.hypot(*np.gradient(level)), 0.3 / _LINE, None)
        field = (share - crest) / (2 * pitch)
        if ink is None:
            ink = field
            continue
        hill = foot + 0.13 * np.sin(2 * np.pi * (s * (0.55 + 0.13 * number) + generator.random()))
        hill += 0.035 * np.sin(2 * np.pi * (s * 2.3 + generator.random())) + 0.006 * sample(
            shaky, x / 6, y / 6
        )
        inside = (t - hill) * high
        # A black rim with a white cut along it parts one field from the next.
        ink = np.where(inside > 0, field, ink)
        rim = 7 + 3.5 * sample(bulk, s * 200, t * 40)
        ink = np.where(np.abs(inside) < 22, np.minimum(ink, np.abs(inside + 6) - rim - 5), ink)
        ink = np.maximum(ink, rim - np.abs(inside + 6))
    printed = smoothstep(-1.2, 1.2, ink)

    # Ink misses specks of the wood, along its grain, and the paper is not even.
    grain = fractal(generator, (512, 512), slope=0.7, lowest=10)
    missed = smoothstep(
        1.9, 2.4, sample(grain, y * 0.55, x * 0.10) + 0.5 * sample(grain, y * 0.6, x * 0.6 + 200)
    )
    printed *= 1 - 0.9 * missed
    fibre = sample(grain, y * 0.5, x * 0.4)[..., np.newaxis]
    picture = blend(np.array(_PAPER), np.array(_INK), printed) + 3.0 * fibre
    return shrunk(picture)


def _flow(generator, s, t, angle):
    """Returns a level of about unit slope, and the way along it, for lines that bend and wind."""
    level = t * np.cos(angle) - s * np.sin(angle)
    along = s * np.cos(angle) + t * np.sin(angle)
    phase = generator.random(2) * 2 * np.pi
    bent = level + 0.085 * np.sin(5.5 * along + phase[0] + 2.0 * level)
    bent += 0.03 * np.sin(11 * along + phase[1] - 5 * level)
    # Knots in the wood: the lines part around them.
    for turn in (1.7, -1.5, 1.3):
        middle = generator.uniform((0, 0), (1.33, 1.0))
        radius = generator.uniform(0.09, 0.16)
        bent += turn * radius * np.exp(-(((s - middle[0]) ** 2 + (t - middle[1]) ** 2) / radius**2))
    return bent, along
