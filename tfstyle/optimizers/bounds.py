"""Bounds without corners: any number stands for a picture value in [0, 1].

A value at a bound would otherwise have to be held there, pixel by pixel, and a
smooth step that passes over held pixels leaves the free ones between them as
coloured specks. Here a position is folded into the range like a ray between
two mirrors, and the last `_MARGIN` before each mirror is bent to a parabola, so
that value and slope are continuous. To want a value beyond the bound then is to
want the vertex of a parabola, an ordinary minimum (the squared-variable
transformation; Nocedal & Wright 2006, section 15.3 on eliminating constraints).
"""

from __future__ import annotations

import tensorflow as tf

_MARGIN = 0.05
_LENGTH = 1 + 2 * _MARGIN  # from vertex to vertex
# The darkest and lightest start, which 8 bits cannot tell from the bound: at the vertex itself all is flat.
_LEAST = 0.49 / 255


def positions_of(image: tf.Tensor) -> tf.Tensor:
    """Returns positions that stand for a picture's values, cut to [0.49/255, 1 - 0.49/255] first."""
    image = tf.clip_by_value(image, _LEAST, 1 - _LEAST)
    nearest = tf.minimum(image, 1 - image)
    distance = tf.where(nearest < _MARGIN, tf.sqrt(4 * _MARGIN * nearest), nearest + _MARGIN)
    return tf.where(image < 0.5, distance, _LENGTH - distance)


def image_of(positions: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Returns picture values, and their slopes with respect to the positions, both of that shape."""
    unfolded = tf.math.floormod(positions + _LENGTH, 2 * _LENGTH) - _LENGTH
    folded = tf.abs(unfolded)
    distance = tf.minimum(folded, _LENGTH - folded)  # from the nearer vertex
    nearest = tf.where(distance < 2 * _MARGIN, tf.square(distance) / (4 * _MARGIN), distance - _MARGIN)
    slope = tf.minimum(distance / (2 * _MARGIN), 1.0) * tf.sign(unfolded)
    return tf.where(2 * folded < _LENGTH, nearest, 1 - nearest), slope
