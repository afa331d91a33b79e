"""Frames of video files, animated pictures and folders."""

import sys
from fractions import Fraction

import numpy as np
import pytest
from PIL import Image

from tfstyle.video.clips import open_clip, upright
from tfstyle.video.extra import imported

from conftest import picture
from made_clips import moving, write_clip


def test_a_file(tmp_path):
    """Every picture as it was written, and when it is shown, also where that is irregular."""
    frames, times = moving(5), [Fraction(n, 12800) for n in (0, 500, 1300, 1400, 9000)]
    clip = open_clip(write_clip(tmp_path / "clip.mov", frames, times, sound=True))
    assert (clip.size, clip.count, clip.has_audio) == ((48, 64), 5, True)
    for _ in range(2):  # again and again
        found = list(clip.frames())
        np.testing.assert_array_equal([frame.pixels for frame in found], frames)
        assert [frame.time for frame in found] == times


def test_a_folder(tmp_path):
    for number in (2, 1, 3):
        Image.fromarray(picture(20, 30, number)).save(tmp_path / f"{number}.png")
    clip = open_clip(tmp_path)
    assert (clip.size, clip.count, clip.has_audio) == ((20, 30), 3, False)
    found = list(clip.frames())
    np.testing.assert_array_equal([each.pixels for each in found], [picture(20, 30, n) for n in (1, 2, 3)])
    assert [each.time for each in found] == [0, Fraction(1, 25), Fraction(2, 25)]
    Image.fromarray(picture(20, 31, 4)).save(tmp_path / "4.png")
    with pytest.raises(ValueError, match=r"4.png': has 31 x 20 pixels, and the first picture 30 x 20"):
        list(open_clip(tmp_path).frames())


def test_a_gif(tmp_path):
    """Of two colours, which it keeps."""
    frames = [Image.fromarray(np.full([16, 20, 3], value, np.uint8)) for value in (0, 255, 0)]
    frames[0].save(tmp_path / "a.gif", save_all=True, append_images=frames[1:], duration=[40, 100, 60])
    found = list(open_clip(tmp_path / "a.gif").frames())
    assert [int(frame.pixels.mean()) for frame in found] == [0, 255, 0]
    assert [frame.time for frame in found] == [0, Fraction(4, 100), Fraction(14, 100)]


def test_a_damaged_file_gives_what_can_be_read(tmp_path):
    path = write_clip(tmp_path / "clip.mkv", moving(40), codec="libx264", unit=Fraction(1, 1000))
    data = bytearray(path.read_bytes())
    path.write_bytes(data[: len(data) * 2 // 3])
    found = list(open_clip(path).frames())
    assert 0 < len(found) < 40 and found[0].pixels.shape == (48, 64, 3)


def test_what_is_no_clip(tmp_path):
    (tmp_path / "notes.mp4").write_text("no clip")
    with pytest.raises(ValueError, match=r"^content='.*notes.mp4': is no video, or a damaged one"):
        open_clip(tmp_path / "notes.mp4")
    with pytest.raises(OSError, match=r"^content='.*nowhere.mp4'"):
        open_clip(tmp_path / "nowhere.mp4")


def test_what_is_not_installed_is_told_with_how_to_get_it(tmp_path, monkeypatch):
    path = write_clip(tmp_path / "clip.mov", moving(2))
    message = r"^video: needs PyAV and OpenCV: pip install 'tfstyle\[video\]'"
    for name in ("av", "cv2"):
        monkeypatch.setitem(sys.modules, name, None)
        with pytest.raises(ValueError, match=message):
            imported(name)
    with pytest.raises(ValueError, match=message):
        open_clip(path)


def test_rotations_are_against_the_clock():
    pixels = picture(4, 6)
    np.testing.assert_array_equal(upright(pixels, 0), pixels)
    np.testing.assert_array_equal(upright(pixels, 90)[0], pixels[:, -1])
    np.testing.assert_array_equal(upright(pixels, -90)[0], pixels[::-1, 0])
    np.testing.assert_array_equal(upright(pixels, 180), pixels[::-1, ::-1])
