"""Calls a function in a process of its own, so that memory and thread pools are its own.

A fresh interpreter rather than a fork: a forked process would begin with this
one's memory, and its thread pools would not survive.
"""

import importlib
import multiprocessing
import os
import pathlib
import resource
import signal
import sys


class ProcessDied(OSError):
    """A process ended without an answer."""


def call(function: str, **arguments):
    """Calls a function in a process of its own.

    Args:
      function: such as ``benchmarks.inputs:prepare``.
      **arguments: its arguments.

    Returns:
      What the function returned.

    Raises:
      ValueError, OSError, FloatingPointError: the function raised it.
      ProcessDied: the process was killed, or ended by another error, whose
        traceback is on standard error.
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
