"""How the distilled network learns: pictures in progress, Muon, losses, and a training that goes on."""

import dataclasses

import numpy as np
import pytest
import tensorflow as tf
from distillation import network, optimizer, pairs, pictures, regression, training
from distillation.recipe import Recipe
from test_student import crops
from test_student import pairs as weight_pairs

from tfstyle.runtime.stopping import Supervision

from conftest import narrow_weights, picture

RECIPE = Recipe(
    steps=3, crop_size=32, crops=2, pairs=2, pool=3, visits=2, strokes=2, warmup=0, cooldown=0, log_every=1,
    averaging=0.5, learning_rate=0.002,
)  # fmt: skip


def test_recipe_says_what_is_wrong():
    with pytest.raises(ValueError, match="steps=0: must be"):
        Recipe(steps=0)


def test_rate_rises_stays_and_falls():
    recipe = Recipe(steps=100, warmup=10, cooldown=0.5, learning_rate=1.0)
    assert [recipe.rate_after(step) for step in (0, 4, 9, 49, 75, 90)] == [0.1, 0.5, 1.0, 1.0, 0.5, 0.2]


def test_held_out_pictures_are_not_trained_on():
    names = [f"{index:04}.jpg" for index in range(250)]
    train, held_out = pictures.split(names[::-1])
    assert len(held_out) == 100 and not set(train) & set(held_out) and sorted(train + held_out) == names


def test_crop_is_a_piece_of_a_picture():
    whole = np.zeros((40, 60, 3), np.uint8)
    whole[:, 30:] = 255
    found = [pictures.crop([whole], 16, np.random.default_rng(seed)) for seed in range(20)]
    assert {one.shape for one in found} == {(16, 16, 3)} and {one.dtype for one in found} == {
        np.dtype("float32")
    }
    assert min(one.min() for one in found) == 0 and max(one.max() for one in found) == 1
    assert len({one.mean() for one in found}) > 5


def test_unreadable_pictures_are_left_out(tmp_path):
    (tmp_path / "bad.jpg").write_bytes(b"no picture")
    tf.keras.utils.save_img(tmp_path / "good.png", picture(300, 400))
    (found,) = pictures.read([str(tmp_path / "bad.jpg"), str(tmp_path / "good.png")], shortest=150)
    assert found.shape == (150, 200, 3) and found.dtype == np.uint8


@pytest.mark.parametrize("shape", [(3, 3, 4, 5), (1, 1, 3, 20)])
def test_muon_moves_a_kernel_by_its_share_in_equal_directions(shape):
    generator = np.random.default_rng(0)
    kernel = generator.standard_normal(shape).astype(np.float32)
    variable, bias = tf.Variable(kernel), tf.Variable([1.0, 2.0])
    muon = optimizer.Muon([variable, bias])
    muon.learning_rate.assign(0.01)
    gradient = generator.standard_normal(shape).astype(np.float32)
    muon.apply([tf.constant(gradient), tf.constant([3.0, -0.1])])
    moved = (variable.numpy() - kernel).reshape(-1, shape[-1])
    share = np.sqrt(np.square(moved).mean() / np.square(kernel).mean())
    assert share == pytest.approx(0.01, rel=0.25)
    values = np.linalg.svd(moved, compute_uv=False)
    assert values.max() / values.min() < 2.5  # 5 rounds of the quintic leave singular values in 0.7 to 1.2
    assert (moved * gradient.reshape(moved.shape)).sum() < 0
    np.testing.assert_allclose(bias, [1 - 0.002, 2 + 0.002], rtol=1e-5)  # Adam's first step is its rate


def test_pictures_in_progress_are_begun_anew_after_their_visits():
    pool = pairs.Pool(lambda kind, generator: generator.random((4, 4, 3)), 2, 3, np.random.default_rng(0))
    seen = [member["style"].tobytes() for _ in range(9) for member in pool.chosen(2)]
    assert all(1 <= seen.count(one) <= 3 for one in set(seen)) and len(set(seen)) >= 6


