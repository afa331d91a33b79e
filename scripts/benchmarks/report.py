"""What a benchmark leaves behind: results.json, benchmark.md, curves.png."""

import importlib.util
import json
import math
import pathlib
from statistics import median

from benchmarks import looks, running, tables
from benchmarks.comparison import Plan
from benchmarks.contestants import CONTESTANTS, OURS, REFERENCE
from benchmarks.summary import full_size

_UNDRAWN = "curves.png: left out, needs matplotlib: pip install -e '.[benchmark]'."
# One hue a library: blues are tfstyle's, reds PyTorch's, the rest TensorFlow's and Keras' loops.
_STYLES = {
    "tfstyle": ("#08306b", "-", 2.6),
    "tfstyle-coarse-float32": ("#2171b5", (0, (6, 2)), 1.5),
    "tfstyle-one-size": ("#08306b", (0, (4, 1.5)), 1.5),
    "tfstyle-earlier": ("#7f7f7f", "-", 1.5),
    "tfstyle-float32": ("#2171b5", "-", 1.5),
    "tfstyle-bfloat16": ("#4fa3d9", "-", 1.5),
    "tfstyle-adam": ("#4fa3d9", (0, (4, 1.5)), 1.5),
    "torch-lbfgs": ("#b2182b", "-", 2.6),
    "torch-lbfgs-10": ("#e0705a", "-", 1.5),
    "torch-adam": ("#e0705a", (0, (4, 1.5)), 1.5),
    "tf-tutorial": ("#3a8f3a", (0, (4, 1.5)), 1.5),
    "keras-example": ("#8a8a8a", (0, (1, 1.2)), 1.5),
}


def write(folder: pathlib.Path, plan: Plan, results: dict, notes: list[str]) -> str:
    """Writes the three files and returns the tables and what belongs below them, as Markdown."""
    machine = tables.machine()
    write_json(folder / "results.json", {"machine": machine, "plan": vars(plan), **results})
    found = [tables.comparison(results["summary"])] if results["summary"] else []
    found += [tables.marks(results["marks"])] if results["marks"] else []
    found += [looks.markdown(results["looks"])] if results["looks"] else []
    text = "\n\n".join([*found, *_lines(plan, results, machine), *notes])
    page = text
    if results["summary"] and importlib.util.find_spec("matplotlib") is not None:
        title = f"{_sizes(results)[0]} pixels, {machine['processor']}, {machine['cores']} cores"
        of_first_pair = {name: results["runs"][name][:: len(plan.pairs)] for name in results["summary"]}
        draw_curves(folder / "curves.png", of_first_pair, results["summary"], title)
        page = f"{text}\n\n![loss over time](curves.png)"
    elif results["summary"]:
        page = text = f"{text}\n\n{_UNDRAWN}"
    (folder / "benchmark.md").write_text(f"# Benchmark\n\n{page}\n")
    return text


def write_json(path: pathlib.Path, values: dict) -> None:
    """Writes JSON in which what is not finite is null."""
    path.write_text(json.dumps(_finite(values), indent=1, allow_nan=False) + "\n")


def _sizes(results: dict) -> list[str]:
    return list(dict.fromkeys(f"{width} x {height}" for height, width in results["sizes"]))


def _lines(plan: Plan, results: dict, machine: dict) -> list[str]:
    lines = []
    if results["reference_loss"] is not None:
        reference, start = (tables.loss_text(results[name]) for name in ("reference_loss", "start_loss"))
        lines.append(
            f"The reference loss is {reference}: PyTorch's L-BFGS after"
            f" {plan.reference_evaluations} evaluations, from {start} at the start."
        )
    rates = ", ".join(
        f"{rate / 1e9:,.0f} GFLOP/s in {dtype}" for dtype, rate in results["matmul_flops_per_second"].items()
    )
    lines.append(
        f"{', '.join(_sizes(results))} pixels, weights {plan.weights}, median of {plan.repeats}"
        + (f" on each of {len(plan.pairs)} pairs." if plan.pairs[1:] else ".")
        + f" An evaluation is {results['flops_per_evaluation'] / 1e9:,.3g} GFLOP;"
        f" a matrix product runs at {rates}."
    )
    lines.append(tables.machine_line(machine))
    most = max(run["company"] for repeats in results["runs"].values() for run in repeats)
    lines += running.warnings(most)
    if missing := [name for name in (OURS, REFERENCE) if name not in results["summary"]]:
        lines.append(f"time_to_reference_ratio cannot be computed: {' and '.join(missing)} did not run.")
    elif results["reference_loss"] is None:
        lines.append(f"time_to_reference_ratio cannot be computed: {REFERENCE} diverged.")
    elif math.isinf(results["time_to_reference_ratio"]):
        lines.append("time_to_reference_ratio is infinite: tfstyle did not reach the reference loss.")
    return lines


def _finite(value):
    if isinstance(value, dict):
        return {key: _finite(part) for key, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(part) for part in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def draw_curves(path, runs: dict[str, list[dict]], summary: dict, title: str) -> None:
    """Draws a line a contestant, of its repeat of median length, and writes a PNG.

    Args:
      path, title: of the plot.
      runs: {contestant: runs}, of one pair.
      summary: see `summary.summarise`.
    """
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    figure, panels = plt.subplots(1, 2, figsize=(14, 5.2), layout="constrained", sharey=True)
    ends, starts = [], []
    for name in sorted(runs, key=lambda name: (summary[name]["diverged"], summary[name]["final_loss"])):
        run = _typical(runs[name])
        seconds, evaluations, losses = zip(*full_size(run))
        starts.append(losses[0])
        ends += [] if summary[name]["diverged"] else [min(losses)]
        color, dashes, width = _STYLES[name]
        label = CONTESTANTS[name].description + (" (diverged)" if summary[name]["diverged"] else "")
        # Evaluations at a coarse scale cost a fraction of one at full size, and are not counted.
        counted = [evaluation - evaluations[0] + 1 for evaluation in evaluations]
        saved = [loss for _, _, loss in full_size(run, "saved_losses")] if name in (OURS, REFERENCE) else []
        for axes, along in zip(panels, (seconds, counted)):
            own = label if axes is panels[0] else None
            axes.plot(along, losses, color=color, linestyle=dashes, linewidth=width, label=own)
            if saved:
                own = own and "… as saved"
                axes.plot(along, saved, color=color, linestyle=":", linewidth=1.5, label=own)
    for axes, along in zip(panels, ("seconds, with targets and compilation", "evaluations at full size")):
        axes.set_yscale("log")
        # What diverges leaves at the top, instead of flattening all else.
        axes.set_ylim(0.8 * min([*ends, min(starts)]), 1.2 * max(starts))
        axes.set_xlim(left=0)
        axes.set_xlabel(along)
        axes.grid(which="major", color="#dddddd", linewidth=0.8)
        axes.grid(which="minor", color="#eeeeee", linewidth=0.5)
        axes.set_axisbelow(True)
        axes.spines[["top", "right"]].set_visible(False)
    panels[0].set_ylabel("loss (common objective, float32)")
    panels[0].set_title(title, loc="left", fontsize=11)
    figure.legend(loc="outside lower center", ncols=4, frameon=False, fontsize=9)
    figure.savefig(path, dpi=120)
    plt.close(figure)


def _typical(repeats: list[dict]) -> dict:
    """Returns the run whose whole time is nearest to the median."""
    middle = median(run["rows"][-1]["seconds"] for run in repeats)
    return min(repeats, key=lambda run: abs(run["rows"][-1]["seconds"] - middle))
