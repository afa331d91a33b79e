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


def test_optimized(narrow_file, tmp_path):
    """The first frame is a transfer of its own; the next ones are held to it."""
    write_clip(tmp_path / "clip.mov", moving(3))
    Image.fromarray(picture(60, 50, 7)).save(tmp_path / "own.png")
    flags = ["--style=own.png", f"--weights={narrow_file}", "--iterations=8", "--scales=1", "--padding=zeros",
             "--style_layers=conv1_1,conv2_1", "--content_layers=conv2_1"]  # fmt: skip
    for name, weight in (("free", 0), ("held", 1e6)):
        made = run_script(
            "video.py", "--content=clip.mov", "--mode=optimized", *flags, f"--temporal_weight={weight}",
            f"--output={name}", cwd=tmp_path,
        )  # fmt: skip
        assert (made.returncode, made.stdout) == (0, f"{name}\n"), made.stderr
    free, held = (
        np.float32([np.array(Image.open(path)) for path in sorted((tmp_path / name).iterdir())])
        for name in ("free", "held")
    )
    assert free.shape == (3, 48, 64, 3)
    np.testing.assert_array_equal(free[0], held[0])
    # The picture moves by two pixels to the right.
    moved = held[:-1, 8:-8, 8:-10] - held[1:, 8:-8, 10:-8]
    assert np.abs(moved).mean() < 4 and np.abs(held[1:] - free[1:]).mean() > 1
    frames = [frame.pixels for frame in open_clip(tmp_path / "clip.mov").frames()]
    Image.fromarray(frames[0]).save(tmp_path / "first.png")
    flags += ["--content=first.png", "--image_size=64", "--output=still.png"]
    assert run_script("style_transfer.py", *flags, cwd=tmp_path).returncode == 0
    np.testing.assert_array_equal(np.array(Image.open(tmp_path / "still.png")), held[0])


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
        (["--content=clip.mov", "--iterations=9"], "iterations=9: is for --mode=optimized"),
        (["--content=clip.mov", "--mode=optimized"], "--style: is missing; it must name a picture file"),
        (["--content=clip.mov", "--mode=optimized", "--model=m"], "model='m': is for --mode=instant"),
        (["--content=clip.mov", "--mode=optimized", "--style=city"], "style='city'"),
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
