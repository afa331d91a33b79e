"""The one loop of the package: a picture moves downhill on an objective, coarse to fine.

Python owns scales, reports and checkpoints; TensorFlow owns the step. Whatever
is being made (a transfer, a reconstruction, a texture), only the objective and
the start differ.
"""

from __future__ import annotations

import dataclasses
import hashlib
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import tensorflow as tf

from tfstyle import images
from tfstyle.checkpoint import Checkpoint
from tfstyle.config import TransferConfig
from tfstyle.objective import Objective
from tfstyle.optimizers import make_optimizer
from tfstyle.reporting import Progress, Reporter
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
    """

    image: tf.Tensor
    losses: dict[str, float]
    unweighted: dict[str, float]
    seconds: float
    evaluations: int
    history: list[Progress]

    @property
    def total(self) -> float:
        """The objective at `image`."""
        return sum(self.losses.values())


def synthesize(
    objective_at: Callable[[tuple[int, int]], Objective],
    initial: tf.Tensor,
    config: TransferConfig,
    *,
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
    run = _Run(config, reporters, checkpoint, workshop or Workshop())
    image = initial
    for scale, size in enumerate(scale_sizes(tuple(initial.shape[1:3]), config.scales)):
        if scale < run.scale:  # done before the checkpoint
            continue
        objective = objective_at(size)
        image = run.through_scale(scale, objective, images.resize(image, size))
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


def scale_sizes(size: tuple[int, int], scales: int) -> list[tuple[int, int]]:
    """Returns the (height, width) of each scale, coarsest first, each twice the one before."""
    height, width = size
    return [
        (max(1, round(height / 2**halvings)), max(1, round(width / 2**halvings)))
        for halvings in reversed(range(scales))
    ]


def tensor_hash(image: tf.Tensor) -> str:
    """Returns a short hash of a picture's shape and values."""
    values = np.ascontiguousarray(image)
    return hashlib.sha256(repr(values.shape).encode() + values.tobytes()).hexdigest()[:16]


def _identity(config: TransferConfig, initial: tf.Tensor, more: Mapping[str, str]) -> dict:
    fields = config.to_dict()
    del fields["log_every"]  # how often one looks does not change what one sees
    return {**fields, "tensorflow": tf.__version__, "start": tensor_hash(initial), **more}


class _Run:
    """The books of one run: time, history, reports and checkpoints."""

    def __init__(
        self,
        config: TransferConfig,
        reporters: Sequence[Reporter],
        checkpoint: Checkpoint | None,
        workshop: Workshop,
    ):
        self._config = config
        self._workshop = workshop
        self._reporters = reporters
        self._checkpoint = checkpoint
        self._began = time.monotonic()
        self._saved = self._began
        self._evaluations_before = 0
        self._arrays: Mapping[str, np.ndarray] | None = None
        self.scale, self._step = 0, 0
        self.history: list[Progress] = []
        if checkpoint and (loaded := checkpoint.load()):
            record, self._arrays = loaded
            self.scale, self._step = record["scale"], record["step"]
            self._evaluations_before = record["evaluations_before"]
            self._began -= record["seconds"]
            self.history = [Progress(**progress) for progress in record["history"]]

    @property
    def seconds(self) -> float:
        return time.monotonic() - self._began

    def through_scale(self, scale: int, objective: Objective, image: tf.Tensor) -> tf.Tensor:
        """Makes one scale's iterations and returns the picture, unclipped."""
        config = self._config
        kind = (config.optimizer, config.learning_rate, config.line_search, config.lbfgs_history)
        optimizer = self._workshop.get((objective, kind), lambda: make_optimizer(config, objective, image))
        if self._arrays is not None:
            optimizer.restore(self._arrays)
            self._arrays = None
            resumed = f"goes on from the checkpoint after {self._step} iterations of scale {scale + 1}"
            self._report(objective, optimizer, resumed, keep=False)
        else:
            self.scale, self._step = scale, 0
            optimizer.start(image)
            self._report(objective, optimizer, "")
        while self._step < config.iterations and not optimizer.finished:
            # Reports fall on multiples of log_every, whatever came before.
            chunk = config.log_every - self._step % config.log_every
            steps = min(chunk, config.iterations - self._step)
            note = optimizer.advance(steps)
            self._step = config.iterations if optimizer.finished else self._step + steps
            self._report(objective, optimizer, note)
            self._save(optimizer)
        self._evaluations_before += optimizer.evaluations
        return optimizer.image.read_value()

    def _report(self, objective: Objective, optimizer, note: str, keep: bool = True) -> None:
        weighted = objective.weighted(optimizer.losses)
        progress = Progress(
            step=self.scale * self._config.iterations + self._step,
            total_steps=self._config.scales * self._config.iterations,
            scale=self.scale,
            scales=self._config.scales,
            losses=weighted,
            unweighted={name: float(value) for name, value in optimizer.losses.items()},
            total=sum(weighted.values()),
            seconds=self.seconds,
            evaluations=self._evaluations_before + optimizer.evaluations,
            note=note,
        )
        if keep:
            self.history.append(progress)
        image = optimizer.image.read_value()
        for reporter in self._reporters:
            reporter.report(progress, image)

    def _save(self, optimizer) -> None:
        done = self._step >= self._config.iterations
        now = time.monotonic()
        if self._checkpoint is None or not (done or now - self._saved >= _CHECKPOINT_SECONDS):
            return
        record = {
            "scale": self.scale,
            "step": self._step,
            "evaluations_before": self._evaluations_before,
            "seconds": self.seconds,
            "history": [dataclasses.asdict(progress) for progress in self.history],
        }
        self._checkpoint.save(record, optimizer.state())
        self._saved = time.monotonic()
