"""Signals and deadlines: what ends at once, what ends in order, and what is written then."""

import json
import signal
import subprocess
import sys

import pytest
from PIL import Image

from conftest import ROOT, run_script, small_inputs, well

PROGRAM = """
import os, signal, sys
for name in ("SIGINT", "SIGTERM", "SIGHUP"):  # what started the tests may have had it ignored
    signal.signal(getattr(signal, name), signal.SIG_DFL)
sys.path.insert(0, {root!r})
from tfstyle.cli.signals import Interrupted, Interruption
interruption = Interruption()
interruption.install()
"""


def program(text):
    code = PROGRAM.format(root=str(ROOT)) + text
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_who_does_not_ask_is_ended_at_once(name):
    number = getattr(signal, name)
    done = program(f"""
try:
    os.kill(os.getpid(), {number})
    signal.pause()
except Interrupted as error:
    print(error, error.status, interruption.status)
""")
    assert done.stdout == f"{name} {128 + number} 0\n"


def test_who_asks_is_told_and_a_second_signal_does_not_wait():
    done = program("""
stop = interruption.awaited()
print(repr(stop()), interruption.status)
signal.raise_signal(signal.SIGTERM)
print(stop(), interruption.status)
try:
    signal.raise_signal(signal.SIGINT)
except Interrupted as error:
    print(error, error.status)
""")
    assert done.stdout.splitlines() == ["'' 0", "SIGTERM 143", "SIGINT 130"]
    assert done.stderr == "\nSIGTERM: this step is finished first; once more ends it at once\n"


def test_where_nothing_has_begun_who_asks_does_not_wait_either():
    done = program("""
stop = interruption.awaited()
try:
    with interruption.at_once():
        signal.raise_signal(signal.SIGTERM)
except Interrupted as error:
    print(error, error.status, repr(stop()))
signal.raise_signal(signal.SIGINT)
print(stop())
""")
    assert done.stdout.splitlines() == ["SIGTERM 143 ''", "SIGINT"]


def test_a_command_is_ended_at_once_also_before_it_is_there():
    done = program("""
import importlib
from tfstyle import cli
importlib.import_module = lambda name: signal.raise_signal(signal.SIGINT)
cli.main("transfer")
""")
    assert (done.returncode, done.stderr) == (130, "\nstopped by SIGINT\n")


def test_what_was_ignored_from_the_start_stays_so():
    """As under nohup, which ignores SIGHUP."""
    done = program("""
signal.signal(signal.SIGHUP, signal.SIG_IGN)
interruption.install()
signal.raise_signal(signal.SIGHUP)
print("goes on")
""")
    assert done.stdout == "goes on\n"


@pytest.mark.slow
def test_a_deadline_ends_in_a_picture_that_says_so(tmp_path):
    small_inputs(tmp_path)
    flags = [
        "--weights=narrow.npz", "--padding=zeros", "--image_size=40", "--optimizer=adam", "--precision=float32",
        "--log_every=1", "--content_layers=conv2_1", "--style_layers=conv1_1,conv2_1", "--content=content.png",
        "--style=style.png", "--iterations=100000",
    ]  # fmt: skip
    at_once = well(
        run_script("style_transfer.py", *flags, "--deadline=0.01s", "--output=none.png", cwd=tmp_path)
    )
    assert "stopped by the deadline 0.01s before the first step; nothing is written" in at_once.stderr
    assert not (tmp_path / "none.png").exists()

    for deadline in ("2s", "8s", "32s"):  # on a busy machine, the first step is not made before the first
        until = f"--deadline={deadline}"
        ended = run_script("style_transfer.py", *flags, until, "--output=out.png", cwd=tmp_path)
        if (tmp_path / "out.png").exists():
            break
    assert ended.returncode == 0 and ended.stdout == "out.png\n", ended.stderr
    assert f"stopped by the deadline {deadline} after " in ended.stderr
    with Image.open(tmp_path / "out.png") as made:
        note = json.loads(made.text["tfstyle"])
    steps, planned = note["iterations"]
    assert 0 < steps < planned == 100000
    # Its settings are those of the whole run, which can be made from it.
    changed = ["--iterations=2", "--output=again.png"]
    well(run_script("style_transfer.py", "--from=out.png", *changed, cwd=tmp_path))
    with Image.open(tmp_path / "again.png") as made:
        of_again = json.loads(made.text["tfstyle"])
    assert of_again["config"] == {**note["config"], "iterations": 2} and "iterations" not in of_again
