"""Large pictures are painted coarse to fine, small ones as they are."""

import numpy as np
import pytest

from tfstyle.feedforward.sizes import in_stroke_size, passes


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        ((384, 512), [(384, 512)]),
        ((1, 1), [(1, 1)]),
        ((385, 513), [(192, 256), (385, 513)]),
        ((2000, 1000), [(500, 250), (1000, 500), (2000, 1000)]),
        ((1, 3000), [(1, 375), (1, 750), (1, 1500), (1, 3000)]),
    ],
)
def test_sizes_double_up_to_the_pictures_own(size, expected):
    assert list(passes(size, 512)) == expected


def test_each_pass_paints_what_the_last_one_made():
    """A painter that darkens by a tenth, of a picture of one colour, where nothing is lost by resizing."""
    seen = []

    def paint(pictures, weights):
        seen.append((pictures.shape, weights))
        return pictures * np.float32(0.9)

    pictures = np.broadcast_to(np.float32([0.2, 0.5, 1.0]), (2, 30, 40, 3))
    made = in_stroke_size(paint, 10)(pictures, [0.5, 0.5], 0.5)
    assert seen == [((2, height, width, 3), [0.5, 0.5]) for height, width in ((8, 10), (15, 20), (30, 40))]
    np.testing.assert_allclose(made, pictures * (0.5 + 0.5 * 0.9**3), atol=1e-6)
    with pytest.raises(ValueError, match="strength=2: must be from 0 to 1"):
        in_stroke_size(paint, 10)(pictures, [1.0], 2)


@pytest.mark.parametrize("size", [-1, 2.5])
def test_what_is_no_size_is_refused(size):
    with pytest.raises(ValueError, match=rf"^stroke_size={size}: must be a whole number, 0 or above"):
        in_stroke_size(None, size)


def test_without_a_size_it_is_painted_at_once():
    pictures = np.full((1, 30, 40, 3), 0.5, np.float32)
    made = in_stroke_size(lambda pictures, weights: 0 * pictures, 0)(pictures, [1.0], 0.25)
    np.testing.assert_array_equal(made, np.full_like(pictures, 0.375))
