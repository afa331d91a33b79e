"""Compares a network of `tfstyle train` with the optimisation, on photographs that it has not seen.

    tfstyle compare --photos=held_out --styles=a.jpg,b.jpg --model=saved_models/styles

The value of the objective that the network was trained to is measured for its
pictures and for those of an optimisation after --steps (Johnson et al. 2016,
figure 5). --styles are the pictures that it was trained on, in its order; they
take turns over the photographs. Written are comparisons.md, comparisons.json, a
sheet of pictures and, where matplotlib is installed, the curves.
"""

import sys

from absl import flags

from tfstyle.cli import common as cli
from tfstyle.feedforward import cards

FLAGS = flags.FLAGS


def define_flags():
    flags.DEFINE_string("model", None, "folder of the network")
    flags.DEFINE_string("photos", None, "folder of photographs that the network was not trained on")
    flags.DEFINE_list("styles", None, "the style pictures that it was trained on, in its order")
    flags.DEFINE_integer("limit", 20, "most photographs to look at")
    flags.DEFINE_integer("size", 256, "longer side of the photographs in pixels")
    flags.DEFINE_list("steps", ["50", "100", "300"], "steps of the optimisation to compare with")
    flags.DEFINE_string("output", None, "folder to write into (default: out/stylizer, or out/stylizer-2, …)")


def main():
    model, photos, paths = cli.all_required(
        model="the folder of a network",
        photos="a folder of photographs",
        styles="the style pictures of the network",
    )
    for name, least in (("limit", 1), ("size", 16)):
        cli.whole_number(name, FLAGS[name].value, least)
    try:
        steps = tuple(int(step) for step in FLAGS.steps)
    except ValueError:
        raise ValueError(
            f"steps={','.join(FLAGS.steps)}: must be whole numbers, such as 50,100,300"
        ) from None
    card = cards.read_card(model)
    names = cards.style_names(card)
    if len(paths) != len(names):
        raise ValueError(f"styles: {len(paths)} pictures; the network has {len(names)}: {', '.join(names)}")
    with cli.quiet_tensorflow():
        from tfstyle.cli import compare_page
        from tfstyle.config import TransferConfig
        from tfstyle.feedforward.loading import load_network
        from tfstyle.feedforward.painting import Painter
        from tfstyle.feedforward.style_mixing import weights_of
        from tfstyle.io.files import check_outputs, make_folder, unused
        from tfstyle.io.store import find_pictures
        from tfstyle.training import comparison

        photographs = find_pictures(photos)[1][: FLAGS.limit]
        folder = make_folder(FLAGS.output or unused(cli.pathlib.Path("out/stylizer")), "output")
        given = [("photos", path) for path in photographs] + [("styles", path) for path in paths]
        check_outputs([folder / name for name in compare_page.PICTURES], given)
        if not {"config", "weights_of_terms"} <= set(card):
            raise ValueError(f"model={model!r}: its card does not say what it was trained to")
        config = TransferConfig(**card["config"])
        painter = Painter(load_network(model)[0])
    done = []

    def watch(each) -> None:
        done.append(each)
        equal = each.equal_steps
        print(
            f"{len(done)}/{len(photographs)}  {cli.pathlib.Path(each.photograph).name}, {names[each.style]}:"
            f" network {each.share():.3f}, "
            + ", ".join(f"{step} steps {each.share(step):.3f}" for step in steps)
            + f"; as after {equal:.1f} steps",
            file=sys.stderr,
            flush=True,
        )

    comparisons = comparison.compare(
        lambda picture, style: painter(picture.numpy(), weights_of(style, names)),
        photographs,
        paths,
        config,
        card["weights_of_terms"],
        size=FLAGS.size,
        steps=steps,
        watch=watch,
    )
    found = comparison.summary(comparisons, steps)
    compare_page.write(folder, cli.pathlib.Path(model).name, names, comparisons, found, steps, FLAGS.size)
    print(compare_page.table(found, steps), file=sys.stderr)
    print(folder)
