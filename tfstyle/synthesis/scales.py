"""How large a run's pictures are, which sizes it goes through, and how long it stays at each.

Sizes may be of tensors, inside a graph; those of a run's pictures are known before any of them is decoded.

The style of a picture is what the network sees of it, and it sees no further
than its receptive field: in a large picture made at once, strokes shrink to
grain. Made small first and then larger, they keep their size (Gatys et al.
2017, section 5, on high resolution).
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace

import tensorflow as tf

from tfstyle.config import TransferConfig
from tfstyle.config.options import numbered
from tfstyle.io import decode, images
from tfstyle.io.images import longest, resize, scaled
from tfstyle.losses.targets import StyleTargets

Size = tuple[int, int]

# In bfloat16, this share of the last scale's iterations is made in float32.
FINISH = 0.1
# Operations of the embedded network over VGG19's.
_WORK_OF_MINI = 0.21
# A factor that misses by rounding alone, as 1.41421356 misses the root of 2, is taken to meet.
_ROUNDING = 1 + 1e-6


@dataclass(frozen=True)
class Sizes:
    """(height, width) of the pictures that a run is given.

    Attributes:
      content: None where there is none.
      styles: of the style pictures.
      scales: of each style that was measured, how many it has been measured at.
    """

    content: Size | None
    styles: tuple[Size, ...] = ()
    scales: tuple[int, ...] = ()

    @classmethod
    def of(cls, content, style) -> Sizes:
        """Returns the sizes of what `make_inputs` takes; files are not decoded.

        Raises:
          ValueError, OSError: one is no picture, or there is none.
        """
        own = None if content is None else decode.size_of(content, "content")
        given = listed_styles(style)
        styles = tuple(
            decode.size_of(each, numbered("style", index))
            for index, each in enumerate(given)
            if not isinstance(each, StyleTargets)
        )
        return cls(own, styles, tuple(len(each.scales) for each in given if isinstance(each, StyleTargets)))

    @property
    def made(self) -> Size:
        """That of the picture to be made.

        Raises:
          ValueError: there is neither a content nor a style picture.
        """
        if self.content is None and not self.styles:
            raise ValueError("style: must be a picture; the size of what is made is taken from it")
        return self.styles[0] if self.content is None else self.content

    @property
    def pictures(self) -> list[tuple[str, Size]]:
        """All, each with the argument that it is of."""
        contents = [] if self.content is None else [("content", self.content)]
        return contents + [("style", style) for style in self.styles]

    @property
    def areas(self) -> list[int]:
        """Pixels of each picture."""
        return [height * width for _, (height, width) in self.pictures]

    def fitted(self, config: TransferConfig) -> Sizes:
        """Returns the sizes that a config brings the pictures to."""
        side, scale = config.image_size, config.style_scale
        content = None if self.content is None else images.fitted_size(*self.content, side)
        styles = tuple(images.fitted_size(*style, side, scale) for style in self.styles)
        return Sizes(content, styles, self.scales)


def listed_styles(style) -> list:
    """Returns what users give for styles as a list; none of None.

    Raises:
      ValueError: it is an empty list.
    """
    given = [] if style is None else list(style) if isinstance(style, (list, tuple)) else [style]
    if style is not None and not given:
        raise ValueError("style: must be at least one picture")
    return given


@dataclass(frozen=True)
class Stage:
    """A number of iterations at one size.

    Attributes:
      scale: index of the size, coarsest first.
      size: (height, width) in pixels.
      iterations: at least 1.
      exact: in float32, whatever the stages before computed in.
      work: of an evaluation, over that of the last scale's network on as many pixels.
    """

    scale: int
    size: tuple[int, int]
    iterations: int
    exact: bool = False
    work: float = 1.0


def number_of_scales(
    size: tuple[int, int], config: TransferConfig, *, least: int = 1, pictures: Sequence[tuple[int, int]] = ()
) -> int:
    """Returns the config's scales, or as many as bring the first to at most coarsest_size.

    There are fewer, but one, where a picture would be too small at the first.

    Args:
      size: (height, width) of the picture to be made.
      config: of it, scales, coarsest_size and scale_factor.
      least: pixels that a side must have at each scale; see `vgg.minimum_size`.
      pictures: (height, width) of the contents and styles that must have them.
    """
    in_graph = tf.is_tensor(size[0])

    def goes_on(level):
        if config.scales:
            is_wanted = level < config.scales
        else:
            coarsest = config.coarsest_size * _ROUNDING
            is_wanted = longest(size) > coarsest * _power(config.scale_factor, level - 1)
        sides = [side for each in pictures for side in at_level(each, config.scale_factor, level)]
        shortest = tf.reduce_min(sides) if in_graph else min(sides, default=least)
        return is_wanted & (shortest >= least)

    if in_graph:
        return tf.while_loop(goes_on, lambda level: (level + 1,), (tf.constant(1),))[0]
    return next(level for level in itertools.count(1) if not goes_on(level))


def scale_sizes(size: tuple[int, int], scales: int, factor: float) -> list[tuple[int, int]]:
    """Returns the (height, width) of each scale, coarsest first, each `factor` times the one before."""
    return [at_level(size, factor, level) for level in reversed(range(scales))]


def at_level(size, factor: float, level) -> tuple:
    """Returns the (height, width) of a scale, so many before the last; a side has a pixel at least."""
    # A negative power: of very many scales it becomes 0, where a positive one would overflow.
    return scaled(size, _power(factor, -level))


def _power(factor: float, exponent):
    return float(factor) ** (tf.cast(exponent, tf.float64) if tf.is_tensor(exponent) else exponent)


def size_in_graph(image: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Returns (height, width) as scalar tensors, also where they are known."""
    return tuple(tf.unstack(tf.shape(image)[1:3]))


