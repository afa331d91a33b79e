"""Mountains behind the harbour; rocks and a jetty before it."""

import itertools

import numpy as np

from pictures import shapes
from pictures.noise import blend, fractal, linear, ridged, sample, smoothstep


def mountains(scene, generator):
    """Adds ranges, one behind the other; each rises from the water and has its own skyline."""
    texture = fractal(generator, (1024, 1024), slope=1.0, lowest=7, highest=15)
    soil = fractal(generator, (512, 512), slope=0.9, lowest=3)
    # distance, depth, height, (bearing, share of the height) along the skyline, tree line, snow line: metres
    for far, deep, tall, skyline, trees, snow in (
        (19000, 7000, 3100, [(-0.7, 0.5), (-0.25, 0.75), (0.02, 1.0), (0.3, 0.6), (0.7, 0.7)], 500, 1750),
        (9800, 4200, 2100, [(-0.7, 0.9), (-0.30, 0.95), (-0.1, 0.45), (0.25, 0.8), (0.7, 1.0)], 650, 1450),
        (
            4800,
            2300,
            1000,
            [(-0.7, 1.0), (-0.42, 0.85), (-0.2, 0.28), (0.1, 0.12), (0.4, 0.75), (0.7, 1.0)],
            480,
            9e9,
        ),
        (
            1900,
            1000,
            330,
            [(-0.7, 0.75), (-0.3, 0.42), (-0.1, 0.12), (0.1, 0.2), (0.36, 0.85), (0.7, 1.0)],
            9e9,
            9e9,
        ),
    ):
        bearing, back = np.meshgrid(np.linspace(-0.62, 0.62, 2000), np.linspace(0, 1, 620))
        z = far - deep * (1 - back)
        x = bearing * z
        scale = 62 / deep  # cells of texture a metre: about four crests to the depth of a range
        # Each range lies on another part of the texture.
        crests = ridged(texture, x * scale + 1.13 * far, z * scale)
        share = np.interp(bearing, *np.transpose(skyline))
        rise = smoothstep(0, 0.85, back) * (1 - 0.5 * smoothstep(0.85, 1, back))
        y = (
            tall
            * share
            * (1.05 * rise * (0.30 + crests**0.75) + 0.10 * (crests - 0.5) * smoothstep(0, 0.1, back))
        )
        surface = np.stack([x, np.maximum(y, 0), z], -1)
        steep = 1 - np.abs(shapes.normals(surface)[..., 1])
        rough = sample(soil, x * 0.021, z * 0.021) + 0.6 * sample(soil, x * 0.17, z * 0.17)
        rock = blend(linear(122, 112, 104), linear(84, 78, 78), smoothstep(-1.5, 1.5, rough))
        grass = blend(linear(40, 56, 30), linear(112, 108, 58), smoothstep(-1.2, 1.8, rough))
        green = smoothstep(1.15, 0.75, y / trees + 0.12 * rough) * smoothstep(0.62, 0.4, steep)
        white = smoothstep(0.95, 1.1, y / snow + 0.10 * rough) * smoothstep(0.66, 0.48, steep)
        scene.add(surface, blend(blend(rock, grass, green), linear(240, 242, 248), white))


def rocks(scene, generator, heap, count, spread, size):
    """Adds a heap of boulders: wet and dark at the water, lichen above."""
    texture = fractal(generator, (64, 64, 64), slope=1.7, lowest=2)

    def paint(up, along, points):
        place = np.moveaxis(points, -1, 0)
        grain = sample(texture, *(place * 9)) + 0.7 * sample(texture, *(place * 31))
        stone = blend(linear(112, 102, 94), linear(166, 152, 136), smoothstep(-1.5, 1.8, grain))
        lichen = smoothstep(0.7, 1.3, sample(texture, *(place * 4.1 + 20))) * smoothstep(
            0.7, 1.4, points[..., 1]
        )
        stone = blend(stone, linear(164, 132, 62), 0.7 * lichen)
        return blend(stone, linear(40, 40, 36), smoothstep(0.75, 0.2, points[..., 1] + 0.1 * grain))

    for _ in range(count):
        away = generator.normal(0, 0.45, 2) * spread
        large = size * generator.uniform(0.5, 1.1) * (1.2 - 0.5 * min(1, np.hypot(*away / spread)))
        middle = heap[0] + away[0], heap[1] - 0.2 * large, heap[2] + away[1]
        radii = large * generator.uniform((0.8, 0.5, 0.8), (1.4, 0.85, 1.3))
        scene.add(shapes.boulder(texture, middle, radii, 0.16, 110), paint)


def jetty(scene, generator, start, end, width):
    """Adds planks on posts from start to end, (x, z), with mooring posts and a slack rope."""
    grain = fractal(generator, (256, 256), slope=1.0, lowest=2)
    start, end = np.array(start, float), np.array(end, float)
    length = np.hypot(*(end - start))
    turn = np.arctan2(*(end - start)[::-1])
    deck = 1.5

    def wood(shift, tone):
        def paint(up, along, points):
            # Grain runs along the longer side of planks, and up the posts.
            streak = sample(grain, shift * 57 + up * 3, shift * 91 + along * 60)
            color = linear(138, 122, 104) * tone * (0.85 + 0.2 * streak)[..., np.newaxis]
            return blend(color, linear(34, 36, 30), smoothstep(1.0, 0.3, points[..., 1]))

        return paint

    def at(along, across, height):
        ahead = (end - start) / length
        x, z = start + along * ahead + across * np.array([ahead[1], -ahead[0]])
        return np.array([x, height, z])

    for index, along in enumerate(np.arange(0, length, 0.34)):
        for side in shapes.box(0.31, 0.12, width * generator.uniform(0.98, 1.03)):
            plank = shapes.placed(side, at(along, 0, deck + generator.normal(0, 0.012)), turn)
            scene.add(plank, wood(index, generator.uniform(0.7, 1.15)))
    for edge in (-1, 1):
        beam = [at(0, edge * width * 0.46, deck - 0.18), at(length, edge * width * 0.46, deck - 0.18)]
        scene.add(shapes.tube(np.linspace(*beam, 30), 0.17, 12), wood(edge, 0.6))
        tops = []
        for index, along in enumerate(np.arange(0.8, length, 4.4)):
            top = deck + generator.uniform(1.0, 1.3)
            profile = [(0, 0.19), (top - 0.06, 0.17), (top, 0.13), (top, 0.001)]
            place = at(along, edge * (width * 0.5 + 0.12), 0)
            scene.add(shapes.tower(place, profile, 24), wood(index + 50 * edge, 0.75))
            tops.append(place + np.array([0, top - 0.3, 0]))
        for first, second in itertools.pairwise(tops):
            share = np.linspace(0, 1, 30)[:, np.newaxis]
            sag = np.array([0, 0.45, 0]) * 4 * share * (1 - share)
            scene.add(shapes.tube(first + (second - first) * share - sag, 0.045, 8), linear(170, 150, 112))
