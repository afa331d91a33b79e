"""How seconds and memory grow with the picture."""

import sys
import tempfile
from statistics import median

from benchmarks import tables
from benchmarks.contestants import CONTESTANTS, run_apart
from benchmarks.running import Announcer, ProcessDied, call
from benchmarks.summary import seconds_per_evaluation

NAMES = ("tfstyle-float32", "tfstyle-bfloat16", "torch-lbfgs")
# Enough that the last iteration, in float32 whatever the precision, does not touch the median.
_EVALUATIONS = 9
_WARM = 2  # records that do not count: compilation, and buffers met for the first time


def measure(pictures: dict[str, str], weights: str, sizes: list[int], names: list[str], repeats: int) -> dict:
    """Runs a few evaluations of each contestant at each longer side, alternating.

    Returns:
      {size: {"pixels": …, "contestants": {name: {"seconds": …, "peak_bytes": …}}}};
      medians, and None for a contestant whose process died.
    """
    announcer, measured = Announcer(len(sizes) * repeats * len(names)), {}
    for size in sizes:
        with tempfile.TemporaryDirectory() as folder:
            prepared = call(
                "benchmarks.inputs:prepare", folder=folder, **pictures, weights=weights, image_size=size
            )
            runs = {name: [] for name in names}
            for repeat in range(repeats):
                for name in names:
                    announcer.begin(f"{size} px, {name}, repeat {repeat + 1} of {repeats}")
                    runs[name].append(_run(name, folder))
        height, width = prepared["size"]
        medians = {name: _medians(runs[name]) for name in names}
        measured[size] = {"pixels": height * width, "contestants": medians}
    return measured


def _run(name: str, inputs_folder: str) -> dict | None:
    with tempfile.TemporaryDirectory() as folder:
        try:
            return run_apart(
                name=name,
                inputs_folder=inputs_folder,
                run_folder=folder,
                evaluations=_EVALUATIONS,
                every=1,
                always=[],
                settings={"iterations": _EVALUATIONS - 1, "scales": 1},
            )
        except ProcessDied as error:  # of too little memory, at a large size
            print(f"{name}: {error}", file=sys.stderr)
            return None


def _medians(runs: list[dict | None]) -> dict | None:
    if None in runs:
        return None
    records = [[(row["seconds"], row["evaluations"]) for row in run["rows"][_WARM:]] for run in runs]
    return {
        "seconds": median(map(seconds_per_evaluation, records)),
        "peak_bytes": median(run["peak_bytes"] for run in runs),
        "company": max(run["company"] for run in runs),
    }


def company(measured: dict) -> float:
    """Returns the largest part of the processor that other programs took during a run."""
    every = [values for at_size in measured.values() for values in at_size["contestants"].values()]
    return max((values["company"] for values in every if values), default=0.0)


def markdown(measured: dict) -> str:
    """Returns a table for each size."""
    found = []
    for size, at_size in measured.items():
        megapixels = at_size["pixels"] / 1e6
        header = (
            f"{size} px, {megapixels:.3f} megapixels",
            "seconds an evaluation",
            "seconds a megapixel",
            "peak memory, MB",
        )
        rows = []
        for name, values in at_size["contestants"].items():
            cells = "---"
            if values:
                seconds, peak = values["seconds"], values["peak_bytes"]
                cells = (f"{seconds:.3g}", f"{seconds / megapixels:.3g}", f"{peak / 1e6:,.0f}")
            rows.append((CONTESTANTS[name].description, *cells))
        found.append(tables.markdown(header, rows))
    return "\n\n".join(found)
