"""Both optimisers on objectives whose minimum is known."""

import numpy as np
import pytest
import tensorflow as tf

from tfstyle.config import TransferConfig
from tfstyle.optimizers import Adam, Lbfgs, make_optimizer

SHAPE = (1, 6, 5, 3)
GENERATOR = np.random.default_rng(0)
TARGET = GENERATOR.uniform(0.2, 0.8, SHAPE).astype(np.float32)
START = GENERATOR.random(SHAPE).astype(np.float32)
CURVATURE = np.geomspace(1, 100, START.size).reshape(SHAPE).astype(np.float32)


class Function:
    """An objective from a function of the picture; counts how often it is traced and evaluated."""

    def __init__(self, function):
        self.traces, self.calls = 0, tf.Variable(0)
        self._function = function
        self.losses = tf.function(lambda image: {"f": function(image)})
        self.value_and_gradient = tf.function(self._value_and_gradient)

    def _value_and_gradient(self, image):
        self.traces += 1
        self.calls.assign_add(1)
        with tf.GradientTape() as tape:
            tape.watch(image)
            value = self._function(image)
        return value, {"f": value}, tape.gradient(value, image)


def quadratic(scale=1.0):
    return Function(lambda image: scale * tf.reduce_sum(CURVATURE * tf.square(image - TARGET)))


def lbfgs(objective, image=START):
    return Lbfgs(objective, tf.constant(image), history=10)


def adam(objective, image=START):
    return Adam(objective, tf.constant(image), learning_rate=0.02)


BOTH = pytest.mark.parametrize("make", [adam, lbfgs])


@pytest.mark.parametrize(("make", "steps"), [(adam, 500), (lbfgs, 60)])
def test_finds_the_minimum(make, steps):
    optimizer = make(quadratic())
    optimizer.start()
    first = float(optimizer.losses["f"])
    optimizer.advance(steps)
    assert float(optimizer.losses["f"]) < 1e-6 * first
    np.testing.assert_allclose(optimizer.image, TARGET, atol=1e-3)


@pytest.mark.parametrize("scale", [1e-12, 1e-6, 1.0, 1e6, 1e12])
def test_lbfgs_does_not_mind_the_scale_of_the_objective(scale):
    optimizer = lbfgs(quadratic(scale))
    optimizer.start()
    note = optimizer.advance(40)
    assert note == ""
    np.testing.assert_allclose(optimizer.image, TARGET, atol=1e-3)


@BOTH
def test_losses_belong_to_the_image(make):
    objective = quadratic()
    optimizer = make(objective)
    optimizer.start()
    np.testing.assert_allclose(optimizer.losses["f"], objective.losses(optimizer.image)["f"])
    optimizer.advance(3)
    np.testing.assert_allclose(optimizer.losses["f"], objective.losses(optimizer.image)["f"], rtol=1e-6)


@BOTH
def test_evaluations_are_counted_and_traced_once(make):
    objective = quadratic()
    optimizer = make(objective)
    optimizer.start()
    for _ in range(3):
        optimizer.advance(2)
    assert optimizer.evaluations == int(objective.calls)
    assert objective.traces == 1


@BOTH
def test_chunks_do_not_change_the_way(make):
    whole, parts = make(quadratic()), make(quadratic())
    whole.start()
    whole.advance(7)
    parts.start()
    for steps in (1, 2, 4):
        parts.advance(steps)
    np.testing.assert_array_equal(whole.image, parts.image)


@BOTH
def test_state_restores_the_way_bit_by_bit(make):
    straight = make(quadratic())
    straight.start()
    straight.advance(3)
    state = {name: np.array(value) for name, value in straight.state().items()}
    straight.advance(4)

    resumed = make(quadratic())
    resumed.restore(state)
    np.testing.assert_array_equal(resumed.image, tf.constant(resumed.image))
    resumed.advance(4)
    np.testing.assert_array_equal(resumed.image, straight.image)
    assert resumed.evaluations == straight.evaluations
    assert float(resumed.losses["f"]) == float(straight.losses["f"])


def test_adam_keeps_to_the_range():
    optimizer = adam(Function(lambda image: tf.reduce_sum(image)))
    optimizer.start()
    optimizer.advance(100)
    np.testing.assert_array_equal(optimizer.image, np.zeros(SHAPE))


def test_adam_is_keras_adam():
    """The first step of Adam is the learning rate against the gradient's sign, whatever its size."""
    optimizer = adam(quadratic())
    optimizer.start()
    optimizer.advance(1)
    expected = np.clip(START - 0.02 * np.sign(START - TARGET), 0, 1)
    np.testing.assert_allclose(optimizer.image, expected, atol=1e-5)


def cliff(image):
    """Falls towards its kink, and gradient and value disagree there: no line search can end well."""
    return tf.reduce_sum(tf.abs(image - TARGET)) + 1e-3 * tf.reduce_sum(tf.sin(1e5 * image))


def test_a_failed_line_search_is_told_and_tried_again():
    optimizer = lbfgs(Function(cliff))
    optimizer.start()
    first = float(optimizer.losses["f"])
    notes = [optimizer.advance(5) for _ in range(20)]
    assert any("line search of L-BFGS failed" in note for note in notes)
    assert float(optimizer.losses["f"]) < first
    assert np.isfinite(optimizer.image).all()


def test_lbfgs_ends_where_there_is_nothing_lower():
    optimizer = lbfgs(quadratic(), TARGET)
    optimizer.start()
    note = optimizer.advance(10)
    assert optimizer.finished
    assert "no lower point" in note
    np.testing.assert_array_equal(optimizer.image, TARGET)


def test_lbfgs_ends_after_patience_is_out():
    wrong = Function(lambda image: tf.reduce_sum(image))
    # A gradient that points uphill: no step along it ever helps.
    wrong.value_and_gradient = tf.function(
        lambda image: (tf.reduce_sum(image), {"f": tf.reduce_sum(image)}, -tf.ones_like(image))
    )
    optimizer = lbfgs(wrong)
    optimizer.start()
    notes = [optimizer.advance(1) for _ in range(4 * Lbfgs.PATIENCE)]
    assert optimizer.finished
    assert "the run ends here" in "".join(notes)
    np.testing.assert_allclose(optimizer.image, START, atol=1e-3)


@BOTH
def test_an_objective_that_is_not_finite_is_told(make):
    optimizer = make(Function(lambda image: tf.reduce_sum(image) / 0.0))
    with pytest.raises(FloatingPointError, match=r"not finite any more \(f\)"):
        optimizer.start()


def test_config_chooses():
    image = tf.constant(START)
    assert isinstance(make_optimizer(TransferConfig(), quadratic(), image), Lbfgs)
    assert isinstance(make_optimizer(TransferConfig(optimizer="adam"), quadratic(), image), Adam)
