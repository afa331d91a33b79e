"""One run on its way: its stages, its optimiser and its recoveries."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import tensorflow as tf

from tfstyle.config import TransferConfig
from tfstyle.optimizers import ImageOptimizer, make_optimizer
from tfstyle.reporting import Books
from tfstyle.runtime.stopping import never
from tfstyle.runtime.workshop import Workshop
from tfstyle.synthesis.objective import Objective
from tfstyle.synthesis.recovery import Descent, remedies
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
    """Takes pictures of one size through the stages of a run.

    A picture that is not finite, or an objective that does not fall, sends it
    back to the best picture so far, from which it goes on in another way
    (`recovery.py`).

    Args:
      config: optimiser and reports are read from it.
      planned: the stages.
      books: the run's.
      choices: what the run has chosen for itself, to be saved beside the state.
      workshop: keeps the compiled steps.

    Attributes:
      books: as given.
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
        books: Books,
        choices: Mapping,
        workshop: Workshop,
    ):
        self._own_config, self._stages, self.books = config, planned, books
        self._choices, self._workshop = choices, workshop
        self._config, self._caution = config, 1.0  # of the optimiser at hand
        self._pace = _PIECE_SECONDS  # seconds a step
        self._arrays: dict[str, np.ndarray] | None = None
        self._optimizer: ImageOptimizer | None = None
        self._descent = Descent()
        self.state, self.ending, self.failed = State(), "", False
        if saved := books.load():
            with books.restoring():
                self._take_up(saved.record, saved.arrays)

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
            if reason := self.books.stop():
                self._end(objective, reason)
                break
            self._go_on(stage, objective)
        return self._descent.best.image if self.ending else self._optimizer.image.read_value()

    def _go_on(self, stage: Stage, objective: Objective) -> None:
        """Makes a piece of the way: to the next report or, where that is far, a part of it."""
        optimizer, every = self._optimizer, self._config.log_every
        before = [each for each in self._stages[: self.state.stage] if each.scale == stage.scale]
        earlier = sum(each.iterations for each in before)
        # Reports fall on multiples of log_every, whatever came before.
        chunk = every - (earlier + self.state.step) % every
        piece = chunk if self.books.stop is never else max(1, int(_PIECE_SECONDS / self._pace))
        to_state = self.books.steps_left(earlier + self.state.step)
        steps = int(min(chunk, stage.iterations - self.state.step, piece, to_state))
        began = time.monotonic()
        try:
            note = optimizer.advance(steps)
        except FloatingPointError as error:
            self._recover(objective, str(error))
            return
        self._pace = max((time.monotonic() - began) / steps, 1e-9)
        self._set(step=stage.iterations if optimizer.finished else self.state.step + steps)
        self.books.tell(note)
        done = self.state.step == stage.iterations
        ends = done and not self._continues(self.state.stage + 1)
        if steps == chunk or ends or optimizer.finished:
            self._report(objective)
            if self._is_stalled():
                self._recover(objective, "the objective does not fall")
                return
        if self.books.due(earlier + self.state.step, done):
            self._save()

    def _begin(self, index: int, objective: Objective, image: tf.Tensor) -> None:
        """Makes the optimiser ready, by a checkpoint, by what it did last, or from the picture."""
        if self._arrays is not None:
            with self.books.restoring():
                self._optimizer = self._optimizer_for(objective, image)
                self._optimizer.restore(self._arrays)
            self._arrays = None
            self._report(objective, keep=False)
            return
        self._set(stage=index, step=0, since=0)
        if self._continues(index):
            self._optimizer.reconsider(objective)
            total = sum(_means(objective.weighted(self._optimizer.losses)).values())
            self._descent.begin_objective(total, len(self.books.records), self._optimizer.image.read_value())
            return
        self._descent.begin_scale()
        self._start(objective, image)
        self.books.tell(objective.note)
        self._report(objective)

    def _start(self, objective: Objective, image: tf.Tensor) -> None:
        if self._optimizer is not None:
            self._set(evaluations_before=self.evaluations)
        self._optimizer = self._optimizer_for(objective, image)
        self._optimizer.start()

    def _optimizer_for(self, objective: Objective, image: tf.Tensor) -> ImageOptimizer:
        optimizer = make_optimizer(self._config, image.shape, caution=self._caution)
        return ImageOptimizer(optimizer, objective, image, self._workshop)

    def _continues(self, index: int) -> bool:
        """Returns whether a stage goes on where the one before ends, at the same size."""
        neighbours = self._stages[max(0, index - 1) : index + 1]
        return len(neighbours) == 2 and neighbours[0].scale == neighbours[1].scale

    def _is_stalled(self) -> bool:
        long_enough = self._optimizer.finished or self.state.step - self.state.since >= _PATIENCE
        return long_enough and not self._descent.has_fallen and not self._optimizer.at_rest

    def _recover(self, objective: Objective, problem: str) -> None:
        """Goes back to the best picture and on from there in another way, or ends the run there."""
        best, left = self._descent.best, remedies(self._own_config)[self.state.remedies :]
        del self.books.records[best.records :]
        self._set(step=best.step, since=best.step)
        if not left:
            self.failed = True
            self.ending = f"{problem}, and nothing helped"
            return
        self._set(remedies=self.state.remedies + 1)
        self._adopt()
        self._start(objective, best.image)
        self.books.tell(f"{problem}: goes back to iteration {best.step} and {left[0].words}")
        self._report(objective, keep=False)

    def _adopt(self) -> None:
        """Takes the optimiser of the last remedy that was tried."""
        if self.state.remedies:
            remedy = remedies(self._own_config)[self.state.remedies - 1]
            self._config, self._caution = remedy.applied(self._own_config), remedy.caution

    def _end(self, objective: Objective, reason: str) -> None:
        """Ends the run before its time, with its state saved first, as it would have gone on."""
        if self.books.due(self.state.step, anyway=True):
            self._save()
        self.ending = reason
        self.books.tell_end(reason, f"{self.steps[0]} iterations")
        self._report(objective, keep=False)

    def _set(self, **changes: int) -> None:
        self.state = dataclasses.replace(self.state, **changes)

    def _report(self, objective: Objective, keep: bool = True) -> None:
        optimizer, image = self._optimizer, self._optimizer.image.read_value()
        made, planned = self.steps
        progress = self.books.report(
            image,
            keep=keep,
            step=made,
            total_steps=planned,
            scale=self._stages[self.state.stage].scale,
            scales=self._stages[-1].scale + 1,
            losses=_means(objective.weighted(optimizer.losses)),
            unweighted=_means(optimizer.losses),
            evaluations=self.evaluations,
            remaining=remaining(self._stages, self.state.stage, self.state.step),
        )
        self._descent.add(progress.total, self.state.step, len(self.books.records), image)

    def _save(self) -> None:
        books, (descent, best) = self.books.state(), self._descent.state()
        own = {"note": self.books.note, "history": {**descent, "records": books["history"]}}
        record = {**dataclasses.asdict(self.state), **books, **own}
        self.books.save(record, {**self._optimizer.state(), "best": best}, self._choices)

    def _take_up(self, record: Mapping, arrays: dict[str, np.ndarray]) -> None:
        """Goes on from what `_save` saved."""
        self.state = State(**{each.name: int(record[each.name]) for each in dataclasses.fields(State)})
        stage = self._stages[self.state.stage]
        if not (self.state.stage >= 0 and 0 <= self.state.step <= stage.iterations):
            raise ValueError(f"step {self.state.step} of stage {self.state.stage}")
        self._adopt()
        self._descent = Descent.restored(record["history"], arrays.pop("best"), stage.size)
        self.books.tell(record["note"])
        made = f"{self.state.step} iterations of scale {stage.scale + 1}"
        self.books.restore({**record, "history": record["history"]["records"]}, made)
        self._arrays = arrays


def _means(values: Mapping[str, tf.Tensor]) -> dict[str, float]:
    """Returns the mean over pictures; of one, its value."""
    return {name: float(np.mean(each)) for name, each in values.items()}
