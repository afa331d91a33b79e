"""The distilled network's layers, its start by least squares, and how near it is told to come."""

import numpy as np
import pytest
import tensorflow as tf
from distillation import evaluation, network, regression

import tfstyle
from tfstyle.vgg import weights as weight_files

from conftest import narrow_weights, picture


def pairs(arrays):
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
    weights = with_heads(pairs(narrow_weights()))
    weight_files.save(tmp_path / "student.npz", weights, {})
    weights = weight_files.load(str(tmp_path / "student.npz"), network.layout())
    layers = ["block1_conv1", "block1_conv2", "block3_conv3", "block5_conv1"]
    extractor = tfstyle.feature_extractor(layers, weights=str(tmp_path / "student.npz"), padding="reflect")
    expected = extractor(crops(2))
    found = network.activations(network.in_hundreds(weights), crops(2), layers)
    assert list(found) == layers
    for name in layers:
        np.testing.assert_allclose(found[name] * 100, expected[name], rtol=1e-4, atol=1e-3)


def test_hundreds_and_back():
    weights = pairs(narrow_weights())
    back = network.in_usual_units(network.in_hundreds(weights))
    for name, (kernel, bias) in weights.items():
        np.testing.assert_array_equal(back[name][0], kernel)
        np.testing.assert_allclose(back[name][1], bias, rtol=1e-6)


def test_gram_against_numpy():
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
    teacher = {name: pair for name, pair in pairs(narrow_weights()).items() if name in names}
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
    teacher = network.in_hundreds(pairs(narrow_weights()))
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
