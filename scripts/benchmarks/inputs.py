"""What all contestants share: pictures, weights, settings; and the objective that judges them all."""

import json
import pathlib
from dataclasses import dataclass, replace

import numpy as np
from PIL import Image

from tfstyle.cli import common as cli
from tfstyle.config import PRESETS, TransferConfig

OBJECTIVE = PRESETS["gatys_code"]


@dataclass(frozen=True)
class Inputs:
    """What a run starts from.

    Attributes:
      content, style: `[1, H, W, 3]` float32 in [0, 1]; the content is the start.
      weights: path of an ``.npz`` of ``block1_conv1/kernel`` …, for `TransferConfig`.
    """

    content: np.ndarray
    style: np.ndarray
    weights: str

    def config(self, preset: str = "", **changes) -> TransferConfig:
        """Returns a preset, by default the common objective's, for these pictures and weights, changed."""
        base = PRESETS[preset] if preset else OBJECTIVE
        return replace(base, weights=self.weights, image_size=0, **changes)


def prepare(folder: str, content: str, style: str, weights: str, image_size: int) -> dict:
    """Writes pictures and weights into a folder, for `load`.

    Returns:
      ``size`` (height, width), ``flops`` of an evaluation, and the common
      objective's ``start_loss``.

    Raises:
      ValueError, OSError: a picture or the weights are not what they should be.
    """
    with cli.quiet_tensorflow():
        import tfstyle
        from tfstyle import vgg
        from tfstyle.vgg.costs import costs

    pictures = {
        argument: _load_fitted(path, argument, image_size)
        for argument, path in (("content", content), ("style", style))
    }
    extractor = tfstyle.feature_extractor(_layers(), weights=weights)
    least = vgg.minimum_size(extractor)
    for argument, picture in pictures.items():
        if min(picture.shape[1:3]) < least:
            raise ValueError(
                f"image_size={image_size}: makes {argument} {picture.shape[2]} x {picture.shape[1]} pixels;"
                f" these layers need at least {least} on each side"
            )
    arrays = {}
    for layer in extractor.layers:
        if values := layer.get_weights():
            arrays[f"{layer.name}/kernel"], arrays[f"{layer.name}/bias"] = values
    np.savez(pathlib.Path(folder, "weights.npz"), **arrays)
    np.savez(pathlib.Path(folder, "pictures.npz"), **{name: p.numpy() for name, p in pictures.items()})
    size = tuple(pictures["content"].shape[1:3])
    loss_of = _loss_of(common_objective(load(folder)))
    return {
        "size": size,
        "flops": costs(extractor, OBJECTIVE.style_layers, size).operations,
        "start_loss": loss_of(pictures["content"]),
    }


def _load_fitted(path: str, argument: str, longer_side: int):
    """Reads a picture and resizes it as neural-style-pt does: 8 bits, Pillow's bilinear filter.

    With tfstyle's own bicubic one, of which more of the fine detail is left,
    losses start a quarter higher, and could not be held against neural-style-pt's.
    """
    from tfstyle.io import encode, images

    picture = Image.fromarray(encode.to_uint8(images.load_image(path, argument)))
    height, width = images.fitted_size(picture.height, picture.width, longer_side)
    return images.load_image(picture.resize((width, height), Image.Resampling.BILINEAR))


def load(folder: str) -> Inputs:
    """Returns what `prepare` wrote, without importing TensorFlow."""
    with np.load(pathlib.Path(folder, "pictures.npz")) as pictures:
        return Inputs(pictures["content"], pictures["style"], str(pathlib.Path(folder, "weights.npz")))


def require_keras() -> None:
    """Imports TensorFlow and Keras, which TensorFlow would import when it is first used."""
    with cli.quiet_tensorflow():
        import tensorflow as tf

    tf.keras.Model  # noqa: B018


def common_objective(inputs: Inputs):
    """Returns the preset's objective, content and style of five layers, in float32 throughout."""
    import tensorflow as tf

    import tfstyle
    from tfstyle.losses.measuring import targets_of
    from tfstyle.losses.regions import everywhere
    from tfstyle.losses.style import style_terms
    from tfstyle.losses.terms import content_terms
    from tfstyle.synthesis.objective import Objective

    extractor = tfstyle.feature_extractor(_layers(), weights=inputs.weights)
    content, style = tf.constant(inputs.content), tf.constant(inputs.style)
    layers, units = OBJECTIVE.content_layers, OBJECTIVE.units
    terms = content_terms(extractor, content, layers, weight=OBJECTIVE.content_weight, units=units)
    layers, weight = OBJECTIVE.style_layers, OBJECTIVE.style_weight
    size = tuple(content.shape[1:3])
    targets = targets_of(extractor, everywhere(style), layers, "gram")
    terms += style_terms(extractor, targets, layers, size=size, weight=weight, units=units)
    return Objective(extractor, terms)


def _layers() -> list[str]:
    return list(dict.fromkeys((*OBJECTIVE.content_layers, *OBJECTIVE.style_layers)))


def judge(inputs_folder: str, run_folder: str) -> dict:
    """Computes the common objective of a run's pictures.

    Returns:
      ``losses``, one a picture, and ``saved_losses``, of the picture that one would
      find in its file; null where it is not of the content's size (a coarse scale's).
    """
    with cli.quiet_tensorflow():
        import tensorflow as tf

    inputs = load(inputs_folder)
    loss_of = _loss_of(common_objective(inputs))
    losses, saved_losses = [], []
    for index in range(len(json.loads(pathlib.Path(run_folder, "rows.json").read_text()))):
        picture = np.load(pathlib.Path(run_folder, f"{index}.npy"))
        full_size = picture.shape == inputs.content.shape
        losses.append(loss_of(tf.constant(picture)) if full_size else None)
        saved_losses.append(loss_of(as_saved(picture)) if full_size else None)
    return {"losses": losses, "saved_losses": saved_losses}


def as_saved(picture):
    """Returns a picture as its file has it: clipped to [0, 1], and rounded to 8 bits."""
    from tfstyle.io import encode, images

    return images.load_image(encode.to_uint8(picture))


def _loss_of(objective):
    return lambda picture: float(sum(objective.weighted(objective.losses(picture)).values())[0])
