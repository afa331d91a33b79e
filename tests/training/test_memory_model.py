"""Trainings that would not fit into memory are refused before the first step, with what would fit."""

import dataclasses
import re

import pytest

from tfstyle import TransferConfig, style_targets
from tfstyle.runtime import memory
from tfstyle.training import memory_model
from tfstyle.training.recipe import LEAST_CROP, InstantRecipe
from tfstyle.training.tasks import ConditionalTask

from conftest import picture

RECIPE = InstantRecipe(batch_size=8, crop_size=256, width=4, residual_blocks=1)


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
    def needs(**changes):
        return memory_model.needed_bytes(task, config, dataclasses.replace(RECIPE, **changes)) - 60_000_000

    assert needs(batch_size=2) == pytest.approx(2 * needs(batch_size=1), rel=1e-6)
    assert needs(crop_size=512) == pytest.approx(4 * needs(), rel=1e-6)
    assert 0.5 * needs() <= needs(computed_in="bfloat16") < 0.8 * needs()


def test_replicas_share_a_batch(task, config):
    alone = dataclasses.replace(RECIPE, batch_size=2)
    assert memory_model.needed_bytes(task, config, RECIPE, 4) == memory_model.needed_bytes(
        task, config, alone
    )


def require_fit(task, config, recipe, replicas=1):
    memory_model.require_fit(
        lambda changed: memory_model.needed_bytes(task, config, changed, replicas),
        recipe,
        least_crop=LEAST_CROP,
        multiple=replicas,
        memory_limit=config.memory_limit,
    )


def limited(config, task, room, monkeypatch):
    """The config with so many bytes of room for a step."""
    monkeypatch.setattr(memory, "resident_bytes", lambda: 10**9)
    return dataclasses.replace(config, memory_limit=1 + room / 1e9)


@pytest.mark.parametrize("replicas", [1, 2])
def test_what_cannot_fit_is_refused_with_what_would(task, config, replicas, monkeypatch):
    needs = memory_model.needed_bytes(task, config, RECIPE, replicas)
    config = limited(config, task, 0.6 * needs, monkeypatch)
    with pytest.raises(ValueError) as caught:
        require_fit(task, config, RECIPE, replicas)
    found = re.fullmatch(
        r"batch_size=8, crop_size=256: needs (\d+\.\d\d) GB of memory, and (\d+\.\d\d) GB are there; what would"
        r" fit: batch_size=(\d+) or crop_size=(\d+); memory_limit=GB says otherwise how much may be used",
        str(caught.value),
    )
    assert float(found[1]) == pytest.approx(1 + needs / 1e9, abs=0.01)
    batch, side = int(found[3]), int(found[4])
    assert batch % replicas == 0
    for changes, more in (({"batch_size": batch}, {"batch_size": batch + replicas}),
                          ({"crop_size": side}, {"crop_size": side + 4})):  # fmt: skip
        require_fit(task, config, dataclasses.replace(RECIPE, **changes), replicas)
        with pytest.raises(ValueError, match="what would fit"):
            require_fit(task, config, dataclasses.replace(RECIPE, **more), replicas)


def test_where_the_process_alone_takes_all(task, config, monkeypatch):
    with pytest.raises(ValueError, match="nothing smaller would fit"):
        require_fit(task, limited(config, task, 0, monkeypatch), RECIPE)


def test_without_a_limit_it_is_what_is_free(task, config, monkeypatch):
    needs = memory_model.needed_bytes(task, config, RECIPE)
    monkeypatch.setattr(memory, "free_bytes", lambda: needs - 10**6)
    with pytest.raises(ValueError, match="GB are there"):
        require_fit(task, config, RECIPE)
    monkeypatch.setattr(memory, "free_bytes", lambda: needs + 10**8)
    require_fit(task, config, RECIPE)


def test_a_training_is_refused_before_it_begins(task, config, tmp_path, monkeypatch):
    """What it would have read does not even have to be there."""
    from tfstyle.training.training import train_task

    with pytest.raises(ValueError, match="batch_size=8, crop_size=256"):
        train_task(lambda: task, None, limited(config, task, 10**6, monkeypatch), RECIPE, identity={})
