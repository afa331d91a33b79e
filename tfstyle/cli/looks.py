"""What commands that paint with trained networks share: which network, which style, and how it is painted."""

import functools
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from absl import flags

from tfstyle.batch import stylize_files
from tfstyle.batch.stylize_files import Look
from tfstyle.cli import common as cli
from tfstyle.feedforward import cards, style_mixing
from tfstyle.feedforward.onnx_network import LightPainter, embedded, light_file
from tfstyle.feedforward.sizes import in_stroke_size, painted_pixels
from tfstyle.runtime import memory


def define_flags():
    flags.DEFINE_string(
        "model", None, "folder of the network (default: that of tfstyle for known styles, or for any)"
    )
    flags.DEFINE_list(
        "style",
        None,
        "name of a style; several with their shares, as in mosaic:0.7,swirls:0.3; or shares of all styles in"
        " their order (default: the first style); or pictures of styles that no network has learned, as in"
        " a.jpg:0.7,b.jpg:0.3",
    )
    flags.DEFINE_float("strength", 1.0, "how much of the painted picture, from 0 (the photograph) to 1")
    flags.DEFINE_integer(
        "stroke_size",
        None,
        "longer side in pixels that larger pictures are painted at, before they are enlarged and get their"
        " detail back, so that strokes grow with them; 0: they stay as they are (default: that of the"
        " styles in training)",
    )
    flags.DEFINE_enum(
        "color", "style", stylize_files.COLORS, "colours of the style, or those of the content with its light"
    )
    flags.DEFINE_string(
        "mask", None, "picture that is white where the style goes and black where the photograph stays"
    )


def folder_of_model():
    """Returns the network's folder: --model or, as --style says, tfstyle's for known styles or for any."""
    FLAGS = flags.FLAGS
    if FLAGS.model is not None:
        return FLAGS.model
    known = cards.shipped()
    names = cards.style_names(cards.read_card(known))
    for given in FLAGS.style or ():
        path = cli.pathlib.Path(_share(given)[0])
        if str(path) not in names and (path.is_file() or (path.suffix and path.stem not in names)):
            return cards.shipped(cards.ANY_STYLE)
    return known


class Chosen(NamedTuple):
    """A style that was asked for.

    Attributes:
      name: for file names.
      weights: what the network takes for its style.
      note: what it is, as JSON types.
      files: that it was read from.
    """

    name: str
    weights: list[float]
    note: Any
    files: Sequence[str] = ()


def looks_of(model, strength: float, *, every: str = "") -> list[Look]:
    """Returns one look for the styles asked for, or one for each of a network's.

    Args:
      model: folder of the network.
      strength: how much of the painted picture.
      every: the flag that asks for each style; '': none does.
    """
    FLAGS, card = flags.FLAGS, cards.read_card(model, cards.KINDS)
    # The files are for the processor; what TensorFlow paints in strips beside them is to be the same.
    light = None if memory.shows_gpu() else light_file(model, card)
    chosen = _CHOOSE[card["model"]](model, card, light=light is not None, every=every)
    if light:
        filters = cards.first_filters(card)
        paint = LightPainter(light, filters, lambda *given: painter(model, "float32")(*given))
    else:
        paint = painter(model)
    stroke_size = cards.stroke_size(card) if FLAGS.stroke_size is None else FLAGS.stroke_size
    sized = in_stroke_size(paint, stroke_size)
    names_of_card = ["fingerprint", "versions"]
    if card["model"] == "network":  # of one for any style, these are a thousand that it was trained on
        names_of_card.insert(0, "styles")
    if light:
        names_of_card.append("onnx")
    about = {name: card[name] for name in names_of_card if name in card}
    return [
        Look(
            style.name,
            lambda pictures, weights=style.weights: sized(pictures, weights, strength),
            {
                "task": "stylize",
                "model": about,
                "style": style.note,
                "strength": strength,
                "stroke_size": stroke_size,
            },
            style.files,
            needed_bytes=lambda pixels: paint.needed_bytes(painted_pixels(pixels, stroke_size)),
            on_gpu=False if light else None,
        )
        for style in chosen
    ]


def known_styles(model, card: dict, *, light: bool, every: str) -> list[Chosen]:
    """Returns the styles asked for of a network that has learned some."""
    FLAGS, names = flags.FLAGS, cards.style_names(card)
    if every:
        chosen = [style_mixing.weights_of(name, names) for name in names]
    else:
        style = None if FLAGS.style is None else style_mixing.parse(FLAGS.style, names)
        chosen = [style_mixing.weights_of(style, names)]
    return [Chosen(style_mixing.label(weights, names), weights, weights) for weights in chosen]


def style_of_pictures(model, card: dict, *, light: bool, every: str) -> list[Chosen]:
    """Returns the style of the pictures asked for, mixed by their shares, for a network for any style."""
    FLAGS = flags.FLAGS
    if every:
        raise ValueError(f"{every}=true: is for networks of known styles; this one paints in any")
    if not FLAGS.style:
        raise ValueError("style: is missing; this network paints in the style of any picture, so name one")
    paths, shares = zip(*(_share(each) for each in FLAGS.style))
    pictures = [cards.style_picture(path, card) for path in paths]
    file = light_file(model, card, "style_onnx") if light else None
    if file:
        embeddings = [embedded(file, picture) for picture in pictures]
    else:
        network = style_network(model)
        embeddings = [network.embedding(picture).numpy()[0] for picture in pictures]
    weights = np.average(np.stack(embeddings), axis=0, weights=shares).tolist()
    name = "_".join(cli.pathlib.Path(path).stem for path in paths)
    return [Chosen(name, weights, list(zip(paths, shares)), paths)]


_CHOOSE = {"network": known_styles, "style_network": style_of_pictures}  # by the kind that a card says


@functools.cache
def painter(model, dtype: str | None = None):
    """Returns the painter of a network of either kind; the dtype is as in `load_network`."""
    with cli.quiet_tensorflow():
        from tfstyle.feedforward.loading import load_network
        from tfstyle.feedforward.painting import Painter

        if cards.read_card(model, cards.KINDS)["model"] == "style_network":
            return Painter(style_network(model, dtype).network)
        return Painter(load_network(model, dtype=dtype)[0])


@functools.cache
def style_network(model, dtype: str | None = None):
    """Returns a network for any style; the dtype is as in `load_network`."""
    with cli.quiet_tensorflow():
        from tfstyle.feedforward.loading import load_style_network

        return load_style_network(model, dtype=dtype)[0]


def _share(given: str) -> tuple[str, float]:
    """Returns the picture and the share of picture.jpg:0.7; 1 where there is none."""
    path, colon, share = given.rpartition(":")
    if not colon:
        return given, 1.0
    try:
        value = float(share)
    except ValueError:
        return given, 1.0  # a name with a colon in it
    if not 0 < value < float("inf"):
        raise ValueError(f"style={given}: a share must be above 0")
    return path, value
