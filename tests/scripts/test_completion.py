"""`tfstyle completion`: what shells are told, and what bash makes of it."""

import functools
import shlex
import shutil
import subprocess
import sys

import pytest

from tfstyle.cli import COMMANDS
from tfstyle.config import PRESETS

from conftest import well, without_tensorflow


@functools.cache
def script(shell):
    return well(without_tensorflow("completion", shell)).stdout


def completed(*words):
    """What bash offers for the last of some words, which `=` parts as bash does."""
    if shutil.which("bash") is None:
        pytest.skip("needs bash")
    line = f"COMP_WORDS=({shlex.join(('tfstyle', *words))}); COMP_CWORD={len(words)}; _tfstyle"
    code = f'{script("bash")}\n{line}\nprintf "%s\\n" "${{COMPREPLY[@]}}"'
    done = subprocess.run(["bash", "-c", code], check=True, capture_output=True, text=True)
    assert not done.stderr
    return done.stdout.split()


def test_commands_and_flags_that_are_those_of_the_command():
    assert completed("") == list(COMMANDS)
    assert completed("tr") == ["transfer", "train"]
    assert completed("completion", "") == ["bash", "zsh", "fish"]
    assert completed("transfer", "--content_m") == ["--content_masks="]
    assert completed("stylize", "--content") == ["--content="]
    assert completed("transfer", "--content", "=", "a.jpg", "--dry") == ["--dry_run"]
    assert completed("transfer", "--dry_run", "--nodry") == ["--nodry_run"]
    assert {"--help", "--flagfile=", "--deterministic"} <= set(completed("weights", "--"))


def test_values():
    assert completed("transfer", "--optimizer", "=") == ["lbfgs", "adam", "sgd"]
    assert completed("transfer", "--optimizer", "=", "a") == ["adam"]
    assert completed("transfer", "--optimizer", "a") == ["adam"]
    assert completed("figures", "--preset", "=") == list(PRESETS)
    assert completed("transfer", "--content", "=", "a") == []  # the shell completes files by itself


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_every_shell_is_told_of_every_flag(shell):
    told = script(shell)
    dashes = "-l " if shell == "fish" else "--"
    for name in (*COMMANDS, f"{dashes}all_styles", f"{dashes}content_masks", "hager_zhang", *PRESETS):
        assert name in told
    if shutil.which(shell):
        subprocess.run([shell, "-n"], input=told, text=True, check=True)


def test_another_shell():
    process = subprocess.run(
        [sys.executable, "-m", "tfstyle", "completion", "csh"], capture_output=True, text=True
    )
    assert process.returncode == 1
    assert process.stderr == "tfstyle completion: error: 'csh': must be one of bash, zsh, fish\n"
