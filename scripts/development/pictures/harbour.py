"""The content picture: a harbour in low sunlight, with something to see at every distance and size."""

import numpy as np
from PIL import Image

from pictures import boats, landscape, town
from pictures.noise import linear
from pictures.scene import Camera, Scene
from pictures.sky import haze, sky
from pictures.water import sea

_FINE = 2  # drawn at this multiple of the size and scaled down, which smooths edges
_SUN = np.array([-0.70, 0.34, 0.60]) / np.linalg.norm([-0.70, 0.34, 0.60])
# The sun stands too far left to glitter in the picture; a painter's liberty brings its path inside.
_GLITTER = np.array([-0.46, 0.34, 0.82])


def harbour(width=768, height=576, seed=6):
    """Returns the content picture."""
    # Land and sky have seeds of their own, so that either can be changed without the other.
    generator, land = np.random.default_rng(seed), np.random.default_rng(seed + 1)
    camera = Camera(width * _FINE, height * _FINE, 1.04 * width * _FINE, int(0.56 * height * _FINE), 7.0)
    heavens = _heavens(generator, camera)
    scene = Scene(camera, _SUN, haze(_SUN))
    landscape.mountains(scene, land)
    town.draw(scene, generator)
    landscape.rocks(scene, generator, (-55, 0, 148), 46, (10, 5), 4.6)
    town.lighthouse(scene, generator, (-55, 1.2, 150))
    landscape.rocks(scene, generator, (-9.5, 0, 22.5), 24, (2.6, 4), 1.6)
    landscape.jetty(scene, generator, (10.5, 19), (4.5, 44), 3.0)
    boats.draw(scene, (-8, 0, 58), 11, 0.35, linear(150, 44, 38))
    boats.draw(scene, (12, 0, 92), 10, 2.7, linear(34, 62, 98))
    boats.draw(scene, (-38, 0, 118), 9, 0.2, linear(36, 92, 84))

    picture = scene.lit(scene.seen, heavens)
    upside_down = heavens[np.clip(2 * camera.horizon - np.arange(camera.height), 0, camera.horizon)]
    water = sea(generator, camera, _GLITTER, scene.lit(scene.mirrored, upside_down))
    picture[camera.horizon :] = _before(scene, picture, water)
    return _developed(picture).resize((width, height), Image.Resampling.LANCZOS)


def _heavens(generator, camera):
    """Returns the sky in the shape of the picture; it is soft, so a coarser one is drawn and scaled up."""
    coarse = Camera(
        camera.width // _FINE,
        camera.height // _FINE,
        camera.focal / _FINE,
        camera.horizon // _FINE,
        camera.eye,
    )
    light = np.zeros((coarse.height, coarse.width, 3), np.float32)
    light[: coarse.horizon] = sky(generator, coarse.rays()[: coarse.horizon], _SUN)
    light[coarse.horizon :] = light[coarse.horizon - 1]
    layers = [Image.fromarray(layer) for layer in np.moveaxis(light, -1, 0)]
    size = camera.width, camera.height
    return np.stack([np.asarray(layer.resize(size, Image.Resampling.BICUBIC)) for layer in layers], -1)


def _before(scene, picture, water):
    """Returns the part below the horizon: water, but for what stands out of it nearer by."""
    camera = scene.camera
    rows = np.arange(camera.horizon, camera.height)[:, np.newaxis] + 0.5
    surface = camera.eye * camera.focal / (rows - camera.horizon)
    nearer = scene.seen.image("distance")[camera.horizon :] <= surface * 1.001
    return np.where(nearer[..., np.newaxis], picture[camera.horizon :], water)


def _developed(light):
    """Turns light into a picture as film does: highlights bend over, corners darken a little."""
    height, width = light.shape[:2]
    rows, columns = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j]
    light = light * (1 - 0.16 * (rows**2 + columns**2) ** 1.2)[..., np.newaxis]
    exposed = 1.25 * np.clip(light, 0, None)
    tone = exposed * (2.51 * exposed + 0.03) / (exposed * (2.43 * exposed + 0.59) + 0.14)
    return Image.fromarray((np.clip(tone, 0, 1) ** (1 / 2.2) * 255 + 0.5).astype(np.uint8))
