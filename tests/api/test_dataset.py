"""Pictures through tf.data, against direct calls."""

import dataclasses

import numpy as np
import pytest
import tensorflow as tf

from tfstyle import load_image, style_targets, stylize_dataset, stylizer, transfer
from tfstyle.api.dataset import from_integers
from tfstyle.io.encode import to_uint8

from conftest import picture, shallow

STYLE = picture(40, 44, seed=4)
CONTENTS = [picture(37, 51, seed=1), picture(48, 36, seed=2), picture(36, 48, seed=3)]


@pytest.fixture(scope="module")
def config(narrow_file):
    return shallow(narrow_file, image_size=0, iterations=3, scales=1)


@pytest.fixture(scope="module")
def stylize(config):
    return stylizer(STYLE, config)


@pytest.fixture(scope="module")
def direct(config):
    return [transfer(content, STYLE, config).image[0].numpy() for content in CONTENTS]


def datasets(dtype):
    """The same pictures, of shapes that are not known before, and of known ones."""
    values = [content if dtype == tf.uint8 else (content / np.float32(255)) for content in CONTENTS]
    yield tf.data.Dataset.from_generator(
        lambda: values, output_signature=tf.TensorSpec([None, None, None], dtype)
    )
    yield tf.data.Dataset.from_tensors(values[0])


def test_uint8(stylize, direct):
    for dataset in datasets(tf.uint8):
        made = list(dataset.map(stylize).as_numpy_iterator())
        for found, expected in zip(made, direct):
            assert found.dtype == np.uint8
            # Rounded, not cut: half of all values would otherwise be lower by one.
            assert np.abs(found.astype(int) - to_uint8(expected)).max() <= 1
            assert np.mean(found != to_uint8(expected)) < 0.01
    np.testing.assert_array_equal(stylize(CONTENTS[0]), made[0])  # without a graph around it


@pytest.mark.parametrize("dtype", [tf.float32, tf.float16])
def test_floats(stylize, direct, dtype):
    for dataset in datasets(tf.float32):
        made = list(dataset.map(lambda image: stylize(tf.cast(image, dtype))).as_numpy_iterator())
        for found, expected in zip(made, direct):
            assert found.dtype == dtype.as_numpy_dtype
            if dtype == tf.float32:
                np.testing.assert_allclose(found, expected, atol=1e-3)
            else:  # the contents themselves are rounded, and single pixels of Adam's first steps go elsewhere
                assert np.abs(found - expected).mean() < 1e-2


def test_batches(stylize, config):
    contents = np.stack([CONTENTS[2], picture(36, 48, seed=6)])
    dataset = tf.data.Dataset.from_tensor_slices(contents).batch(2).map(stylize)
    assert dataset.element_spec.shape.as_list() == [None, None, None, 3]
    (made,) = dataset.as_numpy_iterator()
    for found, content in zip(made, contents):
        expected = to_uint8(transfer(content, STYLE, config).image).astype(int)
        assert np.abs(found - expected).max() <= 1


def test_elements_of_several_parts_keep_their_order(config, direct):
    targets = style_targets(STYLE, config)
    pictures = tf.data.Dataset.from_generator(
        lambda: CONTENTS, output_signature=tf.TensorSpec([None, None, 3], tf.uint8)
    )
    numbered = tf.data.Dataset.zip((pictures, tf.data.Dataset.range(3)))
    for form in (lambda image, label: (image, label), lambda image, label: {"image": image, "label": label}):
        made = list(stylize_dataset(numbered.map(form), targets, config))
        for index, element in enumerate(made):
            image, label = element if isinstance(element, tuple) else (element["image"], element["label"])
            assert label == index
            assert np.abs(image.numpy().astype(int) - to_uint8(direct[index])).max() <= 1


def test_the_contents_own_colours(config):
    config = dataclasses.replace(config, color="content")
    found = stylizer(STYLE, config)(CONTENTS[0] / np.float32(255))
    np.testing.assert_allclose(found, transfer(CONTENTS[0], STYLE, config).image[0], atol=1e-3)


def test_integers_in_a_graph_are_the_values_of_load_image():
    levels = np.arange(256, dtype=np.uint8).reshape(16, 16, 1).repeat(3, axis=-1)
    np.testing.assert_array_equal(tf.function(from_integers)(levels[np.newaxis]), load_image(levels))


def test_what_is_no_picture(stylize, config):
    for wrong in (tf.zeros([4]), tf.zeros([40, 40, 4]), tf.zeros([40, 40, 3], tf.int32)):
        with pytest.raises(ValueError, match=r"image: .*must be \[H, W, 3\]"):
            stylize(wrong)
    with pytest.raises(ValueError, match=r"^image: floats must be in \[0, 1\], not from 20 to 20; divide"):
        stylize(tf.fill([40, 40, 3], 20.0))
    with pytest.raises(tf.errors.InvalidArgumentError, match="content: too small"):
        stylize(tf.zeros([1, 40, 3]))
    with pytest.raises(ValueError, match="no 'image', but picture"):
        stylize_dataset(tf.data.Dataset.from_tensors({"picture": CONTENTS[0]}), STYLE, config)
