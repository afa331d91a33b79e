import concurrent.futures
import dataclasses
import functools
import gc
import shutil
import threading
import time

import numpy as np
import pytest
import tensorflow as tf
from tensorflow.python.framework.ops import gradient_registry

from tfstyle import ImageTerm, Objective, Workshop, clear_cache, feature_extractor, transfer
from tfstyle.runtime.workshop import SHARED

from conftest import picture, published

CONTENT, STYLE = picture(32, 40, seed=1), picture(36, 36, seed=2)
LEFT = np.zeros((32, 40), np.uint8)
LEFT[:, :20] = 255


@pytest.fixture
def config(narrow_file):
    return published(
        weights=narrow_file, image_size=40, iterations=4, scales=1, precision="float32", optimizer="adam",
        content_layers="conv2_1", style_layers="conv1_1,conv2_1",
    )  # fmt: skip


def traces(workshop):
    """How often each graph that is kept was traced."""
    graphs = [each for each in workshop._kept.values() if hasattr(each, "python_function")]
    return [each.experimental_get_tracing_count() for each in graphs]


def assert_equal(one, other):
    np.testing.assert_array_equal(one.image, other.image)
    assert one.losses == other.losses and one.evaluations == other.evaluations


@pytest.mark.parametrize(
    "options",
    [
        {"optimizer": "lbfgs"},
        pytest.param({"optimizer": "lbfgs", "line_search": "hager_zhang"}, marks=pytest.mark.slow),
        {"averaging": 0.9, "precision": "bfloat16", "style_loss": "histogram", "evaluation": "recompute"},
        {"style_loss": "bures", "evaluation": "tiled", "tv_weight": 1.0},
        {"style_loss": "moments", "units": "relative", "color": "content", "photorealistic": True},
    ],
    ids=["lbfgs", "tfp", "histogram", "bures", "photo"],
)
def test_other_pictures_weights_and_starts_need_no_other_trace(config, options):
    """And leave nothing behind: after them, the first run is what it was."""
    config = dataclasses.replace(config, **options)
    other = dataclasses.replace(config, content_weight=30.0, style_weight=2e3, init="noise", seed=3)
    workshop = Workshop()
    of_first = functools.partial(transfer, CONTENT, STYLE, config, content_masks=[LEFT])
    of_other = functools.partial(transfer, CONTENT[::-1], STYLE[::-1], other, content_masks=[255 - LEFT])
    first = of_first(workshop=workshop)
    kept = [id(each) for each in workshop._kept.values()]
    between = of_other(workshop=workshop)
    assert_equal(of_first(workshop=workshop), first)
    assert sorted(kept) == sorted(map(id, workshop._kept.values())) and set(traces(workshop)) == {1}
    assert_equal(between, of_other(workshop=Workshop()))


def test_what_differs_is_not_shared(config):
    config, workshop = dataclasses.replace(config, iterations=2), Workshop()
    transfer(CONTENT, STYLE, config, workshop=workshop)
    for change in (
        {"style_layers": ("conv1_1",)}, {"units": "paper"}, {"pooling": "average"}, {"image_size": 44},
        {"normalize": True}, {"learning_rate": 0.05},
    ):  # fmt: skip
        changed = dataclasses.replace(config, **change)
        assert_equal(
            transfer(CONTENT, STYLE, changed, workshop=workshop),
            transfer(CONTENT, STYLE, changed, workshop=Workshop()),
        )


def test_a_file_of_weights_that_was_replaced_is_read_anew(config, narrow_file, tmp_path):
    path = tmp_path / "weights.npz"
    shutil.copy(narrow_file, path)
    config = dataclasses.replace(config, weights=str(path))
    transfer(CONTENT, STYLE, config)
    with np.load(narrow_file) as arrays:
        np.savez(path, **{name: array[..., ::-1] for name, array in arrays.items()})
    assert_equal(transfer(CONTENT, STYLE, config), transfer(CONTENT, STYLE, config, workshop=Workshop()))


def test_the_process_keeps_what_it_may_need_again_until_it_is_told_to_forget(config):
    clear_cache()
    transfer(CONTENT, STYLE, config)
    kept = len(SHARED._kept)
    transfer(CONTENT[::-1], STYLE, config)
    assert len(SHARED._kept) == kept > 0
    layers = [*config.content_layers, *config.style_layers]
    transfer(CONTENT, STYLE, config, extractor=feature_extractor(layers, weights=config.weights))
    assert len(SHARED._kept) == kept  # a model of the user's may be another the next time
    clear_cache()
    assert not SHARED._kept


def test_what_was_not_used_for_longest_gives_way():
    workshop = Workshop(most=2)
    for key in ("a", "b", "a", "c"):
        workshop.get(key, object)
    assert list(workshop._kept) == ["a", "c"]


