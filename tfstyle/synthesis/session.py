"""One run on its way: its stages, time, reports, states and recoveries."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import tensorflow as tf

from tfstyle.config import TransferConfig
from tfstyle.optimizers import OPTIONS, ImageOptimizer, make_optimizer
from tfstyle.reporting import Progress, Reporter
from tfstyle.runtime.checkpoints import Checkpoint
from tfstyle.runtime.stopping import Stop, never
from tfstyle.runtime.workshop import Workshop
from tfstyle.synthesis.convergence import History
from tfstyle.synthesis.objective import Objective
from tfstyle.synthesis.recovery import remedies
from tfstyle.synthesis.scales import Stage, remaining

# Between two looks at what may end the run pass about so many seconds, or one step.
_PIECE_SECONDS = 0.5
# Adam and SGD may climb at first: only after so many iterations is it told that nothing fell.
_PATIENCE = 100


@dataclass(frozen=True)
class State:
    """Where a run is.

    Attributes:
      stage: the stage at hand.
      step: iterations made of it.
      since: the iteration of it after which the optimiser at hand began.
      remedies: how many were tried.
      evaluations_before: those of the optimisers before the one at hand.
    """

    stage: int = 0
    step: int = 0
    since: int = 0
    remedies: int = 0
    evaluations_before: int = 0


class Session:
    """Takes pictures of one size through the stages of a run, and keeps its books.

    A picture that is not finite, or an objective that does not fall, sends it
    back to the best picture so far, from which it goes on in another way
    (`recovery.py`).

    Args:
      config: optimiser and reports are read from it.
      planned: the stages.
      note: for the first report to carry.
      reporters: told of the progress.
      checkpoint: where to save the state and to go on from; None: nowhere.
      choices: what the run has chosen for itself, to be saved beside the state.
      stop: asked between steps whether to end there.
      workshop: keeps optimisers and their compiled steps.

    Attributes:
      state: where the run is.
      ending: why the run ended before all iterations were made; '' if it did not.
      failed: it ended because nothing helped.

    Raises:
      ValueError: the state saved is none of such a run.
    """

    def __init__(
        self,
        config: TransferConfig,
        planned: Sequence[Stage],
        *,
        note: str,
        reporters: Sequence[Reporter],
        checkpoint: Checkpoint | None,
        choices: Mapping,
        stop: Stop,
        workshop: Workshop,
    ):
        self._own_config, self._stages, self._reporters, self._note = config, planned, reporters, note
        self._checkpoint, self._choices, self._stop, self._workshop = checkpoint, choices, stop, workshop
        self._config, self._caution = config, 1.0  # of the optimiser at hand
        self._began, self._pace = time.monotonic(), _PIECE_SECONDS  # seconds a step
        self._arrays: dict[str, np.ndarray] | None = None
        self._optimizer: ImageOptimizer | None = None
        self._history = History()
        self.state, self.ending, self.failed = State(), "", False
        if checkpoint and (saved := checkpoint.load()):
            with checkpoint.restoring():
                self._take_up(saved.record, saved.arrays)
            self._note_that(saved.note)

    @property
    def history(self) -> list[Progress]:
        """What was reported."""
        return self._history.records

    @property
    def seconds(self) -> float:
        """Since the run began, that before a checkpoint included."""
        return time.monotonic() - self._began

    @property
    def steps(self) -> tuple[int, int]:
        """Iterations made, and those of the whole run."""
        before = sum(stage.iterations for stage in self._stages[: self.state.stage])
        return before + self.state.step, sum(stage.iterations for stage in self._stages)

    @property
    def evaluations(self) -> int:
        """Times that value and gradient were computed."""
        return self.state.evaluations_before + (self._optimizer.evaluations if self._optimizer else 0)

    def through(self, index: int, objective: Objective, image: tf.Tensor) -> tf.Tensor:
        """Makes one stage's iterations; returns the picture, unclipped, or the best one if the run ends."""
        stage = self._stages[index]
        self._begin(index, objective, image)
        while self.state.step < stage.iterations and not self.ending:
            if reason := self._stop():
                self._end(objective, reason)
                break
            self._go_on(stage, objective)
        return self._history.best.image if self.ending else self._optimizer.image.read_value()

    def _go_on(self, stage: Stage, objective: Objective) -> None:
        """Makes a piece of the way: to the next report or, where that is far, a part of it."""
        optimizer, every = self._optimizer, self._config.log_every
        earlier = self._earlier(stage)
        # Reports fall on multiples of log_every, whatever came before.
        chunk = every - (earlier + self.state.step) % every
        piece = chunk if self._stop is never else max(1, int(_PIECE_SECONDS / self._pace))
        to_state = self._checkpoint.steps_left(earlier + self.state.step) if self._checkpoint else chunk
        steps = int(min(chunk, stage.iterations - self.state.step, piece, to_state))
        began = time.monotonic()
        try:
            note = optimizer.advance(steps)
        except FloatingPointError as error:
            self._recover(objective, str(error))
            return
        self._pace = max((time.monotonic() - began) / steps, 1e-9)
        self._set(step=stage.iterations if optimizer.finished else self.state.step + steps)
        self._note_that(note)
        done = self.state.step == stage.iterations
        ends = done and not self._continues(self.state.stage + 1)
        if steps == chunk or ends or optimizer.finished:
            self._report(objective)
            if self._is_stalled():
                self._recover(objective, "the objective does not fall")
                return
        if self._checkpoint and (done or self._checkpoint.due(earlier + self.state.step)):
            self._save()

    def _begin(self, index: int, objective: Objective, image: tf.Tensor) -> None:
        """Makes the optimiser ready, by a checkpoint, by what it did last, or from the picture."""
        if self._arrays is not None:
            with self._checkpoint.restoring():
                self._optimizer = self._optimizer_for(objective, image)
                self._optimizer.restore(self._arrays)
            self._arrays = None
            scale = self._stages[index].scale
            made = f"after {self.state.step} iterations of scale {scale + 1}"
            self._note_that(f"goes on from the checkpoint {made}")
            self._report(objective, keep=False)
            return
        self._set(stage=index, step=0, since=0)
        if self._continues(index):
            self._optimizer.use(objective)
            self._optimizer.reconsider()
            self._history.begin_objective(self._total(objective), self._optimizer.image.read_value())
            return
        self._history.begin_scale()
        self._start(objective, image)
        self._note_that(objective.note)
        self._report(objective)

    def _start(self, objective: Objective, image: tf.Tensor) -> None:
        if self._optimizer is not None:
            self._set(evaluations_before=self.evaluations)
        self._optimizer = self._optimizer_for(objective, image)
        self._optimizer.start(image)

    def _optimizer_for(self, objective: Objective, image: tf.Tensor) -> ImageOptimizer:
        config, caution = self._config, self._caution
        key = (tuple(getattr(config, name) for name in OPTIONS), caution, *image.shape)
        optimizer = self._workshop.get(key, lambda: make_optimizer(config, image.shape, caution=caution))
        return ImageOptimizer(optimizer, objective, image, self._workshop)

    def _continues(self, index: int) -> bool:
        """Returns whether a stage goes on where the one before ends, at the same size."""
        neighbours = self._stages[max(0, index - 1) : index + 1]
        return len(neighbours) == 2 and neighbours[0].scale == neighbours[1].scale

    def _earlier(self, stage: Stage) -> int:
        """Returns the iterations of the stages before this one at its scale."""
        return sum(
            before.iterations for before in self._stages[: self.state.stage] if before.scale == stage.scale
        )

    def _is_stalled(self) -> bool:
        long_enough = self._optimizer.finished or self.state.step - self.state.since >= _PATIENCE
        return long_enough and not self._history.has_fallen and not self._optimizer.at_rest

    def _recover(self, objective: Objective, problem: str) -> None:
        """Goes back to the best picture and on from there in another way, or ends the run there."""
        best, left = self._history.go_back(), remedies(self._own_config)[self.state.remedies :]
        self._set(step=best.step, since=best.step)
        if not left:
            self.failed = True
            self.ending = f"{problem}, and nothing helped"
            return
        self._set(remedies=self.state.remedies + 1)
        self._adopt()
        self._start(objective, best.image)
        self._note_that(f"{problem}: goes back to iteration {best.step} and {left[0].words}")
        self._report(objective, keep=False)

    def _adopt(self) -> None:
        """Takes the optimiser of the last remedy that was tried."""
        if self.state.remedies:
            remedy = remedies(self._own_config)[self.state.remedies - 1]
            self._config, self._caution = remedy.applied(self._own_config), remedy.caution

    def _end(self, objective: Objective, reason: str) -> None:
        """Ends the run before its time, with its state saved first, as it would have gone on."""
        if self._checkpoint:
            self._save()
        self.ending = reason
        goes_on = "; the same command goes on from there" if self._checkpoint else ""
        self._note_that(f"stopped by {reason} after {self.steps[0]} iterations{goes_on}")
        self._report(objective, keep=False)

    def _total(self, objective: Objective) -> float:
        return sum(_means(objective.weighted(self._optimizer.losses)).values())

    def _set(self, **changes: int) -> None:
        self.state = dataclasses.replace(self.state, **changes)

    def _note_that(self, note: str) -> None:
        self._note = "\n".join(filter(None, (self._note, note)))

    def _report(self, objective: Objective, keep: bool = True) -> None:
        optimizer = self._optimizer
        note, self._note = self._note, ""
        weighted = _means(objective.weighted(optimizer.losses))
        stage = self._stages[self.state.stage]
        made, planned = self.steps
        progress = Progress(
            step=made,
            total_steps=planned,
            scale=stage.scale,
            scales=self._stages[-1].scale + 1,
            losses=weighted,
            unweighted=_means(optimizer.losses),
            total=sum(weighted.values()),
            seconds=self.seconds,
            evaluations=self.evaluations,
            note=note,
            remaining=remaining(self._stages, self.state.stage, self.state.step),
        )
        image = optimizer.image.read_value()
        self._history.add(progress, self.state.step, image, keep=keep)
        for reporter in self._reporters:
            reporter.report(progress, image)

    def _save(self) -> None:
        history, best = self._history.state()
        record = {
            **dataclasses.asdict(self.state),
            "seconds": self.seconds,
            "note": self._note,
            "history": history,
        }
        arrays = {**self._optimizer.state(), "best": best}
        self._note_that(self._checkpoint.save(record, arrays, self._choices))

    def _take_up(self, record: Mapping, arrays: dict[str, np.ndarray]) -> None:
        """Goes on from what `_save` saved."""
        self.state = State(**{each.name: int(record[each.name]) for each in dataclasses.fields(State)})
        stage = self._stages[self.state.stage]
        if not (self.state.stage >= 0 and 0 <= self.state.step <= stage.iterations):
            raise ValueError(f"step {self.state.step} of stage {self.state.stage}")
        self._adopt()
        self._history = History.restored(record["history"], arrays.pop("best"), stage.size)
        self._began -= float(record["seconds"])
        self._note_that(record["note"])
        self._arrays = arrays


def _means(values: Mapping[str, tf.Tensor]) -> dict[str, float]:
    """Returns the mean over pictures; of one, its value."""
    return {name: float(np.mean(each)) for name, each in values.items()}
