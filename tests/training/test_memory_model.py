"""Trainings that would not fit into memory are refused before the first step, with what would fit."""

import dataclasses

import pytest

from tfstyle import TransferConfig, style_targets
from tfstyle.runtime import memory
from tfstyle.training import memory_model
from tfstyle.training.recipe import InstantRecipe
from tfstyle.training.tasks import ConditionalTask
from tfstyle.training.training import train_task

from conftest import picture

RECIPE = InstantRecipe(batch_size=8, crop_size=100, width=4, residual_blocks=1)


@pytest.fixture(scope="module")
def config(narrow_file):
    return TransferConfig(weights=narrow_file, image_size=40, scales=1, precision="float32")


@pytest.fixture(scope="module")
def task(config):
    return ConditionalTask([style_targets(picture(40, 40, 1), config)], config, RECIPE)


def test_values_that_a_network_keeps(task):
    # By hand, for 16 x 16: 4 filters, 8 at half of the side, 16 at a quarter, twice more of these in the
    # block; then 8 filters at half of the side, 4 at the whole one, 3.
    quarter, half, whole = 4 * 4, 8 * 8, 16 * 16
    expected = 4 * whole + 8 * half + 3 * 16 * quarter + 8 * half + (4 + 3) * whole
    assert task.kept(16) == expected


def test_needs_grow_with_pictures_and_their_area(task, config):
    def needs(replicas=1, **changes):
        recipe = dataclasses.replace(RECIPE, **{"crop_size": 256, **changes})
        return memory_model.needed_bytes(task, config, recipe, replicas) - 60_000_000

    assert needs(batch_size=2) == pytest.approx(2 * needs(batch_size=1), rel=1e-6)
    assert needs(crop_size=512) == pytest.approx(4 * needs(), rel=1e-6)
    assert 0.5 * needs() <= needs(computed_in="bfloat16") < 0.8 * needs()
    assert needs(replicas=4) == needs(batch_size=2)


def test_a_training_is_refused_before_it_begins(task, config, monkeypatch):
    """What it would have read does not even have to be there."""
    monkeypatch.setattr(memory, "free_bytes", lambda: 10**6)
    with pytest.raises(
        ValueError, match=r"batch_size=8, crop_size=100: needs .* GB are there; nothing smaller"
    ):
        train_task(lambda: task, None, config, RECIPE, identity={})


@pytest.fixture
def room(monkeypatch):
    """The process has 1 GB, and 0.65 GB are free, where a training needs batch * crop^2 * 10 kB: 0.8 GB."""

    def needed(task, config, recipe, replicas):
        return recipe.batch_size * recipe.crop_size**2 * 10**4

    monkeypatch.setattr(memory_model, "needed_bytes", needed)
    monkeypatch.setattr(memory, "resident_bytes", lambda: 10**9)
    monkeypatch.setattr(memory, "free_bytes", lambda: 650 * 10**6)


def refused(replicas=1, memory_limit=0.0, **changes):
    """Returns what is told behind what is needed, or '' if it fits."""
    try:
        config = TransferConfig(memory_limit=memory_limit)
        memory_model.require_fit(None, config, dataclasses.replace(RECIPE, **changes), replicas)
    except ValueError as error:
        told, _, there = str(error).partition(" GB are there; ")
        needed, _, most = told.rpartition(" GB of memory, and ")
        there = there.removesuffix("; memory_limit=GB says otherwise how much may be used")
        return f"{needed.rpartition(' ')[2]} of {most}: {there}"
    return ""


@pytest.mark.parametrize(
    ("options", "told"),
    [
        # 6 * 100^2 and 8 * 90^2 are at most 65,000; 7 * 100^2 and 8 * 91^2 are above.
        ({}, "1.80 of 1.65: what would fit: batch_size=6 or crop_size=90"),
        ({"replicas": 4}, "1.80 of 1.65: what would fit: batch_size=4 or crop_size=90"),
        ({"replicas": 8}, "1.80 of 1.65: what would fit: crop_size=90"),
        # 15 is below what a recipe may have.
        ({"batch_size": 300, "crop_size": 16}, "1.77 of 1.65: what would fit: batch_size=253"),
        (
            {"replicas": 300, "batch_size": 300, "crop_size": 16},
            "1.77 of 1.65: nothing smaller would fit; end other programs or take a larger machine",
        ),
        # A limit goes before what is free.
        ({"memory_limit": 1.8}, ""),
        ({"memory_limit": 1.5}, "1.80 of 1.50: what would fit: batch_size=5 or crop_size=79"),
    ],
)
def test_what_cannot_fit_is_refused_with_what_would(room, options, told):
    assert refused(**options) == told
