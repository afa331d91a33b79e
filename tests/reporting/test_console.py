import dataclasses
import io

from tfstyle.reporting import ConsoleReporter

from conftest import Terminal
from records import IMAGE, progress


def told(stream, *records, every_seconds=0):
    """What a stream has of some records."""
    reporter = ConsoleReporter(stream, every_seconds)
    for record in records:
        reporter.report(record, IMAGE)
    return stream.getvalue()


def test_terminal_renews_one_line(monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    text = told(Terminal(), progress(0), progress(50, seconds=25.0), progress(100, seconds=90.0))
    assert text.count("\n") == 1 and text.endswith("\n")
    _, _, half, full = text.split("\r\x1b[K")
    assert half.startswith("██████████░░░░░░░░░░ 50/100  2.0 steps/s  0:25 left  loss 42 = ")
    assert "30 content/block4_conv2 + 8 style/block1_conv1 + 4 style/block2_conv1" in half
    assert "100/100  1:30" in full


def test_narrow_terminal_gets_groups_and_never_wraps(monkeypatch):
    for columns, expected in ((100, "= 30 content + 12 style"), (40, "50/100")):
        monkeypatch.setenv("COLUMNS", str(columns))
        line = told(Terminal(), progress(0), progress(50, seconds=3600.0)).split("\r\x1b[K")[-1]
        assert expected in line
        assert len(line) < columns


def test_a_log_gets_a_line_now_and_then():
    now = [0.0]
    stream = io.StringIO()
    reporter = ConsoleReporter(stream, every_seconds=10, clock=lambda: now[0])
    for step in range(0, 101, 10):
        reporter.report(progress(step, seconds=now[0]), IMAGE)
        now[0] += 4.0
    lines = stream.getvalue().splitlines()
    assert [line.split()[1] for line in lines] == ["0/100", "30/100", "60/100", "90/100", "100/100"]


def test_notes_get_a_line_of_their_own():
    records = progress(0), progress(10, note="the line search failed")
    assert told(io.StringIO(), *records, every_seconds=1e9).splitlines()[1] == "the line search failed"


def test_speed_counts_only_what_this_process_did():
    """A resumed run starts at a later step with time on the clock."""
    text = told(io.StringIO(), progress(50, seconds=1000.0), progress(60, seconds=1005.0))
    assert "2.0 steps/s  0:20 left" in text


def test_time_left_is_what_remains_at_the_current_pace():
    records = [
        dataclasses.replace(progress(step, seconds, scale=scale, scales=2), remaining=remaining)
        for step, seconds, scale, remaining in (
            (0, 0.0, 0, 250),
            (10, 10.0, 0, 240),
            (50, 50.0, 0, 200),
            (50, 50.0, 1, 50),
            (60, 90.0, 1, 40),
        )
    ]
    lines = told(io.StringIO(), *records).splitlines()
    assert "4:00 left" in lines[1]  # 40 steps of 1 s, then 50 of 4 s
    assert "0.2 steps/s" not in lines[3]  # of the new scale nothing is known yet
    assert "4.00 s/step  2:40 left" in lines[4]
