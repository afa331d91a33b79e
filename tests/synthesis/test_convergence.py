"""What is kept of a run: reports, the best picture, whether anything fell."""

import json

import numpy as np
import pytest
import tensorflow as tf

from tfstyle.reporting import Progress
from tfstyle.synthesis.convergence import History


def progress(total):
    return Progress(
        step=0,
        total_steps=9,
        scale=0,
        scales=1,
        losses={"f": total},
        unweighted={"f": total},
        total=total,
        seconds=0.0,
        evaluations=0,
        note="",
        remaining=1.0,
    )


def picture(value):
    return tf.fill((1, 2, 3, 3), float(value))


def history_of(*totals):
    history = History()
    for step, total in enumerate(totals):
        history.add(progress(total), step, picture(step), keep=True)
    return history


def test_the_lowest_is_the_best():
    best = history_of(5.0, 3.0, 4.0).best
    assert (best.total, best.step, best.records) == (3.0, 1, 2)
    assert float(best.image[0, 0, 0, 0]) == 1


@pytest.mark.parametrize(
    ("totals", "fallen"),
    [([1.0], False), ([1.0, 1.0, 2.0], False), ([1.0, 1.0 - 1e-6], False), ([1.0, 2.0, 0.999], True)],
)
def test_a_fall_is_against_the_first_and_more_than_rounding(totals, fallen):
    assert history_of(*totals).has_fallen == fallen


def test_going_back_forgets_what_came_after():
    history = history_of(5.0, 3.0, 4.0, 6.0)
    assert history.go_back().step == 1
    assert [each.total for each in history.records] == [5.0, 3.0]


def test_what_is_not_kept_can_be_the_best():
    history = history_of(5.0)
    history.add(progress(1.0), 1, picture(1), keep=False)
    assert (history.best.total, history.best.records) == (1.0, 1)
    assert len(history.records) == 1


def test_scales_and_objectives_begin_anew():
    history = history_of(5.0, 3.0)
    history.begin_objective(9.0, picture(2))
    assert history.best[:3] == (9.0, 0, 2) and history.has_fallen
    history.begin_scale()
    assert history.best is None and not history.has_fallen
    history.add(progress(20.0), 0, picture(0), keep=True)
    assert history.best.total == 20.0 and not history.has_fallen


def test_the_state_is_text_and_numbers():
    history = history_of(5.0, 3.0, 4.0)
    record, image = history.state()
    found = History.restored(json.loads(json.dumps(record)), image, (2, 3))
    assert found.records == history.records and found.best[:3] == history.best[:3]
    np.testing.assert_array_equal(found.best.image, history.best.image)
    found.add(progress(4.99), 3, picture(3), keep=True)
    assert found.best.total == 3.0 and found.has_fallen


@pytest.mark.parametrize(
    ("shape", "dtype"), [((1, 3, 2, 3), np.float32), ((1, 2, 3, 3), np.float64), ((3,), np.float32)]
)
def test_another_picture_is_refused(shape, dtype):
    record, _ = history_of(1.0).state()
    with pytest.raises(ValueError, match="a picture of"):
        History.restored(record, np.zeros(shape, dtype), (2, 3))
