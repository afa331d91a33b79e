"""From what users give to what a run is made from: pictures fitted, coloured and masked."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

import tensorflow as tf

from tfstyle.config import TransferConfig
from tfstyle.config.options import listed, numbered
from tfstyle.io import color, images, masks
from tfstyle.losses import photorealism
from tfstyle.losses.regions import Region, limited, make_regions, painted
from tfstyle.losses.targets import StyleTargets
from tfstyle.losses.terms import ImageTerm, temporal_term
from tfstyle.runtime.checkpoints import tensor_hash
from tfstyle.synthesis.scales import Size, Sizes, listed_styles


@dataclass(frozen=True)
class Compositing:
    """What of a picture is painted, and how it is laid over the content, of which the rest is.

    A run moves every value of a picture. Where only some of it is to change, the
    objective is shown the rest as the content has it, so that nothing depends on
    it, and the finished picture takes it from there.

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


@dataclass(frozen=True, eq=False)
class Reference:
    """A picture that the one to be made is held to; see `temporal_term`.

    Attributes:
      picture: `[1, H, W, 3]` in [0, 1], of its size.
      share: `[1, H, W, 1]` in [0, 1], how much each pixel counts.
      weight: of the term.
    """

    picture: tf.Tensor
    share: tf.Tensor
    weight: float

    def term(self, size: tuple[int, int]) -> ImageTerm:
        """Returns the term, unweighted, at a (height, width)."""
        return temporal_term(images.resize(self.picture, size), images.resize(self.share, size))


@dataclass(frozen=True, eq=False)
class Inputs:
    """What a run is made from.

    Attributes:
      content: `[1, H, W, 3]`, as the objective is to see it; None where there is none.
      sizes: of the pictures before they were fitted, by which the run is planned.
      regions: which styles go where; none where there is no style.
      compositing: what of the picture is painted.
      opacity: `[1, H, W, 1]` in [0, 1], that the content has; None: opaque.
      hashes: {argument: hash} of the pictures and masks.
      start: `[1, H, W, 3]`, the picture to begin with; None: as the config says.
      reference: what the picture is held to besides content and style.
    """

    content: tf.Tensor | None
    sizes: Sizes
    regions: Sequence[Region] = ()
    compositing: Compositing = field(default_factory=Compositing)
    opacity: tf.Tensor | None = None
    hashes: Mapping[str, str] = field(default_factory=dict)
    start: tf.Tensor | None = None
    reference: Reference | None = None

    @property
    def pictures(self) -> list[tf.Tensor]:
        """The style pictures, each once."""
        return [style for style in self._styles if not isinstance(style, StyleTargets)]

    @property
    def targets(self) -> list[StyleTargets]:
        """What takes the place of style pictures."""
        return [style for style in self._styles if isinstance(style, StyleTargets)]

    @property
    def _styles(self) -> list[tf.Tensor | StyleTargets]:
        found = [source.style for region in self.regions for source in region.sources]
        return list({id(style): style for style in found}.values())

    @property
    def size(self) -> tuple[int, int]:
        """(height, width) of the picture to be made."""
        return tuple((self.pictures[0] if self.content is None else self.content).shape[1:3])


