"""What a benchmark leaves behind: results.json, benchmark.md, curves.png."""

import importlib.util
import json
import math
import pathlib

from benchmarks import company, curves, looks, tables
from benchmarks.comparison import Plan
from benchmarks.contestants import OURS, REFERENCE

_UNDRAWN = "curves.png: left out, needs matplotlib: pip install -e '.[benchmark]'."


def write(folder: pathlib.Path, plan: Plan, results: dict, notes: list[str]) -> str:
    """Writes the three files and returns the tables and what belongs below them, as Markdown.

    Args:
      folder: to write into.
      plan, results: see `comparison.compare`.
      notes: further lines for the reader.
    """
    machine = tables.machine()
    write_json(folder / "results.json", {"machine": machine, "plan": vars(plan), **results})
    found = [tables.comparison(results["summary"])] if results["summary"] else []
    found += [tables.marks(results["marks"])] if results["marks"] else []
    found += [looks.markdown(results["looks"])] if results["looks"] else []
    text = "\n\n".join([*found, *_lines(plan, results, machine), *notes])
    drawn = importlib.util.find_spec("matplotlib") is not None
    if not results["summary"]:
        (folder / "benchmark.md").write_text(f"# Benchmark\n\n{text}\n")
        return text
    if drawn:
        title = f"{_sizes(results)[0]} pixels, {machine['processor']}, {machine['cores']} cores"
        curves.draw(folder / "curves.png", _of_first_pair(results, plan), results["summary"], title)
    picture = "![loss over time](curves.png)" if drawn else _UNDRAWN
    (folder / "benchmark.md").write_text(f"# Benchmark\n\n{text}\n\n{picture}\n")
    return text if drawn else f"{text}\n\n{_UNDRAWN}"


def write_json(path: pathlib.Path, values: dict) -> None:
    """Writes JSON in which what is not finite is null."""
    path.write_text(json.dumps(_finite(values), indent=1, allow_nan=False) + "\n")


def _sizes(results: dict) -> list[str]:
    return list(dict.fromkeys(f"{width} x {height}" for height, width in results["sizes"]))


def _of_first_pair(results: dict, plan: Plan) -> dict:
    """Returns {contestant: runs} of the first pair."""
    pairs = len(plan.pairs)
    return {name: results["runs"][name][::pairs] for name in results["summary"]}


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
    lines += company.warnings(most)
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
