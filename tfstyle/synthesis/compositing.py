"""How what is painted is laid over the content: where, in which channels, with whose edges.

A run moves every value of a picture. Where only some of it is to change, the
objective is shown the rest as the content has it, so that nothing depends on
it, and the finished picture takes it from there.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import tensorflow as tf

from tfstyle.io import color, images
from tfstyle.losses import photorealism


@dataclass(frozen=True)
class Compositing:
    """What of a picture is painted; the rest is the content's.

    Attributes:
      content: `[1, H, W, 3]`, with its own colours; None where there is no content.
      mask: `[1, H, W, 1]` in [0, 1], where; None: everywhere.
      light_only: only light and dark; colours stay the content's (Gatys et al.
        2016, "Preserving Color in Neural Artistic Style Transfer").
      guided: the finished picture's edges are taken from the content.
    """

    content: tf.Tensor | None = None
    mask: tf.Tensor | None = None
    light_only: bool = False
    guided: bool = False

    def seen_at(self, size: tuple[int, int]) -> Callable[[tf.Tensor], tf.Tensor] | None:
        """Returns what the objective sees of a picture of (height, width); None: all as it is."""
        if self.mask is None and not self.light_only:
            return None
        return partial(_seen, color.grey if self.light_only else tf.identity, *self._at(size))

    def finished(self, image: tf.Tensor) -> tf.Tensor:
        """Returns what is shown of a picture `[1, H, W, 3]`, in [0, 1]."""
        image = tf.clip_by_value(image, 0.0, 1.0)
        if self.content is None or not (self.light_only or self.guided or self.mask is not None):
            return image
        content, mask = self._at(tuple(image.shape[1:3]))
        if self.light_only:
            image = color.with_luminance(content, color.luminance(image))
        if self.guided:
            image = photorealism.edges_of(image, content)
        return tf.clip_by_value(_masked(image, content, mask), 0.0, 1.0)

    def _at(self, size: tuple[int, int]):
        mask = None if self.mask is None else images.resize(self.mask, size)
        return images.resize(self.content, size), mask


def _seen(toned: Callable, kept: tf.Tensor, mask: tf.Tensor | None, image: tf.Tensor) -> tf.Tensor:
    return _masked(toned(image), toned(tf.cast(kept, image.dtype)), mask)


def _masked(image: tf.Tensor, content: tf.Tensor, mask: tf.Tensor | None) -> tf.Tensor:
    return image if mask is None else content + tf.cast(mask, image.dtype) * (image - content)
