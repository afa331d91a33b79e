"""The one-call functions: style transfer, and the paper's two reconstructions.

Each chooses terms and a start for the one loop. (This module is not called
``transfer``: a submodule of that name would hide the function on the package.)
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import tensorflow as tf

from tfstyle.config import DEFAULT_PRESET, PRESETS, TransferConfig
from tfstyle.reporting import Reporter
from tfstyle.runtime.stopping import CHECKPOINT_EVERY, Stop, Supervision, never
from tfstyle.runtime.workshop import Workshop
from tfstyle.synthesis.inputs import Inputs, make_inputs
from tfstyle.synthesis.loop import Result
from tfstyle.synthesis.objectives import Objectives
from tfstyle.synthesis.pictures import make
from tfstyle.synthesis.plan import Plan, foresee
from tfstyle.synthesis.scales import Sizes
from tfstyle.synthesis.term_options import workshop_for


def transfer(
    content,
    style,
    config: TransferConfig = PRESETS[DEFAULT_PRESET],
    *,
    content_masks: Sequence = (),
    style_masks: Sequence = (),
    extractor: tf.keras.Model | None = None,
    reporters: Sequence[Reporter] = (),
    checkpoint_dir=None,
    checkpoint_every: str | int = CHECKPOINT_EVERY,
    stop: Stop = never,
    workshop: Workshop | None = None,
) -> Result:
    """Paints the content in the manner of the style: the paper's eq. (7).

    Args:
      content: a path, PIL image, array (uint8, or float in [0, 1]) or tensor,
        resized to `config.image_size` on its longer side. Where it is
        transparent nothing is painted.
      style: a picture of the same kinds, or several in a list or tuple; each is
        resized alike, times `config.style_scale`, at its own aspect. `StyleTargets`
        may take the place of a picture.
      content_masks, style_masks: where in the content the styles go, and what
        of the style pictures counts there: one label image, whose colours are
        the regions, or grey masks, one a region (see `masks.load_masks`). Where
        there is no region the content stays as it is. Masks of the style alone
        keep the rest of it out of its statistics.
      config: what to do; see `TransferConfig` and `PRESETS`.
      extractor: model to use instead of the one that the config describes,
        from `[B, H, W, 3]` in [0, 1] to `{layer: activation}`; `normalize` and
        the other network options then do not apply.
      reporters: told of the progress.
      checkpoint_dir: folder to save the run's state in, and to go on from: the
        same call then ends in the same picture.
      checkpoint_every: how often: a duration such as ``30s`` or ``10m``, or a
        number of iterations; saving never takes more than 2 % of the time.
      stop: asked between steps: a text ends the run there, with the best picture
        so far and its state saved; see `stopping.deadline`.
      workshop: keeps what is compiled, in place of the process's own; see `Workshop`.

    Returns:
      The `Result`, at the content's aspect.

    Raises:
      ValueError, OSError: a picture, layer, weights file or checkpoint is not
        what it should be; the message names it.
      FloatingPointError: the objective is not finite at the start.
    """
    masks = {"content_masks": content_masks, "style_masks": style_masks}
    supervision = Supervision(checkpoint_dir, checkpoint_every, stop)
    return _made(content, style, config, extractor, reporters, supervision, workshop, **masks)


def plan_transfer(
    content,
    style,
    config: TransferConfig = PRESETS[DEFAULT_PRESET],
    *,
    content_masks: Sequence = (),
    style_masks: Sequence = (),
    extractor: tf.keras.Model | None = None,
) -> Plan:
    """Returns what `transfer` would do with the same arguments: how, in what memory and time.

    Nothing of the run itself is computed.

    Raises:
      ValueError, OSError: as in `transfer`.
    """
    plan = foresee(Sizes.of(content, style), config, extractor)
    if plan.peak_bytes <= plan.most_bytes:  # so that what is wrong with the pictures is told, too
        make_inputs(content, style, config, content_masks=content_masks, style_masks=style_masks)
    return plan


def explain_transfer(
    content,
    style,
    config: TransferConfig = PRESETS[DEFAULT_PRESET],
    *,
    content_masks: Sequence = (),
    style_masks: Sequence = (),
    extractor: tf.keras.Model | None = None,
) -> str:
    """Returns the weights of the same `transfer`, at its final size, in the units of the references.

    Raises:
      ValueError, OSError: as in `transfer`.
    """
    workshop = workshop_for(config, extractor)
    masks = {"content_masks": content_masks, "style_masks": style_masks}
    inputs = _inputs(content, style, config, extractor, workshop, **masks)
    return Objectives(inputs, config, extractor, workshop).explain()


def reconstruct_content(
    image,
    layer: str | Sequence[str],
    config: TransferConfig = PRESETS[DEFAULT_PRESET],
    *,
    init: str = "noise",
    extractor: tf.keras.Model | None = None,
    reporters: Sequence[Reporter] = (),
    checkpoint_dir=None,
    checkpoint_every: str | int = CHECKPOINT_EVERY,
    stop: Stop = never,
    workshop: Workshop | None = None,
) -> Result:
    """Finds a picture with the same activations in a layer: the paper's eq. (1).

    Args:
      image: the picture to reconstruct, as in `transfer`.
      layer: one layer, or several that count the same.
      config: as in `transfer`; its layers, style weight and start do not apply.
      init: the start; the paper's is noise.
      extractor, reporters, checkpoint_dir, checkpoint_every, stop, workshop: as in `transfer`.

    Returns:
      The `Result`, of the picture's size.

    Raises:
      ValueError, OSError: as in `transfer`.
    """
    config = dataclasses.replace(config, content_layers=layer, style_weight=0.0, init=init, **_NO_TRANSFER)
    supervision = Supervision(checkpoint_dir, checkpoint_every, stop)
    return _made(image, None, config, extractor, reporters, supervision, workshop)


def reconstruct_style(
    image,
    layers: str | Sequence[str],
    config: TransferConfig = PRESETS[DEFAULT_PRESET],
    *,
    init: str = "noise",
    extractor: tf.keras.Model | None = None,
    reporters: Sequence[Reporter] = (),
    checkpoint_dir=None,
    checkpoint_every: str | int = CHECKPOINT_EVERY,
    stop: Stop = never,
    workshop: Workshop | None = None,
) -> Result:
    """Finds a picture with the same Gram matrices: the paper's eq. (5), texture synthesis.

    Args:
      image: the picture whose style to reconstruct, as in `transfer`.
      layers: the layers that hold the style.
      config: as in `transfer`; its layers, content weight and start do not
        apply. Its style_layer_weights, if any, must be as many as `layers`.
      init, extractor, reporters, checkpoint_dir, checkpoint_every, stop, workshop: as in
        `reconstruct_content`.

    Returns:
      The `Result`, of the picture's size.

    Raises:
      ValueError, OSError: as in `transfer`.
    """
    config = dataclasses.replace(config, style_layers=layers, content_weight=0.0, init=init, **_NO_TRANSFER)
    supervision = Supervision(checkpoint_dir, checkpoint_every, stop)
    return _made(None, image, config, extractor, reporters, supervision, workshop)


def _made(content, style, config, extractor, reporters, supervision, workshop, **masks) -> Result:
    workshop = workshop or workshop_for(config, extractor)
    inputs = _inputs(content, style, config, extractor, workshop, **masks)
    return make([inputs], config, extractor, reporters, supervision, workshop)[0]


def _inputs(content, style, config, extractor, workshop, **masks) -> Inputs:
    """Returns a run's inputs; one that would not fit into memory is refused before a picture is decoded."""
    foresee(Sizes.of(content, style), config, extractor, workshop).require_fit()
    return make_inputs(content, style, config, **masks)


# What says how content and style go together means nothing to a reconstruction of one of them.
_NO_TRANSFER = {
    "coarse_weights": "same",  # of a reconstruction, what a network sees is the subject
    "style_strength": 0.0,
    "style_blend": (),
    "color": "style",
    "photorealistic": False,
    "postprocess": "none",
}
