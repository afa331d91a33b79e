"""Paints pictures with a trained network (see `tfstyle train`): one pass each, in a second or so.

    tfstyle stylize --content=photo.jpg
    tfstyle stylize --content=photo.jpg --style=mosaic:0.7,swirls:0.3 --output=painted.png
    tfstyle stylize --content=photo.jpg --style=any_painting.jpg
    tfstyle stylize --content=photo.jpg --all_styles --output=painted
    tfstyle stylize --content=photos --style=mosaic --output=painted
    tfstyle stylize --content=photo.jpg --sheet

Sizes stay; pictures too large for the network's memory are painted in strips, with
the same result. Several contents (a folder or a glob) go to the folder --output
under their own names, each with a note of how it was made inside. One that cannot
be read is told and left out, and the exit status is then 1.
"""

import functools
import json
import tempfile
import time
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from absl import flags

from tfstyle.batch import stylize_files
from tfstyle.batch.board import Board
from tfstyle.batch.stylize_files import Look
from tfstyle.cli import common as cli
from tfstyle.feedforward import cards, light_painting, shipped, style_mixing
from tfstyle.feedforward.onnx_network import embedded
from tfstyle.feedforward.stroke_size import in_stroke_size
from tfstyle.io import decode, encode
from tfstyle.io.files import check_outputs, unused
from tfstyle.io.pixels import fitted, require_aspect
from tfstyle.runtime import memory

PLACES = ("content",)


def define_flags():
    flags.DEFINE_string("content", None, "a picture, a folder of pictures, or a glob; - is standard input")
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
    flags.DEFINE_bool("all_styles", False, "paint in each of the network's styles, instead of --style")
    flags.DEFINE_bool(
        "sheet", False, "write one picture that shows the content, small, in each of the styles"
    )
    flags.DEFINE_float("strength", 1.0, "how much of the painted picture, from 0 (the photograph) to 1")
    flags.DEFINE_integer(
        "stroke_size",
        None,
        "longer side in pixels up to which a picture is painted at once; a larger one is painted at that size"
        " first, so that strokes grow with it; 0: strokes stay as they are (default: that of the styles in"
        " training)",
    )
    flags.DEFINE_enum(
        "color", "style", stylize_files.COLORS, "colours of the style, or those of the content with its light"
    )
    flags.DEFINE_string(
        "mask", None, "picture that is white where the style goes and black where the photograph stays"
    )
    flags.DEFINE_bool("json", False, "print a line of JSON for each picture, instead of where they are")
    flags.DEFINE_string(
        "output",
        None,
        "picture to write; a folder where there are several (default: CONTENT_STYLE.png, here, or -2.png, …);"
        " - is standard output, a PNG",
    )
    flags.DEFINE_integer(
        "batch_size", 1, "pictures of one size that are painted at once, on a GPU; elsewhere 1 is as fast"
    )


def main():
    FLAGS = flags.FLAGS
    content = cli.required("content", "a picture, a folder or a glob")
    cli.whole_number("batch_size", FLAGS.batch_size, 1)
    style_mixing.require_strength(FLAGS.strength)
    refuse_together("all_styles", "style")
    refuse_together("sheet", "style", "mask", "json", color=FLAGS.color != "style")
    if FLAGS.output == "-" and FLAGS.json:
        raise ValueError("json=true: cannot be given with --output=-, for the picture goes there")
    finish = stylize_files.Finish.of(FLAGS.color, FLAGS.mask)
    model = folder_of_model()
    looks = looks_of(model, cards.read_card(model, cards.KINDS))
    with tempfile.TemporaryDirectory() as folder:
        name = ""
        if content == "-":
            name, content = "-", str(cli.pathlib.Path(folder, "stdin"))
            cli.pathlib.Path(content).write_bytes(cli.sys.stdin.buffer.read())
        if FLAGS.output != "-":
            make(content, name, looks, finish, FLAGS.output)
            return
        written = cli.pathlib.Path(folder, "stdout.png")
        make(content, name, looks, finish, str(written))
        cli.sys.stdout.buffer.write(written.read_bytes())


def refuse_together(flag: str, *others: str, **given: bool) -> None:
    """Refuses a flag that is on, together with others that were given, or that are as said."""
    FLAGS = flags.FLAGS
    given = {**{name: bool(FLAGS[name].value) for name in others}, **given}
    if FLAGS[flag].value and (wrong := [name for name, there in given.items() if there]):
        raise ValueError(f"{flag}=true: cannot be given with --{wrong[0]}")


