"""Paints pictures with a trained network (see `tfstyle train`): one pass each, in a second or so.

    tfstyle stylize --content=photo.jpg
    tfstyle stylize --content=photo.jpg --style=mosaic:0.7,swirls:0.3 --output=painted.png
    tfstyle stylize --content=photo.jpg --all_styles --output=painted
    tfstyle stylize --content=photos --style=mosaic --output=painted

Sizes stay; pictures too large for the network's memory are painted in strips, with
the same result. Several contents (a folder or a glob) go to the folder --output
under their own names, each with a note of how it was made inside. One that cannot
be read is told and left out, and the exit status is then 1.
"""

import time

from absl import flags

from tfstyle.cli import common as cli
from tfstyle.feedforward import cards, shipped, style_mixing

PLACES = ("content",)


def define_flags():
    flags.DEFINE_string("content", None, "a picture, a folder of pictures, or a glob")
    flags.DEFINE_string("model", None, "folder of the network (default: the one that ships with tfstyle)")
    flags.DEFINE_list(
        "style",
        None,
        "name of a style; several with their shares, as in mosaic:0.7,swirls:0.3; or shares of all styles in"
        " their order (default: the first style); for any style, pictures, as in a.jpg:0.7,b.jpg:0.3",
    )
    flags.DEFINE_bool("all_styles", False, "paint in each of the network's styles, instead of --style")
    flags.DEFINE_float("strength", 1.0, "how much of the painted picture, from 0 (the photograph) to 1")
    flags.DEFINE_string(
        "output",
        None,
        "picture to write; a folder where there are several (default: CONTENT_STYLE.png, here, or -2.png, …)",
    )
    flags.DEFINE_integer(
        "batch_size", 1, "pictures of one size that are painted at once; without a GPU, 1 is as fast"
    )


def main():
    FLAGS = flags.FLAGS
    content = cli.required("content", "a picture, a folder or a glob")
    cli.whole_number("batch_size", FLAGS.batch_size, 1)
    style_mixing.require_strength(FLAGS.strength)
    if FLAGS.all_styles and FLAGS.style is not None:
        raise ValueError("all_styles=true: cannot be given with --style")
    model = shipped.folder() if FLAGS.model is None else FLAGS.model
    card = cards.read_card(model, LOOKS)
    looks = LOOKS[card["model"]](model, card)
    with cli.quiet_tensorflow():
        from tfstyle.batch import stylize_files
        from tfstyle.batch.board import Board

    jobs = stylize_files.plan(content, looks, FLAGS.output)
    board, began = Board(len(jobs) * len(looks)), time.monotonic()
    failed = stylize_files.paint_files(jobs, board, FLAGS.batch_size)
    board.close()
    made = board.counts["made"]
    print(f"{made} picture{'s' * (made != 1)} in {time.monotonic() - began:.1f} s", file=cli.sys.stderr)
    outputs = [output for job in jobs for _, output in job.outputs]
    print(outputs[0] if len(outputs) == 1 else outputs[0].parent)
    if failed:
        raise ValueError(f"{failed} of {len(jobs)} pictures could not be read")


def looks_of_network(model, card: dict) -> list:
    """Returns one look for the styles asked for, or one for each, of a network that has learned them."""
    FLAGS, names = flags.FLAGS, cards.style_names(card)
    if FLAGS.all_styles:
        chosen = [style_mixing.weights_of(name, names) for name in names]
    else:
        style = None if FLAGS.style is None else style_mixing.parse(FLAGS.style, names)
        chosen = [style_mixing.weights_of(style, names)]
    with cli.quiet_tensorflow():
        from tfstyle.batch.stylize_files import Look
        from tfstyle.feedforward.loading import load_network
        from tfstyle.feedforward.painting import Painter

        paint = Painter(load_network(model)[0])
    about = {name: card[name] for name in ("styles", "fingerprint", "versions") if name in card}
    return [
        Look(
            style_mixing.label(weights, names),
            lambda pictures, weights=weights: paint(pictures, weights, FLAGS.strength),
            {"task": "stylize", "model": about, "style": weights, "strength": FLAGS.strength},
            needed_bytes=paint.needed_bytes,
        )
        for weights in chosen
    ]


def looks_of_style_network(model, card: dict) -> list:
    """Returns one look, of the style pictures asked for mixed by their shares."""
    FLAGS = flags.FLAGS
    if FLAGS.all_styles or not FLAGS.style:
        raise ValueError("style: is missing; this network paints in the style of any picture, so name one")
    paths, shares = zip(*(_share(each) for each in FLAGS.style))
    with cli.quiet_tensorflow():
        import tensorflow as tf

        from tfstyle.batch.stylize_files import Look
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
