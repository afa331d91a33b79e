"""Against a training whose needs are batch * crop^2 megabytes, worked out by hand."""

from dataclasses import dataclass

import pytest

from tfstyle.runtime import memory
from tfstyle.training import memory_model


@dataclass(frozen=True)
class Recipe:
    batch_size: int = 8
    crop_size: int = 10


def megabytes(recipe):
    return recipe.batch_size * recipe.crop_size**2 * 10**6


def refused(**options):
    """Returns what is told, or '' if it fits."""
    try:
        memory_model.require_fit(megabytes, Recipe(), **{"least_crop": 1, **options})
    except ValueError as error:
        return str(error)
    return ""


@pytest.fixture(autouse=True)
def room(monkeypatch):
    """The process has 1 GB, and 0.65 GB are free, where 0.8 GB are needed."""
    monkeypatch.setattr(memory, "resident_bytes", lambda: 10**9)
    monkeypatch.setattr(memory, "free_bytes", lambda: 650 * 10**6)


NEEDS = "batch_size=8, crop_size=10: needs 1.80 GB of memory, and 1.65 GB are there; "
OR_A_LIMIT = "; memory_limit=GB says otherwise how much may be used"


def test_the_largest_batch_and_crops_that_fit():
    # 6 * 100 and 8 * 9 * 9 are at most 650; 7 * 100 and 8 * 10 * 10 are above.
    assert refused() == NEEDS + "what would fit: batch_size=6 or crop_size=9" + OR_A_LIMIT


def test_a_batch_is_a_multiple():
    assert refused(multiple=4) == NEEDS + "what would fit: batch_size=4 or crop_size=9" + OR_A_LIMIT


def test_nothing_below_what_a_recipe_may_have_is_proposed():
    assert refused(multiple=8) == NEEDS + "what would fit: crop_size=9" + OR_A_LIMIT
    assert refused(least_crop=10) == NEEDS + "what would fit: batch_size=6" + OR_A_LIMIT
    told = "nothing smaller would fit; end other programs or take a larger machine"
    assert refused(multiple=8, least_crop=10) == NEEDS + told + OR_A_LIMIT


def test_a_limit_goes_before_what_is_free(monkeypatch):
    assert refused(memory_limit=1.8) == ""
    told = refused(memory_limit=1.5)
    assert "and 1.50 GB are there; what would fit: batch_size=5 or crop_size=7; memory_limit=GB says" in told
    assert refused(memory_limit=0.0).startswith(NEEDS)  # no limit
    monkeypatch.setattr(memory, "free_bytes", lambda: 800 * 10**6)
    assert refused() == ""
