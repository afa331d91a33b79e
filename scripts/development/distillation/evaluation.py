"""How near the student comes to VGG19, layer by layer, on pictures that training never saw."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import tensorflow as tf

from distillation.network import LAYERS, activations, gram

_SIZE = 192


def compared(
    teacher: Mapping, student: Mapping, pictures: list[np.ndarray], size: int = _SIZE
) -> dict[str, tuple[float, float]]:
    """Returns {layer: (R^2 of activations, relative error of Gram matrices, median over pictures)}.

    Args:
      teacher, student: weights in hundreds; see `network`.
      pictures: uint8 `[H, W, 3]`; of each, the middle square, resized to `size`.
    """
    error, total = dict.fromkeys(LAYERS, 0.0), dict.fromkeys(LAYERS, 0.0)
    grams = {name: [] for name in LAYERS}
    both = tf.function(lambda image: (activations(teacher, image), activations(student, image)))
    for picture in pictures:
        side = min(picture.shape[:2])
        top, left = ((extent - side) // 2 for extent in picture.shape[:2])
        square = picture[top : top + side, left : left + side].astype(np.float32) / 255
        image = tf.image.resize(square, [size, size], "bicubic", antialias=True)[tf.newaxis]
        real, found = both(tf.clip_by_value(image, 0, 1))
        for name in LAYERS:
            error[name] += float(tf.reduce_sum(tf.math.squared_difference(real[name], found[name])))
            total[name] += float(tf.reduce_sum(tf.math.reduce_variance(real[name], [0, 1, 2]))) * np.prod(
                real[name].shape[1:3]
            )
            wanted, made = gram(real[name]), gram(found[name])
            grams[name].append(float(tf.reduce_sum((made - wanted) ** 2) / tf.reduce_sum(wanted**2)))
    return {name: (1 - error[name] / total[name], float(np.median(grams[name]))) for name in LAYERS}


def table(found: Mapping[str, tuple[float, float]]) -> str:
    """Returns what `compared` found as a table of Markdown."""
    rows = [f"| {name} | {fit:.3f} | {error:.3f} |" for name, (fit, error) in found.items()]
    return "\n".join(["| layer | R² | relative Gram error |", "| --- | --- | --- |", *rows])
