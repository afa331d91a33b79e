"""All optimisers on objectives whose minimum is known."""

import functools

import numpy as np
import pytest
import tensorflow as tf

from tfstyle.config import TransferConfig
from tfstyle.optimizers import Adam, ImageOptimizer, Lbfgs, Sgd, TfpLbfgs, advance, make_optimizer
from tfstyle.optimizers.lbfgs import PATIENCE
from tfstyle.runtime.workshop import Workshop

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


def new_quadratic(scale=1.0):
    return Function(lambda image: scale * tf.reduce_sum(CURVATURE * tf.square(image - TARGET)))


# The same one, where nobody counts: what is compiled for it serves all tests, see `WORKSHOP`.
quadratic = functools.cache(new_quadratic)
WORKSHOP = Workshop()


def made_of(**options):
    """Returns what makes the optimiser of a config, on an objective."""

    def make(objective, image=START, workshop=None):
        optimizer = make_optimizer(TransferConfig(**options), image.shape)
        return ImageOptimizer(optimizer, objective, tf.constant(image), workshop or WORKSHOP)

    return make


lbfgs = made_of(lbfgs_history=10)
tfp_lbfgs = made_of(lbfgs_history=10, line_search="hager_zhang")
adam = made_of(optimizer="adam")
sgd = made_of(optimizer="sgd", learning_rate=0.009)
averaged_adam = made_of(optimizer="adam", averaging=0.9)
averaged_sgd = made_of(optimizer="sgd", learning_rate=0.009, learning_rate_decay=0.9, averaging=0.9)

FIRST_ORDER = {"adam": adam, "sgd": sgd, "averaged_adam": averaged_adam, "averaged_sgd": averaged_sgd}
EVERY = {**FIRST_ORDER, "lbfgs": lbfgs, "tfp_lbfgs": tfp_lbfgs}


def each(makers):
    return pytest.mark.parametrize("make", makers.values(), ids=makers.keys())


EACH = each(EVERY)
EACH_FIRST_ORDER = each(FIRST_ORDER)
QUASI_NEWTON = pytest.mark.parametrize("make", [lbfgs, tfp_lbfgs])


@pytest.mark.parametrize("name", EVERY)
def test_finds_the_minimum(name):
    optimizer = EVERY[name](quadratic())
    optimizer.start()
    first = float(tf.squeeze(optimizer.losses["f"]))
    optimizer.advance(500 if name in FIRST_ORDER else 60)
    assert float(tf.squeeze(optimizer.losses["f"])) < 1e-6 * first
    np.testing.assert_allclose(optimizer.image, TARGET, atol=1e-3)


@QUASI_NEWTON
@pytest.mark.parametrize("scale", [1e-12, 1e12])
def test_lbfgs_does_not_mind_the_scale_of_the_objective(make, scale):
    optimizer = make(quadratic(scale))
    optimizer.start()
    note = optimizer.advance(60)
    assert note == ""
    np.testing.assert_allclose(optimizer.image, TARGET, atol=1e-3)


@pytest.mark.parametrize("name", EVERY)
def test_chunks_do_not_change_the_way(name):
    """Evaluations are counted, and traced once; losses belong to the image, but where that is a mean."""
    objective = new_quadratic()
    whole, parts = EVERY[name](quadratic()), EVERY[name](objective)
    whole.start()
    whole.advance(7)
    parts.start()
    for steps in (1, 2, 4):
        parts.advance(steps)
    np.testing.assert_array_equal(whole.image, parts.image)
    assert parts.evaluations == int(objective.calls) and objective.traces == 1
    if not name.startswith("averaged"):
        np.testing.assert_allclose(parts.losses["f"], objective.losses(parts.image)["f"], rtol=1e-6)


@EACH
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
    np.testing.assert_array_equal(resumed.losses["f"], straight.losses["f"])


@EACH_FIRST_ORDER
def test_a_start_forgets_all_that_was(make):
    """Also the learning rate's decay and the mean; without a picture it begins at the one that is shown."""
    used, elsewhere = make(quadratic()), np.flip(START, axis=1)
    used.start(tf.constant(elsewhere))
    used.advance(5)
    for begin in (START, None):
        picture = used.image.numpy() if begin is None else begin
        used.start(begin)
        np.testing.assert_array_equal(used.image, picture)
        new = make(quadratic(), picture)
        new.start()
        for optimizer in (used, new):
            optimizer.advance(5)
        np.testing.assert_array_equal(used.image, new.image)
        np.testing.assert_array_equal(used.losses["f"], new.losses["f"])
        assert used.evaluations == new.evaluations == 6


