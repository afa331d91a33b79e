"""What `tfstyle compare` leaves behind: comparisons.json, comparisons.md, pictures.jpg, curves.png."""

import importlib.util
import json

import numpy as np
from PIL import Image, ImageDraw, ImageFont

PICTURES = ("pictures.jpg", "curves.png")
_INK, _PAPER = (32, 32, 32), (255, 255, 255)
_LINE = 22  # height of a line of type in pixels


def write(folder, model, names, comparisons, found, steps, size) -> None:
    """Writes the page of a comparison and its pictures into a folder."""
    records = [each.to_dict() | {"style": names[each.style]} for each in comparisons]
    content = {"model": model, "size": size, "summary": found, "comparisons": records}
    (folder / "comparisons.json").write_text(json.dumps(content, indent=1) + "\n")
    sheet(comparisons[:6], names, steps).save(folder / "pictures.jpg", quality=88, optimize=True)
    drawn = importlib.util.find_spec("matplotlib") is not None
    if drawn:
        curves(comparisons, steps).savefig(folder / "curves.png", dpi=110)
    lines = [f"# {model}: {len(comparisons)} photographs, {size} px", "", table(found, steps), ""]
    lines += ["![pictures](pictures.jpg)", ""]
    lines += [
        "![curves](curves.png)" if drawn else "curves.png: left out, needs matplotlib: pip install matplotlib"
    ]
    (folder / "comparisons.md").write_text("\n".join(lines) + "\n")


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
    cell = max(max(each.pictures["photograph"].shape[:2]) for each in comparisons)
    font = ImageFont.load_default(15)
    rows = [each for each in comparisons if set(kinds) <= set(each.pictures)]
    height = sum(each.pictures["photograph"].shape[0] + _LINE for each in rows)
    picture = Image.new("RGB", (len(kinds) * (cell + 6) - 6, height), _PAPER)
    draw, top = ImageDraw.Draw(picture), 0
    for each in rows:
        for column, kind in enumerate(kinds):
            label = {"photograph": names[each.style]}.get(kind, f"{kind} steps" if kind in steps else kind)
            if kind != "photograph":
                label += f", {each.share(None if kind == 'network' else kind):.2f}"
            draw.text((column * (cell + 6), top + 2), label, _INK, font)
            picture.paste(Image.fromarray(each.pictures[kind]), (column * (cell + 6), top + _LINE))
        top += each.pictures["photograph"].shape[0] + _LINE
    return picture


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
    axes.set(
        xscale="log",
        xlabel="steps of L-BFGS from the photograph",
        ylabel="objective / that of the photograph",
    )
    axes.set_ylim(bottom=0)
    axes.legend(frameon=False)
    return figure
