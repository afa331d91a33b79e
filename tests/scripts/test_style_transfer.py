"""The script as users run it: a picture, the same picture again, and everything around it."""

import dataclasses
import json

import pytest
from PIL import Image

from tfstyle import TransferConfig
from tfstyle.io import encode

from conftest import run_script, well, without_tensorflow

# A shallow network and Adam take a part of the time to compile.
LAYERS = {"content_layers": "conv2_1", "style_layers": "conv1_1,conv2_1", "optimizer": "adam"}


def run(files, narrow_file, *more, cwd=None):
    return run_script(
        "style_transfer.py", f"--content={files / 'content.png'}", f"--style={files / 'style.png'}",
        f"--weights={narrow_file}", "--padding=zeros", "--image_size=40", "--iterations=6",
        *(f"--{name}={value}" for name, value in LAYERS.items()), *more, cwd=cwd or files,
    )  # fmt: skip


@pytest.fixture(scope="module")
def made(files, narrow_file, tmp_path_factory):
    """A finished run: (folder, process)."""
    folder = tmp_path_factory.mktemp("made")
    process = well(run(files, narrow_file, f"--output={folder / 'out.png'}", "--log_every=2"))
    return folder, process


def test_ends_with_the_path_and_tells_the_way(made):
    folder, process = made
    assert process.stdout == f"{folder / 'out.png'}\n"
    assert "0/6" in process.stderr and "6/6" in process.stderr
    for term in ("content/block2_conv1", "style/block1_conv1", "evaluations; loss "):
        assert term in process.stderr
    assert "Traceback" not in process.stderr
    assert "cuda" not in process.stderr.lower()  # nor any other of TensorFlow's own lines


def test_from_gives_the_same_file_again(made):
    """Which the same command gives, too: see test_deterministic_scripts.py."""
    folder, _ = made
    well(run_script("style_transfer.py", "--from=out.png", "--output=again.png", cwd=folder))
    assert (folder / "out.png").read_bytes() == (folder / "again.png").read_bytes()


def test_picture_carries_its_origin(made, files, narrow_file):
    """With what precision=auto came to, which is found by timing, and may be another at a second time."""
    written = Image.open(made[0] / "out.png")
    assert written.size == (40, 30)  # the content's 48 x 36, longer side 40
    record = json.loads(written.text["tfstyle"])
    assert record["task"] == "style_transfer"
    precision = record["config"]["precision"]
    assert precision in ("float32", "bfloat16")
    small = {"weights": narrow_file, "padding": "zeros", "image_size": 40, "iterations": 6, "log_every": 2}
    assert TransferConfig(**record["config"]) == TransferConfig(precision=precision, **small, **LAYERS)
    assert record["inputs"]["content"]["path"] == str(files / "content.png")
    assert len(record["inputs"]["weights"]["sha256"]) == 64
    assert record["versions"]["tensorflow"]


def test_everything_around_a_run(files, narrow_file, tmp_path):
    """JPEG, preset, flagfile, TensorBoard, snapshots and checkpoint, in two runs."""
    (tmp_path / "flags").write_text("--preset=paper\n--optimizer=adam\n--seed=7\n")
    options = (
        "--flagfile=flags", "--logdir=logs", "--snapshot_dir=shots", "--checkpoint_dir=state",
        "--log_every=3", "--precision=float32",
    )  # fmt: skip
    well(run(files, narrow_file, *options, "--output=a.jpg", cwd=tmp_path))
    assert Image.open(tmp_path / "a.jpg").format == "JPEG"
    assert len(list((tmp_path / "logs" / "a").iterdir())) == 1
    assert sorted(p.name for p in (tmp_path / "shots").iterdir()) == [f"step_00000{i}.png" for i in (0, 3, 6)]
    record = json.loads(encode.read_note(tmp_path / "a.jpg"))
    assert record["config"]["units"] == "paper" and record["config"]["seed"] == 7

    # Picks up the finished state, so that it makes no step; names its picture itself.
    second = well(run(files, narrow_file, *options, cwd=tmp_path))
    assert "goes on from the checkpoint" in second.stderr
    assert second.stdout == "content_style.png\n"


def test_dry_run_says_what_is_to_come_and_makes_nothing(files, narrow_file, tmp_path):
    layers = ("--content_layers=conv4_2", "--style_layers=conv1_1,conv2_1,conv3_1,conv4_1,conv5_1")
    options = (*layers, "--image_size=1100", "--precision=float32", "--memory_limit=0.1", "--dry_run")
    process = well(run(files, narrow_file, *options, "--output=out.png", cwd=tmp_path))
    lines = process.stdout.splitlines()
    sizes = ["138 x 103", "275 x 206", "550 x 412", "1100 x 825"]
    assert [line.partition(":")[0] for line in lines[:5]] == ["weights", *sizes]
    assert "SHA-256" in lines[0]
    assert lines[4] == "1100 x 825: 3 iterations in float32, tiled"
    assert "does not fit" in lines[5]
    assert list(tmp_path.iterdir()) == []


def test_help_lists_every_flag_without_tensorflow():
    told = well(without_tensorflow("transfer", "--help")).stdout
    further = {"content", "style", "output", "preset", "logdir", "checkpoint_dir", "from"}
    for name in further | {field.name for field in dataclasses.fields(TransferConfig)}:
        assert f"--{name}:" in told or f"--[no]{name}:" in told, name
    assert "default: 80" in told
