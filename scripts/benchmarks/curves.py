"""Losses over time as a picture."""

from statistics import median

from benchmarks.contestants import CONTESTANTS, OURS, REFERENCE
from benchmarks.summary import full_size
from benchmarks.tables import loss_text

# One hue a library: blues are tfstyle's, reds PyTorch's, the rest TensorFlow's and Keras' loops.
_STYLES = {
    "tfstyle": ("#08306b", "-", 2.6),
    "tfstyle-float32": ("#2171b5", "-", 1.5),
    "tfstyle-bfloat16": ("#4fa3d9", "-", 1.5),
    "tfstyle-adam": ("#4fa3d9", (0, (4, 1.5)), 1.5),
    "torch-lbfgs": ("#b2182b", "-", 2.6),
    "torch-lbfgs-10": ("#e0705a", "-", 1.5),
    "torch-adam": ("#e0705a", (0, (4, 1.5)), 1.5),
    "tf-tutorial": ("#3a8f3a", (0, (4, 1.5)), 1.5),
    "keras-example": ("#8a8a8a", (0, (1, 1.2)), 1.5),
}


def draw(path, runs: dict[str, list[dict]], summary: dict, reference: float | None, title: str) -> None:
    """Draws a line a contestant, of its repeat of median length, and writes a PNG.

    A dotted line is that of the same pictures as saved.

    Args:
      path: to write.
      runs, summary: see `summary.summarise`.
      reference: the loss to reach, if there is one.
      title: above the plot.
    """
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(figsize=(11, 5.2), layout="constrained")
    ends, starts = [], []
    for name in sorted(summary, key=lambda name: (summary[name]["diverged"], summary[name]["final_loss"])):
        run = _typical(runs[name])
        records = full_size(run)
        diverged = summary[name]["diverged"]
        seconds, _, losses = zip(*records)
        starts.append(losses[0])
        ends += [] if diverged else [min(losses)]
        color, dashes, width = _STYLES[name]
        label = CONTESTANTS[name].description + (" (diverged)" if diverged else "")
        axes.plot(seconds, losses, color=color, linestyle=dashes, linewidth=width, label=label)
        if name in (OURS, REFERENCE):
            saved = [loss for _, _, loss in full_size(run, "saved_losses")]
            axes.plot(seconds, saved, color=color, linestyle=":", linewidth=1.5, label="… as saved")
    if reference is not None:
        axes.axhline(reference, color="#333333", linestyle=(0, (6, 4)), linewidth=1)
        axes.annotate(
            f"reference loss {loss_text(reference)}",
            # Above, where the curves that cross the line later on are not any more.
            (1, reference),
            (-4, 4),
            xycoords=("axes fraction", "data"),
            textcoords="offset points",
            ha="right",
            va="bottom",
            fontsize=8.5,
            color="#333333",
        )
    axes.set_yscale("log")
    # What diverges leaves at the top, instead of flattening all else.
    axes.set_ylim(0.8 * min([*ends, reference or min(starts)]), 1.2 * max(starts))
    axes.set_xlim(left=0)
    axes.set_xlabel("seconds, with targets and compilation")
    axes.set_ylabel("loss (common objective, float32)")
    axes.set_title(title, loc="left", fontsize=11)
    axes.grid(which="major", color="#dddddd", linewidth=0.8)
    axes.grid(which="minor", color="#eeeeee", linewidth=0.5)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
    figure.legend(loc="outside right upper", frameon=False, fontsize=9)
    figure.savefig(path, dpi=150)
    plt.close(figure)


def _typical(repeats: list[dict]) -> dict:
    """Returns the run whose whole time is nearest to the median."""
    middle = median(run["rows"][-1]["seconds"] for run in repeats)
    return min(repeats, key=lambda run: abs(run["rows"][-1]["seconds"] - middle))
