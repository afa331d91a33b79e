"""The one loop of the package: a picture moves downhill on an objective, coarse to fine.

Python owns scales, reports and checkpoints; TensorFlow owns the step. Whatever
is being made (a transfer, a reconstruction, a texture), only the objective and
the start differ.
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import tensorflow as tf

from tfstyle import images
from tfstyle.checkpoint import Checkpoint, tensor_hash
from tfstyle.config import TransferConfig
from tfstyle.objective import Objective
from tfstyle.optimizers import OPTIONS, ImageOptimizer, make_optimizer
from tfstyle.reporting import Progress, Reporter
from tfstyle.schedule import Stage, remaining, stages
from tfstyle.workshop import Workshop

_CHECKPOINT_SECONDS = 30.0


@dataclass(frozen=True)
class Result:
    """What a run made.

    Attributes:
      image: `[1, H, W, 3]` float32 in [0, 1].
      losses: {term: weighted value} of `image`. TFP's L-BFGS does not keep to
        [0, 1]; with it these differ from the last of `history`, which is unclipped.
      unweighted: {term: value before its weight} of `image`.
      seconds: wall time, from before compilation.
      evaluations: times that value and gradient were computed.
      history: one record before the first step, one every `log_every`
        iterations, one after the last.
      alpha: `[1, H, W, 1]` in [0, 1], the opacity that the content has; None: opaque.
    """

    image: tf.Tensor
    losses: dict[str, float]
    unweighted: dict[str, float]
    seconds: float
    evaluations: int
    history: list[Progress]
    alpha: tf.Tensor | None = None

    @property
    def total(self) -> float:
        """The objective at `image`."""
        return sum(self.losses.values())


def synthesize(
    objective_at: Callable[[tuple[int, int]], Objective],
    initial: tf.Tensor,
    config: TransferConfig,
    *,
    finish_at: Callable[[tuple[int, int]], Objective] | None = None,
    detail: tf.Tensor | None = None,
    note: str = "",
    reporters: Sequence[Reporter] = (),
    checkpoint_dir=None,
    identity: Mapping[str, str] | None = None,
    workshop: Workshop | None = None,
) -> Result:
    """Moves a picture downhill on an objective.

    Args:
      objective_at: gives the objective for pictures of (height, width).
      initial: `[1, H, W, 3]` to start from, of the final size; the coarsest
        scale starts from it scaled down.
      config: optimiser, iterations, scales and reports are read from it.
      finish_at: gives the same objective at more precision; the last tenth of
        the last scale's iterations is made on it. None: all are made on one.
      detail: `[1, H, W, 3]` whose fine detail is added where a scale begins,
        such as the content: the scale before could not show any.
      note: for the first report to carry.
      reporters: told of the progress before, between and after the steps.
      checkpoint_dir: folder to save the state in, at most every 30 seconds and
        at the end; a run of the same config and start goes on from there.
      identity: what else makes this run itself, such as hashes of its inputs.
      workshop: keeps optimisers for later runs on the same objectives.

    Returns:
      The `Result`.

    Raises:
      ValueError: the checkpoint is of another run.
      FloatingPointError: the objective stopped being finite.
      OSError: the checkpoint cannot be written.
    """
    checkpoint = None
    if checkpoint_dir is not None:
        checkpoint = Checkpoint(checkpoint_dir, _identity(config, initial, identity or {}))
    planned = stages(tuple(initial.shape[1:3]), config, finish=finish_at is not None)
    run = _Run(config, planned, note, reporters, checkpoint, workshop or Workshop())
    image = initial
    for index, stage in enumerate(planned):
        if index < run.index:  # done before the checkpoint
            continue
        objective = (finish_at if stage.exact else objective_at)(stage.size)
        begun = stage.scale > 0
        image = run.through(index, objective, enlarged(image, stage.size, detail if begun else None))
    image = tf.clip_by_value(image, 0.0, 1.0)
    unweighted = objective.losses(image)
    return Result(
        image=image,
        losses=objective.weighted(unweighted),
        unweighted={name: float(value) for name, value in unweighted.items()},
        seconds=run.seconds,
        evaluations=run.history[-1].evaluations,
        history=run.history,
    )


def enlarged(image: tf.Tensor, size: tuple[int, int], detail: tf.Tensor | None) -> tf.Tensor:
    """Resizes what one scale made to the start of the next.

    Args:
      image: `[1, H, W, 3]` in [0, 1].
      size: (height, width) of the next scale.
      detail: `[1, H', W', 3]`; of it is added what can be seen at the next scale
        and not yet at the last.
    """
    larger = images.resize(image, size)
    if detail is None:
        return larger
    seen = images.resize(images.resize(detail, image.shape[1:3]), size)
    return tf.clip_by_value(larger + images.resize(detail, size) - seen, 0.0, 1.0)


def _identity(config: TransferConfig, initial: tf.Tensor, more: Mapping[str, str]) -> dict:
    fields = config.to_dict()
    for name in ("log_every", "evaluation", "memory_limit"):  # these do not change what is made
        del fields[name]
    return {**fields, "tensorflow": tf.__version__, "start": tensor_hash(initial), **more}


class _Run:
    """The books of one run: time, history, reports and checkpoints."""

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
        return time.monotonic() - self._began

    def through(self, index: int, objective: Objective, image: tf.Tensor) -> tf.Tensor:
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

    def _begin(self, index: int, objective: Objective, image: tf.Tensor) -> None:
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

    def _optimizer_for(self, objective: Objective, image: tf.Tensor) -> ImageOptimizer:
        config = self._config
        options = tuple(getattr(config, name) for name in OPTIONS)
        optimizer = self._workshop.get((objective, options), lambda: make_optimizer(config, objective, image))
        optimizer.use(objective)  # a run before this one may have left it with another
        return optimizer

    def _report(self, objective: Objective, note: str, keep: bool = True) -> None:
        optimizer = self._optimizer
        note, self._note = "\n".join(filter(None, (self._note, note))), ""
        weighted = objective.weighted(optimizer.losses)
        stage = self._stages[self.index]
        progress = Progress(
            step=sum(before.iterations for before in self._stages[: self.index]) + self._step,
            total_steps=sum(stage.iterations for stage in self._stages),
            scale=stage.scale,
            scales=self._stages[-1].scale + 1,
            losses=weighted,
            unweighted={name: float(value) for name, value in optimizer.losses.items()},
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
