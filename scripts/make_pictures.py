"""Makes the two pictures that the project ships: a harbour at evening, and a painting of swirls.

    python scripts/make_pictures.py --output=tfstyle/data

Both are drawn from scratch with seeded random numbers, so that nobody's rights
are in them and anybody can make them again. The harbour has structure at every
size and depth from the sea to the hills; the painting has bold strokes that
follow a flow, in few colours.
"""

import pathlib

import numpy as np
from absl import app, flags
from PIL import Image, ImageDraw, ImageFilter

_OUTPUT = flags.DEFINE_string("output", "tfstyle/data", "folder to write harbour.jpg and swirls.jpg into")

_WIDTH, _HEIGHT = 768, 576
_FINE = 2  # drawn at this multiple of the size and scaled down, which smooths edges


def smooth_noise(generator, height, width, cell):
    """Returns noise of about unit range, smooth over `cell` pixels, from four octaves."""
    total, weight = np.zeros((height, width)), 0.0
    for octave in range(4):
        size = max(2, int(width * 2**octave / cell)), max(2, int(height * 2**octave / cell))
        grid = Image.fromarray(generator.random((size[1], size[0])).astype(np.float32))
        total += np.asarray(grid.resize((width, height), Image.Resampling.BICUBIC)) / 2**octave
        weight += 1 / 2**octave
    return total / weight


def blend(low, high, share):
    """Mixes two colours by an array of shares."""
    share = np.clip(share, 0, 1)[..., np.newaxis]
    return np.asarray(low) * (1 - share) + np.asarray(high) * share


def harbour(seed=4):
    """Returns the content picture."""
    generator = np.random.default_rng(seed)
    width, height = _WIDTH * _FINE, _HEIGHT * _FINE
    horizon = int(height * 0.62)
    rows, columns = np.mgrid[0:height, 0:width].astype(float)

    sky = blend((66, 104, 158), (248, 206, 150), (rows / horizon) ** 1.3)
    sun = np.hypot(columns - width * 0.3, (rows - horizon * 0.72) * 1.0)
    sky = blend(sky, (255, 240, 205), np.exp(-((sun / (height * 0.20)) ** 2)))
    clouds = smooth_noise(generator, height, width, width / 3)
    clouds = (clouds + 0.25 * smooth_noise(generator, height, width, width / 12) - 0.68) * 3.4
    sky = blend(sky, (252, 238, 226), np.clip(clouds, 0, 0.85) * (1 - 0.5 * rows / horizon))
    picture = Image.fromarray(sky.astype(np.uint8))
    draw = ImageDraw.Draw(picture)
    draw.ellipse(_disc(width * 0.3, horizon * 0.72, height * 0.032), fill=(255, 250, 228))

    # Hills: the farther, the closer to the colour of the air.
    for depth, (base, rise, color) in enumerate(
        [(0.80, 0.30, (150, 160, 186)), (0.90, 0.24, (104, 122, 148)), (0.99, 0.17, (72, 94, 92))]
    ):
        ridge = smooth_noise(generator, 1, width, width / (2.2 + 1.5 * depth))[0] - 0.5
        tops = horizon * base - ridge * horizon * rise * 2
        points = [(x, tops[x]) for x in range(0, width, 4)]
        draw.polygon([(0, horizon), *points, (width, horizon)], fill=color)

    _town(draw, generator, width, horizon)
    _lighthouse(draw, width * 0.115, horizon, height * 0.36)
    _sea(picture, generator, horizon)
    draw = ImageDraw.Draw(picture)
    for x, y, size, hull in (
        (0.30, 0.74, 0.115, (150, 52, 44)),
        (0.52, 0.69, 0.070, (44, 66, 92)),
        (0.71, 0.83, 0.165, (36, 84, 88)),
    ):
        _boat(draw, width * x, height * y, height * size, hull)
    return picture.resize((_WIDTH, _HEIGHT), Image.Resampling.LANCZOS)


def _disc(x, y, radius):
    return (x - radius, y - radius, x + radius, y + radius)


def _shade(color, factor):
    return tuple(int(np.clip(channel * factor, 0, 255)) for channel in color)


