"""The extractor against VGG19 itself, its borders and poolings against NumPy, and the normalised network."""

import numpy as np
import pytest
import tensorflow as tf

from tfstyle.vgg import feature_extractor, minimum_size, normalize_activations

from conftest import narrow_weights, picture

IMAGE = picture(37, 50)[np.newaxis] / np.float32(255)  # odd sizes, on purpose
LAYERS = ["conv1_1", "conv2_2", "conv3_4", "conv5_1"]


@pytest.fixture(scope="module")
def vgg19():
    """VGG19 with seeded random weights, as `tf.keras.applications` makes it."""
    tf.keras.utils.set_random_seed(3)
    return tf.keras.applications.VGG19(weights=None, include_top=False)


def reference(model, image, layer):
    """What VGG19 computes behind Keras' own preprocessing."""
    prepared = tf.keras.applications.vgg19.preprocess_input(image.copy() * 255)
    return tf.keras.Model(model.input, model.get_layer(layer).output)(prepared)


def test_equals_vgg19_behind_its_own_preprocessing(vgg19, tmp_path):
    vgg19.save(tmp_path / "vgg19.h5")
    extractor = feature_extractor(LAYERS, weights=str(tmp_path / "vgg19.h5"))
    activations = extractor(IMAGE)
    assert list(activations) == ["block1_conv1", "block2_conv2", "block3_conv4", "block5_conv1"]
    for layer, activation in activations.items():
        expected = reference(vgg19, IMAGE, layer)
        np.testing.assert_allclose(activation, expected, rtol=1e-4, atol=1e-4 * np.max(expected))


def test_is_cut_at_the_deepest_layer_and_frozen_however_layers_are_spelled(narrow_file):
    extractor = feature_extractor(["conv2_1"], weights=narrow_file)
    names = [layer.name for layer in extractor.layers if "conv" in layer.name]
    assert names == ["block1_conv1", "block1_conv2", "block2_conv1"]
    assert extractor.trainable_variables == []
    one = feature_extractor(["block3_conv1", "conv1_1", "conv3_1"], weights=narrow_file)(IMAGE)
    assert list(one) == ["block1_conv1", "block3_conv1"]


def convolved(image, padding):
    """conv1_1 of the narrow network in NumPy: pad, correlate, ReLU."""
    arrays = narrow_weights()
    kernel, bias = arrays["block1_conv1/kernel"].astype(float), arrays["block1_conv1/bias"]
    pixels = image[0, ..., ::-1].astype(float) * 255 - (103.939, 116.779, 123.68)
    mode = {"zeros": "constant", "reflect": "reflect", "replicate": "edge"}[padding]
    padded = np.pad(pixels, ((1, 1), (1, 1), (0, 0)), mode)
    height, width = pixels.shape[:2]
    response = sum(
        padded[dy : dy + height, dx : dx + width] @ kernel[dy, dx] for dy in range(3) for dx in range(3)
    )
    return np.maximum(response + bias, 0)


@pytest.mark.parametrize("padding", ["zeros", "reflect", "replicate"])
def test_padding(narrow_file, padding):
    extractor = feature_extractor(["conv1_1"], weights=narrow_file, padding=padding, dtype="float64")
    np.testing.assert_allclose(
        extractor(IMAGE)["block1_conv1"][0], convolved(IMAGE, padding), rtol=1e-6, atol=1e-6
    )


@pytest.mark.parametrize(("pooling", "reduce"), [("max", np.max), ("average", np.mean)])
def test_pooling(narrow_file, pooling, reduce):
    # block2_conv1 sees pooled block1_conv2: both are taken, the step between redone.
    extractor = feature_extractor(
        ["conv1_2", "conv2_1"], weights=narrow_file, pooling=pooling, dtype="float64"
    )
    activations = extractor(IMAGE)
    before = activations["block1_conv2"].numpy()[0][:36]
    pooled = reduce(before.reshape(18, 2, 25, 2, -1), axis=(1, 3))
    arrays = narrow_weights()
    expected = tf.nn.relu(
        tf.nn.conv2d(pooled[np.newaxis], arrays["block2_conv1/kernel"].astype(float), 1, "SAME")
        + arrays["block2_conv1/bias"]
    )
    np.testing.assert_allclose(activations["block2_conv1"], expected, rtol=1e-6, atol=1e-8)


def test_bfloat16_is_near_float32(narrow_file):
    exact = feature_extractor(["conv3_1"], weights=narrow_file)(IMAGE)["block3_conv1"]
    rough = feature_extractor(["conv3_1"], weights=narrow_file, dtype="bfloat16")(IMAGE)["block3_conv1"]
    assert rough.dtype == tf.bfloat16
    np.testing.assert_allclose(tf.cast(rough, tf.float32), exact, atol=0.05 * np.max(exact))


@pytest.mark.parametrize(
    ("layers", "padding", "least"),
    [
        (["conv1_2"], "zeros", 1),
        (["conv3_1"], "zeros", 4),
        (["conv5_1"], "replicate", 16),
        (["conv5_1"], "reflect", 32),
    ],
)
def test_minimum_size_is_the_least_that_works(narrow_file, layers, padding, least):
    extractor = feature_extractor(layers, weights=narrow_file, padding=padding)
    assert minimum_size(extractor) == least
    activations = extractor(tf.zeros([1, least, least, 3]))
    assert 0 not in next(iter(activations.values())).shape
    if least > 1:
        try:
            smaller = extractor(tf.zeros([1, least - 1, least - 1, 3]))
            assert 0 in next(iter(smaller.values())).shape
        except (ValueError, tf.errors.OpError):
            pass


