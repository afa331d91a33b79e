"""The town on its hill, the quay before it, and the lighthouse."""

import numpy as np

from pictures import shapes
from pictures.noise import blend, fractal, linear, sample, smoothstep

_WALLS = [
    linear(*color)
    for color in (
        (238, 222, 190),
        (222, 150, 104),
        (230, 190, 112),
        (126, 150, 138),
        (196, 104, 84),
        (226, 206, 150),
        (172, 190, 196),
        (232, 170, 150),
    )
]
_ROOFS = [linear(*color) for color in ((168, 82, 56), (146, 66, 50), (128, 78, 62), (92, 84, 88))]
_SHUTTERS = [linear(*color) for color in ((44, 92, 84), (52, 78, 118), (116, 52, 44), (84, 96, 70))]
_STONE = linear(150, 140, 128)
_SHORE = 150.0  # metres ahead: the front of the quay


def ground(x, z):
    """Returns how high the land behind the quay is."""
    hill = np.clip(z - _SHORE - 16, 0, None) * 0.27 * smoothstep(-25, 45, x - 0.15 * (z - _SHORE))
    return 2.4 + hill + 0.9 * np.sin(x * 0.11) * smoothstep(0, 60, z - _SHORE)


def draw(scene, generator):
    """Adds the town to the scene."""
    texture = fractal(generator, (256, 256), slope=1.1)
    _land(scene, texture)
    for row in range(7):
        z = _SHORE + 13 + row * 15.5
        x = -13 + 5.5 * row + generator.uniform(0, 4)
        while x < 0.55 * z:
            width = generator.uniform(6.5, 10)
            church = row == 3 and abs(x - 42) < 6
            if not church:
                foot = x + width / 2, 0, z + generator.uniform(-2, 2)
                _house(scene, generator, texture, foot, width)
            x += width + generator.uniform(2.2, 4.5 if row == 0 else 8)
    _church(scene, texture, (43, ground(43, 206), 206))
    gardens = [(generator.uniform(-20, 130), generator.uniform(_SHORE + 24, 310)) for _ in range(95)]
    park = [(x, _SHORE + generator.uniform(8, 20)) for x in np.arange(-42, -15, 1.9)]
    for x, z in gardens + park:
        if x < 0.6 * z:
            tree(scene, generator, (x, ground(x, z), z), generator.uniform(1.6, 3.6))


def tree(scene, generator, foot, size):
    """Adds a bushy tree of a few lumps."""
    leaves = fractal(generator, (24, 24, 24), slope=0.9, lowest=2)
    green = linear(*generator.uniform((52, 74, 34), (98, 112, 52)))
    for _ in range(3):
        middle = np.asarray(foot) + size * generator.normal((0, 1.1, 0), 0.35)
        lump = shapes.boulder(leaves, middle, size * generator.uniform(0.6, 1.0, 3), 0.22, 40)
        scene.add(lump, lambda up, along, points: green * (1.25 - 0.75 * up[..., np.newaxis]))


def _land(scene, texture):
    x, z = np.meshgrid(np.linspace(-45, 210, 200), np.linspace(_SHORE, 330, 160))
    land = np.stack([x, ground(x, z), z], -1)

    def paint(up, along, points):
        rough = sample(texture, points[..., 0] * 3, points[..., 2] * 3)
        grass = blend(linear(92, 98, 52), linear(146, 128, 84), smoothstep(-1, 1.5, rough))
        return blend(_STONE * 0.8, grass, smoothstep(_SHORE + 14, _SHORE + 20, points[..., 2]))

    scene.add(land, paint)

    def blocks(up, along, points):
        # Courses of stone, every other one shifted by half a block, wet and green at the water.
        course = np.floor(points[..., 1] / 0.6)
        block = points[..., 0] / 1.5 + 0.5 * (course % 2)
        tone = 0.78 + 0.20 * sample(texture, np.floor(block) * 17.0, course * 29.0)
        joint = (np.minimum(points[..., 1] / 0.6 % 1, block % 1) < 0.09) * 0.4
        stone = _STONE * (np.clip(tone, 0.4, 1.2) - joint)[..., np.newaxis]
        return blend(stone, linear(38, 44, 34), smoothstep(1.1, 0.3, points[..., 1]))

    scene.add(shapes.quad((-45, 0, _SHORE), (210, 0, _SHORE), (210, 2.4, _SHORE), (-45, 2.4, _SHORE)), blocks)
    scene.add(shapes.quad((-45, 0, 330), (-45, 0, _SHORE), (-45, 2.4, _SHORE), (-45, 2.4, 330)), blocks)


def _facade(generator, texture, color, width, storeys):
    """Returns paint for a wall with windows, frames, shutters and weather."""
    columns = max(1, round(width / 2.5))
    lit = generator.random((storeys, columns)) < 0.16
    shutter = _SHUTTERS[generator.integers(len(_SHUTTERS))]
    shift = generator.uniform(0, 256, 2)

    def paint(up, along, points):
        storey, column = up * storeys, along * columns
        across = np.abs(column % 1 - 0.5)
        above = storey % 1
        weather = sample(texture, shift[0] + up * 40, shift[1] + along * 30)
        wall = color * (0.92 + 0.10 * weather - 0.25 * (up < 0.06 / storeys))[..., np.newaxis]
        rows = np.minimum(storey.astype(int), storeys - 1)
        bright = lit[rows, np.minimum(column.astype(int), columns - 1)]
        result = np.concatenate([wall, np.zeros_like(wall[..., :1])], -1)
        level = (above > 0.26) & (above < 0.80)
        result[level & (across < 0.36) & (across > 0.2), :3] = shutter
        result[level & (across < 0.22), :3] = linear(238, 232, 220)
        glass = (above > 0.30) & (above < 0.76) & (across < 0.175) & (across > 0.02)
        result[glass] = (*linear(40, 50, 64), 0)
        result[glass & bright] = (*linear(244, 160, 66), 0.6)
        # Sills throw a line of shade.
        result[(above > 0.21) & (above < 0.26) & (across < 0.25), :3] *= 0.5
        return result

    return paint