def _town(draw, generator, width, horizon):
    """Draws rows of gabled houses along the shore, the nearer in front and larger."""
    walls = [
        (236, 214, 178),
        (214, 138, 96),
        (228, 186, 104),
        (196, 206, 204),
        (186, 96, 78),
        (240, 232, 216),
    ]
    roofs = [(146, 70, 52), (118, 62, 56), (92, 76, 82)]
    for row in range(3):
        x = width * (0.40 + 0.05 * row)
        while x < width * 1.02:
            house = width * generator.uniform(0.034, 0.058) * (0.7 + 0.2 * row)
            storeys = generator.integers(2, 5)
            tall = house * 0.42 * storeys
            foot = horizon - (2 - row) * width * 0.038
            wall = _shade(walls[generator.integers(len(walls))], 0.80 + 0.1 * row)
            roof = _shade(roofs[generator.integers(len(roofs))], 0.85 + 0.08 * row)
            draw.rectangle((x, foot - tall, x + house, horizon), fill=wall)
            # The sun is on the left: the right part of each house lies in shade.
            draw.rectangle((x + house * 0.66, foot - tall, x + house, horizon), fill=_shade(wall, 0.76))
            peak = (x + house / 2, foot - tall - house * 0.55)
            left, right = (x - house * 0.06, foot - tall), (x + house * 1.06, foot - tall)
            draw.polygon([left, peak, right], fill=roof)
            draw.polygon([peak, right, (peak[0], right[1])], fill=_shade(roof, 0.78))
            for storey in range(storeys):
                for column in range(2):
                    window = (
                        x + house * (0.18 + 0.42 * column),
                        foot - tall + house * (0.12 + 0.42 * storey),
                    )
                    lit = generator.random() < 0.3
                    draw.rectangle(
                        (*window, window[0] + house * 0.17, window[1] + house * 0.22),
                        fill=(255, 222, 130) if lit else (62, 70, 88),
                    )
            x += house * generator.uniform(1.0, 1.15)
    draw.rectangle((width * 0.36, horizon - 10, width, horizon + 14), fill=(104, 92, 84))


def _lighthouse(draw, x, horizon, tall):
    """Draws a striped tower on a rock."""
    rock = [(-1.9, 0.09), (-1.3, -0.02), (-0.4, -0.07), (0.5, -0.06), (1.3, 0.0), (2.2, 0.09)]
    draw.polygon([(x + dx * tall * 0.16, horizon + dy * tall) for dx, dy in rock], fill=(78, 70, 68))
    draw.polygon(
        [(x + dx * tall * 0.16, horizon + dy * tall) for dx, dy in rock[3:]] + [(x, horizon + tall * 0.05)],
        fill=(54, 50, 54),
    )
    bands = 6
    for band in range(bands):
        bottom, top = horizon - tall * (0.06 + 0.13 * band), horizon - tall * (0.06 + 0.13 * (band + 1))
        wide, narrow = tall * (0.085 - 0.007 * band), tall * (0.085 - 0.007 * (band + 1))
        color = (226, 74, 58) if band % 2 == 0 else (246, 240, 228)
        draw.polygon(
            [(x - wide, bottom), (x - narrow, top), (x + narrow, top), (x + wide, bottom)], fill=color
        )
        draw.polygon(
            [(x + wide * 0.25, bottom), (x + narrow * 0.25, top), (x + narrow, top), (x + wide, bottom)],
            fill=_shade(color, 0.72),
        )
    top = horizon - tall * (0.06 + 0.13 * bands)
    draw.rectangle((x - tall * 0.062, top - tall * 0.014, x + tall * 0.062, top), fill=(58, 56, 64))
    draw.rectangle((x - tall * 0.032, top - tall * 0.085, x + tall * 0.032, top), fill=(255, 236, 150))
    draw.polygon(
        [
            (x - tall * 0.05, top - tall * 0.085),
            (x, top - tall * 0.15),
            (x + tall * 0.05, top - tall * 0.085),
        ],
        fill=(150, 50, 44),
    )


def _sea(picture, generator, horizon):
    """Mirrors what stands above the horizon in broken water."""
    pixels = np.asarray(picture).astype(float)
    height, width = pixels.shape[:2]
    rows, columns = np.mgrid[horizon:height, 0:width]
    depth = (rows - horizon) / (height - horizon)
    waves = smooth_noise(generator, height - horizon, width, width / 9) - 0.5
    ripple = np.sin((rows - horizon) ** 0.62 * 2.6 + 14 * waves + 0.004 * columns)
    mirror_row = np.clip(2 * horizon - rows * 1.0 + (horizon * 0.25 * depth * ripple * 0.2), 0, horizon - 1)
    mirror_column = np.clip(columns + ripple * (4 + 26 * depth), 0, width - 1)
    mirrored = pixels[mirror_row.astype(int), mirror_column.astype(int)]
    water = blend(mirrored, (44, 84, 108), 0.30 + 0.35 * depth)
    water += (ripple * (5 + 16 * depth))[..., np.newaxis]
    pixels[horizon:] = np.clip(water, 0, 255)
    picture.paste(Image.fromarray(pixels.astype(np.uint8)))


def _boat(draw, x, y, size, hull):
    """Draws a boat with two sails and its dark reflection."""
    draw.ellipse((x - size * 0.8, y + size * 0.10, x + size * 0.8, y + size * 0.36), fill=(38, 62, 80))
    sail = (250, 240, 222)
    draw.polygon([(x + size * 0.04, y - size * 1.25), (x + size * 0.04, y), (x + size * 0.66, y)], fill=sail)
    draw.polygon(
        [(x - size * 0.04, y - size * 1.1), (x - size * 0.04, y), (x - size * 0.5, y)],
        fill=_shade(sail, 0.84),
    )
    draw.line((x, y - size * 1.3, x, y + size * 0.1), fill=(70, 52, 44), width=max(2, int(size * 0.03)))
    bow = [(-0.82, 0.02), (0.86, 0.0), (0.6, 0.26), (-0.6, 0.26)]
    draw.polygon([(x + dx * size, y + dy * size) for dx, dy in bow], fill=hull)
    draw.line(
        (x - size * 0.8, y + size * 0.05, x + size * 0.84, y + size * 0.03), fill=(244, 236, 220), width=4
    )


