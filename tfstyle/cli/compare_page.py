"""What `tfstyle compare` leaves behind: comparisons.json, comparisons.md, pictures.jpg, curves.png."""

import importlib.util
import json

import numpy as np
from PIL import Image

from tfstyle.io import sheets
from tfstyle.io.sheets import Panel

PICTURES = ("pictures.jpg", "curves.png")


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
    axes.set(
        xscale="log",
        xlabel="steps of L-BFGS from the photograph",
        ylabel="objective / that of the photograph",
    )
    axes.set_ylim(bottom=0)
    axes.legend(frameon=False)
    return figure
