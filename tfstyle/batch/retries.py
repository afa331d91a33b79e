"""Trying again what may have failed by chance: a network, a disk."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from tfstyle.io.files import reason

Value = TypeVar("Value")
_FIRST_PAUSE = 0.5


@dataclass(frozen=True)
class Failure:
    """Why something could not be done.

    Attributes:
      reason: in one line.
      tries: how often it was tried.
      transient: whether another run may fare better with the same picture.
    """

    reason: str
    tries: int = 1
    transient: bool = False


def attempt(
    function: Callable[[], Value], retries: int, pause: Callable[[float], None] = time.sleep
) -> Value | Failure:
    """Calls a function, and again after errors that may pass, with a longer pause each time.

    Such errors are those of the system: a picture that is none, or is damaged, is a `ValueError`.

    Args:
      function: what to do.
      retries: how often to try again.
      pause: waits for seconds.

    Returns:
      What the function returned, or why it did not.
    """
    tries = 0
    while True:
        tries += 1
        try:
            return function()
        except OSError as error:
            if tries > retries:
                return Failure(reason(error), tries, transient=True)
        except (ValueError, FloatingPointError) as error:
            return Failure(reason(error), tries)
        except Exception as error:  # nobody knows of what kind; it must not cost other pictures
            return Failure(f"{type(error).__name__}: {reason(error)}", tries, transient=True)
        pause(_FIRST_PAUSE * 2 ** (tries - 1))
