"""Names of outputs, trying again, grouping, watching."""

import io
import time

import pytest

from tfstyle import TransferConfig
from tfstyle.api.size_groups import Waiting
from tfstyle.batch.board import Board
from tfstyle.batch.orders import (
    Content,
    Failure,
    Order,
    Outcome,
    Style,
    attempt,
    renamed,
    require_distinct,
    safe_stem,
    stem,
)

from conftest import Terminal


def style(name, path=None):
    return Style(name, path or f"{name}.jpg", "0")


def test_output_names():
    order = Order(TransferConfig(), [style("waves")], "out", suffix=".jpg")
    assert order.output_of("sub/cat", order.styles[0]) == "sub/cat__waves.jpg"
    assert stem("sub/cat.v2.png") == "sub/cat.v2"


@pytest.mark.parametrize(
    ("name", "expected"), [(b"cat.jpg", "cat"), (b"a/b.c.png", "a/b.c"), ("é".encode(), "é")]
)
def test_names_that_stay_in_their_folder(name, expected):
    assert safe_stem(name) == expected


@pytest.mark.parametrize(
    "name",
    [
        b"../cat.jpg", b"a/../../cat.jpg", b"/etc/cat.jpg", b"a\0.jpg", b"a\n.jpg", b"..", b".", b"a//b.jpg",
        b"..\\cat.jpg", b"C:/cat.jpg", b"a/", b"\xff.jpg", b"x" * 200 + b".jpg",
    ],
)  # fmt: skip
def test_names_that_do_not(name):
    with pytest.raises(ValueError, match="image/filename="):
        safe_stem(name)


def test_two_contents_of_one_name():
    contents = [Content("cat", "cat.jpg"), Content("dog", "dog.jpg"), Content("cat", "cat.png")]
    require_distinct([style("a"), style("b")], contents[:2])
    with pytest.raises(
        ValueError, match=r"contents: outputs of 'cat\.jpg' and 'cat\.png' would have the same"
    ):
        require_distinct([style("a")], contents)


@pytest.mark.parametrize("names", [("a", "a"), ("b", "a__b"), ("_b", "b")])
def test_styles_that_could_give_one_name(names):
    # "x__a" in style "b", and "x" in style "a__b", are both "x__a__b".
    styles = [style(name, f"{number}/{name}.jpg") for number, name in enumerate(names)]
    with pytest.raises(ValueError, match=r"styles: outputs in '.*' and '.*' could have the same name"):
        require_distinct(styles, [])


def test_the_second_record_of_a_name_fails():
    second = renamed(Content("cat", "x/a.tfrecord", 7, b"data"), "x/a.tfrecord#3")
    assert second.name == "a.tfrecord-000007"
    assert second.problem == "image/filename: outputs would be called 'cat', as those of 'x/a.tfrecord#3'"


def failing(*errors):
    """A function that raises these, one a call, and then returns 'done'."""
    left = list(errors)

    def function():
        if left:
            raise left.pop(0)
        return "done"

    return function


def test_errors_of_the_system_are_tried_again(monkeypatch):
    pauses = []
    monkeypatch.setattr(time, "sleep", pauses.append)
    assert attempt(failing(OSError("a"), TimeoutError("b")), 2) == "done"
    assert pauses == [0.5, 1.0]
    assert attempt(failing(*[OSError("disk\nfull")] * 3), 2) == Failure("disk full", 3, transient=True)
    assert attempt(failing(OSError("a")), 0) == Failure("a", 1, transient=True)


@pytest.mark.parametrize("error", [ValueError("is damaged"), FloatingPointError("is damaged")])
def test_others_are_not(error):
    assert attempt(failing(error), 5) == Failure("is damaged")


def test_unknown_errors_are_left_to_the_next_run_and_ctrl_c_is_none():
    assert attempt(failing(KeyError("x")), 5) == Failure("KeyError: 'x'", 1, transient=True)
    with pytest.raises(KeyboardInterrupt):
        attempt(failing(KeyboardInterrupt()), 5)


def test_groups_and_that_no_more_than_so_many_wait():
    for size, keys, gone, rest in (
        (2, "abaccd", [[], [], [[0, 2]], [], [[3, 4]], []], [[1], [5]]),
        (4, "abbcd", [[], [], [], [[1, 2]], []], [[0], [3], [4]]),
    ):
        waiting = Waiting(size=size, most=3)
        assert [list(waiting.add(key, item)) for item, key in enumerate(keys)] == gone
        assert list(waiting.rest()) == rest


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


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
