"""SavedModels of the extractor and of whole transfers, for TensorFlow Serving and processes without tfstyle.

A model's folder also holds a card, `tfstyle.json`: what the model is, in words
and numbers. By it, a folder is known to be an export, which the next may replace.
"""

from __future__ import annotations

import hashlib
import json
import os
import pathlib
import tempfile
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import tensorflow as tf

from tfstyle import __version__
from tfstyle.config import DEFAULT_PRESET, PRESETS, TransferConfig
from tfstyle.export.onnx_file import predictor_to_onnx, to_onnx
from tfstyle.export.signatures import (
    SignedExtractor,
    SignedModule,
    SignedNetwork,
    SignedStyle,
    SignedStyleNetwork,
    SignedTransfer,
)
from tfstyle.feedforward import networks
from tfstyle.feedforward.cards import CARD, style_names
from tfstyle.feedforward.model_card import write_page
from tfstyle.feedforward.onnx_network import FILES
from tfstyle.feedforward.style_network import StyleNetwork, in_half_precision
from tfstyle.io import images
from tfstyle.io.files import make_folder, require_writable_folder, write_atomically
from tfstyle.losses.targets import StyleTargets, fingerprint
from tfstyle.runtime.checkpoints import tensor_hash
from tfstyle.synthesis.graph_transfer import GraphTransfer
from tfstyle.synthesis.style_targets import style_targets

_LICENSE = "MIT, for the code; weights and style pictures have the licences of their makers"


def export_extractor(
    output, extractor: tf.keras.Model, about: Mapping[str, Any] | None = None
) -> pathlib.Path:
    """Saves an extractor; returns the folder.

    Its signatures (see `signatures`) take `image` or `image_bytes`, files of one
    size, and give float32 activations under the layers' names.

    Args:
      output: folder to save into. If it is there, it must be empty or hold
        another export, which is replaced once the new one is whole.
      extractor: from `feature_extractor`.
      about: what else the card is to tell, as JSON types.

    Raises:
      ValueError: the folder holds something else.
      OSError: it cannot be written.
    """
    folder = require_replaceable(output)
    module, layers = SignedExtractor(extractor), list(extractor.output)
    card = {
        "model": "extractor",
        **(about or {}),
        "layers": layers,
        "minimum_size": module.least,
        "fingerprint": fingerprint(extractor, layers),
    }
    return save(module, folder, card)


def export_transfer(output, config: TransferConfig = PRESETS[DEFAULT_PRESET], style=None) -> pathlib.Path:
    """Saves a whole transfer: pictures in, and out what `transfer` makes of them; returns the folder.

    Signatures (see `signatures`) take `content`, `style` and `steps`, an int32
    scalar. With a style, which becomes part of the model, they take `image`
    alone and make `config.iterations` steps; `with_steps` takes `steps`, too.
    What `tf.saved_model.load` gives also has the function behind all
    signatures, in floats: `paint(content, style, steps)`, or `paint(content, steps)`.

    Args:
      output: as in `export_extractor`.
      config: as in `transfer`; see `GraphTransfer` for what a graph cannot do.
      style: a picture, as `transfer` takes it, `StyleTargets`, or None.

    Raises:
      ValueError: an option is refused, no picture could be large enough, or
        the folder holds something else.
      OSError: the weights or the picture cannot be read, or the folder not be written.
    """
    folder = require_replaceable(output)
    graph = GraphTransfer(config)  # without targets at first: what is impossible is found here
    least = graph.least
    if 0 < config.image_size < least:
        raise ValueError(f"image_size={config.image_size}: too small; these layers need {least} or above")
    picture = targets = None
    if isinstance(style, StyleTargets):
        targets = style
    elif style is not None and config.color == "style":
        targets = style_targets(style, config, extractor=graph.extractor)
    elif style is not None:  # its light is matched to each content's
        picture = images.load_image(style, "style")
    if targets is not None:
        graph = GraphTransfer(config, targets)
    module = SignedTransfer(graph) if style is None else SignedStyle(graph, picture, config.iterations)
    layers = list(graph.extractor.output)
    card = {
        "model": "transfer",
        "config": config.to_dict(),
        "layers": layers,
        "minimum_size": least,
        "weights": config.weights,
        "fingerprint": fingerprint(graph.extractor, layers),
        "style": targets.hash if targets is not None else None if picture is None else tensor_hash(picture),
    }
    return save(module, folder, card)


def export_network(
    output,
    network: tf.keras.Model,
    about: Mapping[str, Any] | None = None,
    photograph=None,
    *,
    light: bool = False,
) -> pathlib.Path:
    """Saves a network that paints in one pass, from `training.training.train`; returns the folder.

    Signatures (see `signatures`) take `image`, and `with_style` also `style`, a
    float32 `[1 or B, S]`, and `strength`. But for that one, the first style is
    meant, whole. Weights of styles should add up to 1; a strength from 0 to 1
    blends the picture with the photograph. Parameters are kept in float16.
    `feedforward.loading.load_network` gives the network back. For people, there
    is a page, README.md.

    Args:
      output: as in `export_extractor`, also for errors.
      network: from `transformation_network`.
      about: what else the card is to tell, as JSON types.
      photograph: `[1, H, W, 3]` in [0, 1], which the page shows painted in each style; None: it shows none.
      light: whether the folder is to have the network as an ONNX file, too, by which `tfstyle stylize`
        paints without TensorFlow; see `feedforward.onnx_network`.
    """
    folder = require_replaceable(output)
    network = networks.in_half_precision(network)
    module = SignedNetwork(network)
    card = {
        "model": "network",
        **(about or {}),
        "styles_known": module.styles,
        "layout": networks.layout(network),
        "stored_in": "float16",
        "minimum_size": 1,
        "fingerprint": networks.fingerprint(network),
    }
    previews = {} if photograph is None else _previews(network, style_names(card), photograph)
    save(module, folder, card, lambda new, card: write_page(new, card, previews))
    if light:
        add_light(folder, network)
    return folder


