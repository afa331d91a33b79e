"""One loop under every training: steps, means between reports, and a state to go on from."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

import numpy as np
import tensorflow as tf

from tfstyle.reporting import Books, Progress


class Account(NamedTuple):
    """What a report tells of a training besides its steps; as in `Progress`, with the picture."""

    losses: dict[str, float]
    unweighted: dict[str, float]
    metrics: dict[str, float]
    picture: tf.Tensor


class Learner(Protocol):
    """What the loop trains: networks, their objective and their optimiser."""

    @property
    def variables(self) -> Sequence:
        """All that changes in training, always in the same order."""

    def begin(self, kept: Mapping[str, Any] | None) -> str:
        """Makes ready for the first step.

        Args:
          kept: what `keep` returned before the checkpoint that the training
            goes on from; None: it begins. The variables are the loop's to restore.

        Returns:
          A note for the first report; empty if there is nothing to say.
        """

    def keep(self) -> dict[str, Any]:
        """Returns what a checkpoint is to hold besides the variables, as JSON types."""

    def step(self, batch) -> Mapping[str, tf.Tensor]:
        """Trains on one batch; returns scalars whose means are to be reported."""

    def account(self, means: Mapping[str, float], pace: float | None) -> Account:
        """Returns what is to be reported.

        Args:
          means: of what `step` returned, since the last report.
          pace: steps a second since then; None: that is not known yet.
        """


def fit(
    learner: Learner,
    stream: Callable[[int], Iterable],
    books: Books,
    *,
    steps: int,
    report_every: int,
    remedy: str,
    agree: Callable[[int], None] = lambda step: None,
) -> list[Progress]:
    """Trains, from the checkpoint on if there is one.

    Args:
      learner: what to train.
      stream: gives the batches that follow so many steps.
      books: the training's; the state is saved when it is due and at the end. Its `stop` is
        asked after each step.
      steps: how many there are.
      report_every: a report is due after so many, after the first and after the last.
      remedy: what to lower if the loss stops being finite.
      agree: is called with the step that the training goes on from.

    Returns:
      What was reported, also before the checkpoint. The last step is less than `steps` if
      the training was ended; that record is not one of those that it would have had.

    Raises:
      ValueError: the checkpoint is damaged, or of another run.
      FloatingPointError: the loss or a variable stopped being finite.
    """
    done = 0
    measured: list[Mapping[str, Any]] = []  # since the last report
    if saved := books.load():
        with books.restoring():
            done, measured = int(saved.record["step"]), list(saved.record["measured"])
            books.restore(saved.record, f"{done} steps")
    agree(done)
    if saved:
        with books.restoring():
            learner.begin(saved.record)
            _restore(learner.variables, saved.arrays)
    else:
        books.tell(learner.begin(None))

    def save(step: int) -> None:
        means = [{name: float(value) for name, value in each.items()} for each in measured]
        record = {**learner.keep(), **books.state(), "step": step, "measured": means}
        books.save(record, _state(learner.variables))

    rested = None  # when steps went on, and after which one
    for step, batch in zip(range(done + 1, steps + 1), stream(done)):
        measured.append(learner.step(batch))
        if step == done + 1:
            # It was compiled in this one, which says nothing about the pace.
            _means(measured)
            rested = time.monotonic(), step
        due = step % report_every == 0 or step in (1, steps)
        ending = books.stop() if step < steps else ""
        if not due and books.due(step, bool(ending)):
            save(step)
        if ending:
            books.tell_end(ending, f"{step} steps")
        elif not due:
            continue
        means, measured = _means(measured), []
        pace = (step - rested[1]) / (time.monotonic() - rested[0]) if step > rested[1] else None
        account = learner.account(means, pace)
        progress = books.report(
            account.picture,
            step=step,
            total_steps=steps,
            scale=0,
            scales=1,
            losses=account.losses,
            unweighted=account.unweighted,
            evaluations=step,
            metrics=account.metrics,
        )
        _require_finite(progress, _state(learner.variables), remedy)
        if due and books.due(step, step == steps or bool(ending)):
            save(step)
        if ending:
            break
        rested = time.monotonic(), step
    return books.records


def sheet(rows: Sequence[tf.Tensor], columns: int) -> tf.Tensor:
    """Returns the first pictures of each row `[B, H, W, 3]`, side by side, as one picture `[1, ...]`."""
    strips = [tf.concat(tf.unstack(tf.cast(row[:columns], tf.float32)), 1) for row in rows]
    return tf.concat(strips, 0)[tf.newaxis]


def _means(measured: Sequence[Mapping[str, tf.Tensor]]) -> dict[str, float]:
    return {name: float(np.mean([float(values[name]) for values in measured])) for name in measured[0]}


def _require_finite(progress: Progress, state: Mapping[str, np.ndarray], remedy: str) -> None:
    # A finite loss may have had a gradient that was not.
    if not math.isfinite(progress.total):
        wrong = f"the loss is {progress.total}"
    elif not all(np.isfinite(array).all() for array in state.values()):
        wrong = "a variable is not finite"
    else:
        return
    raise FloatingPointError(f"{wrong} after step {progress.step}; lower {remedy}")


def _state(variables: Sequence) -> dict[str, np.ndarray]:
    return {f"variable_{index:03}": variable.numpy() for index, variable in enumerate(variables)}


def _restore(variables: Sequence, arrays: Mapping[str, np.ndarray]) -> None:
    for index, variable in enumerate(variables):
        variable.assign(arrays[f"variable_{index:03}"])
