"""The losses as Keras', against NumPy, the package's own terms, and in training."""

import numpy as np
import pytest
import tensorflow as tf

from tfstyle.io import encode
from tfstyle.losses.keras_losses import ContentLoss, GramMatrix, StyleLoss, TotalVariationLoss
from tfstyle.losses.regions import everywhere
from tfstyle.losses.terms import content_terms, variation_terms
from tfstyle.vgg import feature_extractor

from conftest import picture, terms_of_styles

LAYERS = ["block1_conv1", "block2_conv1", "block3_conv1"]
PICTURES = np.stack([picture(24, 30, seed) for seed in (1, 2)]) / np.float32(255)
OTHERS = np.stack([picture(24, 30, seed) for seed in (3, 4)]) / np.float32(255)
STYLES = [picture(28, 20, 5)[np.newaxis] / np.float32(255), picture(21, 33, 6)[np.newaxis] / np.float32(255)]


@pytest.fixture(scope="module")
def extractor(narrow_file):
    return feature_extractor(LAYERS, weights=narrow_file)


def gram(activation):
    """Of one picture, per position."""
    rows = np.asarray(activation, np.float64).reshape(-1, activation.shape[-1])
    return rows.T @ rows / len(rows)


def of_terms(extractor, terms, image):
    activations = extractor(image)
    return sum(term.weight * np.sum(term.loss(image, activations)) for term in terms)


def each(loss, made, wanted=OTHERS):
    """One value for each picture; those of two together are those of each alone."""
    found = loss.call(tf.constant(wanted), tf.constant(made)).numpy()
    assert found.shape == (len(made),)
    singles = [
        loss.call(tf.constant(wanted[i : i + 1]), tf.constant(made[i : i + 1])) for i in range(len(made))
    ]
    np.testing.assert_allclose(found, np.concatenate(singles), rtol=1e-4)
    return found


@pytest.mark.parametrize("units", ["relative", "keras_example"])
def test_content_is_that_of_the_terms(extractor, units):
    found = each(ContentLoss(extractor, LAYERS[1:], units=units), PICTURES)
    for index, value in enumerate(found):
        content = tf.constant(OTHERS[index : index + 1])
        terms = content_terms(extractor, content, LAYERS[1:], weight=1.0, units=units)
        made = tf.constant(PICTURES[index : index + 1])
        np.testing.assert_allclose(value, of_terms(extractor, terms, made), rtol=1e-4)
    wanted, made = tf.constant(OTHERS), tf.constant(PICTURES)
    with tf.GradientTape(persistent=True) as tape:
        tape.watch([wanted, made])
        value = ContentLoss(extractor, LAYERS[1:], units=units)(wanted, made)
    assert tape.gradient(value, wanted) is None and np.any(tape.gradient(value, made))


@pytest.mark.parametrize(
    ("statistic", "units"),
    [("gram", "paper"), ("moments", "paper"), ("bures", "crowsonkb"), ("histogram", "keras_example")],
)
def test_style_is_that_of_the_terms(extractor, statistic, units):
    options = {"units": units, "statistic": statistic, "layer_weights": [1.0, 0.0, 2.0]}
    found = each(StyleLoss(extractor, STYLES, LAYERS, **options), PICTURES)
    regions = everywhere(*map(tf.constant, STYLES))
    terms = terms_of_styles(extractor, regions, LAYERS, size=(24, 30), weight=1.0, **options)
    for index, value in enumerate(found):
        made = tf.constant(PICTURES[index : index + 1])
        np.testing.assert_allclose(value, of_terms(extractor, terms, made), rtol=1e-3)


def test_ways_to_give_styles(extractor, tmp_path):
    encode.save_image(tmp_path / "style.png", STYLES[0])

    def value(style):
        return StyleLoss(extractor, style, LAYERS)(OTHERS, PICTURES)

    for style in (STYLES[0][0], tf.constant(STYLES[0]), tmp_path / "style.png", [STYLES[0]]):
        np.testing.assert_allclose(value(style), value(STYLES[0]), rtol=1e-5)
    np.testing.assert_allclose(value(OTHERS), value(list(OTHERS)), rtol=1e-5)
    for style, problem in (
        ([], "at least one"),
        (STYLES[0] * 255, "divide"),
        (tmp_path / "none", "no such file"),
    ):
        with pytest.raises((ValueError, OSError), match=rf"^style.*{problem}"):
            value(style)


def test_total_variation():
    found = each(TotalVariationLoss("absolute", units="relative"), PICTURES)
    expected = [np.abs(np.diff(PICTURES, axis=axis)).sum((1, 2, 3)) for axis in (1, 2)]
    np.testing.assert_allclose(found, sum(expected) / (24 * 30), rtol=1e-5)
    # As a term, also in a graph that does not know the size, in float64.
    (term,) = variation_terms(1.0, units="relative", form="absolute")
    graph = tf.function(term.value, input_signature=[tf.TensorSpec([None, None, None, 3], tf.float64)])
    np.testing.assert_allclose(graph(PICTURES.astype(float)), found, rtol=1e-5)


