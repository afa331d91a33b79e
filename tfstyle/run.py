"""One run on its way: its stages, time, history, reports and checkpoints."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Mapping, Sequence

import numpy as np
import tensorflow as tf

from tfstyle.checkpoint import Checkpoint
from tfstyle.config import TransferConfig
from tfstyle.joint import JointObjective
from tfstyle.objective import Objective
from tfstyle.optimizers import OPTIONS, ImageOptimizer, make_optimizer
from tfstyle.reporting import Progress, Reporter
from tfstyle.schedule import Stage, remaining
from tfstyle.workshop import Workshop

_CHECKPOINT_SECONDS = 30.0


class Run:
    """Takes pictures of one size through the stages of a run, and keeps its books.

    Args:
      config: optimiser and reports are read from it.
      planned: the stages.
      note: for the first report to carry.
      reporters: told of the progress.
      checkpoint: where to save the state and to go on from; None: nowhere.
      workshop: keeps optimisers for later runs on the same objectives.

    Attributes:
      index: the stage at hand.
      history: what was reported.
    """

    def __init__(
        self,
        config: TransferConfig,
        planned: Sequence[Stage],
        note: str,
        reporters: Sequence[Reporter],
        checkpoint: Checkpoint | None,
        workshop: Workshop,
    ):
        self._config = config
        self._stages = planned
        self._note = note
        self._workshop = workshop
        self._reporters = reporters
        self._checkpoint = checkpoint
        self._began = time.monotonic()
        self._saved = self._began
        self._evaluations_before = 0
        self._arrays: Mapping[str, np.ndarray] | None = None
        self._optimizer: ImageOptimizer | None = None
        self.index, self._step = 0, 0
        self.history: list[Progress] = []
        if checkpoint and (loaded := checkpoint.load()):
            record, self._arrays = loaded
            self.index, self._step = record["stage"], record["step"]
            self._evaluations_before = record["evaluations_before"]
            self._began -= record["seconds"]
            self.history = [Progress(**progress) for progress in record["history"]]

    @property
    def seconds(self) -> float:
        """Since the run began, that before a checkpoint included."""
        return time.monotonic() - self._began

    def through(self, index: int, objective: Objective | JointObjective, image: tf.Tensor) -> tf.Tensor:
        """Makes one stage's iterations and returns the picture, unclipped."""
        stage = self._stages[index]
        self._begin(index, objective, image)
        optimizer = self._optimizer
        earlier = sum(before.iterations for before in self._stages[:index] if before.scale == stage.scale)
        goes_on = self._continues(index + 1)
        while self._step < stage.iterations and not optimizer.finished:
            # Reports fall on multiples of log_every, whatever came before.
            chunk = self._config.log_every - (earlier + self._step) % self._config.log_every
            steps = min(chunk, stage.iterations - self._step)
            note = optimizer.advance(steps)
            self._step = stage.iterations if optimizer.finished else self._step + steps
            if steps == chunk or not goes_on:
                self._report(objective, note)
            else:
                self._note = note
            self._save()
        return optimizer.image.read_value()

    def _begin(self, index: int, objective: Objective | JointObjective, image: tf.Tensor) -> None:
        """Makes the optimiser ready, by a checkpoint, by what it did last, or from the picture."""
        if self._arrays is not None:
            self._optimizer = self._optimizer_for(objective, image)
            self._optimizer.restore(self._arrays)
            self._arrays = None
            scale = self._stages[index].scale
            resumed = f"goes on from the checkpoint after {self._step} iterations of scale {scale + 1}"
            self._report(objective, resumed, keep=False)
            return
        self.index, self._step = index, 0
        if self._continues(index):
            self._optimizer.use(objective)
            self._optimizer.reconsider()
            return
        self._evaluations_before = self.history[-1].evaluations if self.history else 0
        self._optimizer = self._optimizer_for(objective, image)
        self._optimizer.start(image)
        self._report(objective, objective.note)

    def _continues(self, index: int) -> bool:
        """Returns whether a stage goes on where the one before ends, at the same size."""
        neighbours = self._stages[max(0, index - 1) : index + 1]
        return len(neighbours) == 2 and neighbours[0].scale == neighbours[1].scale

    def _optimizer_for(self, objective: Objective | JointObjective, image: tf.Tensor) -> ImageOptimizer:
        config = self._config
        options = tuple(getattr(config, name) for name in OPTIONS)
        optimizer = self._workshop.get((objective, options), lambda: make_optimizer(config, objective, image))
        optimizer.use(objective)  # a run before this one may have left it with another
        return optimizer

    def _report(self, objective: Objective | JointObjective, note: str, keep: bool = True) -> None:
        optimizer = self._optimizer
        note, self._note = "\n".join(filter(None, (self._note, note))), ""
        weighted = _means(objective.weighted(optimizer.losses))
        stage = self._stages[self.index]
        progress = Progress(
            step=sum(before.iterations for before in self._stages[: self.index]) + self._step,
            total_steps=sum(stage.iterations for stage in self._stages),
            scale=stage.scale,
            scales=self._stages[-1].scale + 1,
            losses=weighted,
            unweighted=_means(optimizer.losses),
            total=sum(weighted.values()),
            seconds=self.seconds,
            evaluations=self._evaluations_before + optimizer.evaluations,
            note=note,
            remaining=remaining(self._stages, self.index, self._step),
        )
        if keep:
            self.history.append(progress)
        image = optimizer.image.read_value()
        for reporter in self._reporters:
            reporter.report(progress, image)

    def _save(self) -> None:
        done = self._step >= self._stages[self.index].iterations
        now = time.monotonic()
        if self._checkpoint is None or not (done or now - self._saved >= _CHECKPOINT_SECONDS):
            return
        record = {
            "stage": self.index,
            "step": self._step,
            "evaluations_before": self._evaluations_before,
            "seconds": self.seconds,
            "history": [dataclasses.asdict(progress) for progress in self.history],
        }
        self._checkpoint.save(record, self._optimizer.state())
        self._saved = time.monotonic()


def _means(values: Mapping[str, tf.Tensor]) -> dict[str, float]:
    """Returns the mean over pictures; of one, its value."""
    return {name: float(np.mean(each)) for name, each in values.items()}
