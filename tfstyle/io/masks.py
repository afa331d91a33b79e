"""Regions from pictures: label images, whose colours are the regions, and grey masks, one a region."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence

import numpy as np
import tensorflow as tf
from PIL import Image

from tfstyle.config.options import numbered
from tfstyle.io import encode, images
from tfstyle.io.pixels import require_aspect

Key = int | tuple[int, int, int]  # a grey mask's number, or red, green and blue of 255
Masks = Mapping[Key, tf.Tensor]

# What covers less of a picture is none of its colours, but a blend of two or JPEG's noise.
_LEAST_COVER = 0.005
# So much of a label image has the very colours, after JPEG at quality 30; of photographs, less than 0.7.
_LABELLED = 0.7
# Differences of a channel, of 255:
_ROUNDING = 8  # as JPEG gives to areas of one colour
_BLACK = 16
_TINT = 24  # between the channels of what is grey, after JPEG and colour profiles
_APART = 48  # between colours that JPEG does not make of one


def load_masks(sources: Sequence, argument: str, size: tuple[int, int]) -> Masks:
    """Reads the masks of a picture.

    One picture with colours is a label image. Each colour that covers at least
    0.5 % of it, in areas three pixels wide or more, is a region; antialiased
    edges and JPEG's noise belong to the nearest of these colours. Black is no
    region, nor is what is transparent. Where these colours are less than 70 %
    of it, within 8 of 255, it is taken for a photograph and refused.

    Every other picture is a mask of one region: white inside, black outside,
    greys are soft. Of one with transparent parts the opacity is the mask, also
    if it has colours but is no label image: most of what shows is not in areas
    of one colour, as in a photograph that was cut out.

    Args:
      sources: paths, PIL images or arrays, as `images.load_image` takes them.
      argument: what to call them in errors.
      size: (height, width) of the picture they belong to. They may be of
        another size, but not of another aspect by more than 2 % (and rounding).

    Returns:
      `{key: [1, height, width, 1]}` float32 in [0, 1]: of a label image, by
      colours in the order in which reading it from the top meets them, adding
      up to at most 1; of masks by their numbers from 0.

    Raises:
      ValueError: a mask is empty, a photograph or of another aspect, there are colours in one
        of several masks, or it is no picture, as in `images.load_image`.
      OSError: a file cannot be opened.
    """
    if isinstance(sources, (str, os.PathLike, Image.Image)) or not len(sources):
        raise ValueError(f"{argument}={sources!r}: must be a list of at least one picture")
    found: dict[Key, tf.Tensor] = {}
    for index, source in enumerate(sources):
        named = numbered(argument, index)
        picture, alpha = images.load_with_alpha(source, named)
        if isinstance(source, (str, os.PathLike)):
            named += f"={str(source)!r}"
        require_aspect(tuple(picture.shape[1:3]), size, named)
        if _is_label_image(picture, alpha):
            if len(sources) > 1:
                raise ValueError(
                    f"{named}: has colours; must be grey, for there are {len(sources)} masks,"
                    " or be alone, as a label image"
                )
            return _regions(_on_black(picture, alpha), size, named)
        mask = tf.reduce_mean(picture, axis=-1, keepdims=True) if alpha is None else alpha
        found[index] = _resized(mask, size)
        if float(tf.reduce_max(found[index])) <= _BLACK / 255:
            inside = "white" if alpha is None else "opaque"
            raise ValueError(f"{named}: is empty; must be {inside} where its region is")
    return found


def paired(content: Masks | None, style: Masks | None) -> list[tuple[tf.Tensor | None, tf.Tensor | None]]:
    """Returns (where in the picture, what of the style) for each region.

    Grey masks are paired by number. Label images are paired by colour: those
    that are each other's nearest and no further apart than 48 of 255 in any
    channel. A colour that only the content has makes no region: its pixels
    stay as the content has them. One that only the style has is not used.

    Args:
      content, style: from `load_masks`; None where there are none, and then so
        is that half of every pair.

    Raises:
      ValueError: one has labels and the other grey masks, the numbers of grey
        masks differ, or no colour is common.
    """
    if content is None or style is None:
        return [(where, None) for where in (content or {}).values()] + [
            (None, what) for what in (style or {}).values()
        ]
    by_color = {isinstance(key, tuple) for key in (*content, *style)}
    if len(by_color) > 1:
        raise ValueError(
            "content_masks, style_masks: one is a label image, the other of grey masks; must be of one kind"
        )
    if by_color == {False}:
        if len(content) != len(style):
            raise ValueError(
                f"content_masks, style_masks: {len(content)} and {len(style)} grey masks; must be as many"
            )
        return [(content[number], style[number]) for number in content]
    pairs = []
    for color, where in content.items():
        match = _nearest(color, style)
        if _distance(color, match) <= _APART and _nearest(match, content) == color:
            pairs.append((where, style[match]))
    if not pairs:
        raise ValueError(
            f"style_masks: {_listed(style)}; must have a colour of content_masks, {_listed(content)}"
        )
    return pairs


def _is_label_image(picture: tf.Tensor, alpha: tf.Tensor | None) -> bool:
    spread = tf.reduce_max(picture, axis=-1) - tf.reduce_min(picture, axis=-1)
    if np.mean(spread > _TINT / 255) < _LEAST_COVER:
        return False
    if alpha is None:
        return True
    # Labels are flat areas of colour; the subject of a cut-out photograph is not.
    flat = _in_wide_areas(_codes(_on_black(picture, alpha)))
    visible = alpha[0, ..., 0].numpy() > 0.5
    return bool(np.sum(flat & visible) > 0.5 * np.sum(visible))


def _on_black(picture: tf.Tensor, alpha: tf.Tensor | None) -> np.ndarray:
    """Returns `[H, W, 3]` uint8 of a picture that was laid on white."""
    return encode.to_uint8(picture if alpha is None else picture - (1 - alpha))


def _regions(pixels: np.ndarray, size: tuple[int, int], named: str) -> Masks:
    """Splits a label image `[H, W, 3]` uint8, and resizes each region."""
    colors = _label_colors(pixels)
    if all(max(color) <= _BLACK for color in colors):
        raise ValueError(
            f"{named}: has no area of one colour, other than black, that is"
            f" {_LEAST_COVER:.1%} of it; must be a label image or a grey mask"
        )
    codes = _codes(pixels)
    values, counts = np.unique(codes, return_counts=True)
    channels = np.stack([values >> 16, values >> 8 & 255, values & 255], axis=-1)
    nearest = np.zeros(1 << 24, np.int32)  # by code
    nearest[values] = _nearest_of(channels, colors)
    alike = np.abs(channels - np.array(colors)[nearest[values]]).max(-1) <= _ROUNDING
    if (share := counts[alike].sum() / codes.size) < _LABELLED:
        raise ValueError(
            f"{named}: looks like a photograph: only {share:.0%} of it has the {len(colors)} colours"
            " that would be its regions; a mask has flat areas of one colour a region, or is grey"
        )
    labels = nearest[codes]
    found = {}
    for index in sorted(range(len(colors)), key=lambda index: np.argmax(labels == index)):
        if max(colors[index]) > _BLACK:
            region = tf.constant(labels == index)[tf.newaxis, ..., tf.newaxis]
            found[colors[index]] = _resized(tf.cast(region, tf.float32), size)
    return found


def _nearest_of(channels: np.ndarray, colors: list[tuple[int, int, int]]) -> np.ndarray:
    """Returns the number of the nearest colour, the first of equal ones, for each of `[N, 3]`."""
    # One after the other: a picture may have 16 million colours, and 200 that are labels.
    best = np.full(len(channels), np.iinfo(np.int32).max, np.int32)
    nearest = np.zeros(len(channels), np.int32)
    for number, color in enumerate(colors):
        distance = np.square(channels - np.array(color, channels.dtype)).sum(-1, dtype=np.int32)
        nearest[distance < best] = number
        np.minimum(best, distance, out=best)
    return nearest


def _label_colors(pixels: np.ndarray) -> list[tuple[int, int, int]]:
    """Returns the colours of a label image `[H, W, 3]` uint8, black among them."""
    found: list[tuple[int, int, int]] = []
    # First colours as they were drawn; then, in steps of 16, those of which JPEG has left no such area.
    for step, apart in ((1, _ROUNDING), (16, _APART)):
        codes = _codes(pixels // step)
        wide = _in_wide_areas(codes)
        values, counts = np.unique(codes[wide], return_counts=True)
        order = np.argsort(-counts, kind="stable")
        for value in values[order][counts[order] >= _LEAST_COVER * codes.size]:
            color = tuple(int(channel) for channel in np.median(pixels[wide & (codes == value)], axis=0))
            if all(_distance(color, other) > apart for other in found):
                found.append(color)
    return found


def _codes(pixels: np.ndarray) -> np.ndarray:
    """Returns a number for each colour: `[H, W]` int32 of `[H, W, 3]` uint8."""
    red, green, blue = np.moveaxis(pixels.astype(np.int32), -1, 0)
    return red << 16 | green << 8 | blue


def _in_wide_areas(codes: np.ndarray) -> np.ndarray:
    """Returns which pixels are in some 3 x 3 square of one colour, `[H, W]` bool; soft edges are not."""

    def squares(values: np.ndarray) -> list[np.ndarray]:
        height, width = codes.shape
        return [values[y : y + height, x : x + width] for y in range(3) for x in range(3)]

    centres = np.all([codes == each for each in squares(np.pad(codes, 1, mode="edge"))], axis=0)
    return np.any(squares(np.pad(centres, 1)), axis=0)


def _resized(mask: tf.Tensor, size: tuple[int, int]) -> tf.Tensor:
    """Resizes bilinearly: a bicubic overshoots, and regions would add up to more than 1."""
    if tuple(mask.shape[1:3]) == tuple(size):
        return mask
    return tf.clip_by_value(tf.image.resize(mask, size, antialias=True), 0.0, 1.0)


def _nearest(color: Key, masks: Masks) -> Key:
    return min(masks, key=lambda other: _distance(color, other))


def _distance(one: Key, other: Key) -> int:
    return max(abs(a - b) for a, b in zip(one, other))


def _listed(masks: Masks) -> str:
    return ", ".join("#{:02x}{:02x}{:02x}".format(*color) for color in masks)