def _house(scene, generator, texture, foot, width):
    storeys = int(generator.integers(2, 5))
    height, depth = storeys * 2.7, generator.uniform(7, 10)
    color, roof = (colors[generator.integers(len(colors))] for colors in (_WALLS, _ROOFS))
    rise = width * generator.uniform(0.34, 0.5)
    # Seen a little from the left, where the sun is; some show their eaves, not their gable.
    turn = generator.normal(0.36, 0.08) - (np.pi / 2 if generator.random() < 0.35 else 0)
    foot = foot[0], ground(foot[0], foot[2]) - 0.2, foot[2]

    def add(grid, paint):
        scene.add(shapes.placed(grid, foot, turn), paint)

    for index, wall in enumerate(shapes.box(width, height, depth)[:4]):
        long = depth if index in (1, 2) else width
        add(wall, _facade(generator, texture, color, long, storeys))
    x, z, over = width / 2, depth / 2, 0.5
    peak, eaves = height + rise, height - over * rise / x
    for end in (-z, z):
        add(shapes.quad((-x, height, end), (x, height, end), (0, peak, end), (0, peak, end)), color)

    def tiles(up, along, points):
        rows = up * rise * 3.2 + 0.12 * sample(texture, up * 90, along * 90)
        tone = 0.8 + 0.28 * (rows % 1) + 0.13 * sample(texture, np.floor(rows) * 31, along * 120)
        return roof * tone[..., np.newaxis]

    for side in (-1, 1):
        edge = side * (x + over)
        add(
            shapes.quad(
                (edge, eaves, -z - over), (edge, eaves, z + over), (0, peak, z + over), (0, peak, -z - over)
            ),
            tiles,
        )
    chimney = generator.uniform(-0.28, 0.28) * width, peak - 0.6 * rise, generator.uniform(-0.3, 0.3) * depth
    for wall in shapes.box(0.8, 0.6 * rise + 1.2, 0.8):
        add(wall + np.array(chimney), linear(150, 108, 92))


def _church(scene, texture, foot):
    def plaster(up, along, points):
        arch = (np.abs(along - 0.5) < 0.16) & (up > 0.74) & (up < 0.9)
        band = (up % 0.245) < 0.012
        tone = np.where(arch, 0.12, np.where(band, 0.6, 0.95 + 0.06 * sample(texture, up * 200, along * 60)))
        return linear(240, 230, 210) * tone[..., np.newaxis]

    for wall in shapes.box(6.5, 23, 6.5):
        scene.add(shapes.placed(wall, foot, 0.42), plaster)
    spire = shapes.tower(foot, [(23, 4.7), (26, 3.1), (30, 2.1), (39, 0.05)], sides=8)
    for side in range(8):  # one by one, or the edges would be rounded off
        scene.add(spire[:, side : side + 2], linear(84, 112, 104))


def lighthouse(scene, generator, foot):
    """Adds a banded tower with its lamp, on an islet of rock."""
    texture = fractal(generator, (64, 64), slope=1.0)

    def bands(up, along, points):
        red = (up * 5.0).astype(int) % 2 == 0
        weather = 0.92 + 0.09 * sample(texture, up * 60, along * 64)
        # Rain draws rust down from the gallery.
        streaks = smoothstep(0.6, 1.0, up) * np.clip(sample(texture, up * 2, along * 128), 0, 2) * 0.15
        color = np.where(red[..., np.newaxis], linear(196, 52, 42), linear(244, 238, 226))
        window = (np.abs((up * 5) % 1 - 0.5) < 0.10) & (np.abs(along % 0.25 - 0.20) < 0.016)
        return color * np.where(window, 0.12, weather - streaks)[..., np.newaxis]

    iron, white = linear(48, 50, 56), linear(236, 232, 222)
    scene.add(shapes.tower(foot, np.stack([np.linspace(0, 25, 40), np.linspace(3.5, 2.15, 40)], -1)), bands)
    scene.add(shapes.tower(foot, [(24.2, 2.2), (25.2, 3.2), (25.5, 3.2), (25.5, 1.0)]), white * 0.8)
    scene.add(shapes.tower(foot, [(25.5, 1.45), (28.6, 1.45)]), linear(255, 214, 130), glow=0.6)
    for angle in np.linspace(0, 2 * np.pi, 16, endpoint=False):
        for reach, top in ((3.1, 26.7), (1.5, 28.6)):
            post = np.asarray(foot) + np.array([reach * np.cos(angle), 25.5, reach * np.sin(angle)])
            scene.add(shapes.tower(post, [(0, 0.06), (top - 25.5, 0.06)], 6), iron)
    ring = np.linspace(0, 2 * np.pi, 40)
    rail = np.stack([3.1 * np.cos(ring), np.full(40, 26.7), 3.1 * np.sin(ring)], -1)
    scene.add(shapes.tube(rail + np.asarray(foot), 0.07, 6), iron)
    dome = [(28.5, 1.9), (28.8, 1.75), (29.6, 1.3), (30.2, 0.7), (30.5, 0.16), (32.2, 0.03)]
    scene.add(shapes.tower(foot, dome), linear(150, 46, 38))
