"""What reporters hear of a clip."""

import itertools

import numpy as np

from tfstyle.video.steadiness import Painted
from tfstyle.video.watching import Watcher

PICTURE = np.full([4, 6, 3], 0.5, np.float32)


class Heard(list):
    def report(self, progress, image):
        self.append((progress, image))


def test_every_third_frame_with_its_scene():
    """Two frames, a cut, and four more; one second each."""
    heard = Heard()
    watcher = Watcher([heard], 3, 7, itertools.count().__next__)
    watcher(0, None)
    for done in range(1, 8):
        begins = done in (1, 3)
        losses = {"content/block4_conv2": 2.0, "temporal": 0.5}
        watcher(done, Painted(PICTURE, [], 0.0 if begins else 0.8, None if begins else 0.01, losses))
    assert [(each.step, each.total_steps, each.metrics) for each, _ in heard] == [
        (1, 7, {"scene": 1, "followed": 0.0}),
        (4, 7, {"scene": 2, "followed": 0.8, "warping_error": 0.01}),
        (7, 7, {"scene": 2, "followed": 0.8, "warping_error": 0.01}),
    ]
    assert [each.seconds for each, _ in heard] == [1, 2, 3]
    assert all(each.total == 2.5 and image.shape == (1, 4, 6, 3) for each, image in heard)


def test_of_a_network_there_are_no_losses_and_a_length_that_is_not_told_is_so_far():
    heard = Heard()
    watcher = Watcher([heard], 1, None)
    watcher(5, Painted(PICTURE, []))  # gone on with
    ((progress, _),) = heard
    assert (progress.step, progress.total_steps, progress.losses) == (5, 5, {})
