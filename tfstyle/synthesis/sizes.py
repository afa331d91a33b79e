"""How large a run's pictures are: known before any of them is decoded."""

from __future__ import annotations

from dataclasses import dataclass

from tfstyle.config import TransferConfig
from tfstyle.config.options import numbered
from tfstyle.io import decode, images
from tfstyle.losses.targets import StyleTargets

Size = tuple[int, int]


@dataclass(frozen=True)
class Sizes:
    """(height, width) of the pictures that a run is given.

    Attributes:
      content: None where there is none.
      styles: of the style pictures.
      scales: of each style that was measured, how many it has been measured at.
      final: the sizes are those that the run's config brings them to.
    """

    content: Size | None
    styles: tuple[Size, ...] = ()
    scales: tuple[int, ...] = ()
    final: bool = False

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
        if self.final:
            return self
        side, scale = config.image_size, config.style_scale
        content = None if self.content is None else images.fitted_size(*self.content, side)
        styles = tuple(images.fitted_size(*style, side, scale) for style in self.styles)
        return Sizes(content, styles, self.scales, final=True)


def listed_styles(style) -> list:
    """Returns what users give for styles as a list; none of None.

    Raises:
      ValueError: it is an empty list.
    """
    given = [] if style is None else list(style) if isinstance(style, (list, tuple)) else [style]
    if style is not None and not given:
        raise ValueError("style: must be at least one picture")
    return given
