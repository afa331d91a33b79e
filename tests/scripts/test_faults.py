"""Disks that are full, folders that cannot be written, inputs that vanish, readers that have gone: one line each."""

import contextlib
import pathlib
import signal
import subprocess
import time

import pytest
from PIL import Image

from conftest import one_line, picture_folder, run_script, small_inputs, start_script, well

pytestmark = pytest.mark.slow
USUAL = [
    "--precision=float32", "--content=content.png", "--style=style.png", "--weights=narrow.npz", "--padding=zeros",
    "--image_size=40", "--content_layers=conv2_1", "--style_layers=conv1_1,conv2_1", "--optimizer=adam",
]  # fmt: skip
OLD = b"what was there before"


@pytest.fixture
def folder(tmp_path):
    return small_inputs(tmp_path)


@contextlib.contextmanager
def small_disk(where, *options):
    """A file system of its own, of 64 kB, at `where`/disk."""
    disk = where / "disk"
    disk.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", ",".join(["size=64k", *options]), "tmpfs", str(disk)]
    if subprocess.run(command, capture_output=True).returncode:
        pytest.skip("file systems cannot be mounted here")
    try:
        yield disk
    finally:
        subprocess.run(["umount", str(disk)], check=True)


def fill(disk):
    with open(disk / "filler", "wb", buffering=0) as file, contextlib.suppress(OSError):
        while file.write(bytes(512)):
            pass


def transfer(folder, *flags):
    return run_script("style_transfer.py", *USUAL, "--iterations=2", *flags, cwd=folder)


def error_of(process):
    """The last line, after what was told of the run."""
    process.stderr = process.stderr.strip().rpartition("\n")[2]
    return one_line(process)


def test_a_disk_too_full_for_the_picture(folder):
    with small_disk(folder) as disk:
        (disk / "out.png").write_bytes(OLD)
        fill(disk)
        process = transfer(folder, "--output=disk/out.png")
        assert error_of(process).endswith("No space left on device")
        assert (disk / "out.png").read_bytes() == OLD
        assert {path.name for path in disk.iterdir()} == {"out.png", "filler"}


def test_a_disk_too_full_for_states_and_boards_ends_no_run(folder):
    """The picture goes elsewhere, and is what it would have been."""
    assert transfer(folder, "--output=whole.png").returncode == 0
    with small_disk(folder) as disk:
        fill(disk)
        flags = ["--checkpoint_dir=disk", "--checkpoint_every=1", "--output=out.png"]
        process = well(transfer(folder, *flags))
        assert "the state could not be saved (No space left on device)" in process.stderr
    assert (folder / "out.png").read_bytes() == (folder / "whole.png").read_bytes()


def test_a_disk_that_cannot_be_written(folder):
    with small_disk(folder, "ro"):
        paths = {
            "output": "disk/out.png",
            "checkpoint_dir": "disk",
            "logdir": "disk/logs",
            "snapshot_dir": "disk/x",
        }
        for name, value in paths.items():
            line = error_of(transfer(folder, "--output=out.png", f"--{name}={value}"))
            assert line.startswith(f"style_transfer.py: error: {name}='{value}': cannot be")
            assert line.endswith("(Read-only file system)")
    assert not (folder / "out.png").exists()


def test_a_disk_too_full_for_tensorboard(folder):
    with small_disk(folder) as disk:
        (folder / "out.png").write_bytes(OLD)
        fill(disk)
        process = transfer(folder, "--logdir=disk", "--output=out.png")
        assert "Traceback" not in process.stderr
        if process.returncode:  # then in one line, and nothing is lost
            assert "No space left" in error_of(process)
            assert (folder / "out.png").read_bytes() == OLD


def test_a_photograph_that_vanishes_while_a_network_is_trained(folder):
    """It is there when the training begins, and gone, or another, when it is its turn."""
    picture_folder(folder / "photos", 4, 40, 48)
    (folder / "vanish.py").write_text(
        "import pathlib; from tfstyle.cli import common as cli, train\n"
        "read = cli.tensorboard_reporters\n"
        "def vanish(*a): pathlib.Path('photos/2.png').unlink(); return read(*a)\n"
        "cli.tensorboard_reporters = vanish\n"
        "train.define_flags()\n"
        "cli.run(train.main)"
    )
    flags = [
        "--photos=photos",
        "--styles=style.png",
        "--weights=narrow.npz",
        "--output=model",
        "--crop_size=32",
    ]
    flags += ["--image_size=40", "--steps=40", "--width=2", "--residual_blocks=0", "--validation=0"]
    flags += ["--style_layers=conv1_1,conv2_1", "--content_layers=conv2_1", "--batch_size=2"]
    line = error_of(run_script(folder / "vanish.py", *flags, cwd=folder))
    assert "photos/2.png" in line and "no such file" in line.lower()
    assert not (folder / "model").exists()


@pytest.mark.parametrize("closed", ["stdout", "stderr"])
def test_a_reader_that_has_gone(folder, closed):
    (folder / "unread.py").write_text(
        "import os, sys; from tfstyle.cli import main; read, write = os.pipe(); os.close(read)\n"
        f"os.dup2(write, sys.{closed}.fileno()); main('transfer')"
    )
    flags = [*USUAL, "--iterations=2", "--output=out.png"]
    process = run_script(folder / "unread.py", *flags, cwd=folder)
    with Image.open(folder / "out.png") as made:
        made.load()
    if closed == "stderr":  # nobody need watch
        assert process.returncode == 0 and process.stdout == "out.png\n"
    else:
        assert process.returncode == 1 and "Traceback" not in process.stderr
        assert "error: standard output: was closed" in process.stderr.splitlines()[-1]


def test_two_runs_in_one_folder(folder):
    """Of two with the same states, the second stops at once; with the same output, both end whole."""
    flags = [*USUAL, "--iterations=100000", "--checkpoint_dir=state", "--output=out.png"]
    first = start_script("style_transfer.py", *flags, "--deadline=120s", cwd=folder)
    while "0/100000" not in first.err.read_text() and first.poll() is None:
        time.sleep(0.05)
    line = error_of(run_script("style_transfer.py", *flags, cwd=folder))
    assert f"checkpoint_dir='state': another run works in it (process {first.pid} on " in line
    first.send_signal(signal.SIGTERM)
    ended = first.finished()
    assert (ended.returncode, ended.stdout) == (143, "out.png\n"), ended.stderr
    with Image.open(folder / "out.png") as made:
        made.load()
    both = [*USUAL, "--iterations=3", "--output=both.png"]
    pair = [start_script("style_transfer.py", *both, cwd=folder) for _ in range(2)]
    assert [process.finished().returncode for process in pair] == [0, 0]
    transfer(folder, "--iterations=3", "--output=alone.png")
    assert (folder / "both.png").read_bytes() == (folder / "alone.png").read_bytes()
    assert not [path.name for path in pathlib.Path(folder).iterdir() if path.suffix == ".part"]
