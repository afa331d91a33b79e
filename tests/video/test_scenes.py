"""Cuts."""

import numpy as np

from tfstyle.video import flow
from tfstyle.video.scenes import Change, change

from conftest import picture
from test_flow import smooth


def of(frame, before):
    return change(frame, before, flow.between(frame, before))


def test_motion_is_no_cut_and_another_picture_is():
    frame = smooth(96, 140)
    assert not of(frame[:, 4:132], frame[:, :128]).is_cut
    other = picture(96, 128, 3)
    found = of(other, frame[:, :128])
    assert found.is_cut and found.kept < 0.3 and found.residual > 0.08
    same = of(frame, frame)
    assert (same.kept, same.residual, same.histogram) == (1, 0, 0)


def test_two_of_three_must_say_so_and_histograms_by_hand():
    """A flash changes colours alone, and fast motion what can be followed."""
    assert not Change(0.9, 0.05, 0.9).is_cut
    assert not Change(0.1, 0.05, 0.1).is_cut
    assert Change(0.1, 0.05, 0.9).is_cut and Change(0.9, 0.1, 0.9).is_cut and Change(0.1, 0.1, 0.0).is_cut
    # Of a picture whose left half changes from black to white.
    before, frame = np.zeros([32, 40, 3], np.uint8), np.zeros([32, 40, 3], np.uint8)
    frame[:, :10] = 255
    assert of(frame, before).histogram == 0.25
