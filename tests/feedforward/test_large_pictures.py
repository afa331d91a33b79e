"""Pictures strip by strip are the whole pictures, with few maps in memory."""

import itertools
import weakref

import numpy as np
import pytest

from tfstyle.feedforward import large_pictures
from tfstyle.feedforward.large_pictures import Moments, paint_in_strips
from tfstyle.feedforward.networks import transformation_network

from conftest import differing

MIXED = np.float64([[0.2, 0.5, 0.3]])


def noise(*shape):
    return np.random.default_rng(0).uniform(size=shape)


def network(**options):
    return differing(transformation_network(3, **{"width": 3, "residual_blocks": 2, **options}))


def painted(made, picture, rows):
    """All strips, and that they follow one another."""
    parts = list(paint_in_strips(made, picture, MIXED, rows * picture.shape[2]))
    stops = [0, *(stop for _, stop, _ in parts)]
    assert [(start, stop) for start, stop, _ in parts] == list(itertools.pairwise(stops))
    assert stops[-1] == picture.shape[1]
    assert all(stop - start <= rows for start, stop, _ in parts)
    return np.concatenate([part for _, _, part in parts], axis=1)


@pytest.fixture(scope="module", params=[False, True])
def exact(request):
    return network(dtype="float64", colors=request.param)


@pytest.mark.parametrize(
    ("size", "rows"),
    [((1, 1), 1), ((1, 9), 4), ((9, 1), 2), ((5, 6), 1), ((17, 13), 3), ((33, 47), 7), ((18, 15), 1000)],
)
def test_strips_are_the_whole(exact, size, rows):
    """In float64, where nothing is left to rounding: borders, odd sizes, and what strips have in common."""
    picture = noise(1, *size, 3)
    expected = exact({"image": picture, "style": MIXED})
    np.testing.assert_allclose(painted(exact, picture, rows), expected, atol=1e-11)


@pytest.mark.parametrize("size", [(37, 18), (3, 5)])
def test_without_residual_blocks(size):
    made, picture = network(dtype="float64", residual_blocks=0), noise(1, *size, 3)
    expected = made({"image": picture, "style": MIXED})
    np.testing.assert_allclose(painted(made, picture, 8), expected, atol=1e-11)


@pytest.mark.parametrize(("dtype", "most"), [("float32", 1e-4), ("mixed_bfloat16", 0.1)])
def test_other_dtypes(dtype, most):
    made, picture = network(dtype=dtype), noise(1, 61, 45, 3).astype(np.float32)
    expected = np.asarray(made({"image": picture, "style": MIXED.astype(np.float32)}))
    found = painted(made, picture, 16)
    assert found.dtype == np.float32
    assert np.abs(found - expected).max() < most
    assert np.abs(found - expected).mean() < most / 10


def test_only_a_strip_and_what_it_sees_is_read_at_once(exact):
    class Watched:
        shape = (1, 120, 16, 3)
        read = 0

        def __getitem__(self, place):
            Watched.read = max(Watched.read, place[1].stop - place[1].start)
            return noise(*self.shape)[place]

    list(paint_in_strips(exact, Watched(), MIXED, 16 * 16))
    # 8 rows of half the size and one ahead, which are 18; those see four more on either side. Of the light
    # of large areas, 16 rows see 24 more, and of colours two more.
    colors = any(layer.name == "style_colors" for layer in exact.layers)
    assert Watched.read == (16 + 2 * (24 + 2) if colors else 18 + 8)


@pytest.mark.parametrize("blocks", [1, 4])
def test_three_kept_maps_at_most_are_there_at_once(monkeypatch, blocks):
    there, most, kept = weakref.WeakSet(), [0], large_pictures.whole

    def watched(array, step=1):
        result = kept(array, step)
        if step > 1:
            there.add(result)
            most.append(len(there))
        return result

    monkeypatch.setattr(large_pictures, "whole", watched)
    list(paint_in_strips(network(residual_blocks=blocks), noise(1, 40, 24, 3), MIXED, 24 * 8))
    assert len(most) == 1 + 2 + 3 * blocks + 1
    assert max(most) == 3


def test_moments_of_parts_are_those_of_all():
    """A small spread about a large mean, where a difference of float32 sums would be noise."""
    values = 1e4 + noise(1000, 5)
    moments = Moments()
    for part in np.split(values, [1, 20, 21, 700]):
        moments.add(len(part), part.mean(0, keepdims=True), part.var(0, keepdims=True))
    mean, variance = moments.result("float64")
    np.testing.assert_allclose(mean, values.mean(0, keepdims=True), rtol=1e-14)
    np.testing.assert_allclose(variance, values.var(0, keepdims=True), rtol=1e-9)
