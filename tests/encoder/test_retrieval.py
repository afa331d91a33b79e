import numpy as np
import pytest
import tensorflow as tf
from encoder.evaluation import disjoint_crops, inversion_errors, style_retrieval
from encoder.retrieval import rank_partners, style_descriptor

from tfstyle.config import TransferConfig
from tfstyle.vgg import feature_extractor

from conftest import picture


def test_ranks_by_hand():
    """Two pictures, crops at 0, 1 and 3, 10 on a line: only the crop at 3 has a stranger nearest."""
    places = np.array([[0.0], [1.0], [3.0], [10.0]])
    found = rank_partners(places, places, [0, 0, 1, 1])
    assert found.top1 == 0.75
    # Of the query at 3 the partner, at 10, is the last of three.
    assert found.mean_average_precision == pytest.approx((1 + 1 + 1 / 3 + 1) / 4)


def test_average_precision_of_several_partners():
    places = np.array([[0.0], [1.0], [1.5], [2.0]])
    found = rank_partners(places[:1], places, [0, 0, 1, 0])
    assert found.mean_average_precision == pytest.approx((1 / 1 + 2 / 3) / 2)


def test_a_query_is_not_compared_with_its_own_crop():
    gallery = np.array([[0.0], [5.0], [5.1], [9.0]])
    # Only the outer two have their partner nearest; each has itself at 0.01.
    assert rank_partners(gallery + 0.01, gallery, [0, 0, 1, 1]).top1 == 0.5


def test_descriptor_is_units_and_nothing_else():
    image = tf.constant(np.random.default_rng(0).random((1, 5, 4, 3)), tf.float32)
    layers = {"a": image, "b": 7 * image[:, ::2]}
    descriptor = style_descriptor(lambda _: layers, image)
    expected = []
    for activation in layers.values():
        rows = activation.numpy().reshape(-1, 3)
        expected.append((rows.T @ rows / np.linalg.norm(rows.T @ rows)).ravel())
    np.testing.assert_allclose(descriptor, np.concatenate(expected), rtol=1e-5)


@pytest.mark.parametrize(("height", "width", "count"), [(40, 60, 2), (60, 40, 3), (50, 50, 4), (64, 96, 5)])
def test_crops_are_disjoint_and_square(height, width, count):
    """Every pixel has a value of its own, so overlapping crops would share one."""
    values = np.arange(height * width * 3, dtype=np.float32).reshape(1, height, width, 3)
    values /= values.max()
    grid = [(rows, -(-count // rows)) for rows in range(1, count + 1)]
    side = max(min(height // rows, width // columns) for rows, columns in grid)
    crops = disjoint_crops(tf.constant(values), count, side)
    assert [tuple(crop.shape) for crop in crops] == [(1, side, side, 3)] * count
    assert len(np.unique(np.concatenate([crop.numpy().ravel() for crop in crops]))) == count * side**2 * 3


def test_a_picture_too_small_to_cut():
    with pytest.raises(ValueError, match="one of 1 x 1 pixels cannot be cut into 2 crops"):
        disjoint_crops(tf.zeros([1, 1, 1, 3]), 2, 8)


def test_retrieval_of_plain_colours_is_perfect(narrow_file):
    extractor = feature_extractor(["conv1_1", "conv2_1"], weights=narrow_file)
    colors = ([1, 0, 0], [0, 1, 0], [0, 0, 1.0])
    pictures = [tf.ones([1, 16, 32, 3]) * color for color in colors]
    found = style_retrieval(extractor, pictures, size=16, scales=(1.0, 0.5))
    assert [result.top1 for result in found.values()] == [1.0, 1.0]


def test_inversion_starts_far_and_ends_near(narrow_file):
    config = TransferConfig(weights=narrow_file, image_size=24, iterations=60)
    errors = inversion_errors([picture(24, 24)], ["conv1_1"], config)
    noise = np.random.default_rng(0).normal(0.5, 0.1, (24, 24, 3))
    start = np.sqrt(np.mean((noise - picture(24, 24) / 255) ** 2))
    assert 0 < errors["conv1_1"] < start / 2
