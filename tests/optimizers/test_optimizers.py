"""All optimisers on objectives whose minimum is known."""

import functools

import numpy as np
import pytest
import tensorflow as tf

from tfstyle.config import TransferConfig
from tfstyle.optimizers import Adam, ImageOptimizer, Lbfgs, Sgd, TfpLbfgs, advance, make_optimizer
from tfstyle.optimizers.lbfgs import PATIENCE, image_of, positions_of
from tfstyle.runtime.workshop import Workshop

SHAPE = (1, 6, 5, 3)
GENERATOR = np.random.default_rng(0)
TARGET = GENERATOR.uniform(0.2, 0.8, SHAPE).astype(np.float32)
START = GENERATOR.random(SHAPE).astype(np.float32)
CURVATURE = np.geomspace(1, 100, START.size).reshape(SHAPE).astype(np.float32)


class Function:
    """An objective from a function of the picture, times a scale; counts how often it is evaluated."""

    def __init__(self, function):
        self.calls, self.scale = tf.Variable(0), tf.Variable(1.0)
        self._value = lambda image: tf.reshape(self.scale * function(image), [-1])
        self.losses = tf.function(lambda image: {"f": self._value(image)})
        self.value_and_gradient = tf.function(self._value_and_gradient)

    def _value_and_gradient(self, image):
        self.calls.assign_add(1)
        with tf.GradientTape() as tape:
            tape.watch(image)
            value = self._value(image)
        return value, {"f": value}, tape.gradient(value, image)


# Keeps what is compiled: the steps on one objective serve all tests.
WORKSHOP = Workshop()


@functools.cache
def quadratic(number=1):
    """The same function, whatever the number; to TensorFlow, each is another."""
    return Function(lambda image: tf.reduce_sum(CURVATURE * tf.square(image - TARGET)))


def made_of(**options):
    """Returns what makes the optimiser of a config, on an objective, and starts it."""

    def make(objective, image=START):
        made = make_optimizer(TransferConfig(**options), image.shape)
        optimizer = ImageOptimizer(made, objective, tf.constant(image), WORKSHOP)
        optimizer.start()
        return optimizer

    return make


def loss(optimizer):
    return float(tf.squeeze(optimizer.losses["f"]))


lbfgs = made_of(lbfgs_history=10)
tfp_lbfgs = made_of(lbfgs_history=10, line_search="hager_zhang")
adam = made_of(optimizer="adam")
averaged_sgd = made_of(optimizer="sgd", learning_rate=0.009, learning_rate_decay=0.9, averaging=0.9)

FIRST_ORDER = {"adam": adam, "averaged_sgd": averaged_sgd}
EVERY = {**FIRST_ORDER, "lbfgs": lbfgs, "tfp_lbfgs": tfp_lbfgs}


def each(makers):
    return pytest.mark.parametrize("make", makers.values(), ids=makers.keys())


EACH = each(EVERY)
EACH_FIRST_ORDER = each(FIRST_ORDER)
QUASI_NEWTON = pytest.mark.parametrize("make", [lbfgs, tfp_lbfgs])


@pytest.mark.parametrize("name", EVERY)
def test_finds_the_minimum(name):
    optimizer = EVERY[name](quadratic())
    first = loss(optimizer)
    optimizer.advance(500 if name in FIRST_ORDER else 60)
    assert loss(optimizer) < 1e-6 * first
    np.testing.assert_allclose(optimizer.image, TARGET, atol=1e-3)


@QUASI_NEWTON
@pytest.mark.parametrize("scale", [1e-12, 1e12])
def test_lbfgs_does_not_mind_the_scale_of_the_objective(make, scale):
    objective = quadratic(2)
    objective.scale.assign(scale)
    optimizer = make(objective)
    note = optimizer.advance(60)
    objective.scale.assign(1)
    assert note == ""
    np.testing.assert_allclose(optimizer.image, TARGET, atol=1e-3)


@pytest.mark.parametrize("name", EVERY)
def test_chunks_do_not_change_the_way(name):
    """Evaluations are counted; losses belong to the image, but where that is a mean."""
    objective = quadratic()
    whole = EVERY[name](objective)
    whole.advance(7)
    before = int(objective.calls)
    parts = EVERY[name](objective)
    for steps in (1, 2, 4):
        parts.advance(steps)
    np.testing.assert_array_equal(whole.image, parts.image)
    assert parts.evaluations == int(objective.calls) - before
    if not name.startswith("averaged"):
        np.testing.assert_allclose(parts.losses["f"], objective.losses(parts.image)["f"], rtol=1e-6)


