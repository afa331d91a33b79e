"""SavedModels of networks for any style: pictures and styles in, pictures out, without tfstyle."""

from __future__ import annotations

import pathlib
from collections.abc import Mapping
from typing import Any

import tensorflow as tf

from tfstyle.export.savedmodel import require_replaceable, save
from tfstyle.export.signatures import (
    STRENGTH,
    SignedModule,
    checked,
    on_floats,
    one_or_each,
    painting,
    share_of,
)
from tfstyle.feedforward.adain import Moments
from tfstyle.feedforward.adain_network import StyleNetwork
from tfstyle.feedforward.model_card import write_page
from tfstyle.losses.targets import fingerprint

_MOMENTS = [tf.TensorSpec([None, None], tf.float32, name) for name in Moments._fields]


class SignedStyleNetwork(SignedModule):
    """A network for any style: image, style and strength in, picture out.

    Args:
      network: from `style_network`, in float32 or mixed precision.
    """

    def __init__(self, network: StyleNetwork):
        super().__init__("style_network")
        self.network = network

    @on_floats("style")
    def measure(self, style):
        """Returns the `mean` and `deviation` of styles, `[B, C]` each, for `restyle`."""
        return self.network.measured(checked(style, "style"))._asdict()

    @on_floats("image", options=[*_MOMENTS, STRENGTH])
    def restyle(self, image, mean, deviation, strength):
        """Returns pictures in styles measured before; means of them, by weights, mix styles."""
        image = checked(image, "image")
        moments = Moments(*(one_or_each(each, image, "style") for each in (mean, deviation)))
        return self.network.restyled(image, moments, share_of(strength))

    @painting("style_network")
    def paint(self, image, style, strength):
        style = self.measure(style)
        return self.restyle(image, style["mean"], style["deviation"], strength)


def export_style_network(
    output, network: StyleNetwork, about: Mapping[str, Any] | None = None
) -> pathlib.Path:
    """Saves a network that paints in any style in one pass.

    Signatures (see `signatures`) take `image`, `style` and `strength`, a float32
    scalar from 0 to 1. What `tf.saved_model.load` gives also has the functions
    behind them, in floats: `paint(image, style, strength)`, and its two parts,
    `measure(style)` and `restyle(image, mean, deviation, strength)`, for styles
    that are used often, or mixed.

    Args:
      output: as in `export_extractor`, also for errors.
      network: from `style_network`.
      about: what else the card is to tell, as JSON types.

    Returns:
      The folder.
    """
    folder = require_replaceable(output)
    card = {
        "model": "style_network",
        **(about or {}),
        "layer": network.layer,
        "minimum_size": 1,
        "fingerprint": fingerprint(network.encoder, [network.layer]),
    }
    return save(SignedStyleNetwork(network), folder, card, write_page)
