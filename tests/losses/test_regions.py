"""Which styles go where."""

import numpy as np
import pytest
import tensorflow as tf

from tfstyle.losses.measuring import Target
from tfstyle.losses.regions import Region, Source, everywhere, limited, make_regions, painted

ONE, OTHER = tf.zeros([1, 8, 6, 3]), tf.ones([1, 4, 4, 3])


def mask(*rows):
    return tf.constant(rows, tf.float32)[tf.newaxis, ..., tf.newaxis]


LEFT, RIGHT = mask([1, 0], [1, 0]), mask([0, 1], [0, 1])


def test_what_does_not_fit():
    with pytest.raises(ValueError, match=r"^style: 3 pictures for 2 regions"):
        make_regions([ONE] * 3, (1.0,) * 3, [(LEFT, None), (RIGHT, None)])
    with pytest.raises(ValueError, match=r"^style_masks: 2 of them for one style and no content_masks"):
        make_regions([ONE], (1.0,), [(None, LEFT), (None, RIGHT)])


def test_area_is_the_share_of_the_picture():
    assert Target((), mask=mask([1, 0.5], [0, 0])).area == pytest.approx(0.375)


def test_painted_is_where_any_region_lies():
    first, second = (
        Region((Source(ONE),), where) for where in (mask([1, 0.25], [0, 0]), mask([0, 0.5], [0, 0]))
    )
    np.testing.assert_allclose(painted([first, second])[0, ..., 0], [[1, 0.75], [0, 0]])
    whole = [Region((Source(ONE),), where) for where in (LEFT, RIGHT)]
    assert painted(whole) is None


def test_shrunk_with_their_masks():
    source = Source(ONE, mask=tf.ones([1, 8, 6, 1])).shrunk(0.5)
    assert source.style.shape == (1, 4, 3, 3) and source.mask.shape == (1, 4, 3, 1)


def test_what_is_transparent_counts_for_nothing():
    half = tf.fill([1, 2, 2, 1], 0.5)
    (region,) = limited(everywhere(ONE), half, {id(ONE): RIGHT})
    assert region.mask is half and region.sources[0].mask is RIGHT
    (region,) = limited(make_regions([ONE], (1.0,), [(LEFT, LEFT)]), half, {id(ONE): RIGHT})
    np.testing.assert_allclose(region.mask, 0.5 * LEFT)
    np.testing.assert_allclose(region.sources[0].mask, tf.zeros([1, 2, 2, 1]))