@EACH_FIRST_ORDER
def test_first_order_keeps_to_the_range(make):
    optimizer = make(Function(lambda image: tf.reduce_sum(image)))
    optimizer.start()
    for _ in range(4):
        optimizer.advance(100)
        assert optimizer.image.numpy().min() >= 0 and optimizer.image.numpy().max() <= 1
    np.testing.assert_allclose(optimizer.image, np.zeros(SHAPE), atol=1e-6)


@pytest.mark.parametrize("decay", [0.3, 0.9999])
@pytest.mark.parametrize("name", ["adam", "sgd"])
def test_averaging_shows_the_mean_of_the_iterates(name, decay):
    """The weights written out, over the iterates of a run without averaging, whose way must be the same."""
    options = {"optimizer": name, "learning_rate": 0.009}
    plain, objective = made_of(**options)(quadratic()), new_quadratic()
    averaged = made_of(averaging=decay, **options)(objective)
    plain.start()
    averaged.start()
    iterates = [plain.image.numpy().astype(float)]
    np.testing.assert_array_equal(averaged.image, START)
    for k in range(1, 12):
        plain.advance(1)
        averaged.advance(1)
        iterates.append(plain.image.numpy().astype(float))
        weights = [decay ** (k - i) * (1 - decay) / (1 - decay ** (k + 1)) for i in range(k + 1)]
        assert sum(weights) == pytest.approx(1)
        expected = sum(weight * iterate for weight, iterate in zip(weights, iterates))
        np.testing.assert_allclose(averaged.image, expected, atol=1e-6)
        # Losses are the iterate's, not the mean's.
        assert float(tf.squeeze(averaged.losses["f"])) == float(tf.squeeze(plain.losses["f"]))
        assert float(tf.squeeze(averaged.losses["f"])) != float(objective.losses(averaged.image)["f"])


def test_averaging_of_nearly_one_is_the_plain_mean():
    """Where 1 - decay is less than float32 can tell from 0."""
    plain, averaged = (made_of(optimizer="adam", averaging=decay)(quadratic()) for decay in (0.0, 1 - 1e-9))
    plain.start()
    averaged.start()
    iterates = [plain.image.numpy()]
    for _ in range(19):
        plain.advance(1)
        iterates.append(plain.image.numpy())
    averaged.advance(19)
    np.testing.assert_allclose(averaged.image, np.mean(iterates, axis=0), atol=1e-6)


def test_a_mean_is_kept_only_where_it_is_asked_for():
    plain, averaged = adam(quadratic()), averaged_adam(quadratic())
    for optimizer in (plain, averaged):
        optimizer.start()
    assert averaged.state().keys() - plain.state().keys() == {"optimizer/mean/0"}


def test_first_order_blames_the_learning_rate():
    """A step to 1, where the logarithm of nothing is not finite."""
    optimizer = made_of(optimizer="sgd", learning_rate=1e3)(
        Function(lambda image: tf.reduce_sum(tf.math.log(1 - image))), START / 2
    )
    optimizer.start()
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
    optimizer.start()
    first = float(tf.squeeze(optimizer.losses["f"]))
    notes = [optimizer.advance(1) for _ in range(60)]
    assert any("line search of L-BFGS failed" in note for note in notes)
    assert float(tf.squeeze(optimizer.losses["f"])) < first
    assert np.isfinite(optimizer.image).all()


@QUASI_NEWTON
def test_lbfgs_ends_where_there_is_nothing_lower(make):
    optimizer = make(quadratic(), TARGET)
    optimizer.start()
    note = optimizer.advance(10)
    assert optimizer.finished
    assert "no lower point" in note
    np.testing.assert_array_equal(optimizer.image, TARGET)


