"""Who is told of what happens: a bounded number of queues, each of a page that listens."""

from __future__ import annotations

import queue
import threading
from typing import Any

MOST_STREAMS = 8
_STALE = 64  # events that a page may be behind


class Busy(RuntimeError):
    """There are as many of something as there may be, or it is in no state for what is asked."""


class Streams:
    """The pages that listen; its methods may be called from any thread."""

    def __init__(self):
        self._open: set[queue.Queue] = set()
        self._lock = threading.Lock()

    def open(self) -> queue.Queue:
        """Returns a queue of events as they come; None in it says that it was too slow, or all ends.

        Raises:
          Busy: there are as many streams as there may be.
        """
        events: queue.Queue = queue.Queue(_STALE + 1)  # with room for None
        with self._lock:
            if len(self._open) >= MOST_STREAMS:
                raise Busy(f"there are {MOST_STREAMS} event streams; close another page first")
            self._open.add(events)
        return events

    def leave(self, events: queue.Queue) -> None:
        """Ends the stream of a queue."""
        with self._lock:
            self._open.discard(events)

    def publish(self, event: dict[str, Any]) -> None:
        """Tells all of an event; one that is too far behind is closed, and its page will ask for all anew."""
        with self._lock:
            for events in [each for each in self._open if each.qsize() >= _STALE]:
                self._open.discard(events)
                events.put(None)
            for events in self._open:
                events.put(event)

    def close(self) -> None:
        """Ends all streams."""
        with self._lock:
            for events in self._open:
                events.put(None)
            self._open.clear()
