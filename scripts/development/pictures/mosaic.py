"""A style picture: small stones laid in curving rows, pale grout between them."""

import numpy as np

from pictures.noise import FINE, fractal, sample, shrunk, smoothstep

_ROW = 24  # pixels, drawn at that multiple, from one row to the next
_GROUT = np.array([214, 203, 182])
# Each zone is a family of stones, so that no two neighbours match.
_ZONES = [
    [(20, 44, 104), (30, 62, 132), (16, 32, 78), (44, 84, 150)],
    [(18, 112, 122), (34, 138, 138), (12, 90, 104), (86, 166, 156)],
    [(240, 228, 196), (230, 212, 170), (246, 238, 214), (222, 200, 156)],
    [(214, 150, 46), (226, 170, 66), (194, 128, 34), (236, 188, 94)],
    [(184, 76, 42), (166, 60, 34), (202, 96, 58), (140, 48, 32)],
]
# Rings that the rows part around: middle and radius, in shares of the height.
_RINGS = [(0.34, 0.36, 0.25), (1.02, 0.66, 0.29), (0.94, 0.13, 0.16), (0.20, 0.90, 0.17)]


def mosaic(width=768, height=576, seed=21):
    """Returns the picture."""
    generator = np.random.default_rng(seed)
    wide, high = width * FINE, height * FINE
    y, x = np.mgrid[0:high, 0:wide].astype(np.float32)
    chip = fractal(generator, (512, 512), slope=1.1, lowest=12)
    # Hands don't cut straight lines.
    shaken = 1.3 * sample(chip, y * 0.4, x * 0.4), 1.3 * sample(chip, x * 0.4 + 99, y * 0.4)

    row, rest, along, name = _waves(x, y, shaken, high)
    x, y = x + shaken[0], y + shaken[1]
    for number, (middle_x, middle_y, radius) in enumerate(_RINGS):
        away = np.hypot(x - middle_x * high, y - middle_y * high)
        rings = int(radius * high / _ROW)
        inside = away < rings * _ROW
        turn = np.arctan2(y - middle_y * high, x - middle_x * high) / (2 * np.pi) + 0.5
        ring = np.floor(away / _ROW)
        # Every ring closes: it holds a whole number of stones.
        stones = np.maximum(np.round(2 * np.pi * (ring + 0.5) * 0.92), 1)
        row = np.where(inside, ring, row)
        rest = np.where(inside, away / _ROW - ring, rest)
        along = np.where(inside, turn * stones, along)
        name = np.where(inside, number + 1, name)

    # Joints are shifted from row to row, and stones are of unequal length.
    chance = generator.random(1 << 16)
    line = (row.astype(np.int64) + 500) * 7919 + name.astype(np.int64) * 104729
    along = np.where(name > 0, along, along + 7 * chance[line % 65536])
    # The joint after each stone is shifted by its chance: whoever is past it is on the next stone.
    loose = np.where(name > 0, 0, 0.46)
    nearest = np.round(along)
    shift = loose * (chance[(line + nearest.astype(np.int64) * 31) % 65536] - 0.5)
    stone = nearest - (along < nearest + shift)
    key = line + stone.astype(np.int64) * 31
    joint = [loose * (chance[(key + more) % 65536] - 0.5) for more in (0, 31)]
    across = np.minimum(rest, 1 - rest) * _ROW
    beside = np.minimum(along - stone - joint[0], stone + 1 + joint[1] - along) * _ROW
    # Rounded corners: a soft minimum of the ways to both edges.
    edge = -2.2 * np.log(np.exp(-across / 2.2) + np.exp(-np.maximum(beside, -9) / 2.2))
    solid = smoothstep(0.6, 2.4, edge)[..., np.newaxis]

    # A zone is chosen stone by stone; rings are banded, as borders are.
    rough = fractal(generator, (256, 256), slope=1.6, highest=6)
    drift = 0.36 * sample(rough, y / high * 128, x / high * 128) + 0.45 * (chance[key % 65536] - 0.5)
    band = np.where(name > 0, (row / 2.0 + 2 * name), row * 0.21 + 50 + drift + 0.3)
    zone = np.floor(band).astype(np.int64) % len(_ZONES)
    shade = (chance[(key * 13 + 5) % 65536] * 4).astype(np.int64)
    tone = 0.84 + 0.32 * chance[(key * 17 + 11) % 65536]
    color = np.array(_ZONES, float)[zone, shade] * tone[..., np.newaxis]

    # Each stone bulges and is tilted a little; the light comes from the upper left.
    lift = 5 * smoothstep(0.0, 6.0, edge) + 0.22 * sample(chip, y * 0.7, x * 0.7)
    down, right = np.gradient(lift)
    tilt = 0.5 * (chance[(key * 19 + 3) % 65536] - 0.5)
    light = 1 + np.clip(0.17 * (down + right) + 0.16 * tilt, -0.45, 0.32)
    grain = 1 + 0.035 * sample(chip, y, x)[..., np.newaxis]
    grout = _GROUT * (0.90 + 0.10 * smoothstep(-3, 1, edge))[..., np.newaxis]
    picture = (grout * (1 - solid) + color * light[..., np.newaxis] * solid) * grain
    return shrunk(picture)


def _waves(x, y, shaken, high):
    """Returns row, place across it, place along it in stones, and 0, for rows that run in waves."""
    s, t = x / high * 2 * np.pi, y / high * 2 * np.pi
    level = y + high * (0.085 * np.sin(1.15 * s + 0.5 * t) + 0.03 * np.sin(2.3 * s - 0.6 * t + 1.0))
    level = level / _ROW
    down, right = np.gradient(level)
    # The way along a row grows with its slope; joints stand at right angles to it.
    pace = np.hypot(down, right) / np.maximum(down, 1e-3) / _ROW
    pace = np.broadcast_to(pace.mean(0), pace.shape)
    way = np.cumsum(pace, 1) + pace * shaken[0]
    level = level + down * shaken[1]
    row = np.floor(level)
    back = (level - row - 0.5) * right / (down**2 + right**2)
    return row, level - row, way - back * pace, np.zeros(x.shape)
