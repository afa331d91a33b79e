"""Clips where the extra is not installed."""

import sys

import pytest

from tfstyle.video.clips import open_clip
from tfstyle.video.extra import imported

from made_clips import moving, write_clip


def test_what_is_missing_is_told_with_how_to_get_it(tmp_path, monkeypatch):
    path = write_clip(tmp_path / "clip.mov", moving(2))
    for name in ("av", "cv2"):
        monkeypatch.setitem(sys.modules, name, None)
        with pytest.raises(
            ValueError, match=r"^video: needs PyAV and OpenCV: pip install 'tfstyle\[video\]'"
        ):
            imported(name)
    with pytest.raises(ValueError, match=r"^video: needs PyAV"):
        open_clip(path)
