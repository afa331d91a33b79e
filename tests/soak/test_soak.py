"""Runs that are killed at random moments and started again, until they end: in what they would have made anyway.

    TFSTYLE_KILLS=200 .venv/bin/python -m pytest -m soak -n 2 --dist=load -s

So many kills are shared out among the jobs; CI makes one of a picture's state and one of a network's (of a batch's, it
is in tests/batch/test_batch_beam.py).
"""

import json
import os
import random
import shutil
import signal
import subprocess
import time
import zipfile

import numpy as np
import pytest
from PIL import Image

from conftest import narrow_weights, picture, picture_folder, start_script, well

pytestmark = [pytest.mark.soak, pytest.mark.slow]
KILLS = int(os.environ.get("TFSTYLE_KILLS", "0"))
SEED = int(os.environ.get("TFSTYLE_SOAK_SEED", "0"))
# SIGKILL leaves no time for anything, the others ask.
SIGNALS = [signal.SIGKILL, signal.SIGKILL, signal.SIGTERM, signal.SIGINT]
ENDS = {0, -signal.SIGKILL, 128 + signal.SIGTERM, 128 + signal.SIGINT}

LAYERS = ["--style_layers=conv1_1,conv2_1", "--content_layers=conv2_1"]
USUAL = ["--weights=narrow.npz", "--precision=float32", "--log_every=5", *LAYERS]
STATE = ["--checkpoint_dir=made/state", "--checkpoint_every=1"]
PICTURES = ["--content=contents/0.png", "--style=style.png", "--image_size=64", "--scales=2"]
TRAINING = ["--photos=contents", "--styles=style.png,contents/1.png", "--image_size=48", "--crop_size=32"]
TRAINING += ["--batch_size=2", "--width=2", "--residual_blocks=0", "--validation=1", "--report_every=10"]

# name: script and flags; what they write is in the folder made.
JOBS = {
    "adam": ["style_transfer.py", *USUAL, *STATE, *PICTURES, "--optimizer=adam", "--averaging=0.9", "--iterations=120",
             "--output=made/out.png"],
    "lbfgs": ["style_transfer.py", *USUAL, *STATE, *PICTURES, "--optimizer=lbfgs", "--iterations=60",
              "--output=made/out.png"],
    "figure": ["paper_figures.py", *USUAL, *STATE, *PICTURES[:2], "--image_size=64", "--figure=grid", "--scales=1",
               "--rows=seed=1", "--columns=style_weight=10,500", "--iterations=40", "--output=made"],
    "training": ["train_stylizer.py", *USUAL[:1], *LAYERS, *STATE, *TRAINING, "--steps=30", "--output=made/model"],
    "batch": ["batch.py", *USUAL, "--contents=contents", "--styles=style.png", "--image_size=48", "--iterations=5",
              "--scales=1", "--output=made", "--batch_size=1"],
}  # fmt: skip


@pytest.fixture(scope="module")
def inputs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("inputs")
    (folder / "made").mkdir()
    picture_folder(folder / "contents", 4, 72, 96)
    Image.fromarray(picture(80, 80, seed=9)).save(folder / "style.png")
    np.savez(folder / "narrow.npz", **narrow_weights())
    return folder


def run(job, folder, kill=None, after=0.0):
    """Runs a job, and may send it a signal after some seconds; returns the process, and how long it took."""
    began = time.monotonic()
    script, *flags = JOBS[job]
    process = start_script(script, *flags, cwd=folder)
    if kill is not None:
        try:
            process.wait(timeout=after)
        except subprocess.TimeoutExpired:
            process.send_signal(kill)
    return process.finished(600), time.monotonic() - began


def results(job, folder):
    """What a finished job has made, but for times."""
    made = folder / "made"
    if job == "training":
        import tensorflow as tf

        reader = tf.train.load_checkpoint(str(made / "model" / "variables" / "variables"))
        shapes = reader.get_variable_to_shape_map()
        values = {
            name: reader.get_tensor(name).tobytes()
            for name in shapes
            if "OBJECT_GRAPH" not in name and "." in name
        }
        return values | {"losses": json.loads((made / "model" / "tfstyle.json").read_text())["losses"]}
    pictures = {str(path.relative_to(made)): path.read_bytes() for path in made.rglob("*.png")}
    if job == "batch":
        lines = [json.loads(line) for line in (made / "manifest.jsonl").read_text().splitlines()]
        pictures["manifest"] = [{k: v for k, v in line.items() if k != "seconds"} for line in lines]
    return pictures


def require_whole(folder):
    """Whatever a kill has left can be read, and there is nothing that is part of a file."""
    for path in folder.joinpath("made").rglob("*"):
        if path.suffix == ".png":
            with Image.open(path) as image:
                image.load()
        elif path.suffix == ".npz":
            with zipfile.ZipFile(path) as archive:
                assert archive.testzip() is None
        elif path.suffix == ".json":
            json.loads(path.read_text())
        elif path.name.endswith(".jsonl"):
            [json.loads(line) for line in path.read_text().splitlines()]
        # A folder is written beside its place; of a file, not even that much is seen.
        assert path.is_dir() or ".part" not in path.suffix, path


@pytest.mark.parametrize("job", JOBS if KILLS else ["adam", "training"])
def test_killed_at_random_moments(job, inputs, tmp_path):
    chance = random.Random(f"{SEED} {job}")
    whole = tmp_path / "whole"
    shutil.copytree(inputs, whole)
    uninterrupted, all_seconds = run(job, whole)
    well(uninterrupted)
    expected = results(job, whole)
    assert expected
    killed = finished = 0
    seconds = all_seconds  # of the shortest whole run, so that signals come before its end
    wanted = max(1, KILLS // len(JOBS))
    while killed < wanted:
        folder = tmp_path / f"killed_{finished}"
        shutil.copytree(inputs, folder)
        before = killed
        while True:
            kill = chance.choice(SIGNALS) if killed < wanted else None
            ended, took = run(job, folder, kill, chance.uniform(0.3, 0.9) * seconds)
            assert ended.returncode in ENDS, ended.stderr
            require_whole(folder)
            if ended.returncode == 0:
                break
            killed += 1
        if killed == before:
            seconds = min(seconds, took)
        assert results(job, folder) == expected, f"after {killed} kills"
        shutil.rmtree(folder)
        finished += 1
    print(
        f"\n{job}: {killed} kills in {finished} runs, all of them ended in the same; whole: {all_seconds:.0f} s"
    )
