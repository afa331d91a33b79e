"""The command that paints clips."""

import json

import numpy as np
import pytest
from PIL import Image

from tfstyle.video.clips import open_clip

from conftest import picture, run_script
from made_clips import moving, sound_of, write_clip

pytestmark = pytest.mark.slow


def test_a_clip_with_its_sound(tmp_path):
    write_clip(tmp_path / "clip.mov", moving(5), sound=True)
    made = run_script("video.py", "--content=clip.mov", "--style=city", cwd=tmp_path)
    assert (made.returncode, made.stdout) == (0, "clip_city.mp4\n"), made.stderr
    assert "5 frames in" in made.stderr
    found = open_clip(tmp_path / "clip_city.mp4")
    assert found.size == (48, 64) and len(list(found.frames())) == 5
    assert sound_of(tmp_path / "clip_city.mp4") == sound_of(tmp_path / "clip.mov")


def test_frame_by_frame_it_is_stylize(tmp_path):
    """Without steadiness, in the style of a picture and the clip's colours, half of it."""
    (tmp_path / "frames").mkdir()
    for number in range(2):
        Image.fromarray(picture(40, 48, number)).save(tmp_path / "frames" / f"{number}.png")
    Image.fromarray(picture(60, 50, 7)).save(tmp_path / "own.png")
    flags = ["--style=own.png", "--strength=0.5", "--color=content", "--output=made"]
    made = run_script("video.py", "--content=frames", *flags, "--steadiness=0", cwd=tmp_path)
    assert made.returncode == 0, made.stderr
    flags[-1] = "--output=stills"
    assert run_script("stylize.py", "--content=frames", *flags, cwd=tmp_path).returncode == 0
    for one, two in (("000001", "0"), ("000002", "1")):
        pictures = [
            np.int32(Image.open(tmp_path / path)) for path in (f"made/{one}.png", f"stills/{two}.png")
        ]
        np.testing.assert_allclose(*pictures, atol=1)


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--content=none.mp4"], "content='none.mp4'"),
        (["--content=notes.mp4"], "content='notes.mp4': is no video, or a damaged one"),
        (["--content=clip.mov", "--steadiness=1"], "steadiness=1: must be from 0 to below 1"),
        (["--content=clip.mov", "--seconds=-1"], "seconds=-1: must be 0 or above"),
        (["--content=clip.mov", "--output=clip.avi"], "output='clip.avi': must end in .mp4"),
        (["--content=clip.mov", "--output=clip.mov"], "clip.mov"),
        (["--content=clip.mov", "--style=nothing"], "style='nothing': must be one of"),
    ],
)
def test_mistakes_are_answered_in_one_line(tmp_path, flags, message):
    write_clip(tmp_path / "clip.mov", moving(2))
    (tmp_path / "notes.mp4").write_text(json.dumps({}))
    before = (tmp_path / "clip.mov").read_bytes()
    wrong = run_script("video.py", *flags, cwd=tmp_path)
    assert wrong.returncode == 1
    (line,) = wrong.stderr.splitlines()
    assert line.startswith("video.py: error: ") and message in line
    assert (tmp_path / "clip.mov").read_bytes() == before