def test_gram_matrix_layer():
    layer = GramMatrix()
    activation = np.random.default_rng(0).random([2, 5, 7, 3], np.float32)
    found = layer(activation)
    np.testing.assert_allclose(found, [gram(one) for one in activation], rtol=1e-5)
    half = GramMatrix(dtype="mixed_bfloat16")
    assert half(activation).dtype == tf.float32
    symbolic = half(tf.keras.Input((None, None, 3)))
    assert symbolic.shape == (None, 3, 3) and symbolic.dtype == "float32"


def test_an_extractor_of_gram_matrices_is_a_keras_model(extractor, tmp_path):
    outputs = {name: GramMatrix()(output) for name, output in extractor.output.items()}
    model = tf.keras.Model(extractor.input, outputs)
    found = model(PICTURES)
    for name, activation in extractor(PICTURES).items():
        assert model.output[name].shape == (None, activation.shape[-1], activation.shape[-1])
        np.testing.assert_allclose(found[name], [gram(one) for one in activation.numpy()], rtol=1e-3)
    np.testing.assert_allclose(model.predict(PICTURES, verbose=0)[LAYERS[0]], found[LAYERS[0]], rtol=1e-4)

    image = tf.keras.Input((None, None, 3))
    small = tf.keras.Model(image, GramMatrix()(tf.keras.layers.Conv2D(2, 3)(image)))
    small.save(tmp_path / "small.keras")
    loaded = tf.keras.models.load_model(tmp_path / "small.keras")
    np.testing.assert_allclose(loaded(PICTURES), small(PICTURES), rtol=1e-6)


def toy_model():
    """From a picture to one that should become another, a residual that begins at nothing."""
    image = tf.keras.Input((None, None, 3))
    change = tf.keras.layers.Conv2D(3, 3, padding="same", kernel_initializer="zeros")(image)
    return tf.keras.Model(image, tf.keras.layers.Add(name="made")([image, change]))


def test_compile_and_fit(extractor, tmp_path):
    toy = toy_model()
    names = ("content", "style", "smooth")
    model = tf.keras.Model(toy.input, dict.fromkeys(names, toy.output))
    model.compile(
        tf.keras.optimizers.Adam(2e-3),
        loss={
            "content": ContentLoss(extractor, LAYERS[2:]),
            "style": StyleLoss(extractor, STYLES[0], LAYERS),
            "smooth": TotalVariationLoss(units="anishathalye", form="mean_squared"),
        },
        loss_weights={"content": 1e-3, "style": 1.0, "smooth": 1e-3},
    )
    history = model.fit(PICTURES, dict.fromkeys(names, PICTURES), epochs=10, verbose=0).history
    assert history["loss"][-1] < 0.9 * history["loss"][0]
    assert {"loss", "content_loss", "style_loss", "smooth_loss"} <= set(history)
    assert len(model.trainable_variables) == 2  # nothing of the extractor

    model.save_weights(tmp_path / "a.weights.h5")
    with pytest.raises(NotImplementedError, match=r"^ContentLoss cannot be saved: .*save_weights"):
        model.save(tmp_path / "a.keras")
    model.compile("sgd", "mse")
    model.save(tmp_path / "a.keras")


def test_one_loss_and_pictures_of_any_size(extractor):
    model = toy_model()
    model.compile("adam", StyleLoss(extractor, STYLES[0], LAYERS))
    found = [
        model.evaluate(values, values, verbose=0) for values in (PICTURES, PICTURES[:, :17], PICTURES[:1])
    ]
    loss = StyleLoss(extractor, STYLES[0], LAYERS)
    expected = [loss(values, values) for values in (PICTURES, PICTURES[:, :17], PICTURES[:1])]
    np.testing.assert_allclose(found, expected, rtol=1e-4)


def test_configurations(extractor):
    loss = TotalVariationLoss("absolute", units="jcjohnson", reduction="sum", name="smooth")
    again = tf.keras.losses.deserialize(tf.keras.losses.serialize(loss))
    assert isinstance(again, TotalVariationLoss) and again.name == "smooth"
    np.testing.assert_allclose(again(OTHERS, PICTURES), loss(OTHERS, PICTURES))
    for loss in (ContentLoss(extractor, LAYERS), StyleLoss(extractor, STYLES[0], LAYERS)):
        with pytest.raises(NotImplementedError, match="holds an extractor"):
            loss.get_config()


def test_wrong_arguments(extractor):
    for make, problem in (
        (lambda: ContentLoss(extractor), r"^layers: unknown layer 'block4_conv2'"),
        (lambda: ContentLoss(extractor, []), r"^layers=\(\): must name"),
        (lambda: ContentLoss(extractor, LAYERS, units="x"), r"^units='x': must be one of relative, paper"),
        (lambda: StyleLoss(extractor, STYLES[0]), r"^layers: unknown layer 'block4_conv1'"),
        (lambda: StyleLoss(extractor, STYLES[0], LAYERS, statistic="x"), r"^statistic='x': must be one of"),
        (
            lambda: StyleLoss(extractor, STYLES[0], LAYERS, layer_weights=[1]),
            r"^layer_weights=\[1.0\]: must be 3",
        ),
        (lambda: TotalVariationLoss("x"), r"^tv_loss='x': must be one of"),
        (lambda: TotalVariationLoss(units="x"), r"^units='x': must be one of"),
    ):
        with pytest.raises(ValueError, match=problem):
            make()
