"""What is kept of the way down: the best picture, and whether anything fell."""

import json

import numpy as np
import pytest
import tensorflow as tf

from tfstyle.synthesis.convergence import Descent


def picture(value):
    return tf.fill((1, 2, 3, 3), float(value))


def descent_of(*totals):
    descent = Descent()
    for step, total in enumerate(totals):
        descent.add(total, step, step + 1, picture(step))
    return descent


def test_the_lowest_is_the_best():
    best = descent_of(5.0, 3.0, 4.0).best
    assert (best.total, best.step, best.records) == (3.0, 1, 2)
    assert float(best.image[0, 0, 0, 0]) == 1


@pytest.mark.parametrize(
    ("totals", "fallen"),
    [([1.0], False), ([1.0, 1.0, 2.0], False), ([1.0, 1.0 - 1e-6], False), ([1.0, 2.0, 0.999], True)],
)
def test_a_fall_is_against_the_first_and_more_than_rounding(totals, fallen):
    assert descent_of(*totals).has_fallen == fallen


def test_scales_and_objectives_begin_anew():
    descent = descent_of(5.0, 3.0)
    descent.begin_objective(9.0, 2, picture(2))
    assert descent.best[:3] == (9.0, 0, 2) and descent.has_fallen
    descent.begin_scale()
    assert descent.best is None and not descent.has_fallen
    descent.add(20.0, 0, 3, picture(0))
    assert descent.best.total == 20.0 and not descent.has_fallen


def test_the_state_is_text_and_numbers():
    descent = descent_of(5.0, 3.0, 4.0)
    record, image = descent.state()
    found = Descent.restored(json.loads(json.dumps(record)), image, (2, 3))
    assert found.best[:3] == descent.best[:3]
    np.testing.assert_array_equal(found.best.image, descent.best.image)
    found.add(4.99, 3, 4, picture(3))
    assert found.best.total == 3.0 and found.has_fallen


@pytest.mark.parametrize(
    ("shape", "dtype"), [((1, 3, 2, 3), np.float32), ((1, 2, 3, 3), np.float64), ((3,), np.float32)]
)
def test_another_picture_is_refused(shape, dtype):
    record, _ = descent_of(1.0).state()
    with pytest.raises(ValueError, match="a picture of"):
        Descent.restored(record, np.zeros(shape, dtype), (2, 3))
