"""Photographs and paintings to train on, those held out, and random crops of them."""

from __future__ import annotations

import os
import pathlib
from collections.abc import Sequence

import numpy as np
from absl import logging
from PIL import Image

from tfstyle.io.decode import open_picture

_SHORTEST = 256  # pixels; pictures are kept at this size of the shorter side, if they have it
_HELD_OUT = 100  # of each kind


def split(paths: Sequence[pathlib.Path]) -> tuple[list[pathlib.Path], list[pathlib.Path]]:
    """Returns the paths to train on, and every so many-th of them, 100 in all, held out."""
    paths = sorted(paths)
    every = max(2, len(paths) // _HELD_OUT)
    held_out = paths[::every][:_HELD_OUT]
    return [path for path in paths if path not in set(held_out)], held_out


def read(paths: Sequence[pathlib.Path], shortest: int = _SHORTEST) -> list[np.ndarray]:
    """Returns pictures as uint8 `[H, W, 3]`, shorter side at most `shortest`; unreadable ones are named and left out."""
    found = []
    for path in paths:
        try:
            with open_picture(path, os.fspath(path)) as picture:
                picture = picture.convert("RGB")
        except (OSError, ValueError) as error:
            logging.warning("%s", error)
            continue
        share = shortest / min(picture.size)
        if share < 1:
            picture = picture.resize([round(side * share) for side in picture.size], Image.Resampling.BICUBIC)
        found.append(np.asarray(picture))
    return found


def crop(pictures: Sequence[np.ndarray], size: int, generator: np.random.Generator) -> np.ndarray:
    """Returns a square piece of a random picture at a random scale, float32 `[size, size, 3]` in [0, 1].

    The piece has between `size` pixels and the whole shorter side, evenly in the
    logarithm; half are mirrored.
    """
    picture = pictures[generator.integers(len(pictures))]
    shorter = min(picture.shape[:2])
    side = round(min(size, shorter) * (max(size, shorter) / min(size, shorter)) ** generator.random())
    side = min(side, shorter)
    top, left = (generator.integers(extent - side + 1) for extent in picture.shape[:2])
    piece = Image.fromarray(picture[top : top + side, left : left + side])
    pixels = np.asarray(piece.resize((size, size), Image.Resampling.BICUBIC), np.float32) / 255
    return pixels[:, ::-1] if generator.random() < 0.5 else pixels
