"""A network that is a few lines of arithmetic, so that every number can be had from NumPy."""

import numpy as np
import pytest
import tensorflow as tf

from tfstyle.evaluation import distances

GENERATOR = np.random.default_rng(0)


def network(picture):
    """Two layers of 3 and 2 filters, the second of a quarter of the positions."""
    return {"one": 2.0 * picture, "two": picture[:, ::2, ::2, :2]}


def layer(name, picture):
    """The paper's matrix of positions x filters."""
    return (2 * picture if name == "one" else picture[:, ::2, ::2, :2]).reshape(-1, 3 if name == "one" else 2)


def gram(name, picture):
    f = layer(name, picture)
    return f.T @ f / len(f)


def described(picture, content_layers=("one", "two"), style_layers=("one", "two")):
    return distances.describe(network, tf.constant(picture, tf.float32), content_layers, style_layers)


CONTENT, PICTURE = GENERATOR.random((2, 1, 8, 6, 3))
STYLES = [GENERATOR.random((1, 4, 10, 3)), 0.5 * GENERATOR.random((1, 12, 6, 3))]


def test_content_error_is_relative_to_all_layers_together():
    error = distances.content_error(described(PICTURE), described(CONTENT))
    deviation = sum(np.sum((layer(name, PICTURE) - layer(name, CONTENT)) ** 2) for name in ("one", "two"))
    whole = sum(np.sum(layer(name, CONTENT) ** 2) for name in ("one", "two"))
    assert error == pytest.approx(deviation / whole, rel=1e-5)
    only = distances.content_error(described(PICTURE, ("two",)), described(CONTENT, ("two",)))
    expected = np.sum((layer("two", PICTURE) - layer("two", CONTENT)) ** 2) / np.sum(
        layer("two", CONTENT) ** 2
    )
    assert only == pytest.approx(expected, rel=1e-5)


def test_content_error_ends():
    assert distances.content_error(described(CONTENT), described(CONTENT)) == 0
    assert distances.content_error(described(0 * CONTENT), described(CONTENT)) == pytest.approx(1)
    assert distances.content_error(described(CONTENT), described(CONTENT / 2)) == pytest.approx(1)
    black = described(0 * CONTENT)
    assert distances.content_error(black, black) == 0
    assert distances.content_error(described(CONTENT), black) == np.inf


def test_style_errors_are_relative_and_per_position():
    target = distances.mean_grams([described(style) for style in STYLES])
    errors = distances.style_errors(described(PICTURE), target)
    assert list(errors) == ["one", "two"]
    for name, error in errors.items():
        wanted = (gram(name, STYLES[0]) + gram(name, STYLES[1])) / 2
        expected = np.sum((gram(name, PICTURE) - wanted) ** 2) / np.sum(wanted**2)
        assert error == pytest.approx(expected, rel=1e-5)


def test_style_errors_ends():
    style = described(STYLES[0])
    assert distances.style_errors(style, style.grams) == {"one": 0, "two": 0}
    black = distances.style_errors(described(0 * CONTENT), style.grams)
    assert black == {"one": pytest.approx(1), "two": pytest.approx(1)}
    # The same texture over twice the area is the same style.
    twice = distances.style_errors(described(np.concatenate([STYLES[0]] * 2, axis=2)), style.grams)
    assert max(twice.values()) < 1e-10


def test_common_objective_in_the_units_of_gatys_code():
    grams = described(STYLES[0]).grams
    found = distances.common_objective(described(PICTURE), described(CONTENT, ("two",)), grams)
    expected = np.mean((layer("two", PICTURE) - layer("two", CONTENT)) ** 2)
    for name, filters in (("one", 3), ("two", 2)):
        expected += 1000 * np.mean((gram(name, PICTURE) - gram(name, STYLES[0])) ** 2) / filters**2
    assert found == pytest.approx(expected, rel=1e-5)


def test_half_precision_is_summed_in_float32():
    def half(picture):
        return {"one": tf.cast(picture, tf.bfloat16)}

    found = distances.describe(half, tf.ones([1, 40, 40, 3]), ["one"], ["one"])
    assert found.activations["one"].dtype == found.grams["one"].dtype == tf.float32
    np.testing.assert_allclose(found.grams["one"], np.ones((1, 3, 3)))
