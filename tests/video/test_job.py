"""Clips painted and joined: pictures, times, sound; and runs that are ended."""

import itertools
from fractions import Fraction

import numpy as np
import pytest
from PIL import Image

from tfstyle.video import job
from tfstyle.video.clips import open_clip
from tfstyle.video.parts import require_clip_output
from tfstyle.video.steadiness import frame_by_frame

from made_clips import moving, sound_of, write_clip

TIMES = [Fraction(n * n + 13 * n, 1280) for n in range(11)]


@pytest.fixture
def clip(tmp_path):
    frames = moving(11, size=(49, 63))
    return open_clip(write_clip(tmp_path / "clip.mov", frames, TIMES, sound=True))


def negative(frame):
    return 1 - frame


def painted(clip, output, paint=negative, steadiness=0.0, **options):
    note = {"look": "negative", "steadiness": steadiness}
    return job.paint_clip(clip, frame_by_frame(paint, steadiness), output, note, frames_a_piece=4, **options)


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".webm"])
def test_pictures_times_and_sound(clip, tmp_path, suffix):
    """Sound is what it was, byte for byte; WebM cannot have this one."""
    output, told = tmp_path / f"made{suffix}", []
    if suffix == ".webm":
        with pytest.raises(ValueError, match=r"^output='.*made.webm': cannot have the clip's sound"):
            painted(clip, output)
        return
    assert painted(clip, output, tell=lambda done, made: told.append(done)) == 11
    assert told == list(range(12))
    made = open_clip(output)
    found = list(made.frames())
    if suffix == ".mkv":  # which counts in milliseconds, from when the sound begins, before the first picture
        first = found[0].time
        assert max(abs(frame.time - first - time) for frame, time in zip(found, TIMES)) <= Fraction(1, 1000)
    else:
        assert [frame.time for frame in found] == TIMES
    assert [each for each, _ in sound_of(output)] == [each for each, _ in sound_of(clip.path)]
    # Sides are even, by the border once more; colours are halved, and all is coded with loss.
    pixels = np.float32([frame.pixels for frame in found])
    assert pixels.shape == (11, 50, 64, 3)
    expected = 255 - np.float32([frame.pixels for frame in clip.frames()])
    for reduce in (lambda values: values.mean((1, 2)), lambda values: values.mean(-1)[:, 8:40:8, 8:56:8]):
        assert np.abs(reduce(pixels[:, :49, :63]) - reduce(expected)).mean() < 12
    assert not list(tmp_path.glob(".*"))


def test_other_ends(clip, tmp_path):
    """PNG files and GIF lose nothing on the way; VP9 is for clips without sound."""
    assert painted(clip, tmp_path / "frames") == 11
    found = [np.array(Image.open(path)) for path in sorted((tmp_path / "frames").iterdir())]
    np.testing.assert_array_equal(found, [255 - frame.pixels for frame in clip.frames()])
    again = open_clip(tmp_path / "frames")
    assert painted(again, tmp_path / "made.gif") == 11 and painted(again, tmp_path / "made.webm") == 11
    assert len(list(open_clip(tmp_path / "made.webm").frames())) == 11
    with Image.open(tmp_path / "made.gif") as made:
        assert made.size == (63, 49) and made.n_frames > 5


def test_the_beginning_alone(clip, tmp_path):
    assert painted(clip, tmp_path / "made.mp4", preview=0.05) == sum(time < 0.05 for time in TIMES)
    assert 0 < len(sound_of(tmp_path / "made.mp4")) < len(sound_of(clip.path))


@pytest.mark.parametrize("ended_at", [0, 3, 4, 9])
def test_an_ended_run_goes_on_to_the_same_clip(clip, tmp_path, ended_at):
    """Frames of finished pieces are not painted again, and the state between frames is exact."""
    values = np.random.default_rng(0).uniform(size=[11, 49, 63, 3]).astype(np.float32)

    def run(output, first, until):
        numbers = itertools.count(first)

        def paint(frame):
            if (number := next(numbers)) == until:
                raise KeyboardInterrupt
            return values[number]

        return painted(clip, output, paint, steadiness=0.9)

    run(tmp_path / "whole.mp4", 0, None)
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path / "made.mp4", 0, ended_at)
    assert not (tmp_path / "made.mp4").exists()
    run(tmp_path / "made.mp4", ended_at // 4 * 4, None)
    for one, two in zip(
        *(open_clip(tmp_path / name).frames() for name in ("whole.mp4", "made.mp4")), strict=True
    ):
        np.testing.assert_array_equal(one.pixels, two.pixels)


def test_what_another_run_began_is_not_gone_on_with(clip, tmp_path):
    def stopped(frame):
        raise KeyboardInterrupt

    numbers = itertools.count()
    with pytest.raises(KeyboardInterrupt):
        painted(clip, tmp_path / "a.mp4", lambda frame: stopped(frame) if next(numbers) == 6 else frame)
    told = []
    assert painted(clip, tmp_path / "a.mp4", steadiness=0.5, tell=lambda done, made: told.append(done)) == 11
    assert told[0] == 0


def test_outputs():
    for name in ("a.mp4", "a.webm", "a.gif", "frames"):
        assert str(require_clip_output(name)) == name
    with pytest.raises(ValueError, match=r"^output='a.avi': must end in .mp4, .*, or be a folder"):
        require_clip_output("a.avi")
