"""Numbers as Markdown, and what a reader must know of the machine."""

import math
import os
import pathlib
import platform
import time
from importlib import metadata

from benchmarks.contestants import CONTESTANTS, OURS, REFERENCE
from benchmarks.summary import ratio
from tfstyle.cli import common as cli

MATRIX = 2048  # side of the matrices that are multiplied

COLUMNS = (
    "contestant",
    "seconds an evaluation",
    "… over PyTorch's",
    "evaluations to the reference",
    "seconds to the reference",
    "… over PyTorch's",
    "evaluations in all",
    "loss then",
    "… as saved",
    "peak memory, MB",
    "FLOP/s over matmul's",
)


def markdown(header, rows) -> str:
    """Returns a table, columns padded so that it reads as plain text, too."""
    cells = [[str(cell) for cell in row] for row in (header, *rows)]
    widths = [max(map(len, column)) for column in zip(*cells)]
    lines = ["| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths)) + " |" for row in cells]
    return "\n".join([lines[0], "|" + "|".join("-" * (width + 2) for width in widths) + "|", *lines[1:]])


def comparison(summary: dict) -> str:
    """Returns the table of contestants: what `summary.summarise` returned."""
    return markdown(COLUMNS, (_row(name, summary) for name in summary))


_WAYS = {
    "raw": "as they are",
    "saved": "as saved, both",
    "saved_to_raw": "tfstyle's as saved, PyTorch's as it is",
}


def marks(found: dict) -> str:
    """Returns the table of what `summary.marks` returned."""
    header = ("PyTorch's evaluation", "pictures", "loss", "PyTorch's seconds", "tfstyle's seconds", "ratio")
    rows = []
    for evaluations, ways in found.items():
        for way, values in ways.items():
            rows.append((evaluations, _WAYS[way], loss_text(values["loss"]), *race(values, OURS)))
    return markdown(header, rows)


def race(values: dict, name: str) -> list[str]:
    """Returns cells: PyTorch's seconds, a contestant's, and their ratio, of several runs with its range."""
    ratios = values["ratios"]
    spread = f" ({_ratio(min(ratios))} to {_ratio(max(ratios))})" if ratios[1:] else ""
    theirs, ours = (values["seconds"][who] for who in (REFERENCE, name))
    return [f"{theirs:.1f}", f"{ours:.1f}" if math.isfinite(ours) else "-", _ratio(values["ratio"]) + spread]


def _row(name: str, summary: dict) -> list[str]:
    values = summary[name]
    cells = [CONTESTANTS[name].description]
    cells += [f"{values['seconds_per_evaluation']:.3g}"]
    cells += [_ratio(ratio(summary, name, "seconds_per_evaluation"))]
    cells += _to_reference(values)
    cells += [_ratio(ratio(summary, name, "seconds_to_reference"))]
    cells += [f"{values['evaluations']:.0f}"]
    losses = [loss_text(values[column]) for column in ("final_loss", "saved_loss")]
    cells += ["diverged", "-"] if values["diverged"] else losses
    cells += [f"{values['peak_bytes'] / 1e6:,.0f}"]
    cells += [f"{values['share_of_matmul']:.0%} of {values['matmul_dtype']}"]
    return cells


def _to_reference(values: dict) -> list[str]:
    evaluations, seconds = values["evaluations_to_reference"], values["seconds_to_reference"]
    if seconds is None or values["diverged"]:
        return ["-", "-"]
    if math.isinf(seconds):
        return [f"> {values['evaluations']:.0f}", f"> {values['seconds']:.1f}"]
    return [f"{evaluations:.0f}", f"{seconds:.1f}"]


def loss_text(loss: float) -> str:
    """Returns a loss as readers see it."""
    return f"{loss:,.0f}" if loss >= 1000 else f"{loss:.4g}"


def _ratio(value: float) -> str:
    return f"{value:.2f}" if math.isfinite(value) else "-"


def machine() -> dict:
    """Returns what the numbers hold for: processor, cores, versions."""
    info = pathlib.Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    models = [line.split(":")[1].strip() for line in lines if line.startswith("model name")]
    versions = {}
    for package in ("tensorflow", "keras", "torch", "numpy"):
        try:
            versions[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            versions[package] = None
    return {
        "processor": models[0] if models else platform.processor() or platform.machine(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "system": platform.platform(),
        "python": platform.python_version(),
        **versions,
    }


def matmul_rates(repeats: int = 15) -> dict[str, float]:
    """Measures FLOP/s of a large matrix product by dtype, the median of many after the first two."""
    with cli.quiet_tensorflow():
        import tensorflow as tf

    rates = {}
    for dtype in ("float32", "bfloat16"):
        product = tf.function(tf.matmul)
        left, right = (tf.cast(tf.random.stateless_normal([MATRIX] * 2, [seed, 0]), dtype) for seed in (0, 1))
        seconds = []
        for _ in range(2 + repeats):
            began = time.perf_counter()
            product(left, right)[0, 0].numpy()
            seconds.append(time.perf_counter() - began)
        rates[dtype] = 2 * MATRIX**3 / sorted(seconds[2:])[repeats // 2]
    return rates


def machine_line(described: dict) -> str:
    """Returns the machine in one line."""
    versions = [f"{name} {described[name]}" for name in ("tensorflow", "torch") if described[name]]
    return f"{described['processor']}, {described['cores']} cores, {', '.join(versions)}."
