import dataclasses

import numpy as np
import pytest

from tfstyle import TransferConfig, Workshop, transfer

from conftest import picture

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
    return TransferConfig(weights=narrow_file, image_size=40, iterations=4, scales=2, precision="float32")


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
        {"style_layers": ("conv1_1", "conv2_1")},
        {"content_layers": ("conv2_2",)},
        {"units": "paper"},
        {"pooling": "average"},
        {"tv_weight": 1.0},
        {"image_size": 44},
        {"style_layer_weights": (1, 1, 1, 1, 0)},
        {"normalize": True},
    ],
    ids=lambda change: next(iter(change)),
)
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
