"""What reporters hear of a clip that is painted."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

import numpy as np

from tfstyle.reporting import Progress, Reporter
from tfstyle.video.steadiness import Painted


class Watcher:
    """Tells reporters how a clip goes on; `paint_clip` calls it.

    A frame is a step. Metrics are which scene of this run it belongs to, and how it follows the frames before
    (see `Painted`); losses are those of the frame, where it was optimised.

    Args:
      reporters: who is told.
      every: frames from one record to the next.
      total: frames of the clip; None where its file does not say.
      clock: returns seconds; tests pass their own.
    """

    def __init__(
        self,
        reporters: Sequence[Reporter],
        every: int,
        total: int | None,
        clock: Callable[[], float] = time.monotonic,
    ):
        self._reporters, self._every, self._total, self._clock = reporters, every, total, clock
        self._began, self._scene = clock(), 0

    def __call__(self, done: int, painted: Painted | None) -> None:
        if painted is None:
            return
        self._scene += painted.warping_error is None
        if (done - 1) % self._every:
            return
        metrics = {"scene": self._scene, "followed": painted.followed}
        if painted.warping_error is not None:
            metrics["warping_error"] = painted.warping_error
        losses, seconds = dict(painted.losses), self._clock() - self._began
        total = sum(losses.values())
        progress = Progress(done, self._total or done, 0, 1, losses, {}, total, seconds, 0, metrics=metrics)
        for reporter in self._reporters:
            reporter.report(progress, painted.picture[np.newaxis])
