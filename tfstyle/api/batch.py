"""Contents times styles: all pictures of one size in one graph."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence

import tensorflow as tf

from tfstyle.api.size_groups import Waiting
from tfstyle.config import DEFAULT_PRESET, PRESETS, TransferConfig
from tfstyle.config.options import numbered
from tfstyle.reporting import Reporter
from tfstyle.runtime.workshop import Workshop
from tfstyle.synthesis.inputs import make_inputs
from tfstyle.synthesis.loop import Result
from tfstyle.synthesis.pictures import make
from tfstyle.synthesis.plan import foresee
from tfstyle.synthesis.scales import Sizes
from tfstyle.synthesis.term_options import workshop_for


def transfer_batch(
    contents: Sequence,
    styles: Sequence,
    config: TransferConfig = PRESETS[DEFAULT_PRESET],
    *,
    extractor: tf.keras.Model | None = None,
    reporters: Sequence[Reporter] = (),
    workshop: Workshop | None = None,
    batch_size: int = 8,
) -> list[list[Result]]:
    """Paints each content in the manner of each style, several pictures at a time.

    Pictures of one size go through the network together. Each is moved on its
    own, with its own targets, weights, L-BFGS history, searches and end, so
    that it is what `transfer` makes of it, but for rounding.

    Args:
      contents: pictures, each as `transfer` takes it.
      styles: styles, each as `transfer` takes it: a picture, targets, or a list
        of these to be blended.
      config, extractor, workshop: as in `transfer`; `image_size=0` gives each content its own size.
      reporters: told of each group's progress, with means of its losses and all of its pictures.
      batch_size: most pictures in a group.

    Returns:
      `results[i][j]`, of content i in the manner of style j.

    Raises:
      ValueError, OSError: as in `transfer`, with the picture's number; also if
        the config's optimiser makes one picture at a time.
    """
    if batch_size < 1:
        raise ValueError(f"batch_size={batch_size}: must be 1 or above")
    if isinstance(contents, (str, bytes)) or isinstance(styles, (str, bytes)):
        raise ValueError("contents, styles: must be lists of pictures")
    workshop = workshop or workshop_for(config, extractor)
    results: list[list[Result | None]] = [[None] * len(styles) for _ in contents]

    @functools.cache
    def require_fit(sizes: Sizes) -> None:
        foresee(sizes, config, extractor, workshop).require_fit()

    for group in _groups(contents, styles, config, batch_size, require_fit):
        made = make([inputs for _, inputs in group], config, extractor, reporters, workshop=workshop)
        for ((row, column), _), result in zip(group, made):
            results[row][column] = result
    return results


def _groups(
    contents: Sequence,
    styles: Sequence,
    config: TransferConfig,
    batch_size: int,
    require_fit: Callable[[Sizes], None],
):
    """Gives lists of ((content, style), inputs) of one size, each when it is full."""
    waiting = Waiting(batch_size)
    for row, content in enumerate(contents):
        for column, style in enumerate(styles):
            try:
                require_fit(Sizes.of(content, style))
                inputs = make_inputs(content, style, config)
            except (ValueError, OSError) as error:
                names = numbered("content", row), numbered("style", column)
                raise type(error)(f"{names[0]}, {names[1]}: {error}") from None
            terms = tuple(region.name for region in inputs.regions)  # which their names depend on
            yield from waiting.add((inputs.size, terms), ((row, column), inputs))
    yield from waiting.rest()
