"""The benchmark itself: all contestants in turn, on all pairs, several times over, judged alike."""

import math
import pathlib
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median

from benchmarks import inputs, looks, summary
from benchmarks.contestants import COMPARED, run_apart
from benchmarks.running import Announcer, call

_EVERY = 5  # evaluations between two records


@dataclass(frozen=True)
class Plan:
    """What to run.

    Attributes:
      pairs: paths of ``content`` and ``style``, of each pair.
      weights, image_size: as in `tfstyle.TransferConfig`.
      names: of the contestants.
      repeats: runs of each on each pair.
      evaluations: of the contestants that are not tfstyle.
      reference_evaluations: after so many, PyTorch's L-BFGS sets the loss to reach.
      settings: config fields of tfstyle's runs that differ from the preset.
      looks: folder for pictures, if they are also to be judged by how they look; or ''.
      earlier: checkout of another version of tfstyle, if that takes part; or ''.
    """

    pairs: list[dict[str, str]]
    weights: str
    image_size: int
    names: list[str]
    repeats: int
    evaluations: int
    reference_evaluations: int
    settings: dict
    looks: str = ""
    earlier: str = ""


def compare(plan: Plan, after_pair: Callable[[dict], None]) -> dict:
    """Runs everybody, alternating, so that what else the machine does hits all alike.

    Returns:
      The results, JSON but for infinities, which `after_pair` has been called with, too, as they came.

    Raises:
      ValueError, OSError: an input is not what it should be, or a contestant
        minimised something else or started elsewhere.
    """
    runs, rates, results = {name: [] for name in plan.names}, [], {}
    announcer = Announcer(plan.repeats * len(plan.pairs) * len(plan.names))
    with tempfile.TemporaryDirectory() as folder:
        folders = [pathlib.Path(folder, str(at)) for at, _ in enumerate(plan.pairs)]
        prepared = [_prepared(plan, *each) for each in zip(folders, plan.pairs)]
        for repeat in range(plan.repeats):
            rates.append(call("benchmarks.tables:matmul_rates"))
            for at, said in enumerate(prepared):
                for name in plan.names:
                    of = f", pair {at + 1} of {len(prepared)}" if at or prepared[1:] else ""
                    announcer.begin(f"{name}{of}, repeat {repeat + 1} of {plan.repeats}")
                    run = said | _judged_run(name, plan, str(folders[at]), at if repeat == 0 else None)
                    if name in COMPARED:
                        summary.require_fair(name, run)
                    runs[name].append(run)
                results = _results(plan, prepared, runs, rates)
                after_pair(results)
    return results


def _prepared(plan: Plan, folder: pathlib.Path, pair: dict[str, str]) -> dict:
    """Writes a pair into a folder, and returns what `inputs.prepare` says of it."""
    folder.mkdir()
    given = {"folder": str(folder), "weights": plan.weights, "image_size": plan.image_size, **pair}
    return call("benchmarks.inputs:prepare", **given)


def _judged_run(name: str, plan: Plan, inputs_folder: str, kept_as: int | None) -> dict:
    """Makes a run and judges it, keeping pictures of the pair of that number."""
    with tempfile.TemporaryDirectory() as folder:
        made = {"inputs_folder": inputs_folder, "run_folder": folder}
        always = [plan.reference_evaluations, *summary.MARKS]
        settings = plan.settings if name in COMPARED else {}
        run = run_apart(
            plan.earlier,
            name=name,
            evaluations=plan.evaluations,
            every=_EVERY,
            always=always,
            settings=settings,
            **made,
        )
        keep = None
        if plan.looks:
            keep = "" if kept_as is None else str(pathlib.Path(plan.looks, f"{kept_as + 1}-{name}"))
        # After the run and in another process: neither its time nor its memory.
        return run | call("benchmarks.comparison:judged", name=name, always=always, keep=keep, **made)


def judged(name: str, inputs_folder: str, run_folder: str, always: list[int], keep: str | None) -> dict:
    """Returns what `inputs.judge` says of a run and, unless `keep` is None, ``looks`` of `looks.judge`."""
    found = inputs.judge(inputs_folder, run_folder) if name in COMPARED else {}
    if keep is not None:
        found["looks"] = looks.judge(name, inputs_folder, run_folder, always, keep)
    return found


def _results(plan: Plan, prepared: list[dict], runs: dict, rates: list[dict]) -> dict:
    compared = {name: repeats for name, repeats in runs.items() if name in COMPARED}
    reference = summary.reference_losses(compared, plan.reference_evaluations)
    matmul = {dtype: median(rate[dtype] for rate in rates) for dtype in rates[0]}
    at = sorted({*summary.MARKS, plan.reference_evaluations})
    marks = summary.marks(compared, at)
    raced = marks.get(plan.reference_evaluations, {}).get("raw", {})
    return {
        "time_to_reference_ratio": raced.get("ratio", math.nan),
        "reference_loss": median(reference) if reference else None,
        "marks": marks,
        "looks": looks.summarise(runs, at) if plan.looks else {},
        "start_loss": median(pair["start_loss"] for pair in prepared),
        "sizes": [pair["size"] for pair in prepared],
        "flops_per_evaluation": median(pair["flops"] for pair in prepared),
        "matmul_flops_per_second": matmul,
        "summary": summary.summarise(compared, reference, matmul),
        "runs": runs,
    }
