"""What a run does about objectives that stop being finite, or do not fall; the best picture on the way."""

import functools
import json

import numpy as np
import pytest
import tensorflow as tf

from tfstyle.config import TransferConfig
from tfstyle.losses.terms import Term
from tfstyle.runtime.stopping import Supervision
from tfstyle.runtime.workshop import Workshop
from tfstyle.synthesis.loop import synthesize
from tfstyle.synthesis.objective import Objective
from tfstyle.synthesis.recovery import Descent, remedies

from conftest import Recorder

SHAPE = (1, 6, 5, 3)
GOAL = tf.constant(np.random.default_rng(0).uniform(0.4, 0.6, SHAPE), tf.float32)
START = tf.fill(SHAPE, 0.5)


def objective_of(function):
    return lambda size: Objective(lambda image: {}, [Term("f", 1.0, lambda image, _: function(image))])


def squares(image):
    return tf.reduce_sum(tf.square(image - GOAL))


def squares_near_grey(image):
    """The distance to the goal, but NaN, and its gradient too, where a value is 0.15 or more from 0.5."""
    return squares(image) * tf.where(tf.reduce_all(tf.abs(image - 0.5) < 0.15), 1.0, float("nan"))


def made(function, **options):
    recorder = Recorder()
    settings = {"iterations": 60, "log_every": 5, "scales": 1, "learning_rate": 0.02, **options}
    config = TransferConfig(**settings)
    return synthesize(objective_of(function), START, config, reporters=[recorder]), recorder


@pytest.mark.parametrize(("own", "other"), [("adam", "lbfgs"), ("lbfgs", "adam"), ("sgd", "lbfgs")])
def test_the_same_smaller_and_then_another(own, other):
    """TFP's search makes one picture at a time, and is not taken over for another optimiser."""
    config = TransferConfig(optimizer=own, learning_rate=0.5, line_search="hager_zhang")
    first, second = (remedy.applied(config) for remedy in remedies(config))
    assert (first.optimizer, first.line_search) == (own, "hager_zhang")
    assert (second.optimizer, second.line_search) == (other, "backtracking")
    assert first.learning_rate == pytest.approx(0.05) and remedies(config)[0].caution < 1


def test_steps_that_are_too_long_are_made_smaller():
    """Adam leaves the part where the objective is finite; with a tenth of the step it does not."""
    result, recorder = made(squares_near_grey, optimizer="adam", learning_rate=0.2)
    (note,) = recorder.notes
    assert note.startswith("the objective is not finite any more (f)")
    assert note.endswith("goes back to iteration 0 and tries Adam again with steps a tenth as long")
    assert not result.ending and result.steps == (60, 60)
    assert result.total < 0.01 * recorder.seen[0][0].total
    assert [progress.step for progress in result.history] == [*range(0, 61, 5)]


def test_it_goes_back_no_further_than_the_best_picture():
    """The objective breaks down after 20 evaluations, once: what was reached is not lost."""
    calls = tf.Variable(0)

    def breaks_once(image):
        calls.assign_add(1)
        return squares(image) * tf.where(tf.equal(calls, 20), float("nan"), 1.0)

    result, recorder = made(breaks_once, optimizer="adam", learning_rate=0.002)
    (note,) = recorder.notes
    assert "goes back to iteration 15 and" in note
    assert result.steps == (60, 60) and result.history[3].step == 15
    assert result.history[-1].total < result.history[3].total
    assert result.evaluations > 61  # those that came to nothing count, too


