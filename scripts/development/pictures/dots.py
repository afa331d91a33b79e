"""A style picture: pointillism, round dabs of pure colours that mix in the eye."""

import numpy as np
from PIL import Image, ImageDraw

from pictures.noise import FINE, fractal, sample, shrunk, smoothstep

_CANVAS = (226, 214, 186)
# The pure colours that stand for each place, most to least; the last ones are its complements.
_MIXTURES = [
    [(250, 226, 110), (255, 196, 40), (252, 244, 200), (250, 150, 60), (150, 110, 200)],  # glow
    [(60, 130, 220), (120, 186, 240), (36, 84, 190), (210, 226, 240), (250, 146, 40)],  # sky
    [(44, 40, 140), (30, 70, 170), (104, 56, 160), (20, 26, 90), (240, 120, 30)],  # far hills
    [(60, 160, 70), (140, 196, 60), (20, 112, 84), (244, 220, 70), (222, 50, 44)],  # meadow
    [(240, 124, 30), (222, 54, 40), (252, 184, 50), (170, 36, 70), (40, 90, 200)],  # ripe fields
    [(20, 74, 70), (24, 40, 110), (70, 34, 104), (14, 100, 80), (210, 44, 60)],  # shade
]
_SHARES = (0.34, 0.25, 0.15, 0.09, 0.17)


def dots(width=768, height=576, seed=51):
    """Returns the picture."""
    generator = np.random.default_rng(seed)
    wide, high = width * FINE, height * FINE
    picture = Image.new("RGB", (wide, high), _CANVAS)
    draw = ImageDraw.Draw(picture)
    land = fractal(generator, (256, 256), slope=1.5, highest=10)
    # Large dabs first, then smaller ones between and upon them.
    for size, apart in ((10.5, 9.5), (8.0, 9.0), (6.5, 11.0)):
        places = _scatter(generator, wide, high, apart)
        count = len(places)
        # A dab belongs to a place a little beside it: borders dissolve.
        x, y = (places + generator.normal(0, 6, places.shape)).T / high
        mixture = _mixture(land, x, y, generator.normal(0, 0.05, count))
        pick = generator.choice(len(_SHARES), count, p=_SHARES)
        color = np.array(_MIXTURES, float)[mixture, pick]
        color = np.clip(
            color * generator.normal(1, 0.06, (count, 1)) + generator.normal(0, 7, (count, 3)), 0, 255
        )
        radius = size * generator.uniform(0.78, 1.2, count)
        wider = generator.uniform(0.88, 1.12, count)
        for (u, v), r, w, c in zip(places, radius, wider, color):
            # Thick paint: a shaded rim at the lower right, a lighter cap at the upper left.
            _dab(draw, u + 0.9, v + 0.9, r, w, c * 0.72)
            _dab(draw, u, v, r * 0.95, w, c)
            _dab(draw, u - 0.22 * r, v - 0.25 * r, r * 0.45, w, c + (255 - c) * 0.16)
    return shrunk(picture)


def _dab(draw, x, y, radius, wider, color):
    a, b = radius * wider, radius / wider
    draw.ellipse((x - a, y - b, x + a, y + b), fill=tuple(int(c) for c in color))


def _scatter(generator, wide, high, apart):
    """Returns places on a shaken grid, which leaves few gaps, in random order."""
    y, x = np.mgrid[-1 : high / apart + 1, -1 : wide / apart + 1]
    places = np.stack([x.ravel() + 0.5 * (y.ravel() % 2), y.ravel()], -1) * apart
    places += generator.uniform(-0.45, 0.45, places.shape) * apart
    return generator.permutation(places)


def _mixture(land, x, y, stray):
    """Returns which mixture each place is painted in: bands that roll as country does, sky to fields."""
    roll = 0.05 * sample(land, y * 128, x * 128) + 0.05 * np.sin(6.0 * x + 4 * y) + stray
    tone = sample(land, y * 200 + 90, x * 120 + 40) + 4 * stray
    away = np.hypot(x - 0.92, (y - 0.20) * 1.1) + roll
    bands = np.digitize(y + roll, (0.36, 0.50, 0.62, 0.78))
    kinds = np.array([1, 2, 3, 4, 3])[bands]
    kinds = np.where((bands >= 2) & (tone > 0.75), 5, kinds)
    kinds = np.where((bands >= 2) & (tone < -0.8), 4, kinds)
    light = smoothstep(0.30, 0.10, away) + 0.35 * (np.sin(34 * away) > 0.55) * (away < 0.55)
    return np.where((bands == 0) & (light + stray > 0.3), 0, kinds)