@EACH
def test_state_restores_the_way_bit_by_bit(make):
    straight = make(quadratic())
    straight.advance(3)
    state = {name: np.array(value) for name, value in straight.state().items()}
    straight.advance(4)

    resumed = make(quadratic())
    resumed.restore(state)
    np.testing.assert_array_equal(resumed.image, tf.constant(resumed.image))
    resumed.advance(4)
    np.testing.assert_array_equal(resumed.image, straight.image)
    assert resumed.evaluations == straight.evaluations
    np.testing.assert_array_equal(resumed.losses["f"], straight.losses["f"])


@EACH_FIRST_ORDER
def test_a_start_forgets_all_that_was(make):
    """Also the learning rate's decay and the mean; it begins at the picture that is shown."""
    used = make(quadratic())
    used.advance(5)
    used.start()
    new = make(quadratic(), used.image.numpy())
    for optimizer in (used, new):
        optimizer.advance(5)
    np.testing.assert_array_equal(used.image, new.image)
    np.testing.assert_array_equal(used.losses["f"], new.losses["f"])
    assert used.evaluations == new.evaluations == 6


@EACH_FIRST_ORDER
def test_first_order_keeps_to_the_range(make):
    optimizer = make(Function(lambda image: tf.reduce_sum(image)))
    for _ in range(4):
        optimizer.advance(100)
        assert optimizer.image.numpy().min() >= 0 and optimizer.image.numpy().max() <= 1
    np.testing.assert_allclose(optimizer.image, np.zeros(SHAPE), atol=1e-6)


@pytest.mark.parametrize("decay", [0.3, 1 - 1e-9])
@pytest.mark.parametrize("name", ["adam", "sgd"])
def test_averaging_shows_the_mean_of_the_iterates(name, decay):
    """The weights written out, over the iterates of a run without averaging, whose way must be the same.

    Also where float32 cannot tell 1 - decay from 0, and the mean is the plain one.
    """
    options, objective = {"optimizer": name, "learning_rate": 0.009}, quadratic()
    plain = made_of(**options)(objective)
    averaged = made_of(averaging=decay, **options)(objective)
    iterates = [plain.image.numpy().astype(float)]
    np.testing.assert_array_equal(averaged.image, START)
    for k in range(1, 12):
        plain.advance(1)
        averaged.advance(1)
        iterates.append(plain.image.numpy().astype(float))
        weights = [decay ** (k - i) * (1 - decay) / (1 - decay ** (k + 1)) for i in range(k + 1)]
        assert sum(weights) == pytest.approx(1, rel=1e-5)
        expected = sum(weight * iterate for weight, iterate in zip(weights, iterates))
        np.testing.assert_allclose(averaged.image, expected, atol=1e-6)
        # Losses are the iterate's, not the mean's.
        assert loss(averaged) == loss(plain)
        assert loss(averaged) != float(objective.losses(averaged.image)["f"][0])


def test_a_mean_is_kept_only_where_it_is_asked_for():
    plain, averaged = made_of(optimizer="sgd")(quadratic()), averaged_sgd(quadratic())
    assert averaged.state().keys() - plain.state().keys() == {"optimizer/mean/0"}


def test_first_order_blames_the_learning_rate():
    """A step to 1, where the logarithm of nothing is not finite."""
    optimizer = made_of(optimizer="sgd", learning_rate=1e3)(
        Function(lambda image: tf.reduce_sum(tf.math.log(1 - image))), START / 2
    )
    with pytest.raises(FloatingPointError, match=r"\(f\); lower learning_rate"):
        optimizer.advance(1)


def cliff(image):
    """Falls towards its kink, and gradient and value disagree there: no search for Wolfe's conditions ends well."""
    return tf.reduce_sum(tf.abs(image - TARGET)) + 1e-3 * tf.reduce_sum(tf.sin(1e5 * image))


def stairs(image):
    """Falls in steps, on which the gradient promises what the value does not keep."""
    slide = tf.reduce_sum(CURVATURE * tf.square(image - TARGET))
    return slide + tf.stop_gradient(tf.math.ceil(slide) - slide)


@pytest.mark.parametrize(("make", "function"), [(lbfgs, stairs), (tfp_lbfgs, cliff)])
def test_a_failed_line_search_is_told_and_tried_again(make, function):
    optimizer = make(Function(function))
    first = loss(optimizer)
    notes = [optimizer.advance(1) for _ in range(60)]
    assert any("line search of L-BFGS failed" in note for note in notes)
    assert loss(optimizer) < first
    assert np.isfinite(optimizer.image).all()


