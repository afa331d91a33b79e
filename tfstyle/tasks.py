"""The one-call functions: style transfer, and the paper's two reconstructions.

Each chooses terms and a start for the one loop. (This module is not called
``transfer``: a submodule of that name would hide the function on the package.)
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import tensorflow as tf

from tfstyle import images
from tfstyle.config import PRESETS, TransferConfig
from tfstyle.features import feature_extractor, minimum_size, normalize_activations
from tfstyle.initial import initial_image
from tfstyle.layers import require_known
from tfstyle.objective import Objective, content_terms, style_terms, style_weights, variation_terms
from tfstyle.reporting import Reporter
from tfstyle.synthesis import Result, scale_sizes, synthesize, tensor_hash
from tfstyle.workshop import Workshop


def transfer(
    content,
    style,
    config: TransferConfig = PRESETS["gatys_code"],
    *,
    extractor: tf.keras.Model | None = None,
    reporters: Sequence[Reporter] = (),
    checkpoint_dir=None,
    workshop: Workshop | None = None,
) -> Result:
    """Paints the content in the manner of the style: the paper's eq. (7).

    Args:
      content, style: a path, PIL image, array (uint8, or float in [0, 1]) or
        tensor. Both are resized to `config.image_size` on their longer side,
        each at its own aspect.
      config: what to do; see `TransferConfig` and `PRESETS`.
      extractor: model to use instead of the one that the config describes,
        from `[B, H, W, 3]` in [0, 1] to `{layer: activation}`; `normalize` and
        the other network options then do not apply.
      reporters: told of the progress.
      checkpoint_dir: see `synthesize`.
      workshop: keeps what later calls with it may share; see `Workshop`.

    Returns:
      The `Result`, at the content's aspect.

    Raises:
      ValueError, OSError: a picture, layer, weights file or checkpoint is not
        what it should be; the message names it.
    """
    content = images.load_fitted(content, "content", config.image_size)
    style = images.load_fitted(style, "style", config.image_size)
    return _run(content, style, config, extractor, reporters, checkpoint_dir, workshop)


def reconstruct_content(
    image,
    layer: str | Sequence[str],
    config: TransferConfig = PRESETS["gatys_code"],
    *,
    init: str = "noise",
    extractor: tf.keras.Model | None = None,
    reporters: Sequence[Reporter] = (),
    checkpoint_dir=None,
    workshop: Workshop | None = None,
) -> Result:
    """Finds a picture with the same activations in a layer: the paper's eq. (1).

    Args:
      image: the picture to reconstruct, as in `transfer`.
      layer: one layer, or several that count the same.
      config: as in `transfer`; its layers, style weight and start do not apply.
      init: the start; the paper's is noise.
      extractor, reporters, checkpoint_dir, workshop: as in `transfer`.

    Returns:
      The `Result`, of the picture's size.

    Raises:
      ValueError, OSError: as in `transfer`.
    """
    config = dataclasses.replace(config, content_layers=layer, style_weight=0.0, init=init)
    return _run(
        images.load_fitted(image, "content", config.image_size),
        None,
        config,
        extractor,
        reporters,
        checkpoint_dir,
        workshop,
    )


def reconstruct_style(
    image,
    layers: str | Sequence[str],
    config: TransferConfig = PRESETS["gatys_code"],
    *,
    init: str = "noise",
    extractor: tf.keras.Model | None = None,
    reporters: Sequence[Reporter] = (),
    checkpoint_dir=None,
    workshop: Workshop | None = None,
) -> Result:
    """Finds a picture with the same Gram matrices: the paper's eq. (5), texture synthesis.

    Args:
      image: the picture whose style to reconstruct, as in `transfer`.
      layers: the layers that hold the style.
      config: as in `transfer`; its layers, content weight and start do not
        apply. Its style_layer_weights, if any, must be as many as `layers`.
      init, extractor, reporters, checkpoint_dir, workshop: as in `reconstruct_content`.

    Returns:
      The `Result`, of the picture's size.

    Raises:
      ValueError, OSError: as in `transfer`.
    """
    config = dataclasses.replace(config, style_layers=layers, content_weight=0.0, init=init)
    return _run(
        None,
        images.load_fitted(image, "style", config.image_size),
        config,
        extractor,
        reporters,
        checkpoint_dir,
        workshop,
    )


def _run(
    content: tf.Tensor | None,
    style: tf.Tensor | None,
    config: TransferConfig,
    extractor: tf.keras.Model | None,
    reporters: Sequence[Reporter],
    checkpoint_dir,
    workshop: Workshop | None,
) -> Result:
    """Runs the loop on the terms of whichever pictures there are, at the first one's size."""
    pictures = {
        argument: picture
        for argument, picture in (("content", content), ("style", style))
        if picture is not None
    }
    size = tuple(next(iter(pictures.values())).shape[1:3])
    # What has no weight has no layers, and is not computed.
    content_layers = config.content_layers if content is not None and config.content_weight > 0 else ()
    style_layers = config.style_layers if style is not None and config.style_weight > 0 else ()
    initial = initial_image(config.init, size, content=content, style=style, seed=config.seed)
    workshop = workshop or Workshop()
    hashes = {argument: tensor_hash(picture) for argument, picture in pictures.items()}
    network = extractor
    if extractor is None:
        layers = tuple(dict.fromkeys((*content_layers, *style_layers)))
        network = (config.weights, layers, config.pooling, config.padding, config.precision)
        network += tuple(hashes.items()) if config.normalize else ()
        extractor = workshop.get(network, lambda: _extractor(config, layers, pictures))
    require_known("content_layers", content_layers, extractor.output)
    require_known("style_layers", style_layers, extractor.output)
    _require_size(extractor, pictures, config.scales)
    betas = style_weights(style_layers, config.style_weight, config.style_layer_weights, config.units)
    weights = {f"content/{layer}": config.content_weight for layer in content_layers}
    weights |= {f"style/{layer}": beta for layer, beta in betas.items() if beta > 0}
    weights |= {"total_variation": config.tv_weight} if config.tv_weight > 0 else {}

    def make_objective(scale_size: tuple[int, int]) -> Objective:
        terms = []
        if content_layers:
            target = images.resize(content, scale_size)
            terms += content_terms(
                extractor, target, content_layers, weight=config.content_weight, units=config.units
            )
        if style_layers:
            shrink = scale_size[0] / size[0]
            smaller = tuple(max(1, round(side * shrink)) for side in style.shape[1:3])
            terms += style_terms(
                extractor,
                images.resize(style, smaller),
                style_layers,
                weight=config.style_weight,
                layer_weights=config.style_layer_weights,
                units=config.units,
            )
        if config.tv_weight > 0:
            terms += variation_terms(config.tv_weight)
        return Objective(extractor, terms)

    def objective_at(scale_size: tuple[int, int]) -> Objective:
        # All that an objective depends on but its weights, which can be changed.
        key = (network, scale_size, tuple(hashes.items()), config.units, tuple(weights))
        objective = workshop.get(key, lambda: make_objective(scale_size))
        objective.weigh(weights)
        return objective

    return synthesize(
        objective_at,
        initial,
        config,
        reporters=reporters,
        checkpoint_dir=checkpoint_dir,
        identity=hashes,
        workshop=workshop,
    )


def _extractor(config: TransferConfig, layers: Sequence[str], pictures) -> tf.keras.Model:
    extractor = feature_extractor(
        dict.fromkeys(layers),
        weights=config.weights,
        pooling=config.pooling,
        padding=config.padding,
        dtype=config.precision,
    )
    return normalize_activations(extractor, list(pictures.values())) if config.normalize else extractor


def _require_size(extractor: tf.keras.Model, pictures, scales: int) -> None:
    least = minimum_size(extractor)
    for argument, picture in pictures.items():
        height, width = scale_sizes(tuple(picture.shape[1:3]), scales)[0]
        if min(height, width) < least:
            coarsest = " at the coarsest scale" if scales > 1 else ""
            raise ValueError(
                f"{argument}: is {width} x {height} pixels{coarsest}, but these layers need at least"
                f" {least} on each side; give a larger image_size or picture, or shallower layers"
            )
