"""The process that plans and paints: lines of JSON on standard input, lines of JSON on standard output.

    python -m tfstyle.studio.worker FOLDER

It takes ``{"do": "plan", "id", "files", "config"}``, ``{"do": "end", "id", "how"}`` and
``{"do": "paint", "id", "folder", "files", "config", "how"}``. To end with ``pause`` is to save the state,
with ``stop`` to write the picture so far as well; as the ``how`` of ``paint``, that is before its first step.
It tells ``{"event": "plan" | "progress" | "finished", "id", …}``. When standard input ends, it saves the
state of what it paints, and ends: a studio that was killed leaves nothing behind that works on.
"""

from __future__ import annotations

import functools
import json
import os
import pathlib
import queue
import sys
import threading
import time
import traceback
from collections.abc import Callable
from typing import Any, TextIO

from tfstyle.config import TransferConfig
from tfstyle.io import encode
from tfstyle.io.files import reason
from tfstyle.runtime.locks import FolderLock

TASK = "style_transfer"
STATE, PREVIEW, RESULT = "state", "preview.jpg", "result.png"  # in a painting's folder
_LEAST_SECONDS = 0.4  # between two previews


class Worker:
    """What is to be done, and what becomes of it.

    Args:
      told: where events go.
    """

    def __init__(self, told: TextIO):
        self._told = told
        self._tasks: queue.Queue[dict[str, Any] | None] = queue.Queue()
        self._plans: queue.Queue[dict[str, Any]] = queue.Queue()
        self._taken: set[str] = set()  # ids of paintings at work or waiting here
        self._ends: dict[str, str] = {}  # {id of one of these: how it is to be ended}
        self._painting = ""
        self._closed = threading.Event()

    def listen(self, lines: TextIO) -> None:
        """Takes tasks until there are no more lines."""
        for line in lines:
            task = json.loads(line)
            if task["do"] == "end":
                if task["id"] in self._taken:  # else it has just ended
                    self._ends[task["id"]] = task["how"]
            elif task["do"] == "plan":
                self._plans.put(task)
                self._tasks.put(task)  # wakes a worker that has nothing else to do
            else:
                self._taken.add(task["id"])
                if task["how"]:
                    self._ends[task["id"]] = task["how"]
                self._tasks.put(task)
        self._closed.set()
        self._tasks.put(None)

    def work(self) -> None:
        """Does the tasks, until there are no more."""
        while (task := self._tasks.get()) is not None:
            if task["do"] == "paint" and not self._closed.is_set():
                self._paint(**task)
            self._make_plans()

    def _tell(self, event: str, identity, **more) -> None:
        print(json.dumps({"event": event, "id": identity, **more}), file=self._told, flush=True)

    def _make_plans(self) -> None:
        """Makes the plans that are asked for; also called between the steps of a painting."""
        while not self._plans.empty():
            task = self._plans.get()
            try:
                self._tell("plan", task["id"], plan=_planned(task["files"], TransferConfig(**task["config"])))
            except Exception as error:
                self._tell("plan", task["id"], error=_explained(error))

    def _asked_to_end(self) -> str:
        self._make_plans()
        return "the studio" if self._closed.is_set() or self._painting in self._ends else ""

    def _paint(self, id: str, folder: str, files: dict[str, str], config: dict[str, Any], **_) -> None:
        self._painting = id
        try:
            ended = self._painted(pathlib.Path(folder), files, TransferConfig(**config))
        except Exception as error:
            ended = {"state": "failed", "error": _explained(error)}
        # Before it is told: what comes later is for the next time.
        self._painting = ""
        self._taken.discard(id)
        self._ends.pop(id, None)
        self._tell("finished", id, **ended)

    def _painted(self, place: pathlib.Path, files: dict[str, str], config: TransferConfig) -> dict[str, Any]:
        """Paints, and returns what is told of the end."""
        from tfstyle.api import provenance, transfer

        note = provenance.describe(TASK, config, files)
        result = transfer.transfer(
            *_pictures(files),
            config,
            content_masks=_masks(files),
            reporters=[_Watching(functools.partial(self._tell, "progress", self._painting), place)],
            checkpoint_dir=place / STATE,
            stop=self._asked_to_end,
        )
        if result.ending and not result.failed and self._ends.get(self._painting) != "stop":
            return {"state": "paused"}
        if result.ending:
            note = provenance.unfinished(note, *result.steps)
        encode.save_image(place / RESULT, result.image, note, result.alpha)
        encode.save_image(place / PREVIEW, encode.to_uint8(result.image), alpha=result.alpha)
        state = "failed" if result.failed else "stopped" if result.ending else "done"
        why = f"{result.ending}; this is the best picture so far" if result.failed else ""
        return {"state": state, "error": why, "step": result.steps[0], "total": result.steps[1]}


class _Watching:
    """A reporter: the picture as a preview in the painting's folder, and the numbers, which are told."""

    def __init__(self, tell: Callable[..., None], folder: pathlib.Path):
        from tfstyle.reporting.progress import Pace  # TensorFlow comes with it

        self._tell, self._folder = tell, folder
        self._shown, self._pace = -_LEAST_SECONDS, Pace()

    def report(self, progress, image) -> None:
        _, left = self._pace.of(progress)
        preview = progress.step >= progress.total_steps or time.monotonic() - self._shown >= _LEAST_SECONDS
        if preview:
            encode.save_image(self._folder / PREVIEW, encode.to_uint8(image))
            self._shown = time.monotonic()
        self._tell(
            step=progress.step,
            total=progress.total_steps,
            preview=preview,
            loss=progress.total,
            seconds=progress.seconds,
            left=left,
            size=[int(image.shape[2]), int(image.shape[1])],
        )


def _planned(files: dict[str, str], config: TransferConfig) -> dict[str, Any]:
    from tfstyle.api.transfer import plan_transfer

    plan = plan_transfer(*_pictures(files), config, content_masks=_masks(files))
    height, width = plan.stages[-1].size
    return {
        "width": width,
        "height": height,
        "seconds": plan.seconds,
        "bytes": plan.peak_bytes,
        "limit": plan.limit_bytes,
        "fits": plan.fits,
        "remedies": list(plan.remedies),
    }


def _pictures(files: dict[str, str]) -> tuple[str, list[str]]:
    return files["content"], [path for name, path in files.items() if name.partition(" ")[0] == "style"]


def _masks(files: dict[str, str]) -> list[str]:
    return [files["content_masks"]] if "content_masks" in files else []


def _explained(error: Exception) -> str:
    """Returns what went wrong in a line; a mistake of tfstyle's own is also in the log."""
    if not isinstance(error, (ValueError, OSError, FloatingPointError, MemoryError)):
        traceback.print_exc()
    return reason(error)[:500]


def main() -> None:
    """Works for a studio until it closes standard input."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ["KERAS_BACKEND"] = "tensorflow"
    os.environ.pop("TF_USE_LEGACY_KERAS", None)
    told = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what libraries print is no event
    worker = Worker(told)
    threading.Thread(target=worker.listen, args=(sys.stdin,), daemon=True).start()
    # That of a studio that was killed may still be at its last step.
    with FolderLock(pathlib.Path(sys.argv[1]), f"folder={sys.argv[1]!r}", wait=True):
        worker.work()


if __name__ == "__main__":
    main()