def make(content: str, name: str, looks: list, finish: stylize_files.Finish, output: str | None) -> None:
    """Paints what the flags ask for, and tells where it is."""
    FLAGS = flags.FLAGS
    if FLAGS.sheet:
        default = unused(cli.pathlib.Path(f"{cli.pathlib.Path(content).stem}_styles.png"))
        path = default if output is None else cli.pathlib.Path(output)
        encode.check_writable(path, inputs=[("content", content)])
        encode.write_drawing(path, stylize_files.draw_looks(content, looks), optimize=True)
        tell_where(path)
        return
    jobs = stylize_files.plan(content, looks, output, name)
    outputs = [output for job in jobs for _, output in job.outputs]
    if FLAGS.output == "-" and outputs != [cli.pathlib.Path(output)]:
        raise ValueError("output='-': is for one content, named by itself, in one style; name a folder")
    if finish.mask is not None:
        mask = f"mask={FLAGS.mask!r}"
        if len(jobs) > 1:
            raise ValueError(f"{mask}: is for one content, not for {len(jobs)}")
        check_outputs(outputs, [("mask", FLAGS.mask)])
        require_aspect(finish.mask.shape, decode.size_of(jobs[0].content, "content"), mask)
    board, began = Board(len(jobs) * len(looks)), time.monotonic()
    tell = (lambda record: print(json.dumps(record), flush=True)) if FLAGS.json else lambda record: None
    failed = stylize_files.paint_files(jobs, board, FLAGS.batch_size, finish, tell)
    board.close()
    made = board.counts["made"]
    print(f"{made} picture{'s' * (made != 1)} in {time.monotonic() - began:.1f} s", file=cli.sys.stderr)
    tell_where(outputs[0] if len(outputs) == 1 else outputs[0].parent)
    if failed:
        raise ValueError(f"{failed} of {len(jobs)} pictures could not be read")


def tell_where(path) -> None:
    """Prints a path, unless something else goes to standard output."""
    if flags.FLAGS.output != "-" and not flags.FLAGS.json:
        print(path)


def folder_of_model():
    """Returns the network's folder: --model or, as --style says, tfstyle's for known styles or for any."""
    FLAGS = flags.FLAGS
    if FLAGS.model is not None:
        return FLAGS.model
    known = shipped.folder()
    names = cards.style_names(cards.read_card(known))
    for given in FLAGS.style or ():
        path = cli.pathlib.Path(_share(given)[0])
        if str(path) not in names and (path.is_file() or (path.suffix and path.stem not in names)):
            return shipped.folder(shipped.ANY_STYLE)
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


def looks_of(model, card: dict) -> list[Look]:
    """Returns one look for the styles asked for, or one for each of a network's."""
    FLAGS = flags.FLAGS
    # The files are for the processor; what TensorFlow paints in strips beside them is to be the same.
    light = None if memory.shows_gpu() else light_painting.light_file(model, card)
    chosen = _CHOOSE[card["model"]](model, card, light is not None)
    if light:
        filters = cards.first_filters(card)
        paint = light_painting.LightPainter(light, filters, lambda *given: painter(model, "float32")(*given))
    else:
        paint = painter(model)
    stroke_size = cards.stroke_size(card) if FLAGS.stroke_size is None else FLAGS.stroke_size
    sized = in_stroke_size(paint, stroke_size)
    names_of_card = ("styles", "fingerprint", "versions", *(["onnx"] if light else []))
    if card["model"] == "style_network":
        names_of_card = names_of_card[1:]  # the pictures that it was trained on are a thousand
    about = {name: card[name] for name in names_of_card if name in card}
    return [
        Look(
            style.name,
            lambda pictures, weights=style.weights: sized(pictures, weights, FLAGS.strength),
            {
                "task": "stylize",
                "model": about,
                "style": style.note,
                "strength": FLAGS.strength,
                "stroke_size": stroke_size,
            },
            style.files,
            needed_bytes=paint.needed_bytes,
            on_gpu=False if light else None,
        )
        for style in chosen
    ]


def known_styles(model, card: dict, light: bool) -> list[Chosen]:
    """Returns the styles asked for of a network that has learned some."""
    FLAGS, names = flags.FLAGS, cards.style_names(card)
    if FLAGS.all_styles or FLAGS.sheet:
        chosen = [style_mixing.weights_of(name, names) for name in names]
    else:
        style = None if FLAGS.style is None else style_mixing.parse(FLAGS.style, names)
        chosen = [style_mixing.weights_of(style, names)]
    return [Chosen(style_mixing.label(weights, names), weights, weights) for weights in chosen]


def style_of_pictures(model, card: dict, light: bool) -> list[Chosen]:
    """Returns the style of the pictures asked for, mixed by their shares, for a network for any style."""
    FLAGS = flags.FLAGS
    for name in ("all_styles", "sheet"):
        if FLAGS[name].value:
            raise ValueError(f"{name}=true: is for networks of known styles; this one paints in any")
    if not FLAGS.style:
        raise ValueError("style: is missing; this network paints in the style of any picture, so name one")
    paths, shares = zip(*(_share(each) for each in FLAGS.style))
    size = cards.stroke_size(card)
    pictures = [fitted(decode.decode(path, "style")[0], size) for path in paths]
    file = light_painting.light_file(model, card, "style_onnx") if light else None
    if file:
        embeddings = [embedded(file, picture[np.newaxis]) for picture in pictures]
    else:
        network = style_network(model)
        embeddings = [network.embedding(picture[np.newaxis]).numpy()[0] for picture in pictures]
    weights = np.average(np.stack(embeddings), axis=0, weights=shares).tolist()
    name = "_".join(cli.pathlib.Path(path).stem for path in paths)
    return [Chosen(name, weights, dict(zip(paths, shares)), paths)]


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
