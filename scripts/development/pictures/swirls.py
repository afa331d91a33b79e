"""The style picture: bold strokes that follow a turning current, in few strong colours."""

import numpy as np

from pictures.noise import FINE, fractal, sample, shrunk
from pictures.strokes import Canvas

# The colours across a current, and where; it begins again at 1.
_PALETTE = [
    (0.00, (14, 24, 66)),
    (0.18, (24, 48, 122)),
    (0.36, (30, 88, 168)),
    (0.48, (22, 138, 160)),
    (0.58, (116, 196, 184)),
    (0.66, (246, 232, 192)),
    (0.76, (240, 186, 58)),
    (0.86, (196, 122, 34)),
    (0.94, (40, 40, 84)),
    (1.00, (14, 24, 66)),
]
_VERMILION = (222, 64, 30), (240, 112, 44)
# Whirls: where, how large, in shares of the height; how strongly they turn, and which way.
_WHIRLS = [
    (0.34, 0.40, 0.36, 1.0),
    (1.06, 0.30, 0.24, -0.9),
    (0.86, 0.78, 0.30, 1.0),
    (0.22, 0.98, 0.22, -0.8),
    (1.30, 0.86, 0.20, -0.7),
    (0.70, 0.06, 0.16, -0.6),
]
# Strokes run a little across the current, so that they wind into the whirls and edges are ragged.
_SLANT = 0.10
_TURN = np.array([[np.cos(_SLANT), -np.sin(_SLANT)], [np.sin(_SLANT), np.cos(_SLANT)]])


class _Current:
    """A flow along the levels of a height, nearly, as wind goes around highs and lows."""

    def __init__(self, generator, scale):
        self._scale = scale  # pixels of the picture's height; the flow reaches a little beyond its edges
        rough = fractal(generator, (256, 256), slope=1.0, highest=3)
        y, x = np.mgrid[0:256, 0:384] / 256 * 1.16 - 0.08
        self._level = 0.16 * y + 0.05 * np.sin(3.1 * x) + 0.022 * rough[:, np.arange(384) % 256]
        for middle_x, middle_y, radius, turn in _WHIRLS:
            away = np.hypot(x - middle_x, y - middle_y) / radius
            self._level += 0.62 * turn * radius * np.exp(-(away**1.6))
        self._down, self._right = np.gradient(self._level)

    def _look(self, field, place):
        cells = (np.asarray(place) / self._scale + 0.08) / 1.16 * 256
        limits = np.array(field.shape[::-1]) - 2.0
        x, y = np.clip(cells, 0, limits)
        return sample(field, y, x)

    def level(self, place):
        """Returns which current a place lies in."""
        return self._look(self._level, place)

    def path(self, start, length, step):
        """Follows the flow, half of the length to either side of start."""
        sides = []
        for sense in (-1, 1):
            place, side = np.array(start, float), []
            for _ in range(int(length / 2 / step)):
                ahead = np.array([self._look(self._down, place), -self._look(self._right, place)])
                place = place + sense * step * _TURN @ ahead / (np.hypot(*ahead) + 1e-9)
                side.append(place)
            sides.append(side)
        return np.array([*sides[0][::-1], start, *sides[1]])


def swirls(width=768, height=576, seed=11):
    """Returns the style picture."""
    generator = np.random.default_rng(seed)
    wide, high = width * FINE, height * FINE
    canvas = Canvas(generator, wide, high, _PALETTE[1][1])
    current = _Current(generator, high)
    # brush and length in pixels, strokes, how far their colours stray
    for brush, length, count, stray in ((92, 520, 220, 0.07), (56, 380, 420, 0.10), (28, 240, 520, 0.14)):
        for _ in range(count):
            start = generator.uniform((-60, -60), (wide + 60, high + 60))
            size = generator.uniform(0.75, 1.25)
            path = current.path(start, length * size, brush / 5)
            band = current.level(start) * 4.6 + generator.normal(0, stray)
            if brush < 30 and generator.random() < 0.16 and 0.6 < band % 1 < 0.98:
                first, second = _VERMILION
            else:
                first, second = _color(band), _color(band + generator.normal(0, 0.10))
            tone = generator.uniform(0.80, 1.18)
            canvas.stroke(path, brush * size**0.5, tone * np.array(first), tone * np.array(second))
    return shrunk(canvas.lit())


def _color(band):
    stops, colors = zip(*_PALETTE)
    return np.array([np.interp(band % 1, stops, channel) for channel in zip(*colors)])
