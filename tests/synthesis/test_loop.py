"""The loop: reports, scales, checkpoints. What it minimises here is a distance to a known picture."""

import dataclasses
import functools

import numpy as np
import pytest
import tensorflow as tf

from tfstyle.config import TransferConfig
from tfstyle.io.images import resize
from tfstyle.losses.terms import Term
from tfstyle.runtime import checkpoints
from tfstyle.runtime.stopping import Supervision
from tfstyle.runtime.workshop import Workshop
from tfstyle.synthesis import loop
from tfstyle.synthesis.objective import Objective
from tfstyle.synthesis.scales import enlarged

from conftest import KillAt, Killed, Recorder, picture

GOAL = tf.constant(picture(20, 28)[np.newaxis] / np.float32(255))
START = tf.fill(GOAL.shape, 0.5)
BOTH = pytest.mark.parametrize("optimizer", ["adam", "lbfgs"])
EACH = pytest.mark.parametrize(
    "options", [{"optimizer": "adam"}, {"optimizer": "lbfgs"}, {"line_search": "hager_zhang"}]
)
# What is compiled for one run serves all.
synthesize = functools.partial(loop.synthesize, workshop=Workshop())


@functools.cache
def objective_at(size):
    goal = resize(GOAL, size)
    weights = tf.constant(np.geomspace(1, 50, 3), tf.float32)

    def distance(image, activations):
        return tf.reduce_sum(weights * tf.square(image - goal) + (image - goal) ** 4)

    return Objective(lambda image: {}, [Term("distance", 2.0, distance)])


def config(**options):
    return TransferConfig(**{"iterations": 10, "finer_share": 1.0, "log_every": 4, **options})


@BOTH
def test_result_and_history(optimizer):
    recorder = Recorder()
    settings = config(optimizer=optimizer)
    result = synthesize(objective_at, START, settings, reporters=[recorder], note="something to know")
    assert [progress.step for progress in result.history] == [0, 4, 8, 10]
    assert [progress.note for progress in result.history] == ["something to know", "", "", ""]
    assert [progress for progress, _ in recorder.seen] == result.history
    np.testing.assert_array_equal(recorder.seen[0][1], START)
    first, last = result.history[0], result.history[-1]
    assert last.total < 0.5 * first.total
    assert first.losses == {"distance": first.total}
    assert first.unweighted["distance"] == pytest.approx(first.total / 2)
    assert [p.evaluations for p in result.history] == sorted({p.evaluations for p in result.history})
    assert result.evaluations == last.evaluations
    assert 0 < last.seconds <= result.seconds
    assert result.image.shape == START.shape
    assert result.total == pytest.approx(2 * result.unweighted["distance"])
    # How often one looks does not matter.
    oftener = synthesize(objective_at, START, dataclasses.replace(settings, log_every=1))
    np.testing.assert_array_equal(oftener.image, result.image)


def test_result_losses_are_those_of_its_picture():
    far = tf.constant(2.0)  # outside of [0, 1]: TFP's L-BFGS goes there, the picture does not

    def at(size):
        return Objective(
            lambda image: {}, [Term("far", 1.0, lambda image, _: tf.reduce_sum(tf.square(image - far)))]
        )

    result = synthesize(at, START, config(iterations=20, line_search="hager_zhang"))
    np.testing.assert_array_equal(result.image, tf.ones_like(START))
    assert result.total == pytest.approx(float(tf.size(START)))
    assert result.history[-1].total < 1e-3


def test_detail_is_what_the_last_scale_could_not_show():
    detail = tf.constant(picture(20, 28, seed=3)[np.newaxis] / np.float32(255)) * 0.5 + 0.25
    small = resize(detail, (10, 14))
    np.testing.assert_array_equal(enlarged(small, (20, 28), None), resize(small, (20, 28)))
    # The detail's own small version, enlarged, lacks just that.
    np.testing.assert_allclose(enlarged(small, (20, 28), detail), detail, atol=1e-6)
    grey = tf.fill([1, 10, 14, 3], 0.5)
    fine = detail - resize(small, (20, 28))
    np.testing.assert_allclose(
        enlarged(grey, (20, 28), detail), tf.clip_by_value(0.5 + fine, 0, 1), atol=1e-6
    )


