import concurrent.futures
import dataclasses
import threading
import time

import numpy as np
import pytest

from tfstyle import Workshop, feature_extractor, transfer

from conftest import picture, published

CONTENT, STYLE = picture(32, 40, seed=1), picture(36, 36, seed=2)


class Counting(Workshop):
    """Counts what is made."""

    made = 0

    def get(self, key, make):
        def counted():
            self.made += 1
            return make()

        return super().get(key, counted)


@pytest.fixture
def config(narrow_file):
    return published(
        weights=narrow_file, image_size=40, iterations=4, scales=2, precision="float32",
        content_layers="conv2_1", style_layers="conv1_1,conv2_1",
    )  # fmt: skip


@pytest.mark.parametrize("optimizer", ["lbfgs", "adam"])
def test_a_run_in_a_used_workshop_is_the_same_run(config, optimizer):
    config = dataclasses.replace(config, optimizer=optimizer)
    changed = dataclasses.replace(config, content_weight=30.0, style_weight=2e3, init="noise", seed=3)
    alone = transfer(CONTENT, STYLE, changed)
    workshop = Counting()
    transfer(CONTENT, STYLE, config, workshop=workshop)
    made = workshop.made
    shared = transfer(CONTENT, STYLE, changed, workshop=workshop)
    np.testing.assert_array_equal(shared.image, alone.image)
    assert shared.losses == alone.losses and shared.evaluations == alone.evaluations
    # One network, and an objective and an optimiser for each scale; the second run made nothing.
    assert workshop.made == made == 1 + 2 * 2


def test_tfp_search_is_shared_too(config):
    config = dataclasses.replace(config, line_search="hager_zhang", scales=1)
    workshop = Counting()
    first, second = (transfer(CONTENT, STYLE, config, workshop=workshop) for _ in range(2))
    np.testing.assert_array_equal(first.image, second.image)
    assert workshop.made == 3


@pytest.mark.parametrize(
    "change",
    [
        {"style_layers": ("conv1_1",)}, {"units": "paper"}, {"pooling": "average"}, {"image_size": 44},
        {"normalize": True},
    ],
    ids=lambda change: next(iter(change)),
)  # fmt: skip
def test_what_differs_is_not_shared(config, change):
    config = dataclasses.replace(config, optimizer="adam", scales=1)  # what optimiser is kept is seen above
    changed = dataclasses.replace(config, **change)
    workshop = Workshop()
    transfer(CONTENT, STYLE, config, workshop=workshop)
    shared = transfer(CONTENT, STYLE, changed, workshop=workshop)
    np.testing.assert_array_equal(shared.image, transfer(CONTENT, STYLE, changed).image)


def test_other_pictures_are_not_mixed_up(config):
    config = dataclasses.replace(config, optimizer="adam", scales=1)
    workshop = Workshop()
    transfer(CONTENT, STYLE, config, workshop=workshop)
    shared = transfer(CONTENT, STYLE[::-1], config, workshop=workshop)
    np.testing.assert_array_equal(shared.image, transfer(CONTENT, STYLE[::-1], config).image)


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
@pytest.mark.parametrize("shared", [True, False], ids=["one workshop", "each its own"])
def test_runs_in_threads_are_what_they_are_alone(config, shared):
    """Of different weights and starts, so that they meet in all that they share; the first use of all."""
    config = dataclasses.replace(config, scales=1, optimizer="adam", iterations=8)
    changes = [
        {"content_weight": weight, "seed": seed, "init": "noise"}
        for seed, weight in enumerate((1.0, 30.0, 300.0))
    ]
    configs = [dataclasses.replace(config, **change) for change in changes]
    workshop, ready = Workshop(), threading.Barrier(len(configs))

    def run(each):
        ready.wait()
        return transfer(CONTENT, STYLE, each, workshop=workshop if shared else None)

    with concurrent.futures.ThreadPoolExecutor(len(configs)) as pool:
        found = [future.result() for future in [pool.submit(run, each) for each in configs]]
    for result, each in zip(found, configs):
        alone = transfer(CONTENT, STYLE, each)
        np.testing.assert_array_equal(result.image, alone.image)
        assert result.losses == alone.losses and result.evaluations == alone.evaluations


def test_networks_first_made_in_threads(narrow_file):
    ready = threading.Barrier(4)

    def make(_):
        ready.wait()
        return feature_extractor(["conv2_1", "conv1_1"], weights=narrow_file)(CONTENT[np.newaxis] / 255.0)

    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        found = list(pool.map(make, range(4)))
    expected = feature_extractor(["conv2_1", "conv1_1"], weights=narrow_file)(CONTENT[np.newaxis] / 255.0)
    for each in found:
        for layer, activation in expected.items():
            np.testing.assert_array_equal(each[layer], activation)