@QUASI_NEWTON
def test_lbfgs_ends_after_patience_is_out(make):
    wrong = Function(lambda image: tf.reduce_sum(image))
    # A gradient that points uphill: no step along it ever helps. In whole numbers, not even by rounding.
    height = lambda image: tf.reduce_sum(tf.floor(256 * image))  # noqa: E731
    wrong.value_and_gradient = tf.function(
        lambda image: (height(image), {"f": height(image)}, -tf.ones_like(image))
    )
    optimizer = make(wrong)
    optimizer.start()
    notes = [optimizer.advance(1) for _ in range(4 * PATIENCE)]
    assert optimizer.finished
    assert "the run ends here" in "".join(notes)
    np.testing.assert_allclose(optimizer.image, START, atol=1e-3)


@EACH
def test_an_objective_that_is_not_finite_is_told(make):
    optimizer = make(Function(lambda image: tf.reduce_sum(image) / 0.0))
    with pytest.raises(FloatingPointError, match=r"not finite any more \(f\)"):
        optimizer.start()


CHOICES = [
    (Lbfgs, {}),
    (TfpLbfgs, {"line_search": "hager_zhang"}),
    (Adam, {"optimizer": "adam"}),
    (Sgd, {"optimizer": "sgd"}),
    (Adam, {"optimizer": "adam", "line_search": "hager_zhang"}),
]


@pytest.mark.parametrize(("kind", "options"), CHOICES)
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
    optimizer.start()
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


def test_lbfgs_stays_in_range_and_finds_the_bounded_minimum():
    """Some of the targets lie outside of [0, 1]: for a separable quadratic the answer is the target, clipped."""
    far = GENERATOR.uniform(-0.5, 1.5, SHAPE).astype(np.float32)
    optimizer = lbfgs(Function(lambda image: tf.reduce_sum(CURVATURE * tf.square(image - far))))
    optimizer.start()
    for _ in range(5):
        optimizer.advance(30)
        assert optimizer.image.numpy().min() >= 0 and optimizer.image.numpy().max() <= 1
    lowest = np.sum(CURVATURE * np.square(np.clip(far, 0, 1) - far))
    assert float(tf.squeeze(optimizer.losses["f"])) == pytest.approx(lowest, rel=1e-3)
    np.testing.assert_allclose(optimizer.image, np.clip(far, 0, 1), atol=1e-2)


def test_lbfgs_bounds_where_values_depend_on_each_other():
    """A coupled quadratic: at a bounded minimum only the values at a bound may have a slope, and outwards."""
    mixing = GENERATOR.standard_normal((START.size, START.size)).astype(np.float32) / 4
    far = GENERATOR.uniform(-1, 2, START.size).astype(np.float32)

    def function(image):
        return tf.reduce_sum(tf.square(tf.linalg.matvec(mixing, tf.reshape(image, [-1]) - far)))

    objective = Function(function)
    optimizer = made_of(lbfgs_history=20)(objective)
    optimizer.start()
    optimizer.advance(400)
    position = optimizer.image.numpy().ravel()
    gradient = objective.value_and_gradient(tf.constant(optimizer.image))[2].numpy().ravel()
    start_slope = np.abs(objective.value_and_gradient(tf.constant(START))[2]).max()
    dark, light = position < 1e-3, position > 1 - 1e-3  # a bound is neared, not always met
    inside = ~dark & ~light
    assert 0 < inside.sum() < inside.size
    assert np.abs(gradient[inside]).max() < 2e-2 * start_slope
    assert gradient[dark].min() > -2e-2 * start_slope
    assert gradient[light].max() < 2e-2 * start_slope


def test_lbfgs_takes_one_evaluation_where_the_step_is_good():
    optimizer = lbfgs(Function(lambda image: tf.reduce_sum(tf.square(image - TARGET))))
    optimizer.start()
    optimizer.advance(20)
    assert optimizer.evaluations <= 1 + 20 + 8


def test_lbfgs_history_is_a_ring():
    """More iterations than rows: the oldest pairs are overwritten, and it still converges."""
    optimizer = made_of(lbfgs_history=3)(quadratic())
    optimizer.start()
    first = float(tf.squeeze(optimizer.losses["f"]))
    optimizer.advance(40)
    assert float(tf.squeeze(optimizer.losses["f"])) < 1e-3 * first


def test_lbfgs_steps_back_from_where_the_objective_is_not_finite():
    """Beyond 0.9 there is nothing: log of a negative number."""
    optimizer = lbfgs(
        Function(lambda image: -tf.reduce_sum(image) - tf.reduce_sum(tf.math.log(0.9 - image))), START * 0.5
    )
    optimizer.start()
    optimizer.advance(30)
    assert np.isfinite(optimizer.image).all()
    assert np.all(optimizer.image < 0.9)


