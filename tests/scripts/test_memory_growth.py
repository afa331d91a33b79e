"""A run's memory does not grow with its steps; the script measures longer ones."""

import re

import pytest

from conftest import one_line, run_script


@pytest.mark.slow
def test_nothing_grows_over_hundreds_of_steps_and_growth_is_told(narrow_file, tmp_path):
    """Told, of a growth above a limit that no run could keep."""
    flags = ("--only=adam", f"--weights={narrow_file}", "--first=200", "--steps=800", "--most=-1")
    process = run_script("development/memory_growth.py", *flags, cwd=tmp_path)
    header, _, *rows = process.stdout.splitlines()
    assert "MB after 200 steps" in header and "after 800" in header
    for row, logs in zip(rows, ("no", "yes"), strict=True):
        name, board, before, after, growth = (cell.strip() for cell in row.strip("| ").split("|"))
        assert (name, board) == ("adam", logs) and re.fullmatch(r"[+-][\d.]+%", growth)
        assert 100 < float(before) < 5000 and float(after) <= 1.02 * float(before)
    assert process.returncode == 1
    assert "memory grew by" in process.stderr.splitlines()[-1] and "-100% is right" in process.stderr


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--first=15"], "first=15, steps=5000: must be multiples of every=10"),
        (["--steps=500"], "first=500, steps=500: must be multiples"),
        (["--only=sgd"], "only='sgd': must be among adam, lbfgs, training"),
    ],
)
def test_mistakes_are_one_line(tmp_path, flags, message):
    process = run_script("development/memory_growth.py", *flags, cwd=tmp_path)
    assert message in one_line(process)
