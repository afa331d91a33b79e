"""Oil paint: strokes of a bristle brush that leave colour, and ridges that catch the light."""

import numpy as np

from pictures.noise import fractal, sample, smoothstep

_LIGHT = np.array([-0.52, -0.62, 0.59])  # from the upper left, towards the painter


class Canvas:
    """A painting in progress: the colour and the height of the paint at each pixel."""

    def __init__(self, generator, width, height, ground):
        self._generator = generator
        self.width, self.height = width, height
        self._color = (
            np.broadcast_to(np.asarray(ground, np.float32), (height, width, 3)).reshape(-1, 3).copy()
        )
        self._relief = np.zeros(height * width, np.float32)
        # Each row is a bristle: rough from one to the next, slowly changing along its way.
        self._bristles = fractal(generator, (512, 512), slope=0.55, lowest=8)

    def stroke(self, path, width, first, second):
        """Draws the brush along path (n, 2), in x and y; the bristles carry two colours, badly mixed."""
        steps = np.hypot(*np.diff(path, axis=0).T)
        length = steps.sum()
        along, across = np.meshgrid(
            np.linspace(0, 1, int(1.4 * length)), np.linspace(-1, 1, int(1.4 * width))
        )
        x, y = self._places(path, np.append(0, np.cumsum(steps)) / length, along[0], across, width)

        shift = self._generator.uniform(0, 512, 2)
        bristle = sample(self._bristles, shift[0] + across * width * 0.5, shift[1] + along * length * 0.018)
        streak = sample(self._bristles, shift[1] + across * width * 0.16, shift[0] + along * length * 0.010)
        # Paint runs out towards the end of a stroke, and first where the brush presses least.
        load = 1.9 - 2.0 * along**2.2 - 1.3 * np.abs(across) ** 5 + 0.55 * bristle
        cover = smoothstep(0.0, 0.45, load)
        # The brush pushes paint to its edges and leaves some where it sets down.
        ridge = np.exp(-(((np.abs(across) - 0.86) / 0.10) ** 2)) + np.exp(
            -((along * length / width - 0.15) ** 2) * 30
        )
        relief = cover * (0.9 + 0.42 * bristle + 0.8 * ridge * (1 - along)) * width**0.5
        share = smoothstep(-0.9, 1.1, streak + 0.35 * bristle)[..., np.newaxis]
        color = (np.asarray(first) * (1 - share) + np.asarray(second) * share) * (
            1 + 0.07 * bristle[..., np.newaxis]
        )
        self._lay(x, y, cover, color, relief)

    def _places(self, path, reached, along, across, width):
        """Returns where the bristles come: the brush widens at once and leaves in a point."""
        center = np.stack([np.interp(along, reached, coordinate) for coordinate in np.transpose(path)], -1)
        ahead = np.gradient(center, axis=0)
        ahead /= np.maximum(np.hypot(*ahead.T), 1e-6)[:, np.newaxis]
        half = (
            width / 2 * np.sqrt(smoothstep(-0.02, 0.10, along)) * (1 - 0.85 * smoothstep(0.45, 1.05, along))
        )
        return center[:, 0] - ahead[:, 1] * half * across, center[:, 1] + ahead[:, 0] * half * across

    def _lay(self, x, y, cover, color, relief):
        inside = (x >= 0) & (x < self.width) & (y >= 0) & (y < self.height) & (cover > 0)
        pixels = y[inside].astype(np.int64) * self.width + x[inside].astype(np.int64)
        cover = cover[inside]
        old = self._relief[pixels]
        # What was there still shows through as relief, less and less.
        self._relief[pixels] = old + cover * (0.35 * old + relief[inside] - old)
        share = cover[:, np.newaxis]
        self._color[pixels] = self._color[pixels] * (1 - share) + color[inside] * share

    def lit(self):
        """Returns the painting as light from the upper left shows it, 0 .. 255."""
        relief = self._relief.reshape(self.height, self.width)
        for axis in (0, 1):
            relief = (np.roll(relief, 1, axis) + 2 * relief + np.roll(relief, -1, axis)) / 4
        down, right = np.gradient(relief)
        normal = np.stack([-right, -down, np.full_like(right, 2.6)], -1)
        normal /= np.linalg.norm(normal, axis=-1, keepdims=True)
        diffuse = np.clip(normal @ _LIGHT, 0, None)[..., np.newaxis] / _LIGHT[2]
        halfway = _LIGHT + np.array([0, 0, 1])
        halfway /= np.linalg.norm(halfway)
        gloss = np.clip(normal @ halfway, 0, 1)[..., np.newaxis] ** 40
        color = self._color.reshape(self.height, self.width, 3)
        return np.clip(color * (0.42 + 0.58 * diffuse) + 34 * gloss, 0, 255)
