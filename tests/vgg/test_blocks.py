import numpy as np
import pytest
import tensorflow as tf

from tfstyle.vgg import feature_extractor
from tfstyle.vgg.blocks import blocks, pieces

from conftest import picture

LAYERS = ["block1_conv1", "block2_conv2", "block4_conv2", "block5_conv1"]
IMAGE = picture(37, 50)[np.newaxis] / np.float32(255)


@pytest.fixture(scope="module")
def extractor(narrow_file):
    return feature_extractor(LAYERS, weights=narrow_file, padding="reflect")


def test_one_after_the_other_they_are_the_extractor(extractor):
    activation, found = IMAGE, {}
    for piece in pieces(extractor):
        activation = piece.function(activation)
        found |= dict.fromkeys(piece.layers, activation)
    expected = extractor(IMAGE)
    assert list(found) == LAYERS
    for layer in LAYERS:
        np.testing.assert_array_equal(found[layer], expected[layer])


def test_blocks_end_at_the_poolings(extractor):
    shape = [[(piece.layers, piece.pooled) for piece in block] for block in blocks(extractor)]
    assert shape == [
        [(("block1_conv1",), False), ((), True)],
        [(("block2_conv2",), False), ((), True)],
        [((), True)],
        [(("block4_conv2",), False), ((), True)],
        [(("block5_conv1",), False)],
    ]


def test_the_extractor_stays_as_it_is(extractor):
    for _ in range(2):
        pieces(extractor)
    for operation in extractor.operations:
        assert operation.output is not None  # Keras refuses where a layer has been used again


def test_what_leads_past_a_pooling_is_refused():
    image = tf.keras.Input((None, None, 3))
    conv = tf.keras.layers.Conv2D(3, 3, padding="same")(image)
    pooled = tf.keras.layers.MaxPooling2D()(conv)
    back = tf.keras.layers.UpSampling2D()(pooled)
    model = tf.keras.Model(image, {"out": tf.keras.layers.Add()([conv, back])})
    with pytest.raises(ValueError, match=r"^extractor: cannot be cut between .* something leads past"):
        pieces(model)


def test_a_model_without_a_graph():
    with pytest.raises(ValueError, match="must be a functional Keras model"):
        pieces(lambda image: {"out": image})