@QUASI_NEWTON
def test_lbfgs_ends_where_there_is_nothing_lower(make):
    optimizer = make(quadratic(), TARGET)
    note = optimizer.advance(10)
    assert optimizer.finished
    assert "no lower point" in note
    np.testing.assert_array_equal(optimizer.image, TARGET)


@QUASI_NEWTON
def test_lbfgs_ends_after_patience_is_out(make):
    wrong = Function(lambda image: tf.reduce_sum(image))
    # A gradient that points uphill: no step along it ever helps. In whole numbers, not even by rounding.
    height = lambda image: tf.reduce_sum(tf.floor(256 * image), axis=[1, 2, 3])  # noqa: E731
    wrong.value_and_gradient = tf.function(
        lambda image: (height(image), {"f": height(image)}, -tf.ones_like(image))
    )
    optimizer = make(wrong)
    notes = [optimizer.advance(1) for _ in range(4 * PATIENCE)]
    assert optimizer.finished
    assert "the run ends here" in "".join(notes)
    np.testing.assert_allclose(optimizer.image, START, atol=1e-3)


@EACH
def test_an_objective_that_is_not_finite_is_told(make):
    with pytest.raises(FloatingPointError, match=r"not finite any more \(f\)"):
        make(Function(lambda image: tf.reduce_sum(image) / 0.0))


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        (Lbfgs, {}),
        (TfpLbfgs, {"line_search": "hager_zhang"}),
        (Adam, {"optimizer": "adam"}),
        (Sgd, {"optimizer": "sgd"}),
        (Adam, {"optimizer": "adam", "line_search": "hager_zhang"}),
    ],
)
def test_config_chooses(kind, options):
    assert type(make_optimizer(TransferConfig(**options), SHAPE)) is kind


@pytest.mark.parametrize(
    ("options", "changes"),
    [
        ({"optimizer": "sgd"}, {"learning_rate": 0.5, "learning_rate_decay": 0.5, "averaging": 0.5}),
        ({"optimizer": "adam"}, {"learning_rate": 0.5, "beta_1": 0.5, "beta_2": 0.5, "adam_epsilon": 0.5}),
        ({}, {"lbfgs_history": 3, "line_search": "hager_zhang", "optimizer": "adam"}),
        ({"line_search": "hager_zhang"}, {"lbfgs_history": 3}),
    ],
)
def test_optimisers_of_equal_settings_are_equal(options, changes):
    """So whoever keeps them for later runs finds the right one."""

    def made(**more):
        return make_optimizer(TransferConfig(**{**options, **more}), SHAPE)

    assert made() == made(seed=7) and hash(made()) == hash(made(seed=7))
    assert all(made() != made(**{name: value}) for name, value in changes.items())


def rosenbrock(image):
    """The usual banana, between -2 and 2, on the first two values."""
    x, y = 4 * image[0, 0, 0, 0] - 2, 4 * image[0, 0, 0, 1] - 2
    return (1 - x) ** 2 + 100 * (y - x**2) ** 2


def test_lbfgs_is_the_textbooks():
    """The first iterations against algorithm 7.5 written out in NumPy, with the inverse Hessian as a matrix.

    The initial one is that of `preconditioner.py`: on a single pixel one gain for each opponent colour, and steps
    are lengthened by a quarter while the slope at their end is no less than -0.1 of that at their start.
    """
    start = np.array([0.375, 0.75, 0.5], np.float32).reshape(1, 1, 1, 3)
    optimizer = lbfgs(Function(rosenbrock), start)
    x, ways = start.ravel().astype(float), []

    def value_and_gradient(x):
        a, b = 4 * x[0] - 2, 4 * x[1] - 2
        slope = -400 * a * (b - a**2) - 2 * (1 - a)
        return (1 - a) ** 2 + 100 * (b - a**2) ** 2, 4 * np.array([slope, 200 * (b - a**2), 0.0])

    value, gradient = value_and_gradient(x)
    pairs, reach = [], 1.0
    colours = np.array([[1, 1, 1], [1, -1, 1], [1, 0, -2]]) / np.sqrt([3, 2, 6])
    energies, metric = np.zeros((2, 3)), np.eye(3)
    first = 0.01 / np.sqrt(np.mean(gradient**2))
    for _ in range(6):
        inverse = np.eye(3) * first
        if pairs:  # eq. (7.20), then eq. (7.16) for each pair, oldest first
            step, difference = pairs[-1]
            inverse = metric * (step @ difference) / (difference @ metric @ difference)
        for step, difference in pairs:
            rho = 1 / (step @ difference)
            v = np.eye(3) - rho * np.outer(difference, step)
            inverse = v.T @ inverse @ v + rho * np.outer(step, step)
        direction, length = -inverse @ gradient * reach, 1.0
        slope = gradient @ direction
        while True:
            ways.append(length)
            new_value, new_gradient = value_and_gradient(x + length * direction)
            if new_value <= value + 1e-4 * length * slope:
                break
            parabola = -slope * length**2 / (2 * (new_value - value - slope * length))
            length = np.clip(parabola, 0.1 * length, 0.5 * length)
        reach = 1.25 if new_gradient @ direction / (gradient @ direction) > -0.1 else 1.0
        if (new_gradient - gradient) @ direction > 0:
            step, difference = length * direction, new_gradient - gradient
            pairs.append((step, difference))
            powers = np.square([step @ colours, difference @ colours]) / (step @ difference)
            energies = 0.9 * energies + powers
            if len(pairs) >= 3:
                metric = colours @ np.diag(np.sqrt((energies[0] + 1e-30) / (energies[1] + 1e-30))) @ colours.T
        x, value, gradient = x + length * direction, new_value, new_gradient
        optimizer.advance(1)
        np.testing.assert_allclose(optimizer.image.numpy().ravel(), x, rtol=1e-2, atol=1e-3)
    assert min(ways) < 1  # the search was needed at least once
    assert optimizer.evaluations == 1 + len(ways)