def export_style_network(
    output, network: StyleNetwork, about: Mapping[str, Any] | None = None, *, light: bool = False
) -> pathlib.Path:
    """Saves a network that paints in any style, from `training.training.train_arbitrary`; returns the folder.

    Signatures (see `signatures`) take `image`, `style` and `strength`, a float32 scalar from 0 to
    1. What `tf.saved_model.load` gives also has the functions behind them, in floats:
    `paint(image, style, strength)`, and its two parts, `embed(style)` and
    `restyle(image, embedding, strength)`, for styles that are used often, or mixed. Parameters are
    kept in float16. `feedforward.loading.load_style_network` gives the network back.

    Args:
      output: as in `export_extractor`, also for errors.
      network: from `style_network`.
      about: what else the card is to tell, as JSON types.
      light: as in `export_network`.
    """
    folder = require_replaceable(output)
    network = in_half_precision(network)
    card = {
        "model": "style_network",
        **(about or {}),
        "layout": networks.layout(network.network),
        "stored_in": "float16",
        "minimum_size": 1,
        "fingerprint": networks.fingerprint(network),
    }
    save(SignedStyleNetwork(network), folder, card, write_page)
    if light:
        add_light(folder, network.network, network.predictor)
    return folder


def _previews(network: tf.keras.Model, names: Sequence[str], photograph) -> dict[str, tf.Tensor]:
    """Returns {name: what a network makes of a photograph in that style}."""
    styles = tf.eye(len(names), dtype=network.input["style"].dtype)
    return {
        name: network({"image": tf.convert_to_tensor(photograph), "style": styles[index : index + 1]})
        for index, name in enumerate(names)
    }


def add_light(folder, network: tf.keras.Model, predictor: tf.keras.Model | None = None) -> None:
    """Puts a network's ONNX files into its folder, its style predictor's too, and their hashes into the card.

    Raises:
      OSError: they cannot be written.
    """
    contents = {"onnx": to_onnx(network)}
    if predictor is not None:
        contents["style_onnx"] = predictor_to_onnx(predictor)
    path = pathlib.Path(folder, CARD)
    card = json.loads(path.read_text())
    for key, content in contents.items():
        write_atomically(pathlib.Path(folder, FILES[key]), content)
        card[key] = hashlib.sha256(content).hexdigest()
    write_atomically(path, (json.dumps(card, indent=1) + "\n").encode())


def require_replaceable(output) -> pathlib.Path:
    """Returns a folder's path, above which all is there, and which may be made or replaced.

    Raises:
      ValueError: it holds something that is no export.
      OSError: it is a file, or cannot be written.
    """
    named = f"output={str(output)!r}"
    folder = pathlib.Path(output)
    if folder.exists() and not folder.is_dir():
        raise NotADirectoryError(f"{named}: is a file; name a folder")
    if folder.is_dir() and any(folder.iterdir()) and not _holds_export(folder):
        raise ValueError(f"{named}: holds something that is no export; name another folder, or empty it")
    make_folder(folder.absolute().parent, "output")
    require_writable_folder(folder.absolute().parent, named)
    return folder


def _holds_export(folder: pathlib.Path) -> bool:
    try:
        return "model" in json.loads((folder / CARD).read_text()) and (folder / "saved_model.pb").exists()
    except (OSError, ValueError, TypeError, RecursionError):
        return False


def save(
    module: SignedModule,
    folder: pathlib.Path,
    card: Mapping[str, Any],
    add: Callable[[pathlib.Path, Mapping[str, Any]], None] = lambda new, card: None,
) -> pathlib.Path:
    """Saves beside the folder and renames, so that nobody ever sees half a model.

    Args:
      module: what is saved.
      folder: where to.
      card: what the model is.
      add: writes more into the new folder, from the whole card.
    """
    # Traced here once; TensorFlow would trace functions for itself, once more.
    functions = {name: function.get_concrete_function() for name, function in module.functions().items()}
    card = {
        **card,
        "signatures": {name: _described(function) for name, function in functions.items()},
        "versions": {"tfstyle": __version__, "tensorflow": tf.__version__, "keras": tf.keras.__version__},
        "license": _LICENSE,
    }
    target = folder.resolve()
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=f".{target.name}.", suffix=".part") as work:
        new, old = pathlib.Path(work, "new"), pathlib.Path(work, "old")
        # Nobody differentiates a model once more; it would double what there is to load.
        options = tf.saved_model.SaveOptions(experimental_custom_gradients=False)
        try:
            tf.saved_model.save(module, str(new), signatures=functions, options=options)
        except tf.errors.OpError as error:
            raise OSError(f"output={str(folder)!r}: cannot be written ({error.message})") from None
        (new / CARD).write_text(json.dumps(card, indent=1) + "\n")
        add(new, card)
        require_replaceable(folder)
        if target.exists():
            os.rename(target, old)
        try:
            os.rename(new, target)
        except OSError:
            if old.exists():
                os.rename(old, target)
            raise
    return folder


def _described(concrete) -> dict[str, dict[str, str]]:
    """Returns {inputs, outputs: {name: type and shape}} of a signature."""
    described = {
        "inputs": {spec.name: spec for spec in concrete.structured_input_signature[0]},
        "outputs": concrete.structured_outputs,
    }

    def shown(spec) -> str:
        return f"{spec.dtype.name} [{', '.join('?' if side is None else str(side) for side in spec.shape)}]"

    return {side: {name: shown(spec) for name, spec in specs.items()} for side, specs in described.items()}
