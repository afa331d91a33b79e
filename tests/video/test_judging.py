"""Painted clips judged."""

import numpy as np
import pytest

from tfstyle.video.clips import open_clip
from tfstyle.video.judging import LONG, draw_filmstrip, judge

from conftest import picture
from made_clips import write_clip
from test_flow import smooth


@pytest.fixture
def clips(tmp_path):
    """Nineteen frames of a still picture, then as many of another; painted steadily, flickering, and blurred."""
    frames = [smooth(48, 64)] * 19 + [picture(48, 64, 9)] * 19
    noise = np.random.default_rng(0).integers(-9, 10, [38, 1, 1, 3])
    blurred = np.full([48, 64, 3], 100, np.uint8)
    made = {
        "clip": frames,
        "steady": frames,
        "flickering": [
            np.uint8(np.clip(frame.astype(int) + own, 0, 255)) for frame, own in zip(frames, noise)
        ],
        "blurred": [blurred] * 38,
    }
    return {name: open_clip(write_clip(tmp_path / f"{name}.mov", each)) for name, each in made.items()}


def test_flicker_and_blur_are_told_apart(clips):
    found = judge(clips.pop("clip"), clips)
    assert found["steady"].means()["short"] == found["steady"].means()["long"] == 0
    assert found["flickering"].means()["short"] > 5e-4
    assert found["blurred"].means() == {"short": 0, "long": 0, "sharpness": 0}
    assert found["steady"].means()["sharpness"] > 1e-3
    for own in found.values():
        assert (len(own.short), len(own.long), len(own.sharpness), len(own.shown)) == (37, 38 - LONG, 38, 6)
        # At the cut, and across it, nothing can be followed.
        assert [index for index, value in enumerate(own.short) if value is None] == [18]
        assert [index for index, value in enumerate(own.long) if value is None] == list(range(11, 19))


def test_the_filmstrip(clips):
    """A row of frames for each clip, and a chart of each of the two errors."""
    found = judge(clips.pop("clip"), clips)
    drawn = draw_filmstrip(found)
    assert drawn.width > 6 * 240 and drawn.height > 3 * 180 + 2 * 240


def test_a_result_that_is_smaller_is_refused(clips, tmp_path):
    other = open_clip(write_clip(tmp_path / "small.mov", [picture(40, 64)] * 3))
    with pytest.raises(ValueError, match=r"^results: small is of 64 x 40 pixels, and the clip of 64 x 48"):
        judge(clips["clip"], {"small": other})