def test_functions_that_differ_in_tensors_alone_are_one_graph():
    def scaled(factors, shift, value):
        return factors["of"][0] * value + shift

    workshop, value = Workshop(), tf.constant([1.0, 2.0])

    def run(factor, shift, value=value):
        function = functools.partial(scaled, {"of": (tf.constant(factor),)}, shift)
        return workshop.compiled(function, value)(value).numpy().tolist()

    assert run(2.0, 1.0) == [3.0, 4.0 + 1.0] and run(3.0, 1.0) == [4.0, 7.0]
    assert len(workshop._kept) == 1
    assert run(2.0, 0.5) == [2.5, 4.5] and run(2.0, 1.0, tf.constant(1.0)) == 3.0
    assert run(2, 1, tf.constant(1)) == 3  # equal numbers of another type
    assert traces(workshop) == [1] * 4


def test_a_function_of_the_users_own_may_change_from_objective_to_objective():
    of = {"scale": 2.0}
    term, image = (
        ImageTerm("sum", 1.0, lambda image: of["scale"] * tf.reduce_sum(image)),
        tf.ones([1, 2, 2, 3]),
    )
    assert Objective(lambda image: {}, [term]).losses(image)["sum"] == 24.0
    of["scale"] = 3.0
    assert Objective(lambda image: {}, [term]).losses(image)["sum"] == 36.0


def test_threads_make_each_thing_once_and_may_need_others_for_it():
    workshop, made, ready = Workshop(), [], threading.Barrier(4)

    def make_inner():
        time.sleep(0.02)
        made.append("inner")
        return object()

    def make_outer():
        made.append("outer")
        return workshop.get("inner", make_inner)

    def use():
        ready.wait()
        return workshop.get("outer", make_outer), workshop.get("inner", make_inner)

    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        found = [future.result() for future in [pool.submit(use) for _ in range(4)]]
    assert made == ["outer", "inner"]
    assert len({id(each) for pair in found for each in pair}) == 1


def test_what_failed_to_be_made_is_made_again_and_holds_nobody_up():
    workshop = Workshop()

    def fail():
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        workshop.get("a", fail)
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        assert pool.submit(workshop.get, "a", lambda: 3).result(timeout=5) == 3


@pytest.mark.slow
def test_runs_in_threads_are_what_they_are_alone(config):
    """Of different weights and starts, so that they meet in all that they share; the first use of all."""
    config = dataclasses.replace(config, init="noise")
    configs = [dataclasses.replace(config, content_weight=weight, seed=int(weight)) for weight in (1.0, 30.0)]
    alone = [transfer(CONTENT, STYLE, each, workshop=Workshop()) for each in configs]
    shared, ready = Workshop(), threading.Barrier(len(configs))

    def run(each, workshop):
        ready.wait()
        return transfer(CONTENT, STYLE, each, workshop=workshop)

    for workshops in ([shared, shared], [Workshop(), Workshop()]):
        with concurrent.futures.ThreadPoolExecutor(len(configs)) as pool:
            for result, expected in zip(pool.map(run, configs, workshops), alone):
                assert_equal(result, expected)


def test_what_gave_way_leaves_no_gradient_registered():
    """TensorFlow registers one for good at each `tf.custom_gradient` in a graph, and holds the graph by it."""

    def doubled(value):
        return 2 * value, lambda upstream: 2 * upstream

    def slope(value):
        with tf.GradientTape() as tape:
            tape.watch(value)
            result = tf.map_fn(tf.custom_gradient(doubled), value)
        return tape.gradient(result, value)

    before, workshop, value = set(gradient_registry.list()), Workshop(), tf.constant([1.0, 2.0])
    assert workshop.compiled(slope, value)(value).numpy().tolist() == [2.0, 2.0]
    assert set(gradient_registry.list()) - before
    workshop.clear()
    gc.collect()
    assert set(gradient_registry.list()) <= before


@dataclasses.dataclass
class Level:
    """A user's callable that changes after it is made."""

    level: float

    def __post_init__(self):
        self.scale = 1.0

    def __call__(self, image):
        return self.scale * tf.reduce_sum(tf.square(image - self.level), [1, 2, 3])


class Tripled(Objective):
    def each(self, image):
        return {name: 3 * value for name, value in super().each(image).items()}


@pytest.mark.parametrize("kind", [Objective, Tripled])
def test_objects_of_the_users_own_are_used_as_they_are(config, kind):
    extractor = feature_extractor(["conv1_1"], weights=config.weights)
    image, level = tf.fill([1, 16, 16, 3], 0.75), Level(0.5)
    level.scale = 2.0
    objective = kind(extractor, [ImageTerm("level", 1.0, level)])
    expected = {Objective: 1, Tripled: 3}[kind] * 2.0 * 0.25**2 * 768
    totals, values, _ = objective.value_and_gradient(image)
    for found in (totals, values["level"], objective.losses(image)["level"]):
        np.testing.assert_allclose(found, expected, rtol=1e-6)


def test_a_statistic_has_a_gradient_inside_a_graph(config):
    from tfstyle.losses.measuring import measure

    extractor = feature_extractor(["conv1_1"], weights=config.weights)

    @tf.function
    def slope(image):
        with tf.GradientTape() as tape:
            tape.watch(image)
            found = tf.nest.flatten(measure(extractor, image, ["block1_conv1"], "gram").sums)
            total = tf.add_n([tf.reduce_sum(each) for each in found])
        return tape.gradient(total, image)

    assert np.abs(slope(tf.constant(picture(16, 16)[np.newaxis] / np.float32(255)))).max() > 0
