"""Styles measured before a run, for as many runs as there will be."""

from __future__ import annotations

from dataclasses import replace

import tensorflow as tf

from tfstyle.config import DEFAULT_PRESET, PRESETS, TransferConfig
from tfstyle.io import decode, images
from tfstyle.losses.measuring import targets_of
from tfstyle.losses.regions import Region, Source
from tfstyle.losses.targets import StyleTargets, fingerprint, options_of
from tfstyle.runtime import memory
from tfstyle.runtime.workshop import Workshop
from tfstyle.synthesis.inputs import fitted
from tfstyle.synthesis.memory_model import held_bytes, measured_bytes, read_bytes
from tfstyle.synthesis.scales import Sizes, number_of_scales
from tfstyle.synthesis.term_options import extractor_of, workshop_for
from tfstyle.vgg import minimum_size


def style_targets(
    style,
    config: TransferConfig = PRESETS[DEFAULT_PRESET],
    *,
    extractor: tf.keras.Model | None = None,
    workshop: Workshop | None = None,
) -> StyleTargets:
    """Measures a style picture as `transfer` would, at each scale that a run of the config goes through.

    A run with them in place of the picture gives what it gives with the
    picture, but that targets are those of float32 where the run begins in
    bfloat16. `image_size=0` leaves open how many scales runs will have: it is
    as many as a content of the style's size has, or `config.scales`; a run with
    the targets has no more, however large its content.

    Args:
      style: a picture, as `transfer` takes it; what is transparent does not count.
      config, extractor, workshop: as in `transfer`.

    Raises:
      ValueError, OSError: the picture or the weights are not what they should
        be, the picture would not fit into memory, or the config needs it in the run.
    """
    sizes, network, coarse = Sizes(None, (decode.size_of(style, "style"),)), extractor, extractor
    workshop = workshop or workshop_for(config, extractor)
    if extractor is None:
        network = extractor_of(config, config.style_layers, workshop=workshop)
        coarse = extractor_of(config, config.style_layers, coarse=True, workshop=workshop)
    own, least = sizes.fitted(config).made, minimum_size(network)
    if min(own) < least:
        raise ValueError(
            f"style: is {own[1]} x {own[0]} pixels, but these layers need at least {least} on each side;"
            " give a larger picture, image_size or style_scale"
        )
    _require_fit(sizes, network, config)
    picture, alpha, _ = fitted(style, "style", config.image_size, config.style_scale)
    size = images.fitted_size(*own, config.image_size)
    levels = number_of_scales(size, config, least=least, pictures=[own])
    arguments = [Region((Source(picture, mask=alpha),))], config.style_layers, config.style_loss
    with workshop.in_use():
        found = [
            targets_of(
                coarse if level else network, *arguments, level=level, scale_factor=config.scale_factor
            )[0].styles[0]
            for level in range(levels)
        ]
    made = StyleTargets(
        tuple(each.sums for each in found),
        tuple(each.references for each in found),
        options_of(config),
        fingerprint(network, config.style_layers),
    )
    made.require_for(config, "style")
    return made


def _require_fit(sizes: Sizes, network: tf.keras.Model, config: TransferConfig) -> None:
    """Checks, before the style is decoded, that it can be measured in the memory that there is."""
    room, side = memory.Room.now(config.memory_limit), config.image_size

    def peak(side: int) -> float:
        fitted = sizes.fitted(replace(config, image_size=side))
        measured = measured_bytes(network, config, fitted.made, "float32")
        return room.resident + max(read_bytes(sizes, fitted), held_bytes(fitted) + measured)

    longest = side or max(sizes.made)
    memory.require_side(f"image_size={side}", peak, side, longest, room.most, "image_size={}")
