"""A style picture: stained glass, glowing panes of jewel colours in black lead."""

import numpy as np

from pictures.noise import FINE, fractal, sample, shrunk, smoothstep

_PANE = 128  # pixels, drawn at that multiple, from one pane to the next
_LEAD = 7.5  # half the width of a lead line, likewise
# Each colour as it is in the thick of the glass and where light comes through.
_COLORS = [
    ((110, 4, 22), (240, 40, 44)),
    ((10, 22, 116), (44, 104, 240)),
    ((2, 70, 50), (36, 190, 104)),
    ((160, 74, 0), (255, 196, 44)),
    ((62, 8, 98), (166, 70, 214)),
    ((0, 72, 110), (54, 196, 226)),
    ((150, 34, 2), (255, 128, 34)),
]


def glass(width=768, height=576, seed=31):
    """Returns the picture."""
    generator = np.random.default_rng(seed)
    wide, high = width * FINE, height * FINE
    seeds = _seeds(generator, wide, high)
    y, x = np.mgrid[0:high, 0:wide].astype(np.float32)
    bend = fractal(generator, (256, 256), slope=1.6, highest=8)
    # Lead is bent around the panes: few of its lines are straight.
    x, y = x + 15 * sample(bend, y / 9, x / 9), y + 15 * sample(bend, y / 9 + 77, x / 9 + 130)
    pane, other, edge = _panes(x, y, seeds)
    colors = np.array(_COLORS, float)[_choose(generator, pane, other, len(seeds))]

    # Light falls through each pane from a side of its own; thickness streaks it.
    angle = generator.uniform(0, 2 * np.pi, len(seeds))[pane]
    off_x, off_y = x - seeds[pane, 0], y - seeds[pane, 1]
    along = (off_x * np.cos(angle) + off_y * np.sin(angle)) / _PANE
    across = (off_y * np.cos(angle) - off_x * np.sin(angle)) / _PANE
    streak = fractal(generator, (512, 512), slope=1.1, lowest=3)
    shift = generator.uniform(0, 512, len(seeds))[pane]
    swirl = sample(streak, along * 14 + shift, across * 80 + shift)
    share = 0.56 + 0.75 * along + 0.15 * swirl + generator.uniform(-0.12, 0.16, len(seeds))[pane]
    share = np.clip(share, 0, 1)[..., np.newaxis]
    color = colors[pane, 0] * (1 - share) + colors[pane, 1] * share
    color = color + 140 * np.clip(share - 0.8, 0, 1)
    # Dirt gathers along the lead, and leaves the middle of a pane brightest.
    color *= (0.55 + 0.55 * smoothstep(_LEAD, _LEAD + 26, edge))[..., np.newaxis]
    lead = 1 - smoothstep(-1.0, 1.0, edge - _LEAD - 1.2 * sample(bend, y / 3, x / 3))[..., np.newaxis]
    # The lead is round, so its upper left side shines a little.
    down, right = np.gradient(np.sqrt(np.clip(1 - (edge / (_LEAD + 2)) ** 2, 0, 1)) * _LEAD)
    shine = np.clip(down + right, 0, 1)[..., np.newaxis]
    metal = np.array([13, 12, 16]) + shine * np.array([46, 48, 56])
    picture = color * (1 - lead) + metal * lead
    return shrunk(picture)


def _seeds(generator, wide, high):
    """Returns the panes' middles: a shaken grid, some of its places left out, some doubled."""
    rows, columns = np.mgrid[-1 : high // _PANE + 2, -1 : wide // _PANE + 2]
    places = np.stack([columns.ravel() + 0.5 * (rows.ravel() % 2), rows.ravel()], -1).astype(float)
    places += generator.uniform(-0.40, 0.40, places.shape)
    places = places[generator.random(len(places)) > 0.10]
    doubled = places[generator.random(len(places)) < 0.22] + generator.choice((-0.38, 0.38), 2)
    return np.concatenate([places, doubled]).astype(np.float32) * _PANE


def _panes(x, y, seeds):
    """Returns each pixel's nearest seed, the next pane, and the way to the border between both."""
    first, pane = np.full(x.shape, np.inf, np.float32), np.zeros(x.shape, np.int64)
    for number, seed in enumerate(seeds):
        part = _around(seed)
        away = (x[part] - seed[0]) ** 2 + (y[part] - seed[1]) ** 2
        pane[part][away < first[part]] = number
        np.minimum(first[part], away, out=first[part])
    edge, other = np.full(x.shape, np.inf, np.float32), np.zeros(x.shape, np.int64)
    near_x, near_y = seeds[pane, 0], seeds[pane, 1]
    for number, seed in enumerate(seeds):
        part = _around(seed)
        away = (x[part] - seed[0]) ** 2 + (y[part] - seed[1]) ** 2
        apart = np.maximum(np.hypot(near_x[part] - seed[0], near_y[part] - seed[1]), 1e-3)
        border = np.where(pane[part] == number, np.inf, (away - first[part]) / (2 * apart))
        other[part][border < edge[part]] = number
        np.minimum(edge[part], border, out=edge[part])
    return pane, other, edge


def _around(seed):
    """Returns the part of the picture where a seed can matter, which saves most of the work."""
    low, high = np.maximum(seed - 3.2 * _PANE, 0).astype(int), np.maximum(seed + 3.2 * _PANE, 0).astype(int)
    return slice(low[1], high[1]), slice(low[0], high[0])


def _choose(generator, pane, other, count):
    """Gives each pane a colour that none of its neighbours has, where that can be."""
    chosen = np.full(count, -1)
    pairs = np.unique(np.stack([pane.ravel(), other.ravel()]), axis=1)
    for number in range(count):
        beside = np.append(pairs[1, pairs[0] == number], pairs[0, pairs[1] == number])
        free = np.setdiff1d(np.arange(len(_COLORS)), chosen[beside])
        chosen[number] = generator.choice(free if len(free) else len(_COLORS))
    return chosen
