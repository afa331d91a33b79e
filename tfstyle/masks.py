"""Regions from pictures: label images, whose colours are the regions, and grey masks, one a region."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import tensorflow as tf

from tfstyle import images

Key = int | tuple[int, int, int]
Masks = Mapping[Key, tf.Tensor]

# Channels further apart than this, of 255, are a colour: JPEG tints greys a little.
_TINT = 24
# A colour that covers less than this is none of a label image, but an edge between two.
_LEAST_COVER = 0.005
# Colours of two label images nearer than this, of 255 in each channel, are the same.
_SAME = 48
_BLACK = 40
_ASPECT = 0.02


def load_masks(sources: Sequence, argument: str, size: tuple[int, int]) -> Masks:
    """Reads the masks of a picture.

    One coloured picture is a label image: each colour that covers at least
    0.5 % of it is a region, other pixels belong to the nearest of them, and
    black is no region. All other pictures are masks of one region each, white
    inside; greys are soft. Of a picture with opacity, that is the mask.

    Args:
      sources: paths, PIL images or arrays.
      argument: what to call them in errors.
      size: (height, width) of the picture they belong to, whose aspect they must have.

    Returns:
      `{key: [1, height, width, 1] in [0, 1]}`: keys of a label image are its
      colours, those of masks their numbers from 0.

    Raises:
      ValueError: a mask is empty, or of another aspect; or as `images.load_image`.
      OSError: a file cannot be opened.
    """
    sources = list(sources)
    found: dict[Key, tf.Tensor] = {}
    for index, source in enumerate(sources):
        picture, alpha = images.load_image(source, argument), images.load_alpha(source, argument)
        _require_aspect(picture, size, argument)
        if alpha is not None:
            found[index] = alpha
        elif len(sources) == 1 and _is_colored(picture):
            found = _labels(images.to_uint8(picture))
        else:
            found[index] = tf.reduce_mean(picture, axis=-1, keepdims=True)
    for key, mask in found.items():
        if float(tf.reduce_max(mask)) < 0.5:
            raise ValueError(f"{argument}: mask {key} is black; it must be white where its region is")
    if not found:
        raise ValueError(f"{argument}: has no region; it must have colours other than black")
    return {key: images.resize(mask, size) for key, mask in found.items()}


def paired(content: Masks | None, style: Masks | None) -> list[tuple[tf.Tensor | None, tf.Tensor | None]]:
    """Returns (where in the picture, what of the style) for each region.

    Colours are paired with the nearest colour, masks by their order. Of a
    colour that only one of them has, there is no region.

    Raises:
      ValueError: they do not fit one another.
    """
    if content is None or style is None:
        return [(mask, None) for mask in (content or {}).values()] + [
            (None, mask) for mask in (style or {}).values()
        ]
    kinds = {type(key) for key in (*content, *style)}
    if len(kinds) > 1:
        raise ValueError(
            "content_masks, style_masks: one is a label image with colours, the other are grey masks;"
            " must be of one kind"
        )
    if kinds == {int}:
        if len(content) != len(style):
            raise ValueError(
                f"content_masks, style_masks: {len(content)} and {len(style)} masks; must be as many"
            )
        return [(content[index], style[index]) for index in content]
    pairs = []
    for color, mask in content.items():
        nearest = min(style, key=lambda other: _distance(color, other))
        if _distance(color, nearest) <= _SAME:
            pairs.append((mask, style[nearest]))
    if not pairs:
        raise ValueError(
            f"style_masks: has none of the colours of content_masks ({_listed(content)});"
            f" it has {_listed(style)}"
        )
    return pairs


def _require_aspect(picture: tf.Tensor, size: tuple[int, int], argument: str) -> None:
    height, width = picture.shape[1:3]
    # Sides are whole pixels: of small pictures they cannot keep an aspect that well.
    slack = _ASPECT + 1 / min(height, width, *size)
    if abs(height * size[1] / (width * size[0]) - 1) > slack:
        raise ValueError(
            f"{argument}: is {width} x {height} pixels, but its picture {size[1]} x {size[0]};"
            " must have the same aspect"
        )


def _is_colored(picture: tf.Tensor) -> bool:
    spread = tf.reduce_max(picture, axis=-1) - tf.reduce_min(picture, axis=-1)
    return float(tf.reduce_mean(tf.cast(spread > _TINT / 255, tf.float32))) >= _LEAST_COVER


def _labels(pixels: np.ndarray) -> dict[Key, tf.Tensor]:
    """Splits a label image `[H, W, 3]` uint8 into its regions."""
    # In steps of 16, so that what JPEG makes of one colour is one.
    coarse = pixels.astype(np.int32) // 16
    codes = coarse[..., 0] * 256 + coarse[..., 1] * 16 + coarse[..., 2]
    flat = pixels.reshape(-1, 3).astype(np.float32)
    colors: list[np.ndarray] = []
    values, counts = np.unique(codes, return_counts=True)
    for code in values[np.argsort(-counts, kind="stable")]:
        members = codes.ravel() == code
        color = flat[members].mean(0)
        if members.mean() >= _LEAST_COVER and all(np.abs(color - each).max() > _SAME for each in colors):
            colors.append(color)
    distances = np.stack([np.abs(flat - color).max(-1) for color in colors], axis=-1)
    nearest = distances.argmin(-1).reshape(pixels.shape[:2])
    found = {}
    for index, color in enumerate(colors):
        if color.max() > _BLACK:
            key = tuple(int(channel) for channel in np.round(color))
            found[key] = tf.constant((nearest == index)[np.newaxis, ..., np.newaxis].astype(np.float32))
    return found


def _distance(one: Key, other: Key) -> int:
    return max(abs(a - b) for a, b in zip(one, other))


def _listed(masks: Masks) -> str:
    return ", ".join("#{:02x}{:02x}{:02x}".format(*color) for color in masks)
