"""What the README's section on pipelines shows is run as it stands, but for where Python and the scripts are."""

import os
import re
import shlex
import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from conftest import ROOT, picture

SECTION = re.search(
    r"^## Inside TensorFlow pipelines\n(.*?)^## ", (ROOT / "README.md").read_text(), re.MULTILINE | re.DOTALL
)[1]
BLOCKS = re.findall(r"^```(python|sh)\n(.*?)^```", SECTION, re.MULTILINE | re.DOTALL)
# For the scripts, which would otherwise paint for minutes.
QUICK = ["--scales=1", "--iterations=1", "--content_layers=conv2_1", "--style_layers=conv1_1,conv2_1"]


def run(command):
    program, script, *flags = shlex.split(command, comments=True)
    assert program == ".venv/bin/python"
    optimizer = [] if any(flag.startswith("--optimizer") for flag in flags) else ["--optimizer=adam"]
    size = [] if any(flag.startswith("--image_size") for flag in flags) else ["--image_size=64"]
    layers = QUICK[:2] if "--model=extractor" in flags else QUICK
    # That an export is called where tfstyle is not importable is seen in its own tests.
    optimizer += ["--noverify"] * (script == "scripts/export.py")
    done = subprocess.run(
        [sys.executable, ROOT / script, *flags, *size, *layers, *optimizer],
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    return done


@pytest.mark.slow
def test_the_section_on_pipelines(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    os.mkdir("photos")
    for name, size, seed in (
        ("photo.jpg", (72, 96), 1),
        ("other.jpg", (80, 64), 2),
        ("painting.jpg", (96, 96), 3),
        ("waves.jpg", (90, 96), 4),
        ("photos/a.jpg", (48, 64), 5),
        ("photos/b.png", (48, 64), 6),
    ):
        Image.fromarray(picture(*size, seed)).save(name)
    names, seen = {}, []
    for kind, block in BLOCKS:
        if kind == "python":
            exec(compile(block, "README.md", "exec"), names)
            continue
        for command in block.replace("\\\n", " ").splitlines():
            seen.append(run(command))
    assert len(BLOCKS) == 7 and len(seen) == 5
    # What came of it.
    assert np.asarray(Image.open("photo_waves.png")).shape == (72, 96, 3)
    painted = list(names["tfstyle"].read_records("painted.tfrecord"))
    assert [element["filename"].numpy() for element in painted] == [b"photo.jpg", b"other.jpg"]
    assert [element["image"].shape.as_list() for element in painted] == [[72, 96, 3], [96, 77, 3]]
    assert names["picture"].shape == [1, 72, 96, 3] and names["picture"].dtype == tf.uint8
    assert tf.io.decode_png(names["png"][0]).shape == [72, 96, 3]
    assert sorted(os.listdir("saved_models")) == ["extractor", "painting", "transfer"]
    assert "4 made" in seen[3].stderr and "4 finished" in seen[4].stderr
