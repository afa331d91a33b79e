"""Compares a network of `tfstyle train` with the optimisation, on photographs that it has not seen.

    tfstyle compare --photos=held_out --styles=a.jpg,b.jpg --model=saved_models/styles

The value of the objective that the network was trained to is measured for its
pictures and for those of an optimisation after --steps (Johnson et al. 2016,
figure 5). --styles are the pictures that it was trained on, in its order; they
take turns over the photographs. Written are comparisons.md, comparisons.json, a
sheet of pictures and, where matplotlib is installed, the curves.
"""

import importlib.util
import json
import sys

import numpy as np
from absl import flags
from PIL import Image

from tfstyle.cli import common as cli
from tfstyle.feedforward import cards
from tfstyle.io import encode, sheets
from tfstyle.io.files import check_outputs, make_folder, unused, write_atomically
from tfstyle.io.sheets import Panel

FLAGS = flags.FLAGS
PICTURES = ("pictures.jpg", "curves.png")


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
        from tfstyle.config import TransferConfig
        from tfstyle.feedforward.loading import load_network
        from tfstyle.feedforward.painting import Painter
        from tfstyle.feedforward.style_mixing import weights_of
        from tfstyle.io.store import find_pictures
        from tfstyle.reporting import ConsoleReporter
        from tfstyle.training import comparison, own_losses

        photographs = find_pictures(photos)[1][: FLAGS.limit]
        folder = make_folder(FLAGS.output or unused(cli.pathlib.Path("out/stylizer")), "output")
        given = [("photos", path) for path in photographs] + [("styles", path) for path in paths]
        check_outputs([folder / name for name in PICTURES], given)
        if not {"config", "weights_of_terms"} <= set(card):
            raise ValueError(f"model={model!r}: its card does not say what it was trained to")
        config = TransferConfig(**card["config"])
        trained_to = card["weights_of_terms"]  # also losses of the network's own, no terms of a transfer
        weights = {name: value for name, value in trained_to.items() if name not in own_losses.NAMES}
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
        weights,
        size=FLAGS.size,
        steps=steps,
        reporters=[ConsoleReporter()],
        watch=watch,
    )
    found = comparison.summary(comparisons, steps)
    write_page(folder, cli.pathlib.Path(model).name, names, comparisons, found, steps, FLAGS.size)
    print(table(found, steps), file=sys.stderr)
    print(folder)


def write_page(folder, model, names, comparisons, found, steps, size) -> None:
    """Writes the page of a comparison and its pictures into a folder."""
    records = [each.to_dict() | {"style": names[each.style]} for each in comparisons]
    content = {"model": model, "size": size, "summary": found, "comparisons": records}
    write_atomically(folder / "comparisons.json", (json.dumps(content, indent=1) + "\n").encode())
    pictures = sheet(comparisons[:6], names, steps)
    encode.write_drawing(folder / "pictures.jpg", pictures, quality=88, optimize=True)
    drawn = importlib.util.find_spec("matplotlib") is not None
    if drawn:
        curves(comparisons, steps).savefig(folder / "curves.png", dpi=110)
    lines = [f"# {model}: {len(comparisons)} photographs, {size} px", "", table(found, steps), ""]
    left_out = "curves.png: left out, needs matplotlib: pip install matplotlib"
    lines += ["![pictures](pictures.jpg)", "", "![curves](curves.png)" if drawn else left_out]
    write_atomically(folder / "comparisons.md", ("\n".join(lines) + "\n").encode())


def table(found, steps) -> str:
    """Returns the summary in Markdown."""
    head = ["the photograph", "network", *(f"{step} steps" for step in steps)]
    values = [1.0, found["network"], *(found[f"{step} steps"] for step in steps)]
    rows = [
        f"| value of the objective | {' | '.join(head)} |",
        "|---|" + "---|" * len(head),
        f"| median share | {' | '.join(f'{value:.3f}' for value in values)} |",
        "",
        f"The network is where the optimisation is after {_shown(found['equal_steps'])};"
        f" a picture takes {found['network_seconds']:.2f} s, a step {found['step_seconds']:.2f} s"
        + (
            f", and so it is {found['times_as_fast']:.1f} times as fast." if "times_as_fast" in found else "."
        ),
    ]
    return "\n".join(rows)


def _shown(steps) -> str:
    return "more steps than were made" if steps is None else f"{steps:.1f} steps"


def sheet(comparisons, names, steps) -> Image.Image:
    """Returns photographs, one in each row, and what became of them."""
    kinds = ["photograph", "network", *steps]

    def panel(each, kind) -> Panel:
        if kind == "photograph":
            label = names[each.style]
        else:
            label = kind if kind == "network" else f"{kind} steps"
            label += f", {each.share(None if kind == 'network' else kind):.2f}"
        return Panel(Image.fromarray(each.pictures[kind]), label)

    rows = [[panel(each, kind) for kind in kinds] for each in comparisons if set(kinds) <= set(each.pictures)]
    width = max(panel.picture.width for panels in rows for panel in panels)
    return sheets.stacked([sheets.row(panels, width) for panels in rows])


def curves(comparisons, steps):
    """Returns a figure: the optimisation's shares over its steps, each photograph's and their median."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6.4, 3.6), layout="constrained")
    axes = figure.add_subplot()
    marks = sorted(step for step in comparisons[0].optimisation if step <= max(steps))
    shares = np.array(
        [[each.optimisation.get(s, np.nan) / each.start for s in marks] for each in comparisons]
    )
    axes.plot(marks, shares.T, color="0.8", linewidth=0.8)
    axes.plot(marks, np.nanmedian(shares, axis=0), color="C0", label="optimisation, median")
    level = float(np.median([each.share() for each in comparisons]))
    axes.axhline(level, color="C3", label="network, one pass, median")
    axes.set(xscale="log", xlabel="steps of L-BFGS from the photograph", ylabel="objective / photograph's")
    axes.set_ylim(bottom=0)
    axes.legend(frameon=False)
    return figure