@functools.cache
def finish_at(size):
    """The same function, written otherwise, under a name of its own."""
    objective = objective_at(size)
    (term,) = objective.terms
    return Objective(
        lambda image: {},
        [Term("distance", 4.0, lambda image, activations: term.loss(image, activations) / 2)],
    )


@EACH
def test_the_last_tenth_is_made_on_the_exact_objective(options, tmp_path):
    settings = config(iterations=20, log_every=6, **options)
    run = functools.partial(synthesize, objective_at, START, finish_at=finish_at)
    recorder = Recorder()
    result = run(settings, reporters=[recorder])
    assert [progress.step for progress in result.history] == [0, 6, 12, 18, 20]
    assert [p.step for p, _ in recorder.seen] == [0, 6, 12, 18, 20]
    # Weight 2 on the first objective, 4 on the exact one.
    ratios = [p.total / p.unweighted["distance"] for p in result.history]
    assert ratios == pytest.approx([2, 2, 2, 2, 4])
    assert result.unweighted["distance"] == pytest.approx(result.total / 4)
    assert result.history[-1].total < result.history[-2].total
    # Reports fall where they would without a finish.
    odd = run(dataclasses.replace(settings, log_every=5))
    assert [progress.step for progress in odd.history] == [0, 5, 10, 15, 20]
    np.testing.assert_array_equal(odd.image, result.image)
    # Killed in the finish, and gone on from there.
    with pytest.raises(Killed):
        run(settings, reporters=[KillAt(20)], supervision=Supervision(tmp_path))
    resumed = run(settings, supervision=Supervision(tmp_path))
    np.testing.assert_array_equal(resumed.image, result.image)


@BOTH
def test_coarse_to_fine(optimizer):
    recorder = Recorder()
    result = synthesize(objective_at, START, config(optimizer=optimizer, scales=2), reporters=[recorder])
    assert [(p.scale, p.step) for p in result.history] == [(0, s) for s in (0, 4, 8, 10)] + [
        (1, s) for s in (10, 14, 18, 20)
    ]
    assert {p.total_steps for p in result.history} == {20}
    assert [image.shape[1:3] for _, image in recorder.seen] == [(10, 14)] * 4 + [(20, 28)] * 4
    evaluations = [p.evaluations for p in result.history]
    assert evaluations == sorted(evaluations)
    # The second scale starts from what the first one made.
    expected = resize(tf.constant(recorder.seen[3][1]), (20, 28))
    np.testing.assert_allclose(recorder.seen[4][1], expected, atol=1e-6)


@BOTH
@pytest.mark.parametrize("killed_at", [4, 14])
def test_a_killed_run_goes_on_to_the_identical_picture(tmp_path, monkeypatch, optimizer, killed_at):
    monkeypatch.setattr(checkpoints, "_SHARE", 1.0)  # however long saving takes
    settings = config(optimizer=optimizer, scales=2)
    run = functools.partial(synthesize, objective_at, START, settings)
    whole = run()
    with pytest.raises(Killed):
        run(reporters=[KillAt(killed_at)], supervision=Supervision(tmp_path, 4))
    recorder = Recorder()
    resumed = run(reporters=[recorder], supervision=Supervision(tmp_path))
    np.testing.assert_array_equal(resumed.image, whole.image)
    assert [(p.scale, p.step, p.total) for p in resumed.history] == [
        (p.scale, p.step, p.total) for p in whole.history
    ]
    assert resumed.evaluations == whole.evaluations
    if killed_at > 4:  # at 4 it died in its first chunk, before anything was saved
        assert "goes on from the checkpoint" in recorder.seen[0][0].note


def test_a_finished_run_is_not_made_again(tmp_path):
    settings = config()
    first = synthesize(objective_at, START, settings, supervision=Supervision(tmp_path))
    recorder = Recorder()
    again = synthesize(objective_at, START, settings, reporters=[recorder], supervision=Supervision(tmp_path))
    np.testing.assert_array_equal(again.image, first.image)
    assert [progress.step for progress, _ in recorder.seen] == [10]
    assert again.losses == first.losses


def test_a_checkpoint_of_another_run_is_refused(tmp_path):
    synthesize(objective_at, START, config(), supervision=Supervision(tmp_path))
    with pytest.raises(ValueError, match="another run: iterations was 10 and is 11"):
        synthesize(objective_at, START, config(iterations=11), supervision=Supervision(tmp_path))
    with pytest.raises(ValueError, match="another run: start was"):
        synthesize(objective_at, START + 0.1, config(), supervision=Supervision(tmp_path))
    # How often one looks is no difference.
    synthesize(
        objective_at, START, dataclasses.replace(config(), log_every=1), supervision=Supervision(tmp_path)
    )


