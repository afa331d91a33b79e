"""Where a run starts: content, style, noise, a picture file, or a blend of them."""

from __future__ import annotations

import re

import tensorflow as tf

from tfstyle.io import images

# White noise of full contrast leaves grain that no optimiser takes out, and of
# almost none (as the reference codes have it) starts far from any picture.
# Measured at 192 px, 60 iterations of L-BFGS from deviations 0.29, 0.2, 0.1 and
# 0.03: content reconstruction of conv4_2 ends at 1748, 1470, 857 and 1217.
_NOISE_DEVIATION = 0.1

_NUMBER = r"[0-9]*\.?[0-9]+(?:[eE][-+]?[0-9]+)?"
_PART = re.compile(rf"\s*({_NUMBER})\s*\*\s*(.+?)\s*")


def parse(init: str) -> list[tuple[float, str]]:
    """Splits a start into shares that add up to 1: ``0.7*content+0.3*noise``.

    Raises:
      ValueError: the shares of a blend add up to nothing.
    """
    parts = [_PART.fullmatch(part) for part in init.split("+")]
    if not all(parts):  # not a blend: one start, or a path, whatever characters it has
        return [(1.0, init)]
    shares = [float(part[1]) for part in parts]
    if not 0 < sum(shares) < float("inf"):
        raise ValueError(f"init={init!r}: the shares of a blend must add up to more than 0")
    return [(share / sum(shares), part[2]) for share, part in zip(shares, parts) if share > 0]


def initial_image(
    init: str,
    size: tuple[int, int],
    *,
    content: tf.Tensor | None = None,
    style: tf.Tensor | None = None,
    seed: int = 0,
) -> tf.Tensor:
    """Makes the picture that a run starts from.

    Args:
      init: ``content``, ``style``, ``noise``, the path of a picture, or a blend
        ``share*start+share*start``; shares are divided by their sum.
      size: (height, width) of the picture to be made; may be tensors.
      content: `[1 or B, H, W, 3]`, resized to the size.
      style: `[1, H', W', 3]`, made to fill the size at its own aspect.
      seed: of the noise, which is white and Gaussian, 0.5 +- 0.1 (the paper
        says "white noise" and no more).

    Returns:
      `[1, H, W, 3]` float32 in [0, 1]; with B contents in it, as many.

    Raises:
      ValueError: the start needs a picture that this run does not have, or the
        file is no picture.
      OSError: the file cannot be opened.
    """
    parts = parse(init)
    sources = [_source(init, name, size, content, style, seed) for _, name in parts]
    return sum(share * source for (share, _), source in zip(parts, sources))


def noise(size, seed: int) -> tf.Tensor:
    """Returns white noise, 0.5 +- 0.1, `[1, H, W, 3]` in [0, 1]; (height, width) may be tensors."""
    values = tf.random.stateless_normal([1, *size, 3], seed=[seed, 0], stddev=_NOISE_DEVIATION)
    return tf.clip_by_value(0.5 + values, 0.0, 1.0)


def _source(init, name, size, content, style, seed) -> tf.Tensor:
    if name == "noise":
        return noise(size, seed)
    if name in ("content", "style"):
        picture = content if name == "content" else style
        if picture is None:
            raise ValueError(f"init={init!r}: this run has no {name} picture")
        return images.resize(picture, size) if name == "content" else images.cover(picture, size)
    try:
        return images.resize(images.load_image(name, "init"), size)
    except FileNotFoundError:
        raise FileNotFoundError(
            f"init={init!r}: must be content, style, noise, an existing picture file,"
            " or a blend such as 0.7*content+0.3*noise"
        ) from None