@EACH
def test_a_step_is_traced_once_an_objective(make):
    """Also when an objective comes back."""
    first, second = new_quadratic(), new_quadratic()
    workshop = Workshop()
    optimizer = make(first, workshop=workshop)
    optimizer.start()
    for steps in (1, 2, 3):
        optimizer.advance(steps)
    optimizer.use(second)
    optimizer.reconsider()
    optimizer.advance(2)
    optimizer.use(first)
    optimizer.start()
    optimizer.advance(2)
    assert [step.experimental_get_tracing_count() for step in workshop._kept.values()] == [1, 1]


@EACH
def test_reconsider_goes_on_with_what_was_learned(make):
    """The same function under another compilation: one more evaluation, and the same way downhill."""
    one, other = make(quadratic()), make(quadratic())
    for optimizer in (one, other):
        optimizer.start()
        optimizer.advance(4)
    other.use(new_quadratic())
    other.reconsider()
    assert other.evaluations == one.evaluations + 1
    for optimizer in (one, other):
        optimizer.advance(4)
    np.testing.assert_allclose(other.image, one.image, atol=1e-4)


PICTURES = GENERATOR.random((2, 6, 5, 3)).astype(np.float32)


@pytest.mark.parametrize(
    "options",
    [{}, {"optimizer": "adam", "averaging": 0.9}, {"optimizer": "sgd", "learning_rate": 0.009}],
    ids=["lbfgs", "averaged_adam", "sgd"],
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

    for pictures in (PICTURES, PICTURES[:1, :4]):
        target = np.flip(pictures, 2) * np.float32(0.5)
        image, losses, evaluations = descend(pictures, target, 3)
        alone = []
        for picture, goal in zip(pictures, target):
            optimizer = make(
                Function(lambda image, goal=goal: values(image, goal[np.newaxis])), picture[np.newaxis]
            )
            optimizer.start()
            optimizer.advance(3)
            optimizer.reconsider()
            optimizer.advance(2)
            alone.append(optimizer)
        np.testing.assert_allclose(image, np.concatenate([each.image for each in alone]), atol=1e-5)
        found = np.concatenate([each.losses["f"] for each in alone])
        np.testing.assert_allclose(losses["f"], found, rtol=1e-3, atol=1e-6)
        # Those of a batch go on together: as many as the longest search of each iteration.
        assert evaluations >= max(each.evaluations for each in alone)
    assert len(traces) == 1


@pytest.mark.parametrize("decay", [1.0, 0.3])
@pytest.mark.parametrize("name", ["adam", "sgd"])
def test_first_order_steps_are_keras(name, decay):
    """Bit for bit, as long as no value leaves [0, 1]."""
    options = {"beta_1": 0.8, "beta_2": 0.95, "adam_epsilon": 0.1} if name == "adam" else {}
    make = made_of(optimizer=name, learning_rate=0.005, learning_rate_decay=decay, **options)
    rate = tf.keras.optimizers.schedules.ExponentialDecay(0.005, 100, decay)
    keras = {
        "adam": tf.keras.optimizers.Adam(rate, beta_1=0.8, beta_2=0.95, epsilon=0.1),
        "sgd": tf.keras.optimizers.SGD(rate),
    }[name]
    objective, variable = quadratic(), tf.Variable(START)
    optimizer = make(objective)
    optimizer.start()
    step = tf.function(lambda gradient: keras.apply_gradients([(gradient, variable)]))
    for _ in range(20):
        step(objective.value_and_gradient(variable.read_value())[2])
        variable.assign(tf.clip_by_value(variable, 0, 1))
        optimizer.advance(1)
        np.testing.assert_array_equal(optimizer.image, variable)


def test_a_state_of_another_optimiser_is_refused():
    first, second = adam(quadratic()), sgd(quadratic())
    first.start()
    with pytest.raises(ValueError, match=r"state: must have .*optimizer/gradient"):
        second.restore(first.state())
    small = adam(Function(tf.reduce_sum), START[:, :3])
    with pytest.raises(
        ValueError, match=r"state: optimizer/.*: must be float32 of shape \(1, 3, 5, 3\), not"
    ):
        small.restore(first.state())
