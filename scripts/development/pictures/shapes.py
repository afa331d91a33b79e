"""Surfaces in space: each is a grid of points, (rows, columns, 3), in metres; x right, y up, z ahead."""

import numpy as np

from pictures.noise import sample


def quad(first, second, third, fourth):
    """A flat piece: first to second is its lower edge, fourth to third its upper one."""
    return np.array([[first, second], [fourth, third]], float)


def box(width, height, depth):
    """The front, left, right and back of a box that stands on the origin, and its top."""
    x, z = width / 2, depth / 2
    corners = [(-x, 0, -z), (x, 0, -z), (x, 0, z), (-x, 0, z)]
    top = [(a, height, c) for a, _, c in corners]
    sides = [quad(corners[i], corners[j], top[j], top[i]) for i, j in ((0, 1), (3, 0), (1, 2), (2, 3))]
    return [*sides, quad(*top)]


def tube(path, radii, sides=24):
    """A round piece around a path; one radius, or one for each point of the path."""
    path = np.asarray(path, float)
    along = _unit(np.gradient(path, axis=0))
    # Any direction across will do, as long as it is never along the path.
    helper = np.where(np.abs(along[:, 1:2]) > 0.8, (0.0, 0.0, 1.0), (0.0, 1.0, 0.0))
    across = _unit(np.cross(along, helper))
    other = np.cross(along, across)
    angle = np.linspace(0, 2 * np.pi, sides + 1)[:, np.newaxis]
    ring = np.cos(angle) * across[:, np.newaxis] + np.sin(angle) * other[:, np.newaxis]
    return path[:, np.newaxis] + np.broadcast_to(radii, len(path))[:, np.newaxis, np.newaxis] * ring


def tower(foot, profile, sides=48):
    """A round piece that stands upright: profile lists (height, radius) from the foot up."""
    heights, radii = np.array(profile, float).T
    return tube(np.asarray(foot) + heights[:, np.newaxis] * (0, 1, 0), radii, sides)


def boulder(texture, center, radii, roughness=0.3, detail=80):
    """A lump: an ellipsoid that 3-D noise pushes in and out, by place, so that no two are alike."""
    polar, turn = np.mgrid[0 : np.pi : detail * 1j, 0 : 2 * np.pi : detail * 2j]
    ball = np.stack([np.sin(polar) * np.cos(turn), np.cos(polar), np.sin(polar) * np.sin(turn)], -1)
    place = ball * len(texture) / 6 + np.asarray(center) * 7.3
    bumps = sum(0.5**k * sample(texture, *np.moveaxis(place * 2**k, -1, 0)) for k in range(4))
    return np.asarray(center) + ball * np.asarray(radii) * (1 + roughness * bumps)[..., np.newaxis]


def placed(grid, foot, turn=0.0):
    """Turns a piece about the upright axis and sets it down at foot."""
    x, y, z = np.moveaxis(np.asarray(grid, float), -1, 0)
    turned = np.stack([x * np.cos(turn) - z * np.sin(turn), y, x * np.sin(turn) + z * np.cos(turn)], -1)
    return turned + np.asarray(foot)


def normals(grid):
    """Returns the unit normals of a surface."""
    return _unit(np.cross(np.gradient(grid, axis=1), np.gradient(grid, axis=0)))


def refined(grid, rows, columns):
    """Returns a surface with that many points, set linearly between its own."""
    for axis, count in ((0, rows), (1, columns)):
        place = np.linspace(0, grid.shape[axis] - 1, count)
        low = np.minimum(place.astype(int), grid.shape[axis] - 2)
        share = np.expand_dims((place - low).astype(np.float32), (1 - axis, 2))
        grid = np.take(grid, low, axis) * (1 - share) + np.take(grid, low + 1, axis) * share
    return grid


def _unit(vectors):
    return vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-9)
