"""Losses over seconds and evaluations as a picture."""

from statistics import median

from benchmarks.contestants import CONTESTANTS, OURS, REFERENCE
from benchmarks.summary import full_size

# One hue a library: blues are tfstyle's, reds PyTorch's, the rest TensorFlow's and Keras' loops.
_STYLES = {
    "tfstyle": ("#08306b", "-", 2.6),
    "tfstyle-coarse-float32": ("#2171b5", (0, (6, 2)), 1.5),
    "tfstyle-one-size": ("#08306b", (0, (4, 1.5)), 1.5),
    "tfstyle-float32": ("#2171b5", "-", 1.5),
    "tfstyle-bfloat16": ("#4fa3d9", "-", 1.5),
    "tfstyle-adam": ("#4fa3d9", (0, (4, 1.5)), 1.5),
    "torch-lbfgs": ("#b2182b", "-", 2.6),
    "torch-lbfgs-10": ("#e0705a", "-", 1.5),
    "torch-adam": ("#e0705a", (0, (4, 1.5)), 1.5),
    "tf-tutorial": ("#3a8f3a", (0, (4, 1.5)), 1.5),
    "keras-example": ("#8a8a8a", (0, (1, 1.2)), 1.5),
}


def draw(path, runs: dict[str, list[dict]], summary: dict, title: str) -> None:
    """Draws a line a contestant, of its repeat of median length, and writes a PNG.

    Args:
      path: to write.
      runs: {contestant: runs}, of one pair.
      summary: see `summary.summarise`.
      title: above the plot.
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