def test_a_run_that_ends_early_says_so_and_ends_well():
    result = synthesize(objective_at, GOAL, config())
    assert result.history[-1].step == 10
    assert "no lower point" in result.history[-1].note
    np.testing.assert_allclose(result.image, GOAL, atol=1e-6)


class After:
    """Asked so many times whether to stop, says so."""

    def __init__(self, times):
        self.left = times

    def __call__(self):
        self.left -= 1
        return "" if self.left >= 0 else "a signal"


@EACH
def test_a_run_ended_between_reports_goes_on_to_the_identical_picture(options, tmp_path):
    run = functools.partial(synthesize, objective_at, START, config(scales=2, **options))
    whole = run()
    for _ in range(30):  # asked before each piece: stopped again and again, further on each time
        recorder = Recorder()
        stopped = run(reporters=[recorder], supervision=Supervision(tmp_path, stop=After(3)))
        if not stopped.ending:
            break
        assert stopped.ending == "a signal" and not stopped.failed
        assert stopped.steps[0] < stopped.steps[1] == 20
        assert stopped.image.shape == START.shape
        assert f"stopped by a signal after {stopped.steps[0]} iterations" in recorder.seen[-1][0].note
    else:
        pytest.fail("never came to an end")
    np.testing.assert_array_equal(stopped.image, whole.image)
    assert stopped.steps == (20, 20)
    assert [(p.step, p.total) for p in stopped.history] == [(p.step, p.total) for p in whole.history]


def test_a_run_that_is_ended_gives_the_best_picture(tmp_path):
    """Steps of Adam that are far too long climb; what was best stays known, across a checkpoint, too."""
    settings = config(optimizer="adam", learning_rate=0.2, iterations=40, log_every=1)
    recorder = Recorder()
    for times in (6, 30):
        supervision = Supervision(tmp_path, stop=After(times))
        ended = synthesize(objective_at, START, settings, reporters=[recorder], supervision=supervision)
    totals = {progress.total: image for progress, image in recorder.seen}
    best = min(totals)
    assert ended.total == pytest.approx(best, rel=1e-5) and recorder.seen[-1][0].total > best
    np.testing.assert_array_equal(ended.image, np.clip(totals[best], 0, 1))


def test_a_run_ended_at_a_coarse_scale_is_enlarged(tmp_path):
    detail = tf.constant(picture(20, 28, seed=3)[np.newaxis] / np.float32(255))
    recorder, supervision = Recorder(), Supervision(stop=After(2))
    ended = synthesize(
        objective_at, START, config(scales=2), detail=detail, reporters=[recorder], supervision=supervision
    )
    small = tf.constant(recorder.seen[-1][1])
    assert small.shape == (1, 10, 14, 3)
    np.testing.assert_array_equal(ended.image, enlarged(tf.clip_by_value(small, 0, 1), (20, 28), detail))


def test_what_was_chosen_is_kept_beside_the_state(tmp_path):
    synthesize(
        objective_at, START, config(), supervision=Supervision(tmp_path), choices={"precision": "bfloat16"}
    )
    assert checkpoints.choices_in(tmp_path) == {"precision": "bfloat16"}
    assert checkpoints.choices_in(tmp_path / "new") == checkpoints.choices_in(None) == {}


def test_a_state_of_other_contents_is_refused(tmp_path):
    """Whole, of this very run by what it says, but not what such a run saves."""
    settings = config()
    synthesize(objective_at, START, settings, supervision=Supervision(tmp_path))
    with np.load(tmp_path / "checkpoint.npz") as file:
        arrays = dict(file)
    for spoilt in (
        {"optimizer/scale": np.zeros((1, 2, 2, 3), np.float32)},
        {"best": np.zeros(3, np.complex64)},
    ):
        np.savez(tmp_path / "checkpoint.npz", **(arrays | spoilt))
        with pytest.raises(ValueError, match=r"checkpoint_dir: .* holds no state of this run .*; remove it"):
            synthesize(objective_at, START, settings, supervision=Supervision(tmp_path))
