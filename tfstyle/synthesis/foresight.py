"""A run planned from its config and the sizes of its pictures: its network, precision and scales."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from types import MappingProxyType

import tensorflow as tf

from tfstyle.config import TransferConfig
from tfstyle.config.layer_names import require_known
from tfstyle.runtime.precision import resolved
from tfstyle.runtime.workshop import Workshop
from tfstyle.synthesis.plan import Plan, make_plan, precision_in
from tfstyle.synthesis.scales import Sizes, number_of_scales
from tfstyle.synthesis.term_options import TermOptions, extractor_of, workshop_for
from tfstyle.vgg import minimum_size


def foresee(
    sizes: Sizes,
    config: TransferConfig,
    extractor: tf.keras.Model | None = None,
    workshop: Workshop | None = None,
    *,
    pictures: int = 1,
    choices: Mapping = MappingProxyType({}),
    read: bool = False,
) -> Plan:
    """Plans a run before its pictures are read, with as many scales as they are large enough for.

    It is in float32 with a given extractor.

    Args:
      sizes: of its pictures.
      config: the run's config.
      extractor: model to use instead of the one that the config describes.
      workshop: where networks are kept; None: as in `workshop_for`.
      pictures, read: as in `make_plan`.
      choices: of the same run, when it was begun; see `Plan.choices`. Where
        the config leaves a choice to the machine, it stays as it was.

    Raises:
      ValueError, OSError: a layer, a picture's size or the weights are not what they should be.
    """
    options = TermOptions.of(config, sizes)
    precision, network = "float32", extractor
    if extractor is None:
        known = precision_in(choices) if config.precision == "auto" else None
        precision = known or resolved(config)
        workshop = workshop or workshop_for(config, extractor)
        described = partial(extractor_of, config, options.layers, dtype=precision, workshop=workshop)
        network = described()
    require_known("content_layers", options.content_layers, network.output)
    require_known("style_layers", options.style_layers, network.output)
    config = replace(config, scales=_scales(sizes.fitted(config), config, minimum_size(network)))
    coarse = described(coarse=True) if extractor is None and config.scales > 1 else network
    networks = coarse, network
    plan = make_plan(networks, options.style_layers, sizes, config, precision, pictures=pictures, read=read)
    return plan.chosen(choices) if config.evaluation == "auto" else plan


def _scales(sizes: Sizes, config: TransferConfig, least: int) -> int:
    """Returns how many scales there are; a network sees nothing of a side below `least` pixels."""
    for argument, (height, width) in sizes.pictures:
        if min(height, width) < least:
            raise ValueError(
                f"{argument}: is {width} x {height} pixels, but these layers need at least"
                f" {least} on each side; give a larger image_size or picture, or shallower layers"
            )
    pictures = [size for _, size in sizes.pictures]
    return min([number_of_scales(sizes.made, config, least=least, pictures=pictures), *sizes.scales])
