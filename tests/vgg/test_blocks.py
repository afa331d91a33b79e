import pytest
import tensorflow as tf

from tfstyle.vgg import feature_extractor
from tfstyle.vgg.blocks import pieces


def test_the_extractor_stays_as_it_is(narrow_file):
    extractor = feature_extractor(["block1_conv1", "block5_conv1"], weights=narrow_file, padding="reflect")
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
