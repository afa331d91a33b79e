"""The one-call functions: style transfer, and the paper's two reconstructions.

Each chooses terms and a start for the one loop. (This module is not called
``transfer``: a submodule of that name would hide the function on the package.)
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import tensorflow as tf

from tfstyle import images
from tfstyle.assembly import Assembly
from tfstyle.config import PRESETS, TransferConfig
from tfstyle.initial import initial_image
from tfstyle.planning import Plan
from tfstyle.precision import choice
from tfstyle.reporting import Reporter
from tfstyle.synthesis import Result, synthesize, tensor_hash
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


def plan_transfer(
    content,
    style,
    config: TransferConfig = PRESETS["gatys_code"],
    *,
    extractor: tf.keras.Model | None = None,
) -> Plan:
    """Returns what `transfer` would do with the same arguments: how, in what memory and time.

    Nothing of the run itself is computed.

    Raises:
      ValueError, OSError: as in `transfer`.
    """
    content = images.load_fitted(content, "content", config.image_size)
    style = images.load_fitted(style, "style", config.image_size)
    *_, assembly = _assemble(content, style, config, extractor, Workshop())
    return assembly.plan


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
    workshop = workshop or Workshop()
    pictures, hashes, assembly = _assemble(content, style, config, extractor, workshop)
    initial = initial_image(config.init, assembly.size, **pictures, seed=config.seed)
    return synthesize(
        assembly.objective_at,
        initial,
        config,
        finish_at=assembly.exact_at if assembly.precision == "bfloat16" else None,
        detail=assembly.detail,
        note=choice() if config.precision == "auto" and extractor is None else "",
        reporters=reporters,
        checkpoint_dir=checkpoint_dir,
        identity=hashes | {"computed in": assembly.precision},
        workshop=workshop,
    )


def _assemble(content, style, config: TransferConfig, extractor, workshop: Workshop):
    """Returns the pictures and their hashes by argument, and the assembly of what they give."""
    pictures = {
        argument: picture
        for argument, picture in (("content", content), ("style", style))
        if picture is not None
    }
    hashes = {argument: tensor_hash(picture) for argument, picture in pictures.items()}
    return pictures, hashes, Assembly(pictures, hashes, config, extractor, workshop)