def swirls(seed=11):
    """Returns the style picture: strokes along a turning flow, coarse ones under fine ones."""
    generator = np.random.default_rng(seed)
    width, height = _WIDTH * _FINE, _HEIGHT * _FINE
    centers = [
        (x * width, y * height, r * height, turn)
        for x, y, r, turn in (
            (0.25, 0.32, 0.26, 1),
            (0.66, 0.22, 0.20, -1),
            (0.88, 0.56, 0.22, 1),
            (0.48, 0.62, 0.24, -1),
            (0.12, 0.82, 0.22, -1),
            (0.76, 0.90, 0.20, 1),
        )
    ]
    drift = smooth_noise(generator, height // 8, width // 8, width / 8 / 2.5) * 2 - 1
    shades = smooth_noise(generator, height // 8, width // 8, width / 8 / 5)
    canvas = Image.new("RGB", (width, height), (22, 34, 74))
    draw = ImageDraw.Draw(canvas)

    def look_up(field, x, y):
        row = int(np.clip(y / 8, 0, field.shape[0] - 1))
        return field[row, int(np.clip(x / 8, 0, field.shape[1] - 1))]

    def direction(x, y):
        flow = np.array([1.0, 0.9 * look_up(drift, x, y)])
        for cx, cy, radius, turn in centers:
            dx, dy = x - cx, y - cy
            pull = np.exp(-((dx * dx + dy * dy) / radius**2)) * 3.2
            distance = np.hypot(dx, dy) + 1e-6
            flow += turn * pull * np.array([-dy, dx]) / distance
        return flow / (np.hypot(*flow) + 1e-6)

    def color_at(x, y):
        near, ring = min((np.hypot(x - cx, y - cy) / r, np.hypot(x - cx, y - cy)) for cx, cy, r, _ in centers)
        if near < 0.30:
            return np.array([(250, 206, 72), (252, 236, 164), (240, 150, 44)][generator.integers(3)])
        if near < 0.95 and int(ring / (height * 0.045)) % 2 == 0:
            return np.array([(226, 168, 60), (120, 176, 182), (206, 214, 178)][generator.integers(3)])
        deep, light = np.array((24, 48, 116)), np.array((86, 146, 190))
        color = deep + (light - deep) * np.clip((look_up(shades, x, y) - 0.3) * 2.4, 0, 1)
        return np.array((198, 84, 40)) if generator.random() < 0.05 else color

    for brush, count, steps in ((44, 1500, 12), (28, 3200, 13), (17, 4200, 13)):
        for _ in range(count):
            x, y = generator.uniform(-40, width + 40), generator.uniform(-40, height + 40)
            _stroke(draw, generator, x, y, brush, steps, direction, color_at(x, y))
    canvas = canvas.resize((_WIDTH, _HEIGHT), Image.Resampling.LANCZOS)
    return canvas.filter(ImageFilter.UnsharpMask(radius=1.5, percent=60, threshold=0))


def _stroke(draw, generator, x, y, brush, steps, direction, color):
    """Draws one stroke: bristles side by side, each of its own shade, light on one edge."""
    path, normals = [], []
    for _ in range(steps):
        flow = direction(x, y)
        path.append((x, y))
        normals.append((-flow[1], flow[0]))
        x, y = x + flow[0] * brush * 0.5, y + flow[1] * brush * 0.5
    color = color * generator.uniform(0.82, 1.14)
    bristles = 7
    for bristle in range(bristles):
        side = (bristle / (bristles - 1) - 0.5) * brush * 0.85
        first = generator.integers(0, 2)
        last = steps - generator.integers(0, 4)
        shade = 1.12 - 0.30 * bristle / (bristles - 1) + generator.uniform(-0.10, 0.10)
        points = [(p[0] + n[0] * side, p[1] + n[1] * side) for p, n in zip(path, normals)][first:last]
        draw.line(points, fill=_shade(color, shade), width=int(brush * 0.24) + 1, joint="curve")


def main(_):
    """Writes both pictures."""
    folder = pathlib.Path(_OUTPUT.value)
    folder.mkdir(parents=True, exist_ok=True)
    for name, make in (("harbour", harbour), ("swirls", swirls)):
        path = folder / f"{name}.jpg"
        make().save(path, quality=80, subsampling=0, optimize=True)
        print(path, path.stat().st_size // 1000, "kB")


if __name__ == "__main__":
    app.run(main)
