"""The command that paints clips."""

import numpy as np
import pytest
from PIL import Image
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from tfstyle.video.clips import open_clip

from conftest import one_line, picture, picture_folder, run_script, well
from made_clips import moving, sound_of, write_clip

pytestmark = pytest.mark.slow


def test_a_clip_with_its_sound(tmp_path):
    write_clip(tmp_path / "clip.mov", moving(5), sound=True)
    made = well(run_script("video.py", "--content=clip.mov", "--style=city", cwd=tmp_path))
    assert made.stdout == "clip_city.mp4\n"
    assert "5 frames in" in made.stderr
    found = open_clip(tmp_path / "clip_city.mp4")
    assert found.size == (48, 64) and len(list(found.frames())) == 5
    assert sound_of(tmp_path / "clip_city.mp4") == sound_of(tmp_path / "clip.mov")


def test_frame_by_frame_it_is_stylize(tmp_path):
    """Without steadiness, in the style of a picture and the clip's colours, half of it."""
    picture_folder(tmp_path / "frames", 2, 40, 48)
    Image.fromarray(picture(60, 50, 7)).save(tmp_path / "own.png")
    flags = ["--style=own.png", "--strength=0.5", "--color=content", "--output=made"]
    well(run_script("video.py", "--content=frames", *flags, "--steadiness=0", cwd=tmp_path))
    flags[-1] = "--output=stills"
    well(run_script("stylize.py", "--content=frames", *flags, cwd=tmp_path))
    for one, two in (("000001", "0"), ("000002", "1")):
        pictures = [
            np.int32(Image.open(tmp_path / path)) for path in (f"made/{one}.png", f"stills/{two}.png")
        ]
        np.testing.assert_allclose(*pictures, atol=1)


def test_optimized(narrow_file, tmp_path):
    """The first frame is a transfer of its own; the next one is held to it."""
    write_clip(tmp_path / "clip.mov", moving(2))
    Image.fromarray(picture(60, 50, 7)).save(tmp_path / "own.png")
    flags = ["--style=own.png", f"--weights={narrow_file}", "--iterations=8", "--scales=1", "--padding=zeros",
             "--style_layers=conv1_1,conv2_1", "--content_layers=conv2_1", "--optimizer=adam"]  # fmt: skip
    watched = ["--temporal_weight=1e6", "--output=held", "--logdir=runs", "--log_every=1"]
    clip = ["--content=clip.mov", "--mode=optimized", *watched]
    assert well(run_script("video.py", *clip, *flags, cwd=tmp_path)).stdout == "held\n"
    seen = EventAccumulator(str(tmp_path / "runs" / "held"), {"tensors": 0, "images": 0}).Reload()
    assert [event.step for event in seen.Tensors("image")] == [1, 2]
    assert {"metrics/followed", "metrics/scene", "weighted/temporal", "total", "inputs/style_1"} <= set(
        seen.Tags()["tensors"]
    )
    one, two = (np.float32(Image.open(path)) for path in sorted((tmp_path / "held").iterdir()))
    # The picture moves by two pixels to the right.
    assert np.abs(one[8:-8, 8:-10] - two[8:-8, 10:-8]).mean() < 4
    first = next(open_clip(tmp_path / "clip.mov").frames()).pixels
    Image.fromarray(first).save(tmp_path / "first.png")
    flags += ["--content=first.png", "--image_size=64", "--output=still.png"]
    well(run_script("style_transfer.py", *flags, cwd=tmp_path))
    np.testing.assert_array_equal(np.float32(Image.open(tmp_path / "still.png")), one)


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--content=clip.mov", "--steadiness=1"], "steadiness=1: must be from 0 to below 1"),
        (["--content=clip.mov", "--preview=-1"], "preview=-1: must be 0 or above"),
        (["--content=clip.mov", "--output=clip.mov"], "clip.mov"),
        (["--content=clip.mov", "--style=nothing"], "style='nothing': must be one of"),
        (["--content=clip.mov", "--iterations=9"], "iterations=9: is for --mode=optimized"),
        (["--content=clip.mov", "--later_share=1"], "later_share=1.0: is for --mode=optimized"),
        (
            ["--content=clip.mov", "--mode=optimized", "--steadiness=0.5"],
            "steadiness=0.5: is for --mode=instant",
        ),
        (["--content=clip.mov", "--mode=optimized"], "--style: is missing; it must name a picture file"),
        (["--content=clip.mov", "--mode=optimized", "--model=m"], "model=m: is for --mode=instant"),
        (["--content=clip.mov", "--mode=optimized", "--style=city"], "style='city'"),
    ],
)
def test_mistakes_are_answered_in_one_line(tmp_path, flags, message):
    write_clip(tmp_path / "clip.mov", moving(2))
    before = (tmp_path / "clip.mov").read_bytes()
    assert message in one_line(run_script("video.py", *flags, cwd=tmp_path))
    assert (tmp_path / "clip.mov").read_bytes() == before
