"""All scores of several pictures that were made from the same content and style."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import tensorflow as tf

from tfstyle.config import DEFAULT_PRESET, PRESETS, TransferConfig
from tfstyle.config.layer_names import paper_name
from tfstyle.config.options import numbered
from tfstyle.evaluation import artifacts, distances, similarity
from tfstyle.io import decode, images
from tfstyle.runtime import memory
from tfstyle.runtime.memory_model import DECODED, HELD, JUDGED, STEP, activation_bytes
from tfstyle.vgg import feature_extractor, minimum_size
from tfstyle.vgg.costs import costs


@dataclass(frozen=True)
class Scores:
    """One picture's scores; each is explained where it is computed.

    Attributes:
      content_error: `distances.content_error`; lower is better.
      style_errors: `distances.style_errors`, by layer; lower is better.
      ssim: `similarity.structural_similarity`; higher is better.
      edges: `similarity.edge_fidelity`; higher is better.
      border: `artifacts.border_score`; 1 is best.
      seams: `artifacts.seam_score`; 1 is best.
      objective: `distances.common_objective`; lower is better.
      evaluations: of the objective that the picture took, if that is known.
    """

    content_error: float
    style_errors: Mapping[str, float]
    ssim: float
    edges: float | None
    border: float
    seams: float | None
    objective: float
    evaluations: int | None = None

    @property
    def style_error(self) -> float:
        """The mean of `style_errors`."""
        return sum(self.style_errors.values()) / len(self.style_errors)

    def to_dict(self) -> dict:
        """Returns the scores as JSON types, style layers as the paper spells them; null is no number."""
        errors = {paper_name(layer): _finite(error) for layer, error in self.style_errors.items()}
        values = vars(self) | {"style_error": self.style_error, "style_errors": errors}
        return {name: _finite(value) for name, value in values.items()}


def _finite(value):
    return None if isinstance(value, float) and not math.isfinite(value) else value


@dataclass(frozen=True)
class Evaluation:
    """What was judged, and how.

    Attributes:
      content: `[1, H, W, 3]`, at the size of the evaluation.
      styles: `[1, h, w, 3]` each.
      results: {name: `[1, H, W, 3]`}, at the content's size.
      scores: {name: scores}, of the results.
      reference: scores of the content itself: where a transfer begins.
      own_sizes: {name: (height, width)} of the results as they were given.
    """

    content: tf.Tensor
    styles: Sequence[tf.Tensor]
    results: Mapping[str, tf.Tensor]
    scores: Mapping[str, Scores]
    reference: Scores
    own_sizes: Mapping[str, tuple[int, int]] = field(default_factory=dict)

    @property
    def size(self) -> tuple[int, int]:
        """(height, width) at which pictures are compared."""
        return tuple(self.content.shape[1:3])

    @property
    def resized(self) -> dict[str, tuple[int, int]]:
        """Those of `own_sizes` that are not the evaluation's."""
        return {name: size for name, size in self.own_sizes.items() if size != self.size}


