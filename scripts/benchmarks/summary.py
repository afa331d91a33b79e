"""From the records of runs to medians and ratios.

A run is what `contestants.run` returned, with what `inputs.prepare` says of its
pair, and what `inputs.judge` made of its pictures: ``losses`` on the common
objective, and ``saved_losses`` of the same pictures as files of 8 bits, both
null at a coarse scale. Infinity stands for what was never reached.
"""

import itertools
import math
from collections.abc import Sequence
from statistics import median

from benchmarks.contestants import OURS, REFERENCE

# Relative difference of two values of one objective. The network rounds to 8 bits in bfloat16.
_SAME = {"float32": 1e-3, "bfloat16": 5e-2}

# Evaluations of PyTorch's L-BFGS after which its loss is one to be reached by tfstyle.
MARKS = (60, 150, 300)
# Which losses are compared: tfstyle's, PyTorch's.
WAYS = {
    "raw": ("losses", "losses"),
    "saved": ("saved_losses", "saved_losses"),
    "saved_to_raw": ("saved_losses", "losses"),
}


def require_fair(name: str, run: dict) -> None:
    """Checks that a run minimised the common objective, and started where all do.

    Both at the first picture of full size; that a run which begins at a coarse
    scale starts from the content, only its config can tell.

    Raises:
      ValueError: it did not.
    """
    first = next((index for index, loss in enumerate(run["losses"]) if loss is not None), None)
    if first is None:
        raise ValueError(f"{name}: has no picture of the content's size; nothing can be compared")
    row, loss = run["rows"][first], run["losses"][first]
    tolerance = _SAME.get(run["precision"], _SAME["bfloat16"])
    if not math.isclose(row["own_loss"], loss, rel_tol=tolerance):
        raise ValueError(
            f"{name}: has another objective than the others: {row['own_loss']:g} where theirs is {loss:g}"
        )
    start_loss = run["start_loss"]
    if row["evaluations"] == 1 and not math.isclose(loss, start_loss, rel_tol=1e-3):
        raise ValueError(f"{name}: starts from a loss of {loss:g}, the others from {start_loss:g}")


def full_size(run: dict, column: str = "losses") -> list[tuple[float, int, float]]:
    """Returns (seconds, evaluations, loss) of each record at full size, from a column of losses."""
    judged = ((row, loss) for row, loss in zip(run["rows"], run[column]) if loss is not None)
    return [(row["seconds"], row["evaluations"], loss) for row, loss in judged]


def seconds_per_evaluation(records) -> float:
    """Returns the median over the stretches between two records: compilation is in few of them.

    Args:
      records: (seconds, evaluations, …) in order.
    """
    pairs = [pair for pair in itertools.pairwise(records) if pair[1][1] > pair[0][1]]
    stretches = [(after[0] - before[0]) / (after[1] - before[1]) for before, after in pairs]
    return median(stretches) if stretches else math.nan


def time_to(run: dict, loss: float, column: str = "losses") -> tuple[float, float]:
    """Returns seconds and evaluations until a run's loss, of a column, first is this or less.

    Between two records log loss is taken to be linear.
    """
    if run["diverged"]:
        return math.inf, math.inf
    before = None
    for record in full_size(run, column):
        if record[2] <= loss:
            if before is None:
                return record[0], record[1]
            share = math.log(before[2] / loss) / math.log(before[2] / record[2])
            seconds, evaluations = (b + share * (a - b) for a, b in zip(record[:2], before[:2]))
            return seconds, math.ceil(evaluations - 1e-9)
        before = record
    return math.inf, math.inf


def reference_losses(runs: dict[str, list[dict]], evaluations: int, column: str = "losses") -> list[float]:
    """Returns what PyTorch's L-BFGS has after so many evaluations, one a repeat; none if it diverges."""
    repeats = runs.get(REFERENCE, [])
    if any(run["diverged"] for run in repeats):
        return []
    return [loss for run in repeats for _, done, loss in full_size(run, column) if done == evaluations]


def marks(runs: dict[str, list[dict]], at: Sequence[int]) -> dict[int, dict]:
    """Returns how soon tfstyle has the losses that PyTorch's L-BFGS has at some numbers of evaluations.

    Returns:
      {evaluations: {way of `WAYS`: {"loss": …, "seconds": {contestant: …}, "ratio": …, "ratios": […]}}},
      medians, and the ratio of each run, of what the runs are long enough for.
    """
    found = {}
    for evaluations in at if runs.get(OURS) else ():
        for way, columns in WAYS.items():
            if losses := reference_losses(runs, evaluations, columns[1]):
                ours, theirs = (
                    [time_to(run, loss, column)[0] for run, loss in zip(runs[name], losses)]
                    for name, column in zip((OURS, REFERENCE), columns)
                )
                found.setdefault(evaluations, {})[way] = {"loss": median(losses), **raced(ours, theirs)}
    return found


def raced(ours: list[float], theirs: list[float], name: str = OURS) -> dict:
    """Returns the medians of seconds and of their ratios, and each ratio."""
    ratios = [one / other for one, other in zip(ours, theirs)]
    seconds = {name: median(ours), REFERENCE: median(theirs)}
    return {"seconds": seconds, "ratio": median(ratios), "ratios": ratios}


def summarise(runs: dict[str, list[dict]], reference: list[float], rates: dict) -> dict:
    """Returns {contestant: {column: median over its runs}}.

    Args:
      runs: {contestant: runs}.
      reference: losses of PyTorch's runs on the same pair in the same repeat; empty if it did not take part.
      rates: FLOP/s of a matrix product by dtype.
    """
    return {name: _summary(repeats, reference, rates) for name, repeats in runs.items() if repeats}


def _summary(repeats: list[dict], reference: list[float], rates: dict) -> dict:
    records = [full_size(run) for run in repeats]
    # What chooses its precision has the faster product as its ceiling.
    precision = repeats[0]["precision"]
    dtype = precision if precision in rates else max(rates, key=rates.get)
    paces = list(map(seconds_per_evaluation, records))
    flops = median(run["flops"] / pace for run, pace in zip(repeats, paces))
    reached = [time_to(run, loss) for run, loss in zip(repeats, reference)]
    # A loop that only ever climbs has diverged, even if slowly.
    diverged = [run["diverged"] or (ends[-1][2] > ends[0][2]) for run, ends in zip(repeats, records)]
    return {
        "diverged": any(diverged),
        "seconds_per_evaluation": median(paces),
        "evaluations_to_reference": median(evaluations for _, evaluations in reached) if reached else None,
        "seconds_to_reference": median(seconds for seconds, _ in reached) if reached else None,
        "evaluations": median(run["rows"][-1]["evaluations"] for run in repeats),
        "seconds": median(run["rows"][-1]["seconds"] for run in repeats),
        "final_loss": median(ends[-1][2] for ends in records),
        "saved_loss": median(full_size(run, "saved_losses")[-1][2] for run in repeats),
        "peak_bytes": median(run["peak_bytes"] for run in repeats),
        "flops_per_second": flops,
        "matmul_dtype": dtype,
        "share_of_matmul": flops / rates[dtype],
    }


def ratio(summary: dict, name: str, column: str) -> float:
    """Returns a contestant's column over that of the reference; NaN where there is none."""
    values = [summary.get(who, {}).get(column) for who in (name, REFERENCE)]
    if None in values or math.inf == values[1]:
        return math.nan
    return values[0] / values[1]
