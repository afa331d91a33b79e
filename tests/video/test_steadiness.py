"""Frames brought nearer to the ones before, and how much they flicker."""

import itertools

import numpy as np
import pytest

from tfstyle.video import flow
from tfstyle.video.steadiness import Carried, Shown, carried, difference, frame_by_frame, sharpened, steadied

from conftest import picture
from test_flow import smooth


def flickering(count, seed=0):
    return np.random.default_rng(seed).uniform(size=[count, 64, 80, 3]).astype(np.float32)


def test_still_pictures_by_the_formula():
    """s times what was shown and 1 - s times what is painted: 0.8^n of the first is left."""
    painted = iter([np.full([64, 80, 3], value, np.float32) for value in (1.0, 0.0, 0.0, 0.5)])
    step, before = frame_by_frame(lambda frame: next(painted), 0.8), ()
    for expected in (1.0, 0.8, 0.64, 0.8 * 0.64 + 0.2 * 0.5):
        made = step(smooth(64, 80), before)
        before = made.shown
        np.testing.assert_allclose(made.picture, expected, atol=1e-5)
        assert len(before) == 1


def test_what_is_shown_moves_along():
    """Of a picture that moves by three pixels, so does what was painted of it."""
    wide = smooth(64, 96)
    texture = np.random.default_rng(1).uniform(size=[64, 96, 3]).astype(np.float32)
    known = carried(wide[:, :80], [Shown(wide[:, 3:83], texture[:, 3:83])])
    found = steadied(np.zeros([64, 80, 3], np.float32), known, 0.9)
    inner = (slice(16, -16), slice(16, -16))
    assert np.abs(found - 0.9 * texture[:, :80])[inner].mean() < 0.08
    assert np.abs(found - 0.9 * texture[:, 3:83])[inner].mean() > 0.25
    assert not found[:, 0].any()  # which was not there before


def test_what_the_last_frame_does_not_tell_earlier_ones_do():
    """A strip came into sight two frames ago and was hidden in the last one."""
    frame = smooth(64, 96)
    hidden = frame.copy()
    hidden[:, 60:80] = picture(64, 20, 5)
    last, earlier = (np.full([64, 96, 3], value, np.float32) for value in (0.2, 0.8))
    one = carried(frame, [Shown(hidden, last)])
    two = carried(frame, [Shown(hidden, last), Shown(frame, earlier)])
    strip, rest = (slice(8, -8), slice(66, 74)), (slice(8, -8), slice(8, 36))
    assert one.trust[strip].mean() < 0.5 < one.trust[rest].mean()
    assert two.trust.min() > 0.99
    np.testing.assert_allclose(two.picture[rest], 0.2, atol=0.02)
    assert two.picture[strip].mean() > 0.5


def test_steadied_frames_flicker_less():
    frame, values = smooth(64, 80), flickering(8)
    painted = iter(values)
    step, before, shown = frame_by_frame(lambda _: next(painted), 0.9), (), []
    for _ in values:
        before = step(frame, before).shown
        shown.append(before[0].painted)
    along = flow.between(frame, frame)
    alone, together = (
        np.mean([difference(along, one, two) for one, two in itertools.pairwise(pictures)])
        for pictures in (values, shown)
    )
    assert together < 0.1 * alone


def test_a_new_scene_is_as_if_it_were_the_first():
    first, painted = flickering(1)[0], flickering(1, seed=2)[0]
    frame, before = picture(64, 80, 9), [Shown(smooth(64, 80), first)]
    assert carried(frame, before) is None and carried(frame, ()) is None
    made = frame_by_frame(lambda _: painted, 0.9)(frame, before)
    np.testing.assert_array_equal(made.picture, painted)
    np.testing.assert_array_equal(made.shown[0].painted, painted)
    assert (made.followed, made.warping_error) == (0, None)
    same = frame_by_frame(lambda _: painted, 0.0)(smooth(64, 80), before).picture
    np.testing.assert_array_equal(same, painted)


def test_equal_frames_do_not_drift():
    """Over sixty of them."""
    frame, painted, before = smooth(40, 48), flickering(1)[0][:40, :48], ()
    step = frame_by_frame(lambda _: painted, 0.9)
    for _ in range(60):
        before = step(frame, before).shown
    np.testing.assert_allclose(before[0].painted, painted, atol=1e-4)


@pytest.mark.parametrize("period", [2, 8])
def test_detail_is_made_as_strong_as_it_was_painted(period):
    """A grating of 0.1 in place of 0.12; and no more than half as strong again. Fine ones and coarser ones."""
    wave = np.sqrt(2) * np.cos(2 * np.pi * np.arange(64) / period + np.pi / 4)
    grating = np.float32(wave)[:, np.newaxis, np.newaxis] * np.ones([64, 64, 3], np.float32)
    smooth = np.exp(-((2 * np.pi / period) ** 2) / 2), np.exp(-4 * (2 * np.pi / period) ** 2 / 2)
    detail = 1 - smooth[0] * smooth[1]  # share of it that both bands hold
    for weak, strong, gain in ((0.1, 0.12, 1.2), (0.1, 0.3, 1.5), (0.12, 0.1, 1.0)):
        found = sharpened(0.5 + weak * grating, 0.5 + strong * grating)
        expected = 0.5 + weak * (1 + detail * (gain - 1)) * grating
        np.testing.assert_allclose(found[16:-16], expected[16:-16], atol=3e-3)


def test_the_error_by_hand():
    """A change by 0.3 of one channel in three: a mean square of 0.03."""
    painted = np.full([48, 64, 3], 0.5, np.float32)
    later = painted + np.float32([0.3, 0, 0])
    along = flow.Flow(np.zeros([48, 64, 2], np.float32), np.ones([48, 64], bool))
    assert difference(along, painted, later) == pytest.approx(0.03, rel=1e-4)
    # Of what moved by two pixels, and is warped back; what cannot be trusted is left out.
    wide = np.random.default_rng(0).uniform(size=[48, 66, 3]).astype(np.float32)
    along = flow.Flow(np.full([48, 64, 2], [2, 0], np.float32), np.arange(64) < np.full([48, 1], 56))
    assert difference(along, wide[:, 2:], wide[:, :64]) < 1e-6


def test_how_a_frame_follows_by_hand():
    """Trusted in a half, where it is off by 0.3 in one channel of three."""
    trust = np.float32(np.arange(64) < 32)[np.newaxis, :, np.newaxis] * np.ones([48, 64, 1], np.float32)
    known = Carried(np.full([48, 64, 3], 0.5, np.float32), trust)
    told = known.told(known.picture + np.float32([0.3, 0, 0]))
    assert told == {"followed": 0.5, "warping_error": pytest.approx(0.03, rel=1e-4)}
    # A frame of which nothing is told is not the first of a scene.
    nothing = Carried(known.picture, np.zeros_like(trust)).told(known.picture + 0.3)
    assert nothing == {"followed": 0.0, "warping_error": 0.0}


@pytest.mark.parametrize("steadiness", [1.0, -0.1, float("nan")])
def test_a_steadiness_out_of_range(steadiness):
    with pytest.raises(ValueError, match=r"^steadiness="):
        frame_by_frame(lambda frame: frame, steadiness)
