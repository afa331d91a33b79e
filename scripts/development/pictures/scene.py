"""A small renderer: surfaces become dense points, the nearest at each pixel is kept, then it is lit.

Everything is drawn twice, as the eye sees it and as flat water would mirror it,
and a third time from the sun, for shadows.
"""

import numpy as np

from pictures import shapes
from pictures.noise import blend, smoothstep

_DENSITY = 1.3  # points for each pixel of length, so that no holes stay open
_MOST = 2000  # points along a side; more would never be seen


class Camera:
    """Looks level along z from above the origin; the horizon may lie off the middle."""

    def __init__(self, width, height, focal, horizon, eye):
        self.width, self.height = width, height
        self.focal, self.horizon, self.eye = focal, horizon, eye

    def project(self, points):
        """Returns rows, columns and distances ahead, of points (..., 3)."""
        x, y, z = np.moveaxis(points, -1, 0)
        ahead = np.maximum(z, 0.1)
        return self.horizon - self.focal * (y - self.eye) / ahead, self.width / 2 + self.focal * x / ahead, z

    def rays(self):
        """Returns one direction for each pixel, one unit ahead."""
        rows, columns = np.mgrid[0 : self.height, 0 : self.width].astype(np.float32)
        right = (columns + 0.5 - self.width / 2) / self.focal
        up = (self.horizon - rows - 0.5) / self.focal
        return np.stack([right, up, np.ones_like(up)], -1)


class View:
    """What is nearest at each pixel: its distance, and its surface: colour, glow, thinness and normal."""

    def __init__(self, camera, mirrored):
        self.camera, self.mirrored = camera, mirrored
        self.distance = np.full(camera.height * camera.width, np.inf, np.float32)
        self.surface = np.zeros((camera.height * camera.width, 8), np.float32)

    def nearest(self, points):
        """Returns where among the points (n, 3) those are that nothing before hides, and their pixels."""
        if self.mirrored:
            points = points * np.array([1, -1, 1], np.float32)
        rows, columns, distance = self.camera.project(points)
        inside = (rows >= 0) & (rows < self.camera.height) & (columns >= 0) & (columns < self.camera.width)
        inside = np.flatnonzero(inside & (distance > 1))
        pixels = rows[inside].astype(np.int64) * self.camera.width + columns[inside].astype(np.int64)
        distance = distance[inside].astype(np.float32)
        np.minimum.at(self.distance, pixels, distance)
        kept = distance <= self.distance[pixels]
        return inside[kept], pixels[kept]

    def image(self, name):
        """Returns "distance", "color", "glow", "thin" or "normal" in the shape of the picture."""
        shape = self.camera.height, self.camera.width
        if name == "distance":
            return self.distance.reshape(shape)
        columns = {"color": slice(0, 3), "glow": slice(3, 4), "thin": slice(4, 5), "normal": slice(5, 8)}[
            name
        ]
        return self.surface[:, columns].reshape(*shape, -1)


class Shadows:
    """How near the sun the outermost surface is, on a map of the harbour across the sun's rays."""

    _CELL, _SIZE = 0.16, 3400  # metres, cells
    _REACH = 330  # metres ahead; what is farther throws no shadow

    def __init__(self, sun):
        self._sun = sun
        self._right = np.cross(sun, (0, 1, 0)) / np.linalg.norm(np.cross(sun, (0, 1, 0)))
        self._up = np.cross(self._right, sun)
        self._nearest = np.full(self._SIZE**2, -np.inf, np.float32)

    def _cells(self, points):
        middle = np.array([0, 0, 150.0])
        across = ((points - middle) @ self._right / self._CELL + self._SIZE / 2).astype(np.int64)
        up = ((points - middle) @ self._up / self._CELL + self._SIZE / 2).astype(np.int64)
        return np.clip(up, 0, self._SIZE - 1) * self._SIZE + np.clip(across, 0, self._SIZE - 1)

    def add(self, points):
        """Lets the points throw shadows."""
        points = points[points[:, 2] < self._REACH]
        np.maximum.at(self._nearest, self._cells(points), (points @ self._sun).astype(np.float32))

    def light(self, points, normal):
        """Returns the share of the sun that reaches the points: soft at the edges."""
        points = points + 0.25 * normal  # or surfaces would shade themselves
        flat = points.reshape(-1, 3)
        height, cells = flat @ self._sun, self._cells(flat)
        steps = [row * self._SIZE + column for row in (-1, 0, 1) for column in (-1, 0, 1)]
        lit = sum(self._nearest[np.clip(cells + step, 0, self._SIZE**2 - 1)] < height + 0.3 for step in steps)
        lit = (lit / len(steps)).reshape(points.shape[:-1])
        return np.where(points[..., 2] < self._REACH, lit, 1)


