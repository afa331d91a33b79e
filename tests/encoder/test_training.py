import dataclasses

import numpy as np
import pytest
import tensorflow as tf
from encoder.recipe import EncoderRecipe
from encoder.tasks import ExemplarTask, GramTask
from encoder.training import train

from tfstyle.runtime.stopping import Supervision

from conftest import picture

RECIPE = EncoderRecipe(
    widths=(4, 6, 8, 8, 8), depths=(1, 1, 1, 1, 1), steps=4, batch_size=4, crop_size=32, precision="float32",
    log_every=2, warmup=1,
)  # fmt: skip
PHOTOGRAPHS = [picture(60, 70, seed) for seed in range(4)]


def test_gram_task_against_numpy():
    activation = np.random.default_rng(0).random((4, 3, 3, 2)).astype(np.float32)
    loss, right = GramTask(["a"])({"a": tf.constant(activation)})
    rows = activation.reshape(4, 9, 2)
    grams = np.stack([(row.T @ row / np.linalg.norm(row.T @ row)).ravel() for row in rows])
    cosines = grams @ grams.T * np.exp(3.0)
    losses, nearest = [], []
    for view in range(4):
        others = [other for other in range(4) if other != view]
        partner = (view + 2) % 4
        losses.append(np.log(np.exp(cosines[view, others]).sum()) - cosines[view, partner])
        nearest.append(others[int(np.argmax(cosines[view, others]))] == partner)
    np.testing.assert_allclose(loss, np.mean(losses), rtol=1e-4)
    assert float(right) == np.mean(nearest)


def test_exemplar_task_of_a_blind_classifier_is_chance():
    task = ExemplarTask("a", photographs=5)
    loss, _ = task({"a": tf.zeros([4, 2, 2, 3])}, tf.constant([0, 1, 0, 1], tf.int64))
    np.testing.assert_allclose(loss, np.log(5), rtol=1e-5)


class Stopped(Exception):
    pass


class StopAfter:
    def __init__(self, step):
        self.step = step

    def report(self, progress, image):
        assert image.shape == (1, 64, 64, 3)
        if progress.step > self.step:
            raise Stopped


@pytest.mark.parametrize("options", [{}, {"adversarial": 0.5}])
def test_a_stopped_training_goes_on_to_the_same_weights(tmp_path, monkeypatch, options):
    monkeypatch.setattr("tfstyle.runtime.checkpoints._SHARE", 1.0)
    recipe = dataclasses.replace(RECIPE, **options)
    whole, history = train(PHOTOGRAPHS, recipe)
    assert [progress.step for progress in history] == [1, 2, 4]
    assert set(history[-1].metrics) == {"exemplar_top1", "gram_top1"}
    with pytest.raises(Stopped):
        train(PHOTOGRAPHS, recipe, reporters=[StopAfter(2)], supervision=Supervision(tmp_path, 1))
    resumed, _ = train(PHOTOGRAPHS, recipe, supervision=Supervision(tmp_path))
    for name, arrays in whole.items():
        for array, other in zip(arrays, resumed[name]):
            np.testing.assert_array_equal(array, other)
    with pytest.raises(ValueError, match="is of another run: seed was 0 and is 1"):
        train(PHOTOGRAPHS, dataclasses.replace(recipe, seed=1), supervision=Supervision(tmp_path))


def test_training_beats_chance():
    recipe = dataclasses.replace(
        RECIPE, steps=120, batch_size=8, log_every=40, learning_rate=5e-3, gram_weight=0.0
    )
    _, history = train(PHOTOGRAPHS, recipe)
    assert history[-1].losses["exemplar"] < 0.7 * np.log(len(PHOTOGRAPHS))


def test_one_photograph_cannot_be_told_apart():
    with pytest.raises(ValueError, match="photos: 1 to train on"):
        train(PHOTOGRAPHS[:1], RECIPE)
