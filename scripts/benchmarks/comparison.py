"""The benchmark itself: all contestants in turn, several times over, each judged by one objective."""

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median

from benchmarks import summary
from benchmarks.announcer import Announcer
from benchmarks.contestants import run_apart
from benchmarks.own_process import call

_EVERY = 5  # evaluations between two records


@dataclass(frozen=True)
class Plan:
    """What to run.

    Attributes:
      pictures: paths of content and style.
      weights, image_size: as in `tfstyle.TransferConfig`.
      names: of the contestants.
      repeats: runs of each.
      evaluations: of the contestants that are not tfstyle.
      reference_evaluations: after so many, PyTorch's L-BFGS sets the loss to reach.
      settings: config fields of tfstyle's runs that differ from the preset.
    """

    pictures: dict[str, str]
    weights: str
    image_size: int
    names: list[str]
    repeats: int
    evaluations: int
    reference_evaluations: int
    settings: dict


def compare(plan: Plan, after_repeat: Callable[[dict], None]) -> dict:
    """Runs everybody, alternating, so that what else the machine does hits all alike.

    Args:
      plan: what to run.
      after_repeat: called with the results so far.

    Returns:
      The results, JSON but for infinities.

    Raises:
      ValueError, OSError: an input is not what it should be, or a contestant
        minimised something else or started elsewhere.
    """
    runs, rates, results = {name: [] for name in plan.names}, [], {}
    announcer = Announcer(plan.repeats * len(plan.names))
    with tempfile.TemporaryDirectory() as folder:
        shared = call(
            "benchmarks.inputs:prepare",
            folder=folder,
            **plan.pictures,
            weights=plan.weights,
            image_size=plan.image_size,
        )
        for repeat in range(plan.repeats):
            rates.append(call("benchmarks.ceilings:matmul_rates"))
            for name in plan.names:
                announcer.begin(f"{name}, repeat {repeat + 1} of {plan.repeats}")
                run = _judged_run(name, plan, folder)
                summary.require_fair(name, run, shared["start_loss"])
                runs[name].append(run)
            results = _results(plan, shared, runs, rates)
            after_repeat(results)
    return results


def _judged_run(name: str, plan: Plan, inputs_folder: str) -> dict:
    with tempfile.TemporaryDirectory() as folder:
        run = run_apart(
            name=name,
            inputs_folder=inputs_folder,
            run_folder=folder,
            evaluations=plan.evaluations,
            every=_EVERY,
            always=[plan.reference_evaluations, *summary.MARKS],
            settings=plan.settings,
        )
        # After the run and in another process: neither its time nor its memory.
        return run | call("benchmarks.inputs:judge", inputs_folder=inputs_folder, run_folder=folder)


def _results(plan: Plan, shared: dict, runs: dict, rates: list[dict]) -> dict:
    reference = summary.reference_losses(runs, plan.reference_evaluations)
    matmul = {dtype: median(rate[dtype] for rate in rates) for dtype in rates[0]}
    summarised = summary.summarise(runs, reference, shared["flops"], matmul)
    return {
        "time_to_reference_ratio": summary.headline(summarised),
        "reference_loss": median(reference) if reference else None,
        "marks": summary.marks(runs),
        "start_loss": shared["start_loss"],
        "size": shared["size"],
        "flops_per_evaluation": shared["flops"],
        "matmul_flops_per_second": matmul,
        "summary": summarised,
        "runs": runs,
    }