class Scene:
    """Takes surfaces in; gives the light that comes from them."""

    def __init__(self, camera, sun, haze):
        self.camera, self.sun, self._haze = camera, np.asarray(sun, float), haze
        self.seen, self.mirrored = View(camera, False), View(camera, True)
        self._shadows = Shadows(self.sun)

    def add(self, grid, paint, glow=0.0, thin=0.0):
        """Adds a surface.

        Paint is a colour, a grid of them, or a function of the shares up and along the grid and of
        the points; it may give a fourth channel, for glow: the share of the colour that shines of
        itself. Thin is the share of sunlight that comes through from behind.
        """
        rows, columns = self._density(grid, 0), self._density(grid, 1)
        points = shapes.refined(grid.astype(np.float32), rows, columns).reshape(-1, 3)
        normals = shapes.refined(shapes.normals(grid).astype(np.float32), rows, columns).reshape(-1, 3)
        above = np.flatnonzero(points[:, 1] >= 0)  # what is under water is not seen
        self._shadows.add(points[above])
        for view in (self.seen, self.mirrored):
            kept, pixels = view.nearest(points[above])
            kept = above[kept]
            place, normal = points[kept], normals[kept]
            away = np.sum(normal * (place - np.array([0, self.camera.eye, 0])), -1, keepdims=True) > 0
            if callable(paint):
                color = paint(kept // columns / (rows - 1), kept % columns / (columns - 1), place)
            elif np.ndim(paint) == 3:
                color = shapes.refined(paint, rows, columns).reshape(-1, 3)[kept]
            else:
                color = np.broadcast_to(paint, place.shape)
            view.surface[pixels, 3:] = glow, thin, 0, 0, 0
            view.surface[pixels, : color.shape[-1]] = color
            view.surface[pixels, 5:] = np.where(away, -normal, normal)

    def _density(self, grid, axis):
        rows, columns, _ = self.camera.project(grid)
        steps = np.hypot(np.diff(rows, axis=axis), np.diff(columns, axis=axis))
        count = grid.shape[axis]
        # Nearly the longest step: a few stray ones should not set the cost of all.
        return int(np.clip(_DENSITY * np.percentile(steps, 98) * (count - 1) + 2, count, max(count, _MOST)))

    def lit(self, view, sky):
        """Returns the light of a view, with the sky where there is nothing else."""
        distance = view.image("distance")
        there = np.isfinite(distance)
        points = self.camera.rays()[there] * distance[there][:, np.newaxis]
        points[:, 1] += self.camera.eye
        if view.mirrored:
            points[:, 1] *= -1
        normal, color = view.image("normal")[there], view.image("color")[there]
        glow, thin = view.image("glow")[there], view.image("thin")[there][:, 0]
        facing = normal @ self.sun
        sunlight = np.where(facing > 0, facing, -facing * thin)
        # Light that comes through left the other side.
        sunlight *= self._shadows.light(points, np.where((facing > 0)[:, np.newaxis], normal, -normal))
        # From above comes the blue of the sky, from below what ground and water throw back.
        ambient = blend((0.17, 0.155, 0.14), (0.27, 0.36, 0.52), 0.5 + 0.5 * normal[:, 1])
        # Things are darker where they meet the water.
        ambient *= (0.55 + 0.45 * smoothstep(0, 3, points[:, 1]))[:, np.newaxis]
        light = color * (ambient + sunlight[:, np.newaxis] * np.array([3.7, 2.65, 1.6], np.float32))
        light = light * (1 - glow) + color * glow * 2.2
        picture = sky.copy()
        picture[there] = self._haze(light, points)
        return picture
