"""Air, sun and clouds: what a ray meets that meets nothing else."""

import numpy as np

from pictures.noise import blend, fractal, sample, smoothstep

_BASE, _TOP = 1000.0, 1900.0  # metres: the clouds lie between
_STEPS = 60  # along each ray, from the base of the clouds to their top


def air(directions, sun):
    """Returns the light of a clear sky along unit directions."""
    up = np.clip(directions[..., 1], 0, 1)
    near_sun = np.clip(directions @ np.asarray(sun, np.float32), 0, 1)
    clear = blend((0.47, 0.57, 0.69), (0.05, 0.15, 0.42), 1 - np.exp(-up * 6.0))
    glow = np.exp(-up * 7)[..., np.newaxis] * (near_sun**3)[..., np.newaxis]
    clear = clear + glow * np.array([0.80, 0.42, 0.06], np.float32)
    return clear + (near_sun**24)[..., np.newaxis] * np.array([0.9, 0.65, 0.35], np.float32)


def haze(sun):
    """Returns a function that veils light (n, 3) by the air between the eye and points (n, 3)."""

    def veil(light, points):
        distance = np.linalg.norm(points, axis=-1, keepdims=True)
        level = points * np.array([1, 0, 1]) / distance
        color = air(level.astype(np.float32), sun) * 0.82
        # Blue is scattered before red, so that far things turn blue before they turn pale.
        kept = np.exp(-distance / np.array([26000, 20000, 15000]))
        return light * kept + color * (1 - kept)

    return veil


def clouds(generator, directions, sun):
    """Returns the light of clouds along unit directions, and the share of the sky that shines through."""
    volume = fractal(generator, (96, 96, 96), slope=2.4, lowest=2)

    def density(points, octaves):
        x, y, z = np.moveaxis(points, -1, 0) / 52.0  # metres of a cell
        # Askew, or one would look along the rows in which the texture repeats.
        place = np.stack([0.8 * x + 0.6 * z, y, 0.8 * z - 0.6 * x])
        value = sum(0.40**k * sample(volume, *(place * 2.6**k)) for k in range(octaves))
        height = (points[..., 1] - _BASE) / (_TOP - _BASE)
        # Flat below, heaped above.
        heap = smoothstep(0, 0.10, height) * np.clip(1 - height, 0, 1) ** 0.6
        return np.clip((value - 1.75 + 1.05 * heap) * heap, 0, None)

    sun = np.asarray(sun, np.float32)
    shape = directions.shape
    directions = directions.reshape(-1, 3)
    slope = np.maximum(directions[:, 1:2], 0.012)
    silver = 0.62 + 1.5 * np.clip(directions @ sun, 0, 1)[:, np.newaxis] ** 8
    light, through = np.zeros_like(directions), np.ones_like(slope)
    # Rays start a little apart within a step, or the steps would show as bands.
    start = generator.uniform(0.1, 0.9, slope.shape)
    step = (_TOP - _BASE) / _STEPS
    for index in range(_STEPS):
        points = directions * ((_BASE + (index + start) * step) / slope)
        thick = density(points, 3)
        cloudy = (thick > 0) & (through[:, 0] > 0.02)
        points, thick = points[cloudy], thick[cloudy, np.newaxis]
        shade = sum(density(points + sun * reach, 2) for reach in (70, 190, 400))
        sunny = np.exp(-2.0 * shade)[:, np.newaxis] * silver[cloudy]
        color = sunny * np.array([1.40, 1.10, 0.76], np.float32)
        color += (0.13 + 0.17 * index / _STEPS) * np.array([0.85, 1.0, 1.25], np.float32)
        stopped = 1 - np.exp(-thick * 0.014 * np.minimum(step / slope[cloudy], 110))
        light[cloudy] += through[cloudy] * stopped * color
        through[cloudy] *= 1 - stopped
    return light.reshape(shape), through.reshape(*shape[:-1], 1)


def sky(generator, directions, sun):
    """Returns the light of the whole sky along directions."""
    directions = directions / np.linalg.norm(directions, axis=-1, keepdims=True)
    clear = air(directions, sun)
    # High thin clouds, drawn out by the wind.
    veil = fractal(generator, (512, 512), slope=1.6, lowest=4)
    slope = np.maximum(directions[..., 1], 0.012)
    thin = sample(
        veil, directions[..., 0] / slope * 38, (directions[..., 2] + 0.6 * directions[..., 0]) / slope * 9
    )
    clear = blend(clear, (0.95, 0.90, 0.84), 0.30 * smoothstep(0, 2.4, thin))
    light, through = clouds(generator, directions, sun)
    full = clear * through + light
    # The farthest clouds are lost in the haze.
    lost = np.exp(-np.clip(directions[..., 1:2], 0, 1) * 13)
    return full * (1 - lost) + air(directions, sun) * lost
