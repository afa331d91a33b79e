"""The worker as seen by the studio: a process that is started, told, heard and let go."""

from __future__ import annotations

import contextlib
import json
import os
import pathlib
import subprocess
import sys
import threading
from collections.abc import Callable
from typing import Any

import tfstyle

_GRACE_SECONDS = 30.0  # for a last step
_IMPORTED_FROM = str(pathlib.Path(tfstyle.__file__).parents[1]), os.environ.get("PYTHONPATH")
ENVIRONMENT = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, _IMPORTED_FROM))}


class WorkerProcess:
    """A process of `worker.py`.

    Args:
      paintings: the folder that it works in.
      log: file of what it prints; replaced.
      heard: called with each event that it tells, in a thread of its own.
      ended: called with it and its exit status at its end, likewise.
    """

    def __init__(
        self,
        paintings: pathlib.Path,
        log: pathlib.Path,
        heard: Callable[[dict[str, Any]], None],
        ended: Callable[[WorkerProcess, int], None],
    ):
        with log.open("wb") as file:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tfstyle.studio.worker", str(paintings)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=file,
                text=True,
                start_new_session=True,  # Ctrl-C is for the studio, which then ends it in order
                env=ENVIRONMENT,
            )
        threading.Thread(target=self._listen, args=(heard, ended), daemon=True).start()

    def _listen(self, heard, ended) -> None:
        for line in self._process.stdout:
            heard(json.loads(line))
        ended(self, self._process.wait())

    def send(self, task: dict[str, Any]) -> None:
        """Hands it a task; if it has just ended, `ended` tells."""
        with contextlib.suppress(OSError):
            self._process.stdin.write(json.dumps(task) + "\n")
            self._process.stdin.flush()

    def let_go(self) -> None:
        """Tells it that nothing more is coming, on which it saves the state of what it paints, and ends."""
        with contextlib.suppress(OSError):
            self._process.stdin.close()

    def wait(self) -> int:
        """Returns its exit status, once it has ended by itself or its time for that is over."""
        try:
            return self._process.wait(_GRACE_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            return self._process.wait()
