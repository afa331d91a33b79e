"""How runs are made and watched: each in a process of its own, announced, and recorded on the way.

A fresh interpreter rather than a fork: a forked process would begin with this one's memory, and its thread
pools would not survive.
"""

import importlib
import math
import multiprocessing
import os
import pathlib
import resource
import signal
import sys
import time
from collections.abc import Sequence

import numpy as np

# Above so many times the first loss a run does not come back.
_HOPELESS = 1e3
_STAT = pathlib.Path("/proc/stat")
_MUCH = 0.05  # of the processor


class Announcer:
    """Says on standard error which of so many things begins, and how long those that are left will take."""

    def __init__(self, total: int):
        self._total, self._done = total, 0
        self._began = time.monotonic()

    def begin(self, what: str) -> None:
        """Announces the next thing; the one before is done."""
        left = ""
        if self._done:
            seconds = (time.monotonic() - self._began) / self._done * (self._total - self._done)
            left = f"; about {_span(seconds)} left"
        self._done += 1
        print(f"[{self._done}/{self._total}] {what}{left}", file=sys.stderr, flush=True)


def _span(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


class Recorder:
    """Keeps times, evaluations, losses and pictures of a run.

    What keeping costs is taken off the run's seconds. Pictures go to files:
    in memory they would count as the run's own.

    Args:
      folder: for the pictures, ``0.npy``, ``1.npy``, …
      every: evaluations between two records.
      always: evaluations of which there is a record, too; of the first there always is.

    Attributes:
      rows: the records.
    """

    def __init__(self, folder, every: int, always: Sequence[int]):
        self.rows: list[dict] = []
        self._folder, self._every, self._always = pathlib.Path(folder), every, {1, *always}
        self._kept = 0.0
        self._began = time.perf_counter()

    def start(self) -> None:
        """Starts the clock, once libraries and pictures are loaded."""
        self._began = time.perf_counter()

    def due(self, evaluations: int) -> bool:
        """Returns whether there should be a record of so many evaluations."""
        return evaluations in self._always or evaluations % self._every == 0

    def record(self, evaluations: int, loss: float, picture) -> None:
        """Keeps where a run stands.

        Args:
          evaluations: times that value and gradient were computed.
          loss: the run's own value of the objective at `picture`.
          picture: `[1, H, W, 3]` array or tensor, RGB where [0, 1] is visible.

        Raises:
          FloatingPointError: the loss shows that the run diverged.
        """
        now = time.perf_counter()
        seconds = now - self._began - self._kept
        loss = float(loss)
        np.save(self._folder / f"{len(self.rows)}.npy", np.asarray(picture))
        self.rows.append({"seconds": seconds, "evaluations": evaluations, "own_loss": loss})
        if not math.isfinite(loss) or loss > _HOPELESS * self.rows[0]["own_loss"]:
            raise FloatingPointError(f"diverged: the loss is {loss:g} after {evaluations} evaluations")
        self._kept += time.perf_counter() - now

    def report(self, progress, image) -> None:
        """Keeps where a run of tfstyle stands, as one of its reporters."""
        self.record(progress.evaluations, progress.total, image)


class ProcessDied(OSError):
    """A process ended without an answer."""


def call(function: str, **arguments):
    """Returns what a function such as ``benchmarks.inputs:prepare`` returns in a process of its own.

    Raises:
      ValueError, OSError, FloatingPointError: the function raised it.
      ProcessDied: the process was killed, or ended by another error, whose traceback is on standard error.
    """
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe(duplex=False)
    process = context.Process(target=_answer, args=(there, function, arguments), daemon=True)
    process.start()
    there.close()
    try:
        answer = here.recv()
    except EOFError:
        process.join()
        reason = f"its process ended without an answer (exit status {process.exitcode})"
        raise ProcessDied(f"{function}: {reason}") from None
    finally:
        process.kill()
        process.join()
    if isinstance(answer, Exception):
        raise answer
    return answer


def _answer(pipe, function: str, arguments: dict) -> None:
    # GPUs are hidden: the peers run on the processor, and so must all.
    os.environ["CUDA_VISIBLE_DEVICES"] = "-1"
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # the benchmark itself was stopped, and says so
    module, name = function.split(":")
    try:
        answer = getattr(importlib.import_module(module), name)(**arguments)
    except (ValueError, OSError, FloatingPointError) as error:
        answer = error
    pipe.send(answer)


def peak_memory() -> int:
    """Returns the largest resident size of this process so far, in bytes.

    Linux hands `ru_maxrss` on from the process that started this one; not so the high-water mark of the
    address space.
    """
    status = pathlib.Path("/proc/self/status")
    if status.exists():
        for line in status.read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def processor_times() -> tuple[float, float, float]:
    """Returns seconds, of all cores: in all, busy, and busy with this process and those it waited for."""
    if not _STAT.exists():
        return 0.0, 0.0, 0.0
    # From the ninth on, columns repeat what others hold.
    ticks = [int(each) / os.sysconf("SC_CLK_TCK") for each in _STAT.read_text().splitlines()[0].split()[1:9]]
    idle = ticks[3] + ticks[4]  # the second for a disk
    usages = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(ticks), sum(ticks) - idle, sum(usage.ru_utime + usage.ru_stime for usage in usages)


def company_since(before: tuple[float, float, float]) -> float:
    """Returns the part of all cores' time, 0 to 1, that other programs took since `processor_times`.

    PyTorch suffers most from it, as its OpenMP threads wait for one another at every layer, so that
    company would flatter tfstyle.
    """
    total, busy, own = (now - then for now, then in zip(processor_times(), before))
    return min(1.0, max(0.0, busy - own) / max(total, 1e-9))


def warnings(company: float) -> list[str]:
    """Returns what to say of other programs' share, nothing if it is small."""
    if company <= _MUCH:
        return []
    return [
        f"Other programs took up to {company:.0%} of the processor during a run: these times are not to be"
        " trusted, PyTorch's least of all. Run it on an idle machine."
    ]