def make_inputs(
    content, style, config: TransferConfig, *, content_masks: Sequence = (), style_masks: Sequence = ()
) -> Inputs:
    """Reads and prepares the pictures of a run.

    Args:
      content: a picture, or None.
      style: a picture or `StyleTargets`, several in a list or tuple, or None.
      config: sizes, shares and colours are read from it.
      content_masks, style_masks: see `masks.load_masks`.

    Raises:
      ValueError, OSError: a picture or mask is not what it should be, or they
        do not fit one another; the message names the argument.
    """
    hashes: dict[str, str] = {}
    own: dict[str, Size] = {}

    def hashed(source, argument: str, scale: float = 1.0):
        picture, alpha, own[argument] = fitted(source, argument, config.image_size, scale)
        hashes[argument] = tensor_hash(picture)
        if alpha is not None:
            hashes[f"opacity of {argument}"] = tensor_hash(alpha)
        return picture, alpha

    original, alpha = (None, None) if content is None else hashed(content, "content")
    given = listed_styles(style)
    arguments = [numbered("style", index) for index in range(len(given))]
    pairs = []
    for source, argument in zip(given, arguments):
        if isinstance(source, StyleTargets):
            source.require_for(config, argument)
            hashes[argument] = source.hash
            pairs.append((source, None))
        else:
            pairs.append(hashed(source, argument, config.style_scale))
    styles = [style for style, _ in pairs]
    scales = tuple(len(style.scales) for style in styles if isinstance(style, StyleTargets))
    sizes = Sizes(own.pop("content", None), tuple(own.values()), scales)
    shares = _shares(config, len(styles))
    regions: list[Region] = []
    if styles:
        found = _mask_pairs(original, styles, content_masks, style_masks)
        for number, pair in enumerate(found, 1):
            kinds = zip(("content", "style"), pair)
            hashes |= {f"{kind} mask {number}": tensor_hash(m) for kind, m in kinds if m is not None}
        regions = make_regions(styles, shares, found)
        regions = limited(regions, alpha, {id(picture): opacity for picture, opacity in pairs})
        if scales and config.style_loss == "histogram" and max(len(r.sources) for r in regions) > 1:
            raise ValueError(
                "style: targets of histograms are in units of one style; to blend several, give the pictures"
            )
    elif content_masks or style_masks:
        raise ValueError("content_masks, style_masks: there is no style to guide")
    compositing = Compositing(
        original,
        painted(regions) if original is not None else None,
        light_only=config.color == "content" and original is not None,
        guided=config.postprocess == "guided" and original is not None,
    )
    if original is None:
        return Inputs(None, sizes, regions, compositing, hashes=hashes)
    seen = color.grey(original) if compositing.light_only else original
    recolored = [_recolored(region, original, config) for region in regions]
    return Inputs(seen, sizes, recolored, compositing, alpha, hashes)


def fitted(
    source, argument: str, longer_side: int, scale: float = 1.0
) -> tuple[tf.Tensor, tf.Tensor | None, Size]:
    """Reads a picture and brings its longer side to a length (0: its own) times a scale.

    Returns:
      The picture, its opacity, and the (height, width) that it had.
    """
    picture, alpha = images.load_with_alpha(source, argument)
    own = tuple(picture.shape[1:3])
    size = images.fitted_size(*own, longer_side, scale)
    return images.resize(picture, size), None if alpha is None else images.resize(alpha, size), own


def _shares(config: TransferConfig, styles: int) -> tuple[float, ...]:
    if config.style_blend and len(config.style_blend) != styles:
        raise ValueError(
            f"style_blend={listed(config.style_blend)}: must hold one share for each of the {styles} styles,"
            " or none"
        )
    return config.style_blend or (1.0,) * styles


def _mask_pairs(content, styles: Sequence[tf.Tensor], content_masks: Sequence, style_masks: Sequence):
    """Returns (where in the picture, what of the style) for each region; none without masks."""
    found = {}
    if content_masks:
        if content is None:
            raise ValueError("content_masks: there is no content")
        found["content"] = masks.load_masks(content_masks, "content_masks", tuple(content.shape[1:3]))
    if style_masks:
        if any(isinstance(style, StyleTargets) for style in styles):
            raise ValueError("style_masks: targets of a style have no places to be masked; give its picture")
        if len(styles) not in (1, len(style_masks)):
            raise ValueError(
                f"style_masks: {len(style_masks)} of them for {len(styles)} styles; must be one for each"
            )
        sizes = [tuple(style.shape[1:3]) for style in styles]
        if len(styles) == 1:
            found["style"] = masks.load_masks(style_masks, "style_masks", sizes[0])
        else:
            found["style"] = {
                index: _only(masks.load_masks([mask], "style_masks", size))
                for index, (mask, size) in enumerate(zip(style_masks, sizes))
            }
    return masks.paired(found.get("content"), found.get("style")) if found else []


def _only(regions: Mapping) -> tf.Tensor:
    if len(regions) != 1:
        raise ValueError(
            "style_masks: of several styles, each must be a grey mask of one region, not a label image"
        )
    return next(iter(regions.values()))


def _recolored(region: Region, content: tf.Tensor, config: TransferConfig) -> Region:
    """Returns a region whose style pictures have the colours that the config asks for."""

    def recolor(source):
        if config.color == "matched":
            picture = color.match_colors(
                source.style, content, config.color_matching, mask=source.mask, reference_mask=region.mask
            )
        else:
            light = color.match_luminance(color.luminance(source.style), color.luminance(content))
            picture = tf.repeat(light, 3, axis=-1)
        return replace(source, style=picture)

    if config.color == "style":
        return region
    return replace(region, sources=tuple(recolor(source) for source in region.sources))