def evaluate(
    content,
    style,
    results: Mapping,
    config: TransferConfig = PRESETS[DEFAULT_PRESET],
    *,
    tile: int = 512,
    evaluations: Mapping[str, int] | None = None,
    extractor: tf.keras.Model | None = None,
) -> Evaluation:
    """Judges pictures against the content and style they were made from.

    Content and styles are brought to the config's size, each at its own
    aspect, and the results to the content's size. Seams alone are looked for in
    the results as they are.

    Args:
      content: a path, PIL image, array (uint8, or float in [0, 1]) or tensor.
      style: a picture of the same kinds, or several in a list or tuple, whose
        mean of Gram matrices per position then is the style.
      results: {name: picture of the same kinds}, one or more.
      config: its network (`weights`, `pooling`, `padding`, layers) and
        `image_size` count, and nothing else.
      tile: side in pixels of the tiles whose seams are looked for.
      evaluations: {name: evaluations it took}, of the results of which it is known.
      extractor: model to use instead of the one that the config describes.

    Raises:
      ValueError, OSError: a picture, layer or weights file is not what it
        should be; the message names the argument.
    """
    given = list(style) if isinstance(style, (list, tuple)) else [style]
    for argument, pictures in (("style", given), ("results", results)):
        if len(pictures) == 0:
            raise ValueError(f"{argument}: must be at least one picture")
    layers = (config.content_layers, config.style_layers)
    # What is wrong with pictures, as far as their headers tell, is told before there is a network.
    sizes = [decode.size_of(content, "content")]
    sizes += [decode.size_of(source, numbered("style", index)) for index, source in enumerate(given)]
    own_sizes = {name: decode.size_of(result, "results") for name, result in results.items()}
    if extractor is None:
        extractor = feature_extractor(
            [*layers[0], *layers[1]], weights=config.weights, pooling=config.pooling, padding=config.padding
        )
    _require_fit(sizes, list(own_sizes.values()), extractor, config)
    content = images.load_fitted(content, "content", config.image_size)
    size = tuple(content.shape[1:3])
    styles = [
        images.load_fitted(source, numbered("style", index), config.image_size)
        for index, source in enumerate(given)
    ]
    own = {name: images.load_image(result, "results") for name, result in results.items()}
    seams = {name: artifacts.seam_score(picture, tile) for name, picture in own.items()}
    judged = {name: images.resize(picture, size) for name, picture in own.items()}
    _require_size(content, "content", max(similarity.LEAST_SIZE, minimum_size(extractor)))
    for index, picture in enumerate(styles):
        _require_size(picture, numbered("style", index), minimum_size(extractor))

    seen = distances.describe(extractor, content, *layers)
    grams = distances.mean_grams([distances.describe(extractor, picture, *layers) for picture in styles])

    def scores(picture: tf.Tensor, seams: float | None, evaluations: int | None) -> Scores:
        described = distances.describe(extractor, picture, *layers)
        return Scores(
            content_error=distances.content_error(described, seen),
            style_errors=distances.style_errors(described, grams),
            ssim=similarity.structural_similarity(picture, content),
            edges=similarity.edge_fidelity(picture, content),
            border=artifacts.border_score(picture, content),
            seams=seams,
            objective=distances.common_objective(described, seen, grams),
            evaluations=evaluations,
        )

    took = evaluations or {}
    return Evaluation(
        content=content,
        styles=styles,
        results=judged,
        scores={name: scores(picture, seams[name], took.get(name)) for name, picture in judged.items()},
        reference=scores(content, artifacts.seam_score(content, tile), None),
        own_sizes=own_sizes,
    )


def _require_fit(given: Sequence, results: Sequence, extractor, config: TransferConfig) -> None:
    """Checks that an evaluation fits into memory.

    Args:
      given: (height, width) of content and styles.
      results: the same of the results.
      extractor, config: as in `evaluate`.
    """
    room = memory.Room.now(config.memory_limit)

    def peak(side: int) -> float:
        fitted = [images.fitted_size(*size, side) for size in given]
        held = HELD * sum(height * width for height, width in (*fitted, *results, *fitted[:1] * len(results)))
        largest = max(fitted, key=math.prod)
        try:
            widest = costs(extractor, config.style_layers, largest).widest
        except ValueError:  # nothing is known of its inside
            widest = 0
        work = max(activation_bytes("measuring", "float32", 0, widest), JUDGED * math.prod(fitted[0]))
        read = DECODED * max(map(math.prod, (*given, *results)))
        return room.resident + held + max(STEP + work, read)

    side = config.image_size
    longest = side or max(map(max, given))
    memory.require_side(f"image_size={side}", peak, side, longest, room.most, "image_size={}")


def _require_size(picture: tf.Tensor, argument: str, least: int) -> None:
    height, width = picture.shape[1:3]
    if min(height, width) < least:
        raise ValueError(
            f"{argument}: is {width} x {height} pixels, but these scores need at least {least} on each side"
        )
