"""Who takes part, and how one run of each is made."""

import importlib
import json
import pathlib
from dataclasses import dataclass, field

from benchmarks import earlier
from benchmarks.inputs import Inputs, load, require_keras
from benchmarks.running import Recorder, call, company_since, peak_memory, processor_times


@dataclass(frozen=True)
class Contestant:
    """Who takes part.

    Attributes:
      description: for the reader of the table.
      entry: ``torch_peer:lbfgs``, a function of this package; empty for tfstyle itself.
      options: of that function, or config fields that differ from the preset.
      preset: of tfstyle's settings; empty: the common objective's.
    """

    description: str
    entry: str = ""
    options: dict = field(default_factory=dict)
    preset: str = ""

    @property
    def needs_torch(self) -> bool:
        """Whether it runs in PyTorch."""
        return self.entry.startswith("torch_peer")


OURS, REFERENCE, DEFAULTS = "tfstyle", "torch-lbfgs", "tfstyle-default"
EARLIER = "tfstyle-earlier"
# 80 iterations at half the size, on the embedded network, and as many as it takes at the whole.
_COARSE_TO_FINE = {"iterations": 80, "coarse_weights": "mini", "scales": 2, "finer_share": 4.0}
CONTESTANTS = {
    REFERENCE: Contestant("PyTorch, L-BFGS as in neural-style-pt", "torch_peer:lbfgs"),
    OURS: Contestant("tfstyle, coarse to fine", options=_COARSE_TO_FINE),
    "tfstyle-coarse-float32": Contestant(
        "tfstyle, coarse to fine, precision=float32", options={**_COARSE_TO_FINE, "precision": "float32"}
    ),
    "tfstyle-one-size": Contestant("tfstyle, as its preset has it"),
    EARLIER: Contestant("tfstyle of --earlier, as its preset has it"),
    "tfstyle-float32": Contestant("tfstyle, precision=float32", options={"precision": "float32"}),
    "tfstyle-bfloat16": Contestant("tfstyle, precision=bfloat16", options={"precision": "bfloat16"}),
    "tfstyle-adam": Contestant("tfstyle, optimizer=adam", options={"optimizer": "adam"}),
    "tf-tutorial": Contestant("TensorFlow's tutorial, Adam", "tutorial_loops:tensorflow_tutorial"),
    "keras-example": Contestant("Keras' example, SGD", "tutorial_loops:keras_example"),
    "torch-lbfgs-10": Contestant("PyTorch, L-BFGS, history 10", "torch_peer:lbfgs", {"history": 10}),
    "torch-adam": Contestant("PyTorch, Adam", "torch_peer:adam"),
    DEFAULTS: Contestant("tfstyle, default settings", options={"coarse_weights": "mini"}, preset="tfstyle"),
}
# Those that minimise the common objective.
COMPARED = tuple(name for name, contestant in CONTESTANTS.items() if not contestant.preset)


def run_apart(checkout: str = "", **arguments) -> dict:
    """Returns what `run` does in a process of its own, and ``company``: what others took meanwhile.

    Args:
      checkout: of another version of tfstyle, for the contestant that is one.
      **arguments: of `run`.
    """
    before = processor_times()
    if arguments["name"] == EARLIER:
        taken = ("inputs_folder", "run_folder", "every", "settings")
        done = earlier.run_apart(checkout, *(arguments[name] for name in taken))
    else:
        done = call("benchmarks.contestants:run", **arguments)
    return done | {"company": company_since(before)}


def run(
    name: str,
    inputs_folder: str,
    run_folder: str,
    evaluations: int,
    every: int,
    always: list[int],
    settings: dict,
) -> dict:
    """Makes one run, in this process, and leaves its pictures in a folder for `inputs.judge`.

    Args:
      name: key of `CONTESTANTS`.
      inputs_folder, run_folder: where `inputs.prepare` left pictures and weights; for the run's pictures.
      evaluations: of the contestants that are not tfstyle.
      every: evaluations (tfstyle: iterations) between two records.
      always: evaluations of which there is a record, too (tfstyle: not).
      settings: config fields for tfstyle's runs; the contestant's own options take precedence.

    Returns:
      ``rows`` of seconds, evaluations and own loss; ``peak_bytes``;
      ``diverged``, a message or empty; ``precision``.
    """
    contestant, inputs = CONTESTANTS[name], load(inputs_folder)
    recorder = Recorder(run_folder, every, [*always, evaluations])
    precision, diverged = "float32", ""
    try:
        if contestant.entry:
            module, function = contestant.entry.split(":")
            loop = getattr(importlib.import_module(f"benchmarks.{module}"), function)
            loop(inputs, evaluations, recorder, **contestant.options)
        else:
            changes = {"log_every": every, **settings, **contestant.options}
            config = inputs.config(contestant.preset, **changes)
            precision = config.precision
            _transfer(inputs, config, recorder)
    except FloatingPointError as error:
        diverged = str(error)
    peak = peak_memory()  # before anything else is done in this process
    pathlib.Path(run_folder, "rows.json").write_text(json.dumps(recorder.rows))
    return {"rows": recorder.rows, "peak_bytes": peak, "diverged": diverged, "precision": precision}


def _transfer(inputs: Inputs, config, recorder: Recorder) -> None:
    require_keras()
    from tfstyle import transfer

    recorder.start()
    transfer(inputs.content, inputs.style, config, reporters=[recorder])