def test_painting_is_a_smooth_step_within_the_range():
    pool = pairs.Pool(lambda kind, generator: np.full((8, 8, 3), 0.5), 1, 1000, np.random.default_rng(3))
    (member,) = pool.chosen(1)
    start = np.full((8, 8, 3), 0.5)
    start[0, 0] = 0.001
    member["picture"], member["age"] = start, 0
    waves = np.cos(2 * np.pi * np.arange(8) / 8), np.cos(np.pi * np.arange(8))  # 1/8 and 1/2 cycles a pixel
    gradient = np.broadcast_to((waves[0] + waves[1])[:, np.newaxis, np.newaxis], (8, 8, 3))
    pool.paint([member], gradient[np.newaxis])
    step = sum(wave / (1 + f / pairs._SMOOTH) ** 2 for wave, f in zip(waves, (1 / 8, 1 / 2)))
    step *= pairs._RATES[0] / np.sqrt(np.mean(np.square(step)))
    expected = np.clip(start - step[:, np.newaxis, np.newaxis], 0, 1)
    np.testing.assert_allclose(member["picture"], expected, atol=1e-5)


def test_losses_against_numpy():
    generator = np.random.default_rng(0)
    found, real = generator.random((2, 2, 3, 4, 5)).astype(np.float32)
    error = np.square(found - real).mean((1, 2, 3))
    own = real.var((1, 2)).mean(1)
    expected = (error / (0.5 * own + 0.5 * 0.3)).mean()
    np.testing.assert_allclose(
        training._misfit(tf.constant(found), tf.constant(real), 0.3), expected, rtol=1e-5
    )
    a, b = generator.random((2, 2, 4, 4)).astype(np.float32)
    scale = np.square(b).sum((1, 2))
    expected = (np.square(a - b).sum((1, 2)) / (0.9 * scale + 0.1 * scale.mean())).mean()
    np.testing.assert_allclose(training._misfit_of_grams(tf.constant(a), tf.constant(b)), expected, rtol=1e-5)


def test_painting_loss_is_that_of_the_default_settings():
    generator = np.random.default_rng(0)
    found = {
        name: tf.constant(generator.random((2, 3, 3, 4)), tf.float32)
        for name in (*network.STYLE_LAYERS, network.CONTENT_LAYER)
    }
    grams = [tf.constant(generator.random((2, 4, 4)), tf.float32) for _ in network.STYLE_LAYERS]
    content = generator.random((2, 3, 3, 4)).astype(np.float32)
    expected = 0.0
    for index, weight in enumerate((0.1, 0.0)):
        kept = content[index]
        expected += (
            30 * weight * np.square(found[network.CONTENT_LAYER][index] - kept).sum() / np.square(kept).sum()
        )
        for name, gram in zip(network.STYLE_LAYERS, grams):
            flat = found[name][index].numpy().reshape(9, 4)
            target = gram[index].numpy()
            expected += 30 / 5 * np.square(flat.T @ flat / 9 - target).sum() / np.square(target).sum()
    loss = training._painting_loss(found, grams, tf.constant(content), tf.constant([0.1, 0.0]))
    np.testing.assert_allclose(loss, expected, rtol=1e-5)


@pytest.fixture(scope="module")
def networks():
    teacher = network.in_hundreds(weight_pairs(narrow_weights()))
    widths = {name: max(2, len(teacher[name][1]) // 2) for name in network.LAYERS}
    return teacher, regression.start(teacher, crops(8), [crops(8)], lambda line: None, widths)


def test_training_learns_and_goes_on_where_it_ended(networks, tmp_path):
    teacher, start = networks

    def trained(steps, **changes):
        recipe = dataclasses.replace(
            RECIPE, steps=steps, crops=8, pairs=1, gram_weight=0, change_weight=0, **changes
        )
        return training.train(
            teacher, start, [picture(40, 50, 1)], [picture(50, 40, 2)], recipe, supervision=Supervision(tmp_path)
        )  # fmt: skip

    weights, history = trained(2)
    assert [record.step for record in history] == [1, 2]
    assert set(history[0].losses) == {"activations", "grams", "changes"}
    assert list(weights) == list(start)
    for before, after in zip(start["block1_conv1"], weights["block1_conv1"]):
        np.testing.assert_array_equal(before, after)
    assert not np.array_equal(start["block4_conv1"][0], weights["block4_conv1"][0])
    with pytest.raises(ValueError, match="of another run"):
        trained(12, seed=3)
    weights, history = trained(12)
    assert [record.step for record in history] == list(range(1, 13))
    assert np.mean([record.total for record in history[-3:]]) < history[0].total
