"""The script as users run it: a table, a page, numbers and a picture."""

import json

import numpy as np
import pytest
from PIL import Image

from conftest import one_line, picture, run_script, well

OPTIONS = ["--image_size=40", "--content_layers=conv2_1", "--style_layers=conv1_1,conv2_1", "--tile=32"]


@pytest.fixture(scope="module")
def folder(files, tmp_path_factory):
    """Content as a result of its own, one of another size with figures' record, and noise."""
    folder = tmp_path_factory.mktemp("evaluate")
    content = Image.open(files / "content.png").resize((40, 30))
    content.save(folder / "same.png")
    Image.open(files / "style.png").resize((80, 60)).save(folder / "large.jpg")
    (folder / "large.json").write_text(json.dumps({"losses": {}, "seconds": 1.5, "evaluations": 123}))
    (folder / "same.json").write_text("[not a record")
    Image.fromarray(picture(30, 40, seed=8)).save(folder / "other.png")
    (folder / "text.png").write_text("not a picture")
    return folder


def run(files, narrow_file, folder, *more):
    return run_script(
        "evaluate.py", f"--content={files / 'content.png'}", f"--style={files / 'style.png'}",
        f"--weights={narrow_file}", *OPTIONS, *more, cwd=folder,
    )  # fmt: skip


@pytest.fixture(scope="module")
def judged(files, narrow_file, folder):
    return well(run(files, narrow_file, folder, "--results=same.png,large.jpg,other.png", "--output=out/all"))


def test_prints_the_table_and_the_path(judged, folder):
    *table, last = judged.stdout.splitlines()
    assert last == "out/all/evaluation.png"
    named = [line.split("|")[1].strip() for line in table[2:]]
    assert named == ["same", "large", "other", "*the content itself*"]
    assert all(line.startswith("|") and line.endswith("|") for line in table)
    assert "\n".join(table) in (folder / "out" / "all" / "evaluation.md").read_text()


def test_says_what_was_resized(judged):
    assert judged.stderr.splitlines() == [
        "large: 80 x 60 pixels, resized to the content's 40 x 30; seams are looked for before that"
    ]


def test_numbers(judged, folder, narrow_file):
    record = json.loads((folder / "out" / "all" / "evaluation.json").read_text())
    assert record["size"] == [40, 30]
    assert record["weights"] == narrow_file and record["tile"] == 32
    assert record["content_layers"] == ["block2_conv1"]
    same, large, other = record["results"]
    assert (same["path"], same["size"]) == ("same.png", [40, 30])
    assert (large["path"], large["size"]) == ("large.jpg", [80, 60])
    assert (same["evaluations"], large["evaluations"]) == (None, 123)
    assert same["content_error"] < 1e-3 < other["content_error"]  # but for Pillow's way of resizing
    assert list(same["style_errors"]) == ["conv1_1", "conv2_1"]
    assert large["seams"] is not None


def test_picture(judged, folder):
    sheet = Image.open(folder / "out" / "all" / "evaluation.png")
    assert sheet.format == "PNG" and sheet.width > 3 * 320
    assert len(np.unique(np.asarray(sheet).reshape(-1, 3), axis=0)) > 100


# name: (flags, what the line says)
MISTAKES = {
    "no content": (["--content="], "--content: is missing; it must name a picture file"),
    "no style": (["--style="], "--style: is missing; it must name a picture file, or several"),
    "no result": (["--results="], "--results: is missing; it must name one or more picture files"),
    "no output": (["--output="], "--output: is missing; it must name a folder"),
    "result is missing": (["--results=none.png"], "results='none.png': no such file"),
    "result twice": (["--results=same.png,same.png"], "names 'same.png' twice"),
    "output below a file": (["--output=text.png/x"], "output='text.png/x': cannot be made"),
    "negative size": (["--image_size=-1"], "image_size=-1: must be a whole number, 0 or above"),
}  # fmt: skip


@pytest.mark.parametrize("name", MISTAKES)
def test_mistakes_are_one_line_and_leave_nothing(files, narrow_file, folder, name):
    """A flag given twice counts as given last."""
    flags, told = MISTAKES[name]
    assert told in one_line(run(files, narrow_file, folder, "--results=same.png", "--output=bad", *flags))
    assert not list(folder.glob("bad/*"))


def test_clips(files, narrow_file, folder):
    """What is the style, from frame to frame, has no error of style; a still clip has none of warping."""
    clip, style = picture(40, 40, 3), Image.open(files / "style.png")
    for name, shown in (("clip", clip), ("painted", np.asarray(style)), ("same", clip)):
        (folder / name).mkdir()
        for number in range(3):
            Image.fromarray(shown).save(folder / name / f"{number}.png")
    flags = ["--video", "--content=clip", "--results=painted,same", "--output=out/clips"]
    process = well(run(files, narrow_file, folder, *flags))
    header, _, painted, same, path = process.stdout.splitlines()
    assert header == "| clip | warping error | 8 frames apart | sharpness | style error |"
    assert path == "out/clips/evaluation.png" and (folder / path).is_file()
    assert [cell.strip() for cell in painted.split("|")[1:4]] == ["painted", "0", "-"]
    record = json.loads((folder / "out" / "clips" / "evaluation.json").read_text())["results"]
    assert record["painted"]["style_error"] < 1e-6 < 0.01 < record["same"]["style_error"]
    assert f"{record['same']['style_error']:.3g}" in same
