"""The network that a config describes."""

from __future__ import annotations

from collections.abc import Iterable

import tensorflow as tf

from tfstyle.config import TransferConfig
from tfstyle.runtime.workshop import SHARED, Workshop
from tfstyle.synthesis.term_options import TermOptions
from tfstyle.vgg import feature_extractor, weights


def extractor_of(
    config: TransferConfig,
    layers: Iterable[str] | None = None,
    *,
    dtype: str = "float32",
    workshop: Workshop | None = None,
) -> tf.keras.Model:
    """Returns the extractor that a config describes.

    Args:
      config: the weights, pooling and padding are read from it.
      layers: of its output; None: all that have weight.
      dtype: as in `feature_extractor`, also for errors.
      workshop: where it is kept for others; None: nowhere.
    """
    options = {
        "layers": TermOptions.of(config).layers if layers is None else tuple(layers),
        "weights": config.weights,
        "pooling": config.pooling,
        "padding": config.padding,
        "dtype": dtype,
    }
    if workshop is None:
        return feature_extractor(**options)
    key = *options.items(), weights.version(config.weights)
    return workshop.get(key, lambda: feature_extractor(**options))


def workshop_for(config: TransferConfig, extractor: tf.keras.Model | None) -> Workshop:
    """Returns the process's own, or a new one where the network is of one run: given, or of its pictures."""
    return SHARED if extractor is None and not config.normalize else Workshop()
