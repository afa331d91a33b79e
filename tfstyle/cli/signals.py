"""Signals that ask a command to end: a loop that looks for them ends in order, all else at once."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from collections.abc import Iterator

_ASKING = [name for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]


class Interrupted(KeyboardInterrupt):
    """Ends the command wherever it is.

    Args:
      number: of the signal.
    """

    def __init__(self, number: int):
        super().__init__(signal.Signals(number).name)
        self.status = 128 + number


class Interruption:
    """Called between steps, tells which signal has come; until `awaited`, and a second time, it ends all.

    Attributes:
      status: exit status of a command that was told to end; 0 if it was not.
    """

    def __init__(self):
        self.status = 0
        self._number = 0
        self._awaited = False

    def install(self) -> None:
        """Takes over what such signals do."""
        for name in _ASKING:
            # A signal that was ignored from the start (nohup, a job of a shell) stays so.
            if signal.getsignal(getattr(signal, name)) is not signal.SIG_IGN:
                signal.signal(getattr(signal, name), self._handle)

    @contextlib.contextmanager
    def handled(self) -> Iterator[None]:
        """Takes over what such signals do; one that ends all within is told in a line."""
        self.install()
        try:
            yield
        except KeyboardInterrupt as error:
            print(f"\nstopped by {error}", file=sys.stderr)
            sys.exit(getattr(error, "status", 130))

    @contextlib.contextmanager
    def at_once(self) -> Iterator[None]:
        """Within, a first signal ends all, also where it is awaited outside: nothing has begun yet."""
        awaited, self._awaited = self._awaited, False
        try:
            yield
        finally:
            self._awaited = awaited

    def awaited(self) -> Interruption:
        """From now on a first signal ends nothing by itself; returns what is to be asked between steps.

        An exception that a signal raises may come in the middle of TensorFlow's tracing, which takes
        it for another and leaves half of a function behind. Who goes on after errors must not see it.
        """
        self._awaited = True
        return self

    def over(self) -> None:
        """Nothing is left to be ended: what the exit status is going to be, it stays."""
        for name in _ASKING:
            signal.signal(getattr(signal, name), signal.SIG_IGN)

    def __call__(self) -> str:
        if not self._number:
            return ""
        self.status = 128 + self._number
        return signal.Signals(self._number).name

    def _handle(self, number: int, frame) -> None:
        if not self._awaited or self._number:
            raise Interrupted(number)
        self._number = number
        text = f"\n{signal.Signals(number).name}: this step is finished first; once more ends it at once\n"
        with contextlib.suppress(OSError):  # nobody may be there to read it
            os.write(2, text.encode())


INTERRUPTION = Interruption()  # of this process
