import json

import pytest
from PIL import Image

from tfstyle.io import encode

from conftest import one_line, run_script, well


@pytest.mark.parametrize("argument", ["content", "style"])
def test_both_reconstructions(files, narrow_file, tmp_path, argument):
    flags = [
        f"--{argument}={files / argument}.png", f"--{argument}_layers=conv1_1,conv2_1", "--iterations=8",
        f"--weights={narrow_file}", "--padding=zeros", "--image_size=32", "--optimizer=adam", "--precision=float32",
    ]  # fmt: skip
    process = well(run_script("reconstruct.py", *flags, cwd=tmp_path))
    assert process.stdout == f"{argument}_{argument}.png\n"
    assert f"{argument}/block2_conv1" in process.stderr
    path = tmp_path / process.stdout.strip()
    assert max(Image.open(path).size) == 32
    record = json.loads(encode.read_note(path))
    assert record["config"]["init"] == "noise"
    well(run_script("reconstruct.py", f"--from={path}", "--output=again.png", cwd=tmp_path))
    assert (tmp_path / "again.png").read_bytes() == path.read_bytes()


def test_one_picture_at_a_time(files, tmp_path):
    for pictures in ([], [f"--content={files / 'content.png'}", f"--style={files / 'style.png'}"]):
        line = one_line(run_script("reconstruct.py", *pictures, cwd=tmp_path))
        assert line.endswith("error: --content, --style: exactly one of them must name a picture file")