def test_runs_inside_tf_data_and_survives_saving(narrow_file, tmp_path):
    extractor = feature_extractor(["conv2_1"], weights=narrow_file, padding="replicate")
    dataset = tf.data.Dataset.from_tensors(IMAGE).map(extractor)
    inside = next(iter(dataset))["block2_conv1"]
    extractor.export(tmp_path / "saved", verbose=False)
    loaded = tf.saved_model.load(str(tmp_path / "saved"))
    served = loaded.serve(IMAGE)["block2_conv1"]
    np.testing.assert_allclose(inside, extractor(IMAGE)["block2_conv1"], atol=1e-5)
    np.testing.assert_allclose(served, inside, atol=1e-5)


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"layers": ["conv4_9"]}, r"unknown layer 'block4_conv9'; the nearest names are .*block4_conv"),
        ({"layers": []}, "at least one layer"),
        ({"pooling": "sum"}, "pooling='sum': must be one of max, average"),
        ({"padding": "same"}, "padding='same': must be one of zeros, reflect, replicate"),
        ({"dtype": "float16"}, "dtype='float16': must be one of float32"),
    ],
)
def test_bad_arguments(narrow_file, options, problem):
    with pytest.raises(ValueError, match=problem):
        feature_extractor(**{"layers": ["conv1_1"], "weights": narrow_file, **options})


@pytest.mark.parametrize(("variable", "value"), [("KERAS_BACKEND", "jax"), ("TF_USE_LEGACY_KERAS", "1")])
def test_other_backends_are_refused(monkeypatch, variable, value):
    monkeypatch.setenv(variable, value)
    with pytest.raises(ValueError, match=f"{variable}={value}"):
        feature_extractor(["conv1_1"], weights="random")


def test_another_backend_in_the_settings_of_keras_is_refused(monkeypatch):
    monkeypatch.delenv("KERAS_BACKEND", raising=False)
    monkeypatch.setenv("KERAS_HOME", "home")
    monkeypatch.setattr(tf.keras.config, "backend", lambda: "jax")
    with pytest.raises(ValueError, match=r"^home/keras\.json: Keras' backend is jax; write .* there, or set"):
        feature_extractor(["conv1_1"], weights="random")


# The paper's normalised network.

SOME = ["conv1_1", "conv1_2", "conv2_2", "conv3_3", "conv5_1"]
IMAGES = [
    picture(40, 48, seed=1)[np.newaxis] / np.float32(255),
    picture(33, 35, seed=2)[np.newaxis] / np.float32(255),
]


def means(extractor):
    """{layer: mean activation of each filter over all pictures and positions}."""
    sums, count = {}, {}
    for image in IMAGES:
        for layer, activation in extractor(image).items():
            sums[layer] = sums.get(layer, 0) + activation.numpy().astype(float).sum((0, 1, 2))
            count[layer] = count.get(layer, 0) + np.prod(activation.shape[:3])
    return {layer: sums[layer] / count[layer] for layer in sums}


@pytest.mark.parametrize(("pooling", "padding"), [("max", "reflect"), ("average", "zeros")])
def test_means_become_1_and_nothing_else_changes(narrow_file, pooling, padding):
    extractor = feature_extractor(SOME, weights=narrow_file, pooling=pooling, padding=padding)
    before = means(extractor)
    normalized = normalize_activations(extractor, IMAGES)
    for layer, mean in means(normalized).items():
        # A filter that never fires keeps its mean of 0.
        np.testing.assert_allclose(mean, before[layer] > 0, rtol=1e-4, atol=1e-6)
    # The same pictures in, the same activations out, each filter in its own unit.
    for image in IMAGES:
        for layer, activation in normalized(image).items():
            unit = np.where(before[layer] > 0, before[layer], 1)
            expected = extractor(image)[layer] / unit
            np.testing.assert_allclose(activation, expected, rtol=1e-3, atol=1e-3)


def test_the_given_extractor_is_unchanged(narrow_file):
    extractor = feature_extractor(["conv2_1"], weights=narrow_file)
    before = [weight.copy() for weight in extractor.get_weights()]
    normalized = normalize_activations(extractor, tf.constant(IMAGES[0]))
    for one, other in zip(before, extractor.get_weights()):
        np.testing.assert_array_equal(one, other)
    assert not normalized.trainable_variables


def test_a_dead_filter_is_left_alone(narrow_file):
    extractor = feature_extractor(["conv1_1", "conv1_2"], weights=narrow_file)
    kernel, bias = extractor.get_layer("block1_conv1").get_weights()
    kernel[..., 0], bias[0] = 0, -1  # never fires
    extractor.get_layer("block1_conv1").set_weights([kernel, bias])
    normalized = normalize_activations(extractor, IMAGES)
    assert all(np.isfinite(weight).all() for weight in normalized.get_weights())
    np.testing.assert_array_equal(normalized(IMAGES[0])["block1_conv1"][..., 0], 0)
