"""Frames painted by optimisation, each from what was shown of the ones before.

Ruder, Dosovitskiy & Brox, "Artistic Style Transfer for Videos", GCPR 2016: a frame begins as the one before,
moved along with what is seen, and is held to it where that can be trusted. Departures:

- What cannot be taken from earlier frames begins as a quick network paints it, not as the photograph, which
  a few iterations do not paint.
- Frames after the first get a share of its iterations, at the final size alone; L-BFGS ends sooner where the
  objective hardly falls.
- The terms of several earlier frames, of which each pixel counts in one, are a single term.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence

import numpy as np
import tensorflow as tf

from tfstyle.config import TransferConfig
from tfstyle.config.options import number
from tfstyle.io import images
from tfstyle.io.pixels import in_unit_range
from tfstyle.reporting import Progress
from tfstyle.runtime.stopping import Supervision
from tfstyle.synthesis.inputs import Inputs, Reference, make_inputs
from tfstyle.synthesis.pictures import make
from tfstyle.synthesis.plan import Plan, foresee
from tfstyle.synthesis.scales import Sizes, number_of_scales
from tfstyle.video.steadiness import Carried, Painted, Shown, Step, carried

_LOOKED_BACK = (1, 2, 4)  # frames
_SETTLED = 0.002  # share of the objective by which an iteration makes it fall; below, a frame is done
_LOOK_EVERY = 2  # iterations


def optimized(
    styles: Sequence,
    config: TransferConfig,
    fill: Callable[[np.ndarray], np.ndarray],
    size: tuple[int, int],
    *,
    temporal_weight: float,
    later_share: float,
    extractor: tf.keras.Model | None = None,
) -> Step:
    """Returns what paints frames by optimisation.

    Args:
      styles: pictures, as in `transfer`.
      config: of the first frame of a scene; its image_size does not apply: frames stay as large as they are.
      size: (height, width) of the frames.
      fill: from a frame, `[H, W, 3]` in [0, 1], to how a later one begins where nothing before it tells.
      temporal_weight: of the mean square difference from what was shown before.
      later_share: iterations of later frames, as a share of those at the first one's final size.
      extractor: as in `transfer`.

    Raises:
      ValueError, OSError: an option is out of range, or a style is no picture.
    """
    number("temporal_weight", temporal_weight, 0)
    if not 0 < number("later_share", later_share, 0) <= 1:
        raise ValueError(f"later_share={later_share:g}: must be above 0, up to 1")
    if config.normalize:  # by each frame's own activations: the objective would differ from frame to frame
        raise ValueError("normalize=True: is not possible in clips")
    pictures = [images.load_image(each, "style") for each in styles]
    own = dataclasses.replace(config, image_size=max(size), log_every=_LOOK_EVERY)
    own = dataclasses.replace(own, precision=_planned(size, pictures, own, extractor).precision)

    def step(frame: np.ndarray, before: Sequence[Shown]) -> Painted:
        pixels = in_unit_range(frame)
        inputs, known = make_inputs(pixels, pictures, own), carried(frame, looked_back(before))
        if known is None:
            picture, losses = _painted(inputs, own, extractor)
            return Painted(picture, [Shown(frame, picture)], losses=losses)
        start = known.picture + (1 - known.trust) * (fill(pixels) - known.picture)
        held = _held(inputs, start, known, temporal_weight)
        picture, losses = _painted(held, later(own, size, later_share), extractor)
        shown = [Shown(frame, picture), *before[: max(_LOOKED_BACK) - 1]]
        return Painted(picture, shown, losses=losses, **known.told(picture))

    return step


def _planned(
    size: tuple[int, int], pictures: Sequence, config: TransferConfig, extractor: tf.keras.Model | None
) -> Plan:
    """Returns the plan of a scene's first frame, once it is known that the layers and the memory take it."""
    height, width = size
    sizes = Sizes(size, tuple(tuple(each.shape[1:3]) for each in pictures))
    try:
        plan = foresee(sizes, config, extractor)
    except ValueError as error:
        raise ValueError(f"frames of {width} x {height} pixels: {error}") from None
    if plan.peak_bytes > plan.most_bytes:
        raise ValueError(
            f"content: frames of {width} x {height} pixels take {plan.peak_bytes / 1e9:.1f} GB, of"
            f" {plan.most_bytes / 1e9:.1f} GB that there are; shrink the clip"
        )
    return plan


def looked_back(before: Sequence[Shown]) -> list[Shown]:
    """Returns those of the frames before, the last first, that the next one is held to."""
    return [before[back - 1] for back in _LOOKED_BACK if back <= len(before)]


def later(config: TransferConfig, size: tuple[int, int], share: float) -> TransferConfig:
    """Returns the settings of frames of (height, width) after the first, from its own; see `optimized`."""
    final = config.iterations * (config.finer_share if number_of_scales(size, config) > 1 else 1.0)
    iterations = max(1, round(share * final))
    return dataclasses.replace(config, scales=1, iterations=iterations)


def _held(inputs: Inputs, start: np.ndarray, known: Carried, weight: float) -> Inputs:
    picture, share, start = (
        tf.constant(each[np.newaxis], tf.float32) for each in (known.picture, known.trust, start)
    )
    reference = Reference(picture, share, weight) if weight else None
    return dataclasses.replace(inputs, start=start, reference=reference)


def _painted(
    inputs: Inputs, config: TransferConfig, extractor: tf.keras.Model | None
) -> tuple[np.ndarray, dict[str, float]]:
    """Returns what a run makes of a frame, `[H, W, 3]`, and its losses in the end.

    Raises:
      FloatingPointError: it failed.
    """
    options = {}
    if inputs.start is not None and config.optimizer == "lbfgs":  # the others may climb at first
        settled = Settled()
        options = {"reporters": [settled], "supervision": Supervision(stop=settled)}
    (result,) = make([inputs], config, extractor, **options)
    if result.failed:
        raise FloatingPointError(f"a frame cannot be painted: {result.ending}")
    return result.image[0].numpy(), result.losses


class Settled:
    """A reporter that ends a run, as a `Stop`, once its objective hardly falls any more."""

    def __init__(self):
        self._last: Progress | None = None
        self._ending = ""

    def report(self, progress: Progress, image: tf.Tensor) -> None:
        """Takes a record of the run."""
        del image
        if self._last is not None and progress.step > self._last.step:
            fall = (self._last.total - progress.total) / (progress.step - self._last.step)
            if fall < _SETTLED * abs(self._last.total):
                self._ending = "settled"
        self._last = progress

    def __call__(self) -> str:
        return self._ending
