"""SavedModels of networks for any style: pictures and styles in, pictures out, without tfstyle."""

from __future__ import annotations

import pathlib
from collections.abc import Mapping, Sequence
from typing import Any

import tensorflow as tf

from tfstyle.api.dataset import from_integers, to_integers
from tfstyle.export.savedmodel import require_replaceable, save
from tfstyle.export.signatures import (
    STRENGTH,
    SignedModule,
    checked,
    file_spec,
    filled,
    one_or_each,
    painted_files,
    picture_spec,
    share_of,
)
from tfstyle.feedforward.adain import Moments
from tfstyle.feedforward.adain_network import StyleNetwork
from tfstyle.feedforward.model_card import write_page
from tfstyle.losses.targets import fingerprint


def _moments(name: str) -> tf.TensorSpec:
    return tf.TensorSpec([None, None], tf.float32, name)


class SignedStyleNetwork(SignedModule):
    """A network for any style: image, style and strength in, picture out.

    Args:
      network: from `style_network`, in float32 or mixed precision.
    """

    def __init__(self, network: StyleNetwork):
        super().__init__(name="style_network")
        self.network = network

    @tf.function(input_signature=[picture_spec("style")], autograph=False)
    def measure(self, style):
        """Returns the `mean` and `deviation` of styles, `[B, C]` each, for `restyle`."""
        return self.network.measured(checked(style, "style"))._asdict()

    @tf.function(
        input_signature=[picture_spec("image"), _moments("mean"), _moments("deviation"), STRENGTH],
        autograph=False,
    )
    def restyle(self, image, mean, deviation, strength):
        """Returns pictures in styles measured before; means of them, by weights, mix styles."""
        image = checked(image, "image")
        moments = Moments(*(one_or_each(each, image, "style") for each in (mean, deviation)))
        return self.network.restyled(image, moments, share_of(strength))

    @tf.function(input_signature=[picture_spec("image"), picture_spec("style"), STRENGTH], autograph=False)
    def paint(self, image, style, strength):
        style = self.measure(style)
        return self.restyle(image, style["mean"], style["deviation"], strength)

    @tf.function(input_signature=[picture_spec("image"), picture_spec("style"), STRENGTH], autograph=False)
    def floats(self, image, style, strength):
        return {"picture": self.paint(image, style, strength)}

    @tf.function(
        input_signature=[
            picture_spec("image", tf.uint8),
            picture_spec("style", tf.uint8),
            STRENGTH,
        ],
        autograph=False,
    )
    def integers(self, image, style, strength):
        return {"picture": to_integers(self.paint(from_integers(image), from_integers(style), strength))}

    @tf.function(
        input_signature=[file_spec("image_bytes"), file_spec("style_bytes"), STRENGTH],
        autograph=False,
    )
    def files(self, image_bytes, style_bytes, strength):
        image_bytes = filled(image_bytes, "image_bytes")
        return painted_files(lambda *pair: self.integers(*pair, strength), image_bytes, style_bytes)


def export_style_network(
    output, network: StyleNetwork, about: Mapping[str, Any] | None = None, pictures: Sequence = ()
) -> pathlib.Path:
    """Saves a network that paints in any style in one pass.

    =================  ==================================  ===============================
    `serving_default`  `image`: uint8 `[B, H, W, 3]`,      `picture`: as the image
                       `style`: uint8 `[1 or B, h, w, 3]`
    `float`            the same, float32 in [0, 1]         `picture`: the same
    `encoded_bytes`    `image_bytes`: string `[B]`,        `picture_bytes`: `[B]`, PNG
                       `style_bytes`: string `[1 or B]`
    =================  ==================================  ===============================

    Each has a `strength`, too: float32 scalar from 0 to 1. Files of one call
    may have different sizes. What `tf.saved_model.load` gives also has the
    functions behind them, in floats: `paint(image, style, strength)`, and its
    two parts, `measure(style)` and `restyle(image, mean, deviation, strength)`,
    for styles that are used often, or mixed.

    Args:
      output: as in `export_extractor`, also for errors.
      network: from `style_network`.
      about: what else the card is to tell, as JSON types.
      pictures: files of the styles that it was trained on; see `export_network`.

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
    return save(SignedStyleNetwork(network), folder, card, lambda new, card: write_page(new, card, pictures))
