"""A style picture: cut planes that overlap at sharp angles, shaded to one edge, in warm and muted colours."""

import numpy as np
from PIL import Image, ImageDraw

from pictures.noise import FINE, fractal, sample, shrunk, smoothstep

# Colours, and how often each is taken: muted ones carry the picture, strong ones accent it.
_PALETTE = [
    ((168, 52, 36), 1.3),  # brick red
    ((206, 146, 52), 1.5),  # ochre
    ((138, 152, 112), 1.1),  # sage
    ((62, 86, 116), 1.3),  # slate blue
    ((236, 220, 184), 1.7),  # cream
    ((30, 28, 32), 0.9),  # near-black
    ((170, 116, 84), 1.0),  # clay
    ((214, 112, 58), 0.6),  # orange
    ((196, 178, 146), 1.0),  # sand
]
# Directions that edges keep to, nearly: planes then agree, as facets of the same bodies do.
_DIRECTIONS = np.radians([18, 62, 104, 151])


def shards(width=768, height=576, seed=23):
    """Returns the style picture."""
    generator = np.random.default_rng(seed)
    wide, high = width * FINE, height * FINE
    color = np.full((high, wide, 3), (150, 120, 92), np.float32)
    paper = fractal(generator, (512, 512), slope=0.5, lowest=24)
    colors, shares = [np.array(c, np.float32) for c, _ in _PALETTE], np.array([s for _, s in _PALETTE])
    # size in pixels, planes; the smaller ones lie upon the larger
    for size, count in ((320, 80), (210, 170), (130, 250), (72, 110)):
        # On a jittered grid, so that no place stays bare; in any order, so that no side lies on top.
        across = int(np.ceil(np.sqrt(count * wide / high)))
        cells = generator.permutation(across * int(np.ceil(count / across)))
        for cell in cells:
            spot = np.array(divmod(cell, across))[::-1] + generator.uniform(-0.3, 1.3, 2)
            middle = spot * wide / across
            outline = _outline(generator, size * generator.uniform(0.7, 1.3)) + middle
            tint = colors[generator.choice(len(colors), p=shares / shares.sum())]
            _lay(generator, color, outline, tint * generator.uniform(0.9, 1.1), paper)
    y, x = np.mgrid[0:high, 0:wide]
    weave = 0.5 * np.sin(x * 1.05) * np.cos(y * 1.05) + sample(paper, y * 0.5, x * 0.5)
    return shrunk(color * (1 + 0.035 * weave[..., np.newaxis]))


def _outline(generator, size):
    """Returns the corners (n, 2) of a plane about the origin: a quadrilateral, triangle or part of a disc."""
    first, second = generator.choice(_DIRECTIONS, 2, replace=False) + generator.normal(0, 0.07, 2)
    along = np.array([np.cos(first), np.sin(first)]) * size * generator.uniform(0.6, 1.1)
    aside = np.array([np.cos(second), np.sin(second)]) * size * generator.uniform(0.25, 0.7)
    kind = generator.random()
    if kind < 0.24:
        turn = np.linspace(0, generator.choice([0.5, 1.0]) * np.pi, 40) + first
        arc = 0.62 * size * np.stack([np.cos(turn), np.sin(turn)], -1)
        return arc if kind < 0.16 else np.concatenate([arc, 0.55 * arc[::-1]])
    if kind < 0.50:
        return np.array([along, -along + aside * 0.3, aside * 1.4])
    taper = generator.uniform(0.25, 1.0, 2)
    return np.array([-along - aside, along - aside * taper[0], along + aside * taper[1], -along + aside])


def _lay(generator, color, outline, tint, paper):
    """Lays one plane upon the picture: its shadow, its colour, and sometimes lines at its edges."""
    limits = np.array(color.shape[1::-1])
    low = np.clip(np.floor(outline.min(0)).astype(int) - 16, 0, limits)
    top = np.clip(np.ceil(outline.max(0)).astype(int) + 16, 0, limits)
    if (top - low).min() < 2:
        return
    part = color[low[1] : top[1], low[0] : top[0]]
    corners = [tuple(place) for place in outline - low]
    mask = Image.new("L", tuple(int(side) for side in top - low))
    ImageDraw.Draw(mask).polygon(corners, fill=255)
    inside = np.asarray(mask, np.float32)[..., np.newaxis] / 255

    y, x = np.mgrid[low[1] : top[1], low[0] : top[0]].astype(np.float32)
    # The shade falls square to one edge, and is rubbed in over the grain of the paper.
    edge = generator.integers(len(outline))
    ahead = outline[edge] - outline[edge - 1]
    normal = np.array([-ahead[1], ahead[0]]) / (np.hypot(*ahead) + 1e-6)
    depth = (x - outline[edge, 0]) * normal[0] + (y - outline[edge, 1]) * normal[1]
    reach = (outline - outline[edge]) @ normal
    away = (depth - reach.min()) / (np.ptp(reach) + 1e-6)
    shade = smoothstep(0.0, 0.85, away + 0.07 * sample(paper, y * 0.7, x * 0.7))[..., np.newaxis]
    dark, light = tint * (0.50, 0.48, 0.55), np.minimum(tint * 1.08 + 10, 255)
    # A little of what lies beneath shines through some planes, which knits them together.
    cover = inside * (0.80 if generator.random() < 0.25 else 1.0)
    part += cover * (dark + (light - dark) * shade - part)
    if generator.random() < 0.55:
        lines = Image.new("L", mask.size)
        weight = int(generator.choice([3, 4, 6]))
        ImageDraw.Draw(lines).line([*corners, corners[0]], fill=235, width=weight, joint="curve")
        part += np.asarray(lines, np.float32)[..., np.newaxis] / 255 * (np.array((26, 20, 22)) - part)
