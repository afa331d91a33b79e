"""What a config says of its objective: which terms, and the network that they are on."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import tensorflow as tf

from tfstyle.config import TransferConfig
from tfstyle.losses.measuring import Target
from tfstyle.losses.style import style_terms
from tfstyle.losses.terms import AnyTerm, content_terms, photorealism_term, variation_terms
from tfstyle.runtime.workshop import SHARED, Workshop
from tfstyle.synthesis.scales import Sizes
from tfstyle.vgg import feature_extractor, weights


@dataclass(frozen=True)
class TermOptions:
    """Which terms an objective has.

    Attributes:
      config: the options of terms are read from it.
      kinds: of terms; others have no weight.
      content_layers, style_layers: Keras' names; none where there is no such kind.
    """

    config: TransferConfig
    kinds: tuple[str, ...]
    content_layers: tuple[str, ...]
    style_layers: tuple[str, ...]

    @classmethod
    def of(cls, config: TransferConfig, sizes: Sizes | None = None) -> TermOptions:
        """Returns those of a config, for a run of such pictures; None: of a content and a style."""
        kinds = {kind for kind, weight in weights_of_kinds(config).items() if weight > 0}
        if sizes is not None and sizes.content is None:
            kinds -= {"content", "photorealism"}
        if sizes is not None and not (sizes.styles or sizes.scales):
            kinds -= {"style"}
        return cls(
            config,
            tuple(sorted(kinds)),
            content_layers=config.content_layers if "content" in kinds else (),
            style_layers=config.style_layers if "style" in kinds else (),
        )

    @property
    def layers(self) -> tuple[str, ...]:
        """All layers that count, each once."""
        return tuple(dict.fromkeys((*self.content_layers, *self.style_layers)))

    def terms(
        self,
        network: tf.keras.Model,
        content: tf.Tensor | None,
        targets: Sequence[Target],
        *,
        size: tuple[int, int],
        tile: int | None = None,
    ) -> list[AnyTerm]:
        """Returns the terms, each with its part of its kind's weight; see `weights_of_kinds`.

        Args:
          network: with all layers among its outputs.
          content: `[1 or B, H, W, 3]`, of the size; None where there is none.
          targets: what the styles come to in the style layers, region by region.
          size: (height, width) of the picture to be made; may be tensors.
          tile: as in `content_terms`.
        """
        found, config = [], self.config
        if self.content_layers:
            found += content_terms(
                network, content, self.content_layers, weight=1.0, units=config.units, tile=tile
            )
        if self.style_layers:
            found += style_terms(
                network,
                targets,
                self.style_layers,
                size=size,
                weight=1.0,
                layer_weights=config.style_layer_weights,
                units=config.units,
                statistic=config.style_loss,
                blend=config.blend,
            )
        if "total_variation" in self.kinds:
            found += variation_terms(1.0, units=config.units, form=config.tv_loss)
        if "photorealism" in self.kinds:
            found.append(photorealism_term(content))
        return found


def weights_of_kinds(config: TransferConfig) -> dict[str, float]:
    """Returns the weight that a config gives to each kind of term."""
    return {
        "content": config.content_weight,
        "style": config.style_weight,
        "total_variation": config.tv_weight,
        "photorealism": config.photorealistic_weight if config.photorealistic else 0.0,
    }


def extractor_of(
    config: TransferConfig,
    layers: Iterable[str] | None = None,
    *,
    coarse: bool = False,
    dtype: str = "float32",
    workshop: Workshop | None = None,
) -> tf.keras.Model:
    """Returns the extractor that a config describes.

    Args:
      config: the weights, pooling and padding are read from it.
      layers: of its output; None: all that have weight.
      coarse: that of the scales before the last, instead of the last one's.
      dtype: as in `feature_extractor`, also for errors.
      workshop: where it is kept for others; None: nowhere.
    """
    source = config.coarse_network if coarse else config.weights
    options = {
        "layers": TermOptions.of(config).layers if layers is None else tuple(layers),
        "weights": source,
        "pooling": config.pooling,
        "padding": config.padding,
        "dtype": dtype,
    }
    if workshop is None:
        return feature_extractor(**options)
    key = *options.items(), weights.version(source)
    return workshop.get(key, lambda: feature_extractor(**options))


def workshop_for(config: TransferConfig, extractor: tf.keras.Model | None) -> Workshop:
    """Returns the process's own, or a new one where the network is of one run: given, or of its pictures."""
    return SHARED if extractor is None and not config.normalize else Workshop()
