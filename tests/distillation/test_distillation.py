"""The distilled network: its layers, its start by least squares, how it learns, and how near it is told to come."""

import dataclasses

import numpy as np
import pytest
import tensorflow as tf
from distillation import evaluation, network, optimizer, pairs, pictures, regression, training
from distillation.recipe import Recipe

import tfstyle
from tfstyle.runtime.stopping import Supervision
from tfstyle.vgg import weights as weight_files

from conftest import narrow_weights, picture

RECIPE = Recipe(
    steps=3, crop_size=32, crops=2, pairs=2, pool=3, visits=2, strokes=2, warmup=0, cooldown=0, log_every=1,
    averaging=0.5, learning_rate=0.002,
)  # fmt: skip


def weights_of(arrays):
    names = dict.fromkeys(key.partition("/")[0] for key in arrays)
    return {name: (arrays[f"{name}/kernel"], arrays[f"{name}/bias"]) for name in names}


def with_heads(weights, seed=0):
    generator = np.random.default_rng(seed)
    found = {}
    for name, (kernel, bias) in weights.items():
        found[name] = kernel, bias
        if name != "block1_conv1":
            found[f"{name}_head"] = (
                generator.standard_normal((1, 1, len(bias), 5)).astype(np.float32),
                generator.standard_normal(5).astype(np.float32),
            )
    return found


def crops(count, size=32):
    return np.stack([picture(size, size, seed) for seed in range(count)]).astype(np.float32) / 255


def test_activations_are_those_of_the_extractor_of_these_weights(tmp_path):
    weights = with_heads(weights_of(narrow_weights()))
    weight_files.save(tmp_path / "student.npz", weights, {})
    weights = network.load(str(tmp_path / "student.npz"))
    layers = ["block1_conv1", "block1_conv2", "block3_conv3", "block5_conv1"]
    extractor = tfstyle.feature_extractor(layers, weights=str(tmp_path / "student.npz"), padding="reflect")
    expected = extractor(crops(2))
    found = network.activations(weights, crops(2), layers)
    assert list(found) == layers
    for name in layers:
        np.testing.assert_allclose(found[name] * 100, expected[name], rtol=1e-4, atol=1e-3)


def test_hundreds_and_back_and_gram_matrices_against_numpy():
    weights = weights_of(narrow_weights())
    back = network.in_usual_units(network.in_hundreds(weights))
    for name, (kernel, bias) in weights.items():
        np.testing.assert_array_equal(back[name][0], kernel)
        np.testing.assert_allclose(back[name][1], bias, rtol=1e-6)
    activation = np.random.default_rng(0).random((2, 3, 4, 5)).astype(np.float32)
    expected = [np.einsum("hwi,hwj->ij", one, one) / 12 for one in activation]
    np.testing.assert_allclose(network.gram(tf.constant(activation)), expected, rtol=1e-5)


def test_fit_finds_the_layer_that_made_the_values():
    generator = np.random.default_rng(0)
    seen = generator.standard_normal((400, 6)).astype(np.float32)
    kernel, bias = (
        generator.standard_normal((6, 3)).astype(np.float32),
        np.array([0.5, -0.2, 0.1], np.float32),
    )
    found = regression._fitted(seen, seen @ kernel + bias)
    np.testing.assert_allclose(found[0], kernel, atol=0.02)
    np.testing.assert_allclose(found[1], bias, atol=0.02)


def test_fit_is_not_disturbed_by_what_the_relu_takes_away():
    generator = np.random.default_rng(0)
    seen = generator.standard_normal((2000, 4)).astype(np.float32)
    kernel = generator.standard_normal((4, 1)).astype(np.float32)
    wanted = seen @ kernel
    bent = np.where(wanted > 0, wanted, 20 * wanted)  # far below zero, where nothing is to be met
    made, plain = (np.maximum(seen @ k + b, 0) for k, b in (regression._fitted(seen, bent), (kernel, 0)))
    least_squares = np.maximum(seen @ np.linalg.lstsq(seen, bent, rcond=None)[0], 0)
    assert np.square(made - plain).mean() < 0.1 * np.square(least_squares - plain).mean()


def test_filters_that_tell_of_others_come_first():
    generator = np.random.default_rng(0)
    base = generator.standard_normal((500, 2))
    # The third is twice the first, so that either tells the other; the fourth is alone and faint.
    activations = np.stack([base[:, 0], base[:, 1], 2 * base[:, 0], 0.01 * generator.standard_normal(500)], 1)
    assert regression._telling(activations, 3).tolist() == [0, 1, 3]


def test_start_of_full_width_is_the_teacher():
    names = ["block1_conv1", "block1_conv2", "block2_conv1"]
    teacher = {name: pair for name, pair in weights_of(narrow_weights()).items() if name in names}
    teacher = network.in_hundreds(teacher)
    widths = {name: len(bias) for name, (_, bias) in teacher.items()}
    lines = []
    found = regression.start(teacher, crops(20), [crops(20)], lines.append, widths)
    assert list(found) == [names[0], names[1], f"{names[1]}_head", names[2], f"{names[2]}_head"]
    assert len(lines) == 2 and all(line.startswith(f"{name}: R2 ") for name, line in zip(names[1:], lines))
    expected = network.activations(teacher, crops(24)[20:], names)
    for name, values in network.activations(found, crops(24)[20:], names).items():
        error = np.square(values - expected[name]).mean() / np.var(expected[name])
        assert error < 0.01, name


@pytest.mark.parametrize(("factor", "fit", "error"), [(1.0, 1.0, 0.0), (1.1, None, 0.21**2)])
def test_comparison_on_hand_made_students(factor, fit, error, monkeypatch):
    teacher = network.in_hundreds(weights_of(narrow_weights()))
    layers = ("block1_conv1", "block2_conv1")
    monkeypatch.setattr(evaluation, "LAYERS", layers)
    name = layers[-1]  # a factor on the last layer's filters is one on its activations
    student = teacher | {name: tuple(factor * array for array in teacher[name])}
    found = evaluation.compared(teacher, student, [picture(40, 50)], size=32)
    assert found[layers[0]] == (1.0, 0.0)
    assert found[name][1] == pytest.approx(error, rel=1e-3)
    if fit is not None:
        assert found[name][0] == fit
    assert "| block2_conv1 |" in evaluation.table(found)


def test_recipe_says_what_is_wrong_and_its_rate_rises_stays_and_falls():
    with pytest.raises(ValueError, match="steps=0: must be"):
        Recipe(steps=0)
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
    assert {one.shape for one in found} == {(16, 16, 3)} and {one.dtype.name for one in found} == {"float32"}
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
    misfit = training._misfit(tf.constant(found), tf.constant(real), 0.3)
    np.testing.assert_allclose(misfit, expected, rtol=1e-5)
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
    teacher = network.in_hundreds(weights_of(narrow_weights()))
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
