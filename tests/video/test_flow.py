"""Flow of what moves by known steps, and where it is not to be trusted."""

import numpy as np
import pytest

from tfstyle.video import flow

from conftest import picture
from made_clips import moving


def smooth(height, width, seed=0):
    """A picture whose values change slowly enough to be followed."""
    rows, columns = np.mgrid[:height, :width].astype(np.float32)
    waves = [np.sin(rows / (4 + seed + n) + n) + np.cos(columns / (5 + n) + rows / 9) for n in range(3)]
    return np.uint8(127 + 60 * np.stack(waves, -1))


def test_what_moved_comes_from_where_it_was():
    """By three pixels to the right; so it was three to the left."""
    before, frame = smooth(96, 128)[:, 8:120], smooth(96, 128)[:, 5:117]
    found = flow.between(frame, before)
    inner = found.back[16:-16, 16:-16]
    assert np.abs(inner[..., 0] + 3).mean() < 0.1 and np.abs(inner[..., 1]).mean() < 0.1
    assert found.trusted[16:-16, 16:-16].mean() > 0.95 and not found.trusted[:, 0].any()
    moved = flow.warped(np.float32(before), found.back)
    assert np.abs(moved - frame)[16:-16, 16:-16].mean() < 1


def test_what_was_not_there_is_not_trusted():
    before = smooth(96, 112)
    frame = before.copy()
    frame[30:60, 40:70] = picture(30, 30, 5)
    found = flow.between(frame, before)
    assert found.trusted[:20].mean() > 0.9
    assert found.trusted[32:58, 42:68].mean() < 0.5


def test_trust_by_the_formulas():
    """Forth is the opposite of back: all agrees, but at the border and where motion has an edge."""
    back = np.zeros([20, 24, 2], np.float32)
    back[..., 0] = 2
    found = flow.trusted(back, -back)
    assert found[:, :-2].all() and not found[:, -2:].any()
    edge = back.copy()
    edge[:, 12:, 0] = 0
    found = flow.trusted(edge, -edge)
    assert not found[:, 11:13].any() and found[:, 15:].all()
    assert not flow.trusted(back, back)[:, :-2].any()
    near = -back + np.float32([0.5, 0.0])  # a quarter of a squared pixel off, of the half and more allowed
    assert flow.trusted(back, near)[:, :-2].all()


@pytest.mark.parametrize("sharp", [False, True])
def test_warping_by_whole_pixels_moves_them(sharp):
    image = picture(12, 16).astype(np.float32)
    by = np.zeros([12, 16, 2], np.float32)
    by[..., 0], by[..., 1] = 2, -1
    found = flow.warped(image, by, sharp=sharp)
    np.testing.assert_allclose(found[1:, :-2], image[:-1, 2:], atol=1e-3)
    if not sharp:
        np.testing.assert_allclose(found[0, :-2], image[0, 2:], atol=1e-3)


def test_between_pixels_lies_the_mean():
    image = picture(6, 8).astype(np.float32)
    by = np.zeros([6, 8, 2], np.float32)
    by[..., 0] = 0.5
    expected = (image[:, :-1] + image[:, 1:]) / 2
    np.testing.assert_allclose(flow.warped(image, by)[:, :-1], expected, atol=0.5)


def test_flow_of_another_size_and_large_frames_that_are_looked_at_small():
    found = flow.Flow(np.full([10, 20, 2], 3, np.float32), np.ones([10, 20], bool)).resized((30, 40))
    np.testing.assert_allclose(found.back, np.broadcast_to(np.float32([6, 9]), (30, 40, 2)))
    assert found.trusted.shape == (30, 40) and found.trusted.all()
    assert flow.small(np.zeros([600, 960, 3], np.uint8)).shape == (300, 480, 3)
    assert flow.small(np.zeros([60, 96, 3], np.uint8)).shape == (60, 96, 3)
    assert flow.between(*moving(2, size=(5, 7))).back.shape == (5, 7, 2)  # and tiny ones at all
