"""The loop under every training, on a parameter that goes down a parabola."""

import functools

import numpy as np
import pytest
import tensorflow as tf

from tfstyle.reporting import Books
from tfstyle.runtime import checkpoints
from tfstyle.runtime.stopping import Supervision
from tfstyle.training.training_loop import Account, fit


class Parabola:
    """Loss x^2, of which each batch makes a step of its own length."""

    def __init__(self):
        self.x = tf.Variable(1.0)
        self.variables = [self.x]
        self.kept, self.paces = None, []

    def begin(self, kept):
        self.kept = kept
        return "" if kept else "begins"

    def keep(self):
        return {"known": 7}

    def step(self, batch):
        loss = self.x**2
        self.x.assign(self.x * (1 - batch))
        return {"parabola": loss}

    def account(self, means, pace):
        self.paces.append(pace)
        return Account(dict(means), dict(means), {}, tf.zeros([1, 1, 1, 3]))


class Recorder:
    def __init__(self, stop_at=None):
        self.steps, self.stop_at = [], stop_at

    def report(self, progress, image):
        self.steps.append(progress.step)
        if progress.step == self.stop_at:
            raise KeyboardInterrupt


RATES = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7)
OPTIONS = {"steps": 7, "report_every": 3, "remedy": "rate"}


def stream(first_step):
    return iter(RATES[first_step:])


@pytest.fixture(autouse=True)
def saved_however_long_that_takes(monkeypatch):
    monkeypatch.setattr(checkpoints, "_SHARE", 1.0)


def kept_in(folder, every=3, **options):
    return Books(Supervision(folder, every), **options)


def test_reports_are_means_since_the_last():
    learner, recorder = Parabola(), Recorder()
    history = fit(learner, stream, Books(reporters=[recorder]), **OPTIONS)
    assert recorder.steps == [progress.step for progress in history] == [1, 3, 6, 7]
    values = np.cumprod([1, *(1 - np.array(RATES))]) ** 2
    expected = [values[0], values[1:3].mean(), values[3:6].mean(), values[6]]
    np.testing.assert_allclose([progress.total for progress in history], expected, rtol=1e-5)
    assert [progress.note for progress in history] == ["begins", "", "", ""]
    assert learner.paces[0] is None and all(pace > 0 for pace in learner.paces[1:])


def test_a_stopped_training_goes_on(tmp_path):
    whole = Parabola()
    history = fit(whole, stream, Books(), **OPTIONS)
    with pytest.raises(KeyboardInterrupt), kept_in(tmp_path, reporters=[Recorder(stop_at=6)]) as killed:
        fit(Parabola(), stream, killed, **OPTIONS)
    learner, agreed = Parabola(), []
    with kept_in(tmp_path) as books:
        resumed = fit(learner, stream, books, agree=agreed.append, **OPTIONS)
    assert [progress.losses for progress in resumed] == [progress.losses for progress in history]
    assert learner.x.numpy() == whole.x.numpy()
    assert agreed == [3] and learner.kept["known"] == 7
    assert resumed[2].note == "goes on from the checkpoint after 3 steps"


def test_who_is_not_the_chief_only_reads(tmp_path):
    recorder = Recorder()
    books = kept_in(tmp_path, reporters=[recorder], chief=False)
    history = fit(Parabola(), stream, books, **OPTIONS)
    assert len(history) == 4 and recorder.steps == [] and books.load() is None


@pytest.mark.parametrize(
    ("rate", "message"),
    [
        (1e30, "the loss is inf after step 6; lower rate"),
        (float("nan"), "a variable is not finite after step 6"),
    ],
)
def test_what_is_not_finite_does_not_replace_what_was(tmp_path, rate, message):
    # Of the sixth step, the loss is still finite, but it makes the variable NaN.
    rates = [0.1, 0.2, 0.3, rate, 0.5, 0.6] if rate == 1e30 else [0.1, 0.2, 0.3, 0.4, 0.5, rate]
    with kept_in(tmp_path) as books:
        with pytest.raises(FloatingPointError, match=message):
            fit(Parabola(), lambda first_step: iter(rates), books, **OPTIONS)
        record, arrays, _ = books.load()
    assert record["step"] == 3
    np.testing.assert_allclose(arrays["variable_000"], 0.9 * 0.8 * 0.7, rtol=1e-6)


@pytest.mark.parametrize("every", ["1h", 1])
def test_a_training_ended_at_any_step_goes_on_to_the_same_losses(tmp_path, every):
    whole = Parabola()
    history = fit(whole, stream, Books(), **OPTIONS)
    ends = 0
    for _ in range(10):
        looks = iter([""])  # each time one step more
        stop = functools.partial(next, looks, "a signal")
        with Books(Supervision(tmp_path, every, stop)) as books:
            learner = Parabola()
            resumed = fit(learner, stream, books, **OPTIONS)
        if resumed[-1].step == 7:
            break
        ends += 1
        assert resumed[-1].step == 2 * ends
        assert f"stopped by a signal after {2 * ends} steps; the same command" in resumed[-1].note
    assert ends == 3
    assert [progress.losses for progress in resumed] == [progress.losses for progress in history]
    assert learner.x.numpy() == whole.x.numpy()


def test_a_state_that_cannot_be_saved_ends_nothing(tmp_path, monkeypatch):
    def full(*_, **__):
        raise OSError(28, "No space left on device")

    with kept_in(tmp_path, 1) as books:
        monkeypatch.setattr(checkpoints, "replacing", full)
        history = fit(Parabola(), stream, books, **OPTIONS)
    assert history[-1].step == 7
    assert (
        "the state could not be saved (No space left on device); the run goes on without" in history[1].note
    )
