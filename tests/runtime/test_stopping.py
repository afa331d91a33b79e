"""When a run is ended: durations, times of the day, the first of several reasons."""

import datetime
import time

import pytest

from tfstyle.config.options import interval, seconds_of
from tfstyle.runtime.stopping import deadline, first_of, never

NOON = datetime.datetime(2026, 3, 1, 12, 0, 0)


@pytest.mark.parametrize(
    ("text", "seconds"), [("30s", 30), ("1.5m", 90), ("2h", 7200), (" 5s ", 5), (".5s", 0.5)]
)
def test_durations(text, seconds):
    assert seconds_of(text) == seconds


@pytest.mark.parametrize("text", ["", "30", "s", "-3s", "3 s", "1d", "1e3s", "3sm"])
def test_what_is_no_duration(text):
    assert seconds_of(text) is None


def test_intervals():
    assert interval("10m") == (600, 0)
    assert interval("25") == interval(25) == (0, 25)
    for text in ("0", "0s", "-1", "often", "1.5"):
        with pytest.raises(ValueError, match=f"checkpoint_every='{text}': must be a duration such as 30s"):
            interval(text)


@pytest.mark.parametrize(
    ("when", "seconds"),
    [
        ("90s", 90),
        ("12:30", 1800),
        ("11:59", 86340),  # tomorrow
        ("12:00:01", 1),
        ("2026-03-02T12:00", 86400),
    ],
)
def test_deadlines(when, seconds, monkeypatch):
    clock = [1000.0]
    monkeypatch.setattr(time, "monotonic", lambda: clock[0])
    stop = deadline(when, now=lambda: NOON)
    clock[0] += seconds - 0.5
    assert stop() == ""
    clock[0] += 0.5
    assert stop() == f"the deadline {when}"


@pytest.mark.parametrize(
    ("when", "message"),
    [
        ("soon", "must be a duration such as 90s, 15m or 2h, or a time such as 18:30"),
        ("25:00", "must be a duration"),
        ("0s", "has passed"),
        ("2026-02-28T12:00", "has passed"),
    ],
)
def test_deadlines_that_are_none(when, message):
    with pytest.raises(ValueError, match=f"deadline='{when}': {message}"):
        deadline(when, now=lambda: NOON)


def test_the_first_reason_counts():
    assert first_of(never, never)() == ""
    assert first_of(never, lambda: "one", lambda: "two")() == "one"
