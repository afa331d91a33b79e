"""Paints pictures with a trained network (see `tfstyle train`): one pass each, in a second or so.

    tfstyle stylize --content=photo.jpg
    tfstyle stylize --content=photo.jpg --style=mosaic:0.7,swirls:0.3 --output=painted.png
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

from absl import flags

from tfstyle.batch import stylize_files
from tfstyle.batch.board import Board
from tfstyle.batch.stylize_files import Look
from tfstyle.cli import common as cli
from tfstyle.feedforward import cards, light_painting, shipped, style_mixing
from tfstyle.feedforward.stroke_size import in_stroke_size
from tfstyle.io import encode
from tfstyle.io.decode import size_of
from tfstyle.io.files import check_outputs, unused
from tfstyle.io.pixels import require_aspect
from tfstyle.runtime import memory

PLACES = ("content",)


def define_flags():
    flags.DEFINE_string("content", None, "a picture, a folder of pictures, or a glob; - is standard input")
    flags.DEFINE_string("model", None, "folder of the network (default: the one that ships with tfstyle)")
    flags.DEFINE_list(
        "style",
        None,
        "name of a style; several with their shares, as in mosaic:0.7,swirls:0.3; or shares of all styles in"
        " their order (default: the first style); for any style, pictures, as in a.jpg:0.7,b.jpg:0.3",
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
    model = shipped.folder() if FLAGS.model is None else FLAGS.model
    card = cards.read_card(model, LOOKS)
    looks = LOOKS[card["model"]](model, card)
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
        require_aspect(finish.mask.shape, size_of(jobs[0].content, "content"), mask)
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


def looks_of_network(model, card: dict) -> list:
    """Returns one look for the styles asked for, or one for each, of a network that has learned them."""
    FLAGS, names = flags.FLAGS, cards.style_names(card)
    if FLAGS.all_styles or FLAGS.sheet:
        chosen = [style_mixing.weights_of(name, names) for name in names]
    else:
        style = None if FLAGS.style is None else style_mixing.parse(FLAGS.style, names)
        chosen = [style_mixing.weights_of(style, names)]
    # The file is for the processor; what TensorFlow paints in strips beside it is to be the same.
    light = None if memory.shows_gpu() else light_painting.light_file(model, card)
    if light:
        filters = cards.first_filters(card)
        paint = light_painting.LightPainter(light, filters, lambda *given: painter(model, "float32")(*given))
    else:
        paint = painter(model)
    stroke_size = cards.stroke_size(card) if FLAGS.stroke_size is None else FLAGS.stroke_size
    sized = in_stroke_size(paint, stroke_size)
    names_of_card = ("styles", "fingerprint", "versions", *(["onnx"] if light else []))
    about = {name: card[name] for name in names_of_card if name in card}
    return [
        Look(
            style_mixing.label(weights, names),
            lambda pictures, weights=weights: sized(pictures, weights, FLAGS.strength),
            {
                "task": "stylize",
                "model": about,
                "style": weights,
                "strength": FLAGS.strength,
                "stroke_size": stroke_size,
            },
            needed_bytes=paint.needed_bytes,
            on_gpu=False if light else None,
        )
        for weights in chosen
    ]


@functools.cache
def painter(model, dtype: str | None = None):
    """Returns the network's painter, once TensorFlow is imported; the dtype is as in `load_network`."""
    with cli.quiet_tensorflow():
        from tfstyle.feedforward.loading import load_network
        from tfstyle.feedforward.painting import Painter

        return Painter(load_network(model, dtype=dtype)[0])


def looks_of_style_network(model, card: dict) -> list:
    """Returns one look, of the style pictures asked for mixed by their shares."""
    FLAGS = flags.FLAGS
    for name in ("all_styles", "sheet"):
        if FLAGS[name].value:
            raise ValueError(f"{name}=true: is for networks of known styles; this one paints in any")
    if not FLAGS.style:
        raise ValueError("style: is missing; this network paints in the style of any picture, so name one")
    paths, shares = zip(*(_share(each) for each in FLAGS.style))
    with cli.quiet_tensorflow():
        import tensorflow as tf

        from tfstyle.feedforward.adain import Moments, mixed
        from tfstyle.io import images
        from tfstyle.runtime.memory_model import RESTYLED

        network = tf.saved_model.load(str(model))
        measured = [Moments(**network.measure(images.load_image(path, "style"))) for path in paths]
    moments = mixed(measured, shares)

    def paint(pictures):
        strength = tf.constant(FLAGS.strength, tf.float32)
        return network.restyle(tf.constant(pictures), *moments, strength).numpy()

    about = {name: card[name] for name in ("fingerprint", "versions") if name in card}
    note = {"task": "stylize", "model": about, "style": dict(zip(paths, shares)), "strength": FLAGS.strength}
    name = "_".join(cli.pathlib.Path(path).stem for path in paths)
    return [Look(name, paint, note, paths, needed_bytes=lambda pixels: RESTYLED * pixels)]


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


# {kind of model, as its card says: what makes its looks}; flags are checked before TensorFlow is imported.
LOOKS = {"network": looks_of_network, "style_network": looks_of_style_network}
