"""Sailing boats: a lofted hull, two sails that hold wind, mast and ropes."""

import numpy as np

from pictures import shapes
from pictures.noise import linear, smoothstep

_WOOD = linear(128, 88, 56)


def draw(scene, foot, length, turn, color):
    """Adds a boat of that length; turn is where the bow points, 0 to the right."""

    def add(grid, paint, thin=0.0):
        scene.add(shapes.placed(np.asarray(grid, float) * length, foot, turn), paint, thin=thin)

    _hull(add, color)
    mast, top = 0.08, 1.28
    add(shapes.tube([(mast, 0.1, 0), (mast, top, 0)], [0.013, 0.008], 10), _WOOD)
    add(shapes.tube([(mast, 0.235, 0), (-0.42, 0.235, 0.10)], 0.010, 10), _WOOD)
    add(
        _sail((mast - 0.012, 0.26, 0), (-0.41, 0.26, 0.10), (mast - 0.012, top - 0.04, 0), 0.15), _cloth, 0.22
    )
    add(_sail((0.50, 0.20, 0), (0.00, 0.23, 0.13), (mast + 0.03, top - 0.16, 0.01), 0.13), _cloth, 0.22)
    for end in ((0.51, 0.17, 0), (-0.47, 0.15, 0), (0.06, 0.13, 0.13), (0.06, 0.13, -0.13)):
        add(shapes.tube([end, (mast, top - 0.02, 0)], 0.0028, 5), linear(70, 64, 60))


def _hull(add, color):
    along, up = np.meshgrid(np.linspace(0, 1, 60), np.linspace(-0.3, 1, 24))
    # Full amidships, sharp at the bow, cut off at the stern; the sheer rises forward.
    beam = 0.145 * np.clip(1 - along**2.6, 0, 1) ** 0.75 * (0.62 + 0.38 * smoothstep(0, 0.5, along))
    half = beam * np.clip((up + 0.3) / 1.3, 0, 1) ** 0.42
    sheer = 0.115 + 0.012 * (1 - along) + 0.055 * along**2
    x = -0.48 + along * (0.94 + 0.06 * up)
    sides = [np.stack([x, sheer * up, side * half], -1) for side in (-1, 1)]

    def planks(up, along, points):
        height = up * 1.3 - 0.3
        tone = 0.82 + 0.22 * smoothstep(0, 0.16, (height * 7) % 1)
        paint = np.where(
            (height > 0.94)[..., np.newaxis], linear(236, 226, 206), color * tone[..., np.newaxis]
        )
        return np.where((height < 0.22)[..., np.newaxis], linear(60, 34, 30), paint)

    for side in sides:
        add(side, planks)
    share = np.linspace(0, 1, 6)[:, np.newaxis, np.newaxis]
    rims = [side[-1] for side in sides]
    add(rims[0] * (1 - share) + rims[1] * share - np.array([0, 0.012, 0]), linear(176, 134, 88))
    stern = [side[:, 0] for side in sides]
    add(stern[0] * (1 - share) + stern[1] * share, color * 0.8)
    cabin = np.array([0.06, 0.11, 0])
    for wall in shapes.box(0.26, 0.075, 0.13):
        add(wall + cabin, linear(226, 220, 206))


def _sail(tack, clew, head, belly):
    """A triangle, blown out to one side."""
    tack, clew, head = (np.asarray(corner, float) for corner in (tack, clew, head))
    up, along = np.mgrid[0:1:30j, 0:1:30j][..., np.newaxis]
    flat = (tack * (1 - along) + clew * along) * (1 - up) + head * up
    depth = belly * np.sin(np.pi * along**0.8) * (1 - up) ** 0.8 * (0.3 + up) * 1.6
    # The free edge curves outwards.
    roach = 0.05 * np.sin(np.pi * up) * along
    return flat + depth * np.array([0, 0, 1.0]) + roach * (clew - tack)


def _cloth(up, along, points):
    seams = 1 - 0.3 * ((up * 11 + 0.8 * along) % 1 < 0.05) - 0.3 * (along > 0.985)
    # Folds fan out from the corner that the sheet pulls at.
    folds = 1 + 0.10 * np.sin(26 * np.arctan2(up, 1.06 - along)) * smoothstep(0.9, 0.1, up)
    return linear(236, 222, 198) * (seams * folds)[..., np.newaxis]
