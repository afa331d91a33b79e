"""The sea: many small waves that tilt the mirror, finer and flatter towards the horizon."""

import numpy as np

from pictures.noise import blend, fractal, sample

_WAVES = 56
_TAPS = (-1.5, -0.8, -0.3, 0.0, 0.3, 0.8, 1.5)  # deviations from the mean tilt


def sea(generator, camera, sun, mirrored):
    """Returns the light of the water for every pixel below the horizon; mirrored is what flat water shows."""
    rays = camera.rays()[camera.horizon :]
    rays[..., 1] = np.minimum(rays[..., 1], -0.4 / camera.focal)
    reach = -camera.eye / rays[..., 1]
    x, z = rays[..., 0] * reach, reach
    tilt_x, tilt_z, unseen = _slopes(generator, camera, x, z)

    view = rays / np.linalg.norm(rays, axis=-1, keepdims=True)
    light = np.zeros_like(view)
    # Waves too small to be seen blur the mirror: the mean over several tilts stands for them.
    for tap in _TAPS:
        normal = np.stack([-tilt_x, np.ones_like(tilt_x), -(tilt_z + tap * unseen)], -1)
        normal /= np.linalg.norm(normal, axis=-1, keepdims=True)
        facing = np.sum(view * normal, -1, keepdims=True)
        bounced = view - 2 * facing * normal
        bounced[..., 1] = np.abs(bounced[..., 1])
        light += _reflected(camera, rays, bounced, -facing[..., 0], sun, mirrored) / len(_TAPS)
    return light


def _slopes(generator, camera, x, z):
    """Returns how the water tilts along x and z, and how much it does so too finely to be seen."""
    footprint = z**2 / (camera.focal * camera.eye)  # metres of water behind one pixel
    gusts = fractal(generator, (256, 256), slope=1.8, lowest=2)
    wind = np.clip(1 + 0.38 * sample(gusts, x * 1.6, z * 0.8), 0.35, 2)
    tilt_x, tilt_z, unseen = np.zeros_like(x), np.zeros_like(x), np.full_like(x, 0.012**2)
    for length in np.geomspace(0.35, 11, _WAVES):
        turn = generator.normal(0.5, 0.75)
        number = 2 * np.pi / length
        along = np.cos(turn) * z + np.sin(turn) * x
        steep = 0.021 * generator.uniform(0.6, 1.4) * (length / 2) ** -0.12
        shown = np.exp(-((0.55 * number * footprint * abs(np.cos(turn))) ** 2))
        slope = steep * wind * np.cos(number * along + generator.uniform(0, 2 * np.pi))
        tilt_x += np.sin(turn) * slope * shown
        tilt_z += np.cos(turn) * slope * shown
        unseen += (steep * np.cos(turn)) ** 2 / 2 * (1 - shown**2)
    return tilt_x, tilt_z, np.sqrt(unseen) * wind


def _reflected(camera, rays, bounced, facing, sun, mirrored):
    ahead = np.maximum(bounced[..., 2], 0.05)
    # Halfway between a far thing, seen where the bounced ray points, and one that stands right there.
    right = rays[..., 0] + 0.55 * (bounced[..., 0] / ahead - rays[..., 0])
    up = -rays[..., 1] + 0.55 * (bounced[..., 1] / ahead + rays[..., 1])
    rows = np.clip(camera.horizon + camera.focal * up, camera.horizon, camera.height - 1).astype(int)
    columns = np.clip(camera.width / 2 + camera.focal * right, 0, camera.width - 1).astype(int)
    share = 0.02 + 0.98 * (1 - np.clip(facing, 0, 1)) ** 5
    light = blend((0.018, 0.075, 0.095), (0, 0, 0), share) + mirrored[rows, columns] * share[..., np.newaxis]
    glitter = np.exp(-(1 - np.clip(bounced @ np.asarray(sun, np.float32), 0, 1)) * 300)
    return light + (glitter * share)[..., np.newaxis] * np.array([44, 32, 18], np.float32)
