"""Large pictures are painted at the size of strokes, and get their detail back; small ones as they are."""

import numpy as np
import pytest

from tfstyle.feedforward.sizes import in_stroke_size, painted_pixels


def noise(*shape):
    return np.random.default_rng(0).uniform(0.3, 0.6, size=shape).astype(np.float32)


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        ((384, 512), (384, 512)),
        ((1, 1), (1, 1)),
        ((385, 513), (384, 512)),
        ((2000, 1000), (512, 256)),
        ((1, 3000), (1, 512)),
    ],
)
def test_the_size_that_is_painted(size, expected):
    seen = []

    def paint(pictures, weights):
        seen.append((pictures.shape, weights))
        return pictures

    pictures = noise(2, *size, 3)
    made = in_stroke_size(paint, 512)(pictures, [0.5, 0.5])
    assert made.shape == pictures.shape
    pictures_at_once = 2 if size == expected else 1
    assert seen == [((pictures_at_once, *expected, 3), [0.5, 0.5])] * (2 // pictures_at_once)
    assert expected[0] * expected[1] <= painted_pixels(size[0] * size[1], 512)


def test_the_light_that_is_lost_by_making_it_smaller_comes_back():
    """A painter that changes nothing: light is the picture's own, colours those of the smaller one."""
    pictures = noise(1, 60, 80, 3)
    made = in_stroke_size(lambda small, weights: small, 20)(pictures, [1.0])
    luma = np.float32([0.299, 0.587, 0.114])
    np.testing.assert_allclose(made @ luma, pictures @ luma, atol=1e-6)
    hues = np.std((made - pictures)[..., 0] - (made - pictures)[..., 2])
    assert hues > 0.05


def test_what_is_painted_is_enlarged():
    """A painter that darkens, of a picture of one colour, where nothing is lost by resizing."""
    pictures = np.broadcast_to(np.float32([0.2, 0.5, 1.0]), (2, 30, 40, 3))
    paint = in_stroke_size(lambda small, weights: small * np.float32(0.9), 10)
    np.testing.assert_allclose(paint(pictures, [1.0], 0.5), pictures * 0.95, atol=1e-6)
    with pytest.raises(ValueError, match="strength=2: must be from 0 to 1"):
        paint(pictures, [1.0], 2)


@pytest.mark.parametrize("size", [-1, 2.5])
def test_what_is_no_size_is_refused(size):
    with pytest.raises(ValueError, match=rf"^stroke_size={size}: must be a whole number, 0 or above"):
        in_stroke_size(None, size)


def test_without_a_size_it_is_painted_at_once():
    pictures = np.full((1, 30, 40, 3), 0.5, np.float32)
    made = in_stroke_size(lambda pictures, weights: 0 * pictures, 0)(pictures, [1.0], 0.25)
    np.testing.assert_array_equal(made, np.full_like(pictures, 0.375))
    assert painted_pixels(1200, 0) == 1200