def test_another_optimiser_where_smaller_steps_do_not_help():
    """The gradient that Adam sees vanishes in one place and is wrong in sign elsewhere; L-BFGS fails, too."""

    @tf.custom_gradient
    def uphill(image):
        return squares(image), lambda upstream: -upstream * 2 * (image - GOAL)

    result, recorder = made(uphill, optimizer="adam", iterations=120)
    assert [note.partition(":")[0] for note in recorder.notes[:2]] == ["the objective does not fall"] * 2
    assert recorder.notes[0].endswith(
        "goes back to iteration 0 and tries Adam again with steps a tenth as long"
    )
    assert "changes to L-BFGS" in recorder.notes[1]
    assert result.failed and result.ending == "the objective does not fall, and nothing helped"
    np.testing.assert_allclose(result.image, START, atol=1e-6)  # nothing was better


def test_lbfgs_changes_to_adam():
    """What L-BFGS's searches never find to be lower: the value says nothing of the gradient."""

    @tf.custom_gradient
    def silent(image):
        falls = squares(image)
        return tf.where(
            falls < 2e-3 * squares(START), falls, squares(START)
        ), lambda up: up * 2 * (image - GOAL)

    result, recorder = made(silent, optimizer="lbfgs", iterations=300, learning_rate=0.2)
    said = "\n".join(recorder.notes)
    assert 0 < said.index("tries L-BFGS again") < said.index("changes to Adam")
    assert not result.failed and result.total < 2e-3 * float(squares(START))


def test_what_is_at_rest_is_finished_not_stalled():
    result, recorder = made(
        lambda image: tf.reduce_sum(tf.square(image - START)), optimizer="adam", iterations=150
    )
    assert not result.ending and not result.failed and result.total == 0
    assert recorder.notes == []


def test_a_start_that_is_not_finite_is_an_error():
    with pytest.raises(FloatingPointError, match="not finite"):
        made(lambda image: squares(image) * float("inf"), optimizer="adam")


@pytest.mark.parametrize("optimizer", ["adam", "lbfgs"])
def test_a_recovery_goes_on_across_a_checkpoint(optimizer, tmp_path, monkeypatch):
    monkeypatch.setattr("tfstyle.runtime.checkpoints._SHARE", 1.0)
    config = TransferConfig(optimizer=optimizer, learning_rate=0.2, iterations=30, log_every=5, scales=1)
    objective, workshop = objective_of(squares_near_grey)(SHAPE[1:3]), Workshop()
    whole = synthesize(lambda size: objective, START, config, workshop=workshop)
    for _ in range(100):
        looks = iter(["", "", ""])
        supervision = Supervision(tmp_path, stop=functools.partial(next, looks, "a test"))
        result = synthesize(lambda size: objective, START, config, supervision=supervision, workshop=workshop)
        if not result.ending:
            break
    np.testing.assert_array_equal(result.image, whole.image)


def filled(value):
    return tf.fill((1, 2, 3, 3), float(value))


def descent_of(*totals):
    descent = Descent()
    for step, total in enumerate(totals):
        descent.add(total, step, step + 1, filled(step))
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
    descent.begin_objective(9.0, 2, filled(2))
    assert descent.best[:3] == (9.0, 0, 2) and descent.has_fallen
    descent.begin_scale()
    assert descent.best is None and not descent.has_fallen
    descent.add(20.0, 0, 3, filled(0))
    assert descent.best.total == 20.0 and not descent.has_fallen


def test_the_state_is_text_and_numbers():
    descent = descent_of(5.0, 3.0, 4.0)
    record, image = descent.state()
    found = Descent.restored(json.loads(json.dumps(record)), image, (2, 3))
    assert found.best[:3] == descent.best[:3]
    np.testing.assert_array_equal(found.best.image, descent.best.image)
    found.add(4.99, 3, 4, filled(3))
    assert found.best.total == 3.0 and found.has_fallen


@pytest.mark.parametrize(
    ("shape", "dtype"), [((1, 3, 2, 3), np.float32), ((1, 2, 3, 3), np.float64), ((3,), np.float32)]
)
def test_another_picture_is_refused(shape, dtype):
    record, _ = descent_of(1.0).state()
    with pytest.raises(ValueError, match="a picture of"):
        Descent.restored(record, np.zeros(shape, dtype), (2, 3))