def enlarged(image: tf.Tensor, size, detail: tf.Tensor | None) -> tf.Tensor:
    """Resizes what one scale made to the start of the next.

    Args:
      image: `[B, H, W, 3]` in [0, 1].
      size: (height, width) of the next scale.
      detail: `[B, H', W', 3]`; of it is added what can be seen at the next scale
        and not yet at the last.
    """
    larger = resize(image, size)
    if detail is None or larger is image:
        return larger
    before = size_in_graph(image) if tf.is_tensor(size[0]) else image.shape[1:3]
    seen = resize(resize(detail, before), size)
    return tf.clip_by_value(larger + resize(detail, size) - seen, 0.0, 1.0)


def stages(size: tuple[int, int], config: TransferConfig, *, finish: bool = False) -> list[Stage]:
    """Returns what a run does, in order.

    Args:
      size: (height, width) of the picture to be made.
      config: of it, iterations, finer_share, scales and scale_factor.
      finish: make the last iterations of all exact.
    """
    sizes = scale_sizes(size, number_of_scales(size, config), config.scale_factor)
    finer = scaled(config.iterations, config.finer_share)
    is_thinner = config.coarse_network == "mini" and config.weights != "mini"
    work = _WORK_OF_MINI if is_thinner else 1.0
    made = [
        Stage(scale, of_scale, finer if scale else config.iterations, work=work)
        for scale, of_scale in enumerate(sizes)
    ]
    *before, last = made
    last = replace(last, work=1.0)
    if finish:
        exact = scaled(last.iterations, FINISH)
        before += [replace(last, iterations=last.iterations - exact)] if last.iterations > exact else []
        last = replace(last, iterations=exact, exact=True)
    return [*before, last]


def remaining(planned: Sequence[Stage], index: int, step: int) -> float:
    """Returns what is left to do after some steps of a stage, in steps as long as that stage's.

    Time goes with the number of pixels and the network's work, and in float32 after bfloat16 it
    is twice that.
    """

    def cost(stage: Stage) -> float:
        return stage.size[0] * stage.size[1] * stage.work * (2 if stage.exact else 1)

    here = planned[index]
    later = sum(stage.iterations * cost(stage) for stage in planned[index + 1 :])
    return here.iterations - step + later / cost(here)