def test_lbfgs_bounds_where_values_depend_on_each_other():
    """At the minimum of a coupled quadratic only the values at a bound may have a slope, and outwards."""
    mixing = GENERATOR.standard_normal((START.size, START.size)).astype(np.float32) / 4
    far = GENERATOR.uniform(-1, 2, START.size).astype(np.float32)

    def function(image):
        return tf.reduce_sum(tf.square(tf.linalg.matvec(mixing, tf.reshape(image, [-1]) - far)))

    objective = Function(function)
    optimizer = made_of(lbfgs_history=20)(objective)
    optimizer.advance(400)
    position = optimizer.image.numpy().ravel()
    assert position.min() >= 0 and position.max() <= 1
    gradient = objective.value_and_gradient(tf.constant(optimizer.image))[2].numpy().ravel()
    start_slope = np.abs(objective.value_and_gradient(tf.constant(START))[2]).max()
    dark, light = position < 1e-3, position > 1 - 1e-3  # a bound is neared, not always met
    inside = ~dark & ~light
    assert 0 < inside.sum() < inside.size
    assert np.abs(gradient[inside]).max() < 2e-2 * start_slope
    assert gradient[dark].min() > -2e-2 * start_slope
    assert gradient[light].max() < 2e-2 * start_slope


def test_lbfgs_steps_back_from_where_the_objective_is_not_finite():
    """Beyond 0.9 there is nothing: log of a negative number."""
    optimizer = lbfgs(
        Function(lambda image: -tf.reduce_sum(image) - tf.reduce_sum(tf.math.log(0.9 - image))), START * 0.5
    )
    optimizer.advance(30)
    assert np.isfinite(optimizer.image).all()
    assert np.all(optimizer.image < 0.9)


@EACH
def test_reconsider_goes_on_with_what_was_learned(make):
    """The same function under another compilation: one more evaluation, and the same way downhill.

    Each of the two is traced once, also when the first comes back.
    """
    one, other = make(quadratic()), make(quadratic())
    for optimizer in (one, other):
        optimizer.advance(4)
    other.reconsider(quadratic(2))
    assert other.evaluations == one.evaluations + 1
    for optimizer in (one, other):
        optimizer.advance(4)
    np.testing.assert_allclose(other.image, one.image, atol=1e-4)
    other.reconsider(quadratic())
    other.advance(2)
    assert {step.experimental_get_tracing_count() for step in WORKSHOP._kept.values()} == {1}


PICTURES = GENERATOR.random((2, 6, 5, 3)).astype(np.float32)


