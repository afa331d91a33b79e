"""Trying again, grouping, watching."""

import io

import pytest

from tfstyle.api.size_groups import Waiting
from tfstyle.batch.board import Board
from tfstyle.batch.orders import Failure, Outcome, attempt


def failing(*errors):
    """A function that raises these, one a call, and then returns 'done'."""
    left = list(errors)

    def function():
        if left:
            raise left.pop(0)
        return "done"

    return function


def test_errors_of_the_system_are_tried_again():
    pauses = []
    assert attempt(failing(OSError("a"), TimeoutError("b")), 2, pauses.append) == "done"
    assert pauses == [0.5, 1.0]
    assert attempt(failing(*[OSError("disk\nfull")] * 3), 2, pauses.append) == Failure(
        "disk full", 3, transient=True
    )
    assert attempt(failing(OSError("a")), 0, pauses.append) == Failure("a", 1, transient=True)


@pytest.mark.parametrize("error", [ValueError("is damaged"), FloatingPointError("is damaged")])
def test_others_are_not(error):
    assert attempt(failing(error), 5, lambda seconds: pytest.fail("waited")) == Failure("is damaged")


def test_unknown_errors_are_named_and_left_to_the_next_run():
    assert attempt(failing(KeyError("x")), 5) == Failure("KeyError: 'x'", 1, transient=True)


def test_ctrl_c_is_no_failure():
    with pytest.raises(KeyboardInterrupt):
        attempt(failing(KeyboardInterrupt()), 5)


def test_groups():
    waiting = Waiting(size=2, most=3)
    gone = [list(waiting.add(key, item)) for key, item in zip("abaccd", range(6))]
    assert gone == [[], [], [[0, 2]], [], [[3, 4]], []]
    assert list(waiting.rest()) == [[1], [5]]


def test_no_more_than_so_many_wait():
    waiting = Waiting(size=4, most=3)
    gone = [list(waiting.add(key, item)) for key, item in zip("abbcd", range(5))]
    assert gone == [[], [], [], [[1, 2]], []]
    assert list(waiting.rest()) == [[0], [3], [4]]


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


class Terminal(io.StringIO):
    def isatty(self):
        return True


def outcome(kind, reason=""):
    return Outcome(kind, "x.png", reason)


def test_board_in_a_log():
    stream, clock = io.StringIO(), Clock()
    board = Board(10, stream, every_seconds=10, clock=clock)
    board.count(outcome("finished"))
    assert stream.getvalue() == ""
    clock.now = 12.0
    board.count(outcome("made"))
    board.count(outcome("failed", "bad.png: is damaged"))
    assert stream.getvalue().splitlines() == [
        "2/10 pictures: 1 made, 1 finished; 5.0 a minute, 1:36 left",
        "failed: bad.png: is damaged",
    ]
    # Two in 12 seconds, seven to go.
    assert board.line() == "3/10 pictures: 1 made, 1 finished, 1 failed; 10.0 a minute, 0:42 left"
    assert board.counts == {"made": 1, "finished": 1, "failed": 1, "failed before": 0}


def test_board_on_a_terminal_without_a_total():
    stream, clock = Terminal(), Clock()
    board = Board(None, stream, clock=clock)
    clock.now = 6.0
    board.count(outcome("made"))
    board.close()
    assert stream.getvalue() == "\r\x1b[K1 pictures: 1 made; 10.0 a minute\r\x1b[K"
