"""The script as users run it, on one machine."""

import io
import json
import os
import signal
import time

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from conftest import one_line, picture, run_script, start_script, well

OPTIONS = {
    "image_size": 40, "iterations": 2, "optimizer": "adam", "precision": "float32",
    "units": "gatys_code", "style_weight": 1000.0, "adam_epsilon": 1e-4,
    "content_layers": "conv2_1", "style_layers": "conv1_1,conv2_1",
}  # fmt: skip
FLAGS = [f"--{name}={value}" for name, value in OPTIONS.items()]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Four pictures of two sizes, one that is none, two styles; the same in TFRecords."""
    folder = tmp_path_factory.mktemp("batch")
    (folder / "in" / "sub").mkdir(parents=True)
    for name, size, seed in (
        ("a", (30, 40), 1),
        ("b", (40, 40), 2),
        ("sub/c", (60, 80), 3),
        ("d", (30, 40), 4),
    ):
        Image.fromarray(picture(*size, seed)).save(folder / "in" / f"{name}.png")
    (folder / "in" / "bad.png").write_text("not a picture")
    Image.fromarray(picture(40, 40, seed=5)).save(folder / "waves.png")
    Image.fromarray(picture(32, 40, seed=6)).save(folder / "dots.png")
    (folder / "file").write_text("")
    return folder


def run(narrow_file, folder, *more):
    usual = [
        "--contents=in", "--styles=waves.png,dots.png", "--output=out", f"--weights={narrow_file}",
        "--padding=zeros",
    ]  # fmt: skip
    return run_script("batch.py", *usual, *FLAGS, *more, cwd=folder)


def lines(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def times(output):
    return {path.relative_to(output).as_posix(): path.stat().st_mtime_ns for path in output.rglob("*.png")}


@pytest.fixture(scope="module")
def first(narrow_file, folder):
    process = run(narrow_file, folder)
    assert process.returncode == 1, process.stderr
    return process


def test_all_but_what_is_no_picture(first, folder):
    """That they are what `transfer` makes: test_batch_worker.py."""
    assert first.stdout == "out/manifest.jsonl\n"
    expected = sorted(
        f"{content}__{style}.png" for content in ("a", "b", "sub/c", "d") for style in ("waves", "dots")
    )
    assert sorted(times(folder / "out")) == expected
    assert [record["output"] for record in lines(folder / "out" / "manifest.jsonl")] == expected


def test_says_what_failed(first, folder):
    *_, counts, last = first.stderr.splitlines()
    assert counts == "8 made, 0 finished, 2 failed, 0 failed before"
    assert last.startswith("batch.py: error: 2 pictures could not be made; out/failures.jsonl says why")
    assert first.stderr.count("failed: in/bad.png: is not a picture that Pillow can read") == 2
    assert [(one["content"], one["style"], one["tries"]) for one in lines(folder / "out" / "failures.jsonl")] == [
        ("in/bad.png", "dots.png", 1), ("in/bad.png", "waves.png", 1),
    ]  # fmt: skip


def test_made_again_from_itself(first, folder):
    well(run_script("style_transfer.py", "--from=out/a__dots.png", "--output=again.png", cwd=folder))
    pictures = [np.asarray(Image.open(folder / name), int) for name in ("again.png", "out/a__dots.png")]
    assert np.abs(pictures[0] - pictures[1]).max() <= 1


def test_a_second_run_makes_only_what_changed(first, narrow_file, folder):
    """What else counts as changed: test_batch_manifest.py."""
    before = times(folder / "out")
    Image.fromarray(picture(30, 40, seed=9)).save(folder / "in" / "d.png")
    process = run(narrow_file, folder)
    assert "2 made, 6 finished, 0 failed, 2 failed before" in process.stderr and process.returncode == 1
    after = times(folder / "out")
    assert {name for name in before if before[name] != after[name]} == {"d__waves.png", "d__dots.png"}


def test_tfrecords_and_jpeg(narrow_file, folder):
    def example(**features):
        values = {
            f"image/{name}": tf.train.Feature(bytes_list=tf.train.BytesList(value=[value]))
            for name, value in features.items()
        }
        return tf.train.Example(features=tf.train.Features(feature=values)).SerializeToString()

    encoded = io.BytesIO()
    Image.fromarray(picture(30, 40, seed=7)).save(encoded, "JPEG")
    with tf.io.TFRecordWriter(str(folder / "one.tfrecord")) as writer:
        writer.write(example(encoded=encoded.getvalue(), filename=b"x/cat.jpg"))
        writer.write(example(encoded=encoded.getvalue()))
        writer.write(example(encoded=encoded.getvalue(), filename=b"../../cat.jpg"))
        writer.write(example(encoded=b"no picture", filename=b"dog.jpg"))
    options = [
        "--contents=*.tfrecord",
        "--styles=",
        "--styles=waves.png",
        "--output=records/out",
        "--output_format=jpg",
    ]
    process = run(narrow_file, folder, *options)
    assert "2 made, 0 finished, 2 failed, 0 failed before" in process.stderr
    output = folder / "records" / "out"
    assert {path.relative_to(output).as_posix() for path in output.rglob("*.jpg")} == {
        "x/cat__waves.jpg", "one.tfrecord-000001__waves.jpg",
    }  # fmt: skip
    assert not list(folder.rglob("cat__waves.png"))
    reasons = {one["content"]: one["reason"] for one in lines(output / "failures.jsonl")}
    assert "must be a relative path that stays" in reasons["one.tfrecord#2"]
    assert "is not a picture" in reasons["one.tfrecord#3"]
    assert "0 made, 2 finished, 0 failed, 2 failed before" in run(narrow_file, folder, *options).stderr


def test_ctrl_c_keeps_what_is_finished(narrow_file, folder):
    arguments = ["--contents=in", "--styles=waves.png,dots.png", "--output=stopped", "--batch_size=1", *FLAGS]
    # With fewer iterations, the rest would be made before the signal comes.
    arguments.append("--iterations=500")
    process = start_script("batch.py", f"--weights={narrow_file}", "--padding=zeros", *arguments, cwd=folder)
    output, deadline = folder / "stopped", time.monotonic() + 120
    while not list(output.glob("records/**/*.json")):
        assert process.poll() is None and time.monotonic() < deadline
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    done = process.finished()
    stderr = done.stderr
    assert done.returncode == 130, stderr
    assert stderr.splitlines()[-1] == "stopped by SIGINT; the same command makes the rest"
    assert "1 pictures could not be made" in stderr or "0 failed, 0 failed before" in stderr
    assert 0 < len(lines(output / "manifest.jsonl")) < 8


# name: (flags, what the line says); of what is found: test_files.py, test_batch_sources.py, test_batch_parts.py
MISTAKES = {
    "no contents": (["--contents="], "--contents: is missing; it must name a folder"),
    "no styles": (["--styles="], "--styles: is missing; it must name one or more pictures"),
    "no output": (["--output="], "--output: is missing; it must name a folder"),
    "no such folder": (["--contents=none"], "contents='none': no such file or folder"),
    "output below a file": (["--output=file/x"], "output='file/x': cannot be made"),
    "batch size": (["--batch_size=0"], "batch_size=0: must be a whole number, 1 or above"),
    "retries": (["--retries=-1"], "retries=-1: must be a whole number, 0 or above"),
    "format": (["--output_format=gif"], "flag --output_format=gif"),
    "beam's options without beam": (["--beam_args=--runner=DirectRunner"], "needs --runner=beam"),
    "quotes": (["--runner=beam", "--beam_args='"], "cannot be split into options"),
}  # fmt: skip


@pytest.mark.parametrize("name", MISTAKES)
def test_mistakes_are_one_line_and_leave_nothing(narrow_file, folder, name):
    """A flag given twice counts as given last."""
    flags, told = MISTAKES[name]
    assert told in one_line(run(narrow_file, folder, "--output=mistakes", *flags))
    assert not (folder / "mistakes").exists() or os.listdir(folder / "mistakes") == []


def test_without_beam(folder):
    (folder / "without.py").write_text(
        "import sys\nsys.modules['apache_beam'] = None\nfrom tfstyle.cli import main\nmain('batch')"
    )
    flags = ["--contents=in", "--styles=waves.png", "--output=out", "--runner=beam"]
    line = one_line(run_script(folder / "without.py", *flags, cwd=folder))
    assert "runner='beam': needs Apache Beam, which is not installed: pip install 'tfstyle[beam]'" in line
