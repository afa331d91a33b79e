import numpy as np
import pytest
import tensorflow as tf

from tfstyle.optimizers.lbfgs import image_of, positions_of

LINE = np.linspace(-4, 4, 8001)


def test_pictures_come_back():
    values = np.linspace(0, 1, 256)
    image, _ = image_of(positions_of(tf.constant(values)))
    # Up to half a level of 8 bits at the bounds themselves, exactly in between.
    np.testing.assert_allclose(image[1:-1], values[1:-1], atol=1e-12)
    np.testing.assert_array_equal(np.round(image * 255), np.arange(256))


def test_any_number_is_a_picture_value():
    image, _ = image_of(tf.constant(LINE))
    assert image.numpy().min() >= 0 and image.numpy().max() <= 1
    assert image.numpy().min() < 1e-4 and image.numpy().max() > 1 - 1e-4


def test_slopes_are_the_derivatives_and_have_no_corners():
    image, slope = image_of(tf.constant(LINE))
    apart = 1e-6
    ahead, behind = (image_of(tf.constant(LINE + side * apart))[0] for side in (1, -1))
    np.testing.assert_allclose(slope, (ahead - behind) / (2 * apart), atol=1e-4)
    step = LINE[1] - LINE[0]
    assert np.abs(np.diff(image)).max() <= step * (1 + 1e-9)
    assert np.abs(np.diff(slope)).max() <= 1.001 * step / 0.1  # 1 over twice the margin


@pytest.mark.parametrize("value", [0.06, 0.5, 0.94])
def test_values_between_the_margins_keep_their_distances(value):
    first, second = positions_of(tf.constant([value, value + 0.001], tf.float64)).numpy()
    assert second - first == pytest.approx(0.001)


def test_a_start_at_the_bound_can_leave_it():
    _, slope = image_of(positions_of(tf.constant([0.0, 1.0])))
    assert np.all(np.abs(slope) > 0.1)
