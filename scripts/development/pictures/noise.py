"""Random textures that repeat without a seam, colours to paint with, and fine drawings scaled down."""

import itertools

import numpy as np
from PIL import Image

FINE = 2  # pictures are drawn at this multiple of their size and scaled down, which smooths edges


def fractal(generator, shape, slope=1.5, lowest=1, highest=np.inf):
    """Returns noise of zero mean and unit deviation, rough at every scale.

    Its amplitude falls as frequency ** -slope; frequencies outside
    lowest .. highest, in cycles per texture, are left out.
    """
    axes = [np.fft.fftfreq(size, 1 / size) for size in shape]
    frequency = np.sqrt(sum(axis**2 for axis in np.meshgrid(*axes, indexing="ij")))
    kept = (frequency >= lowest) & (frequency <= highest)
    gain = np.where(kept, np.maximum(frequency, 1) ** -slope, 0)
    noise = np.fft.ifftn(np.fft.fftn(generator.standard_normal(shape)) * gain).real
    return (noise / noise.std()).astype(np.float32)


def sample(texture, *coordinates):
    """Looks a texture up at fractional indices: linear in between, wrapping around."""
    floors = [np.floor(c) for c in coordinates]
    rests = [(c - floor).astype(np.float32) for c, floor in zip(coordinates, floors)]
    wholes = [floor.astype(np.int64) for floor in floors]
    total = 0
    for corner in itertools.product((0, 1), repeat=texture.ndim):
        weight, index = 1, []
        for step, rest, whole, size in zip(corner, rests, wholes, texture.shape):
            weight = weight * (rest if step else 1 - rest)
            index.append((whole + step) % size)
        total = total + weight * texture[tuple(index)]
    return total


def ridged(texture, x, y, octaves=7):
    """Returns about 0 .. 1 with sharp crests, as mountains have, from a texture of one frequency band."""
    total, weight, size = 0, 1, 0
    for octave in range(octaves):
        # Each octave is shifted, or the origin would be a crest in all of them.
        shift = 37.7 * octave
        crest = (
            1 - np.minimum(np.abs(sample(texture, x * 2**octave + shift, y * 2**octave - shift)), 1)
        ) ** 2
        # Valleys stay smooth: the finer octaves grow on the crests of the coarser.
        total, size = total + weight * crest, size + 0.5**octave
        weight = 0.5 ** (octave + 1) * np.clip(1.4 * crest + 0.25, 0, 1)
    return total / size


def smoothstep(low, high, value):
    """Rises from 0 at low to 1 at high, without a kink."""
    share = np.clip((value - low) / (high - low), 0, 1)
    return share * share * (3 - 2 * share)


def blend(first, second, share):
    """Mixes two colours by an array of shares."""
    share = np.asarray(share, np.float32)[..., np.newaxis]
    return np.asarray(first, np.float32) * (1 - share) + np.asarray(second, np.float32) * share


def linear(red, green, blue):
    """Turns a display colour of 0 .. 255 into light, which adds up."""
    return (np.array([red, green, blue], np.float32) / 255) ** 2.2


def shrunk(drawing):
    """Returns a drawing of values from 0 to 255 as a picture of its final size."""
    picture = Image.fromarray(np.clip(drawing, 0, 255).astype(np.uint8))
    return picture.resize((picture.width // FINE, picture.height // FINE), Image.Resampling.LANCZOS)