@pytest.mark.parametrize(
    "options", [{}, {"optimizer": "adam", "averaging": 0.9}], ids=["lbfgs", "averaged_adam"]
)
def test_in_a_graph_of_unknown_sizes_as_outside(options):
    """One trace for pictures of any number and size; each of a batch goes the way that it goes alone."""
    make, traces = made_of(**options), []

    def values(image, target):
        return tf.reduce_sum(tf.reshape(tf.square(image - target), [tf.shape(image)[0], -1]) * 20.0, axis=1)

    @tf.function(
        input_signature=[tf.TensorSpec([None, None, None, 3])] * 2 + [tf.TensorSpec([], tf.int32)],
        autograph=False,
    )
    def descend(image, target, steps):
        traces.append(1)

        def evaluate(image):
            value = values(image, target)
            return value, {"f": value}, 40.0 * (image - target)

        optimizer = make_optimizer(TransferConfig(**options), tf.unstack(tf.shape(image)))
        state = advance(optimizer, evaluate, optimizer.init(evaluate, image), steps)
        state = advance(optimizer, evaluate, optimizer.again(evaluate, state), 2)
        return state.image, state.losses, state.evaluations

    targets = np.flip(PICTURES, 2) * np.float32(0.5)
    images, losses, evaluations = descend(PICTURES, targets, 3)
    goal = tf.Variable(targets[:1])
    objective = Function(lambda image: values(image, goal))
    for index in range(2):
        goal.assign(targets[index : index + 1])
        alone = make(objective, PICTURES[index : index + 1])
        alone.advance(3)
        alone.reconsider(objective)
        alone.advance(2)
        np.testing.assert_allclose(images[index], alone.image[0], atol=1e-5)
        np.testing.assert_allclose(losses["f"][index], alone.losses["f"][0], rtol=1e-3, atol=1e-6)
        # Those of a batch go on together: as many as the longest search of each iteration.
        assert evaluations >= alone.evaluations
    small, target = PICTURES[:1, :4], targets[:1, :4]
    assert descend(small, target, 3)[1]["f"] < values(small, target)
    assert len(traces) == 1


@pytest.mark.parametrize("name", ["adam", "sgd"])
def test_first_order_steps_are_keras(name):
    """Bit for bit, as long as no value leaves [0, 1]."""
    options = {"beta_1": 0.8, "beta_2": 0.95, "adam_epsilon": 0.1} if name == "adam" else {}
    make = made_of(optimizer=name, learning_rate=0.005, learning_rate_decay=0.3, **options)
    rate = tf.keras.optimizers.schedules.ExponentialDecay(0.005, 100, 0.3)
    keras = {
        "adam": tf.keras.optimizers.Adam(rate, beta_1=0.8, beta_2=0.95, epsilon=0.1),
        "sgd": tf.keras.optimizers.SGD(rate),
    }[name]
    objective, variable = quadratic(), tf.Variable(START)
    optimizer = make(objective)
    step = tf.function(lambda gradient: keras.apply_gradients([(gradient, variable)]))
    for _ in range(20):
        step(objective.value_and_gradient(variable.read_value())[2])
        variable.assign(tf.clip_by_value(variable, 0, 1))
        optimizer.advance(1)
        np.testing.assert_array_equal(optimizer.image, variable)


def test_a_state_of_another_optimiser_is_refused():
    first, second = adam(quadratic()), averaged_sgd(quadratic())
    with pytest.raises(ValueError, match=r"state: must have .*optimizer/gradient"):
        second.restore(first.state())
    small = adam(Function(tf.reduce_sum), START[:, :3])
    with pytest.raises(
        ValueError, match=r"state: optimizer/.*: must be float32 of shape \(1, 3, 5, 3\), not"
    ):
        small.restore(first.state())


# Bounds.

LINE = np.linspace(-4, 4, 8001)


def test_pictures_come_back_and_any_number_is_a_picture_value():
    values = np.linspace(0, 1, 256)
    image, _ = image_of(positions_of(tf.constant(values)))
    # Up to half a level of 8 bits at the bounds themselves, exactly in between.
    np.testing.assert_allclose(image[1:-1], values[1:-1], atol=1e-12)
    np.testing.assert_array_equal(np.round(image * 255), np.arange(256))
    image, _ = image_of(tf.constant(LINE))
    assert image.numpy().min() >= 0 and image.numpy().max() <= 1
    assert image.numpy().min() < 1e-4 and image.numpy().max() > 1 - 1e-4


def test_slopes_are_the_derivatives_and_have_no_corners():
    image, slope = image_of(tf.constant(LINE))
    apart = 1e-6
    ahead, behind = (image_of(tf.constant(LINE + side * apart))[0] for side in (1, -1))
    np.testing.assert_allclose(slope, (ahead - behind) / (2 * apart), atol=1e-4)
    step = LINE[1] - LINE[0]
    assert np.abs(np.diff(image)).max() <= step * (1 + 1e-9)
    assert np.abs(np.diff(slope)).max() <= 1.001 * step / 0.1  # 1 over twice the margin


@pytest.mark.parametrize("value", [0.06, 0.5, 0.94])
def test_values_between_the_margins_keep_their_distances(value):
    first, second = positions_of(tf.constant([value, value + 0.001], tf.float64)).numpy()
    assert second - first == pytest.approx(0.001)


def test_a_start_at_the_bound_can_leave_it():
    _, slope = image_of(positions_of(tf.constant([0.0, 1.0])))
    assert np.all(np.abs(slope) > 0.1)
