"""Frames painted by optimisation, from and towards what was shown before."""

import dataclasses

import numpy as np
import pytest

from tfstyle.reporting import Progress
from tfstyle.video.optimized import Settled, later, looked_back, optimized
from tfstyle.video.steadiness import Shown

from conftest import picture, published
from test_flow import smooth


def step_for(narrow_file, fill=None, size=(48, 64), optimizer="lbfgs", **options):
    config = published(
        weights=narrow_file,
        coarse_weights="same",
        iterations=8,
        scales=1,
        style_weight=30.0,
        optimizer=optimizer,
    )
    options = {"temporal_weight": 300.0, "later_share": 0.5, **options}
    style = picture(40, 40, 2)
    return optimized([style], config, fill or (lambda frame: frame), size, **options)


def test_later_frames_are_held_to_what_was_shown(narrow_file):
    """The more so the more that counts; it is a picture that no transfer would come to."""
    wide = smooth(48, 80)
    shown = Shown(wide[:, :64], np.random.default_rng(3).uniform(size=[48, 64, 3]).astype(np.float32))
    distances = []
    for weight in (0.0, 30.0, 1e6):
        made = step_for(narrow_file, temporal_weight=weight)(wide[:, 1:65], [shown])
        painted = made.picture
        assert painted.shape == (48, 64, 3) and painted.dtype == np.float32
        distances.append(made.warping_error)
        assert made.followed > 0.5 and ("temporal" in made.losses) == (weight > 0)
    assert distances[0] > 1.1 * distances[1] and distances[1] > 2 * distances[2]


def test_where_nothing_tells_a_frame_begins_as_it_is_filled(narrow_file):
    """What comes into the picture has not been seen; all else is."""
    asked = []

    def fill(frame):
        asked.append(frame)
        return np.ones_like(frame)

    wide = smooth(48, 80)
    step = step_for(narrow_file, fill, temporal_weight=1e6, later_share=0.1)
    first, before = step(wide[:, :64], ())[:2]
    assert not asked
    painted = step(wide[:, 6:70], before).picture
    assert len(asked) == 1 and painted[8:-8, -3:].mean() > 0.95
    assert np.abs(painted[:, 12:44] - first[:, 18:50]).mean() < 0.05


def test_a_new_scene_begins_afresh(narrow_file):
    frame, step = picture(48, 64, 9), step_for(narrow_file)
    painted, shown = step(frame, step(smooth(48, 64), ()).shown)[:2]
    assert len(shown) == 1
    np.testing.assert_array_equal(painted, step(frame, ()).picture)


def test_equal_frames_hardly_drift(narrow_file):
    """The mean colour of twenty: a run ends once it hardly gains."""
    frame, step, before, means = smooth(32, 40), step_for(narrow_file, size=(32, 40)), (), []
    for _ in range(20):
        painted, before = step(frame, before)[:2]
        means.append(painted.mean((0, 1)))
    assert len(before) == 4
    assert np.abs(np.subtract(means[-1], means[0])).max() <= 2 / 255


def test_a_frame_is_painted_by_adam_too(narrow_file):
    """Whose objective may climb at first."""
    frame, step = smooth(48, 64), step_for(narrow_file, optimizer="adam", temporal_weight=0.0)
    first, before = step(frame, ())[:2]
    second = step(frame, before).picture
    assert np.abs(second - first).mean() > 0.01


def test_frames_that_no_layer_takes_are_told_at_once(narrow_file):
    with pytest.raises(ValueError, match=r"^frames of 64 x 12 pixels: content: is 64 x 12 pixels"):
        step_for(narrow_file, size=(12, 64))


def test_which_frames_are_looked_back_at_and_that_later_ones_get_a_share_of_the_iterations():
    frames = [Shown(np.uint8([number]), np.float32([number])) for number in range(6)]
    for count, expected in ((0, []), (1, [0]), (3, [0, 1]), (4, [0, 1, 3]), (6, [0, 1, 3])):
        assert [int(each.frame[0]) for each in looked_back(frames[:count])] == expected
    config = published(iterations=80, finer_share=0.5, scales=0, coarsest_size=256)
    assert dataclasses.astuple(later(config, (300, 512), 0.25))[0] == config.weights
    assert [later(config, size, 0.25).iterations for size in ((300, 512), (100, 200))] == [10, 20]
    assert later(config, (300, 512), 0.001).iterations == 1
    assert later(config, (300, 512), 0.25).scales == 1


def test_a_run_is_settled_once_it_hardly_falls():
    def at(step, total):
        return Progress(step, 20, 0, 1, {}, {}, total, 0.0, step)

    settled = Settled()
    for step, total, ends in ((0, 10.0, ""), (2, 9.0, ""), (4, 8.9, ""), (6, 8.89, "settled")):
        settled.report(at(step, total), None)
        assert settled() == ends


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"temporal_weight": -1.0}, "temporal_weight=-1.0: must be"),
        ({"later_share": 0.0}, "later_share=0: must be above 0"),
        ({"later_share": 2.0}, "later_share=2: must be above 0, up to 1"),
    ],
)
def test_options_out_of_range(narrow_file, options, message):
    with pytest.raises(ValueError, match=f"^{message}"):
        step_for(narrow_file, **options)
