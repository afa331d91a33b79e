"""Calls a function in a process of its own, so that memory and thread pools are its own.

A fresh interpreter rather than a fork: a forked process would begin with this
one's memory, and its thread pools would not survive.
"""

import importlib
import json
import os
import pathlib
import resource
import subprocess
import sys
import tempfile

_SCRIPTS = pathlib.Path(__file__).resolve().parent.parent
_MISTAKES = {kind.__name__: kind for kind in (ValueError, OSError, FloatingPointError)}


class ProcessDied(OSError):
    """A process ended without an answer."""


def call(function: str, **arguments):
    """Calls a function in a process of its own.

    Args:
      function: such as ``benchmarks.inputs:prepare``; what it returns must be JSON's.
      **arguments: its arguments, which must be JSON's, too.

    Returns:
      What the function returned.

    Raises:
      ValueError, OSError, FloatingPointError: the function raised it.
      ProcessDied: the process was killed, or ended by another error, whose
        traceback is on standard error.
    """
    paths = [str(_SCRIPTS), str(_SCRIPTS.parent), os.environ.get("PYTHONPATH", "")]
    # GPUs are hidden: the peers run on the processor, and so must all.
    environment = os.environ | {
        "PYTHONPATH": os.pathsep.join(filter(None, paths)),
        "CUDA_VISIBLE_DEVICES": "-1",
    }
    with tempfile.TemporaryDirectory() as folder:
        answer = pathlib.Path(folder, "answer.json")
        status = subprocess.run(
            [sys.executable, "-m", "benchmarks.own_process", function, json.dumps(arguments), str(answer)],
            env=environment,
            check=False,
        ).returncode
        if status or not answer.exists():
            reason = f"killed by signal {-status}" if status < 0 else f"exit status {status}"
            raise ProcessDied(f"{function}: its process ended without an answer ({reason})")
        answered = json.loads(answer.read_text())
    if "mistake" in answered:
        raise _MISTAKES[answered["mistake"]](answered["message"])
    return answered["returned"]


def peak_memory() -> int:
    """Returns the largest resident size of this process so far, in bytes.

    Linux hands `ru_maxrss` on from the process that started this one; the
    kernel's own high-water mark of this address space does not have that flaw.
    """
    status = pathlib.Path("/proc/self/status")
    if status.exists():
        for line in status.read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def _answer(function: str, arguments: str, answer: str) -> None:
    module, name = function.split(":")
    try:
        answered = {"returned": getattr(importlib.import_module(module), name)(**json.loads(arguments))}
    except tuple(_MISTAKES.values()) as error:
        kind = next(name for name, kind in _MISTAKES.items() if isinstance(error, kind))
        answered = {"mistake": kind, "message": str(error)}
    pathlib.Path(answer).write_text(json.dumps(answered))


if __name__ == "__main__":
    try:
        _answer(*sys.argv[1:])
    except KeyboardInterrupt:  # the benchmark itself was stopped, and says so
        sys.exit(130)
