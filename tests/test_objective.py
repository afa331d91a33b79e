"""The objective against NumPy, in each preset's units, on a real (narrow) network in float64."""

import numpy as np
import pytest
import tensorflow as tf

from tfstyle import config
from tfstyle.features import feature_extractor
from tfstyle.objective import UNITS, Objective, Term, content_terms, style_terms, variation_terms

from conftest import picture

LAYERS = ["block1_conv1", "block2_conv1", "block3_conv1"]
CONTENT = tf.constant(picture(24, 30, seed=1)[np.newaxis] / 255.0)
STYLE = tf.constant(picture(28, 20, seed=2)[np.newaxis] / 255.0)  # of another size
IMAGE = tf.constant(picture(24, 30, seed=3)[np.newaxis] / 255.0)


@pytest.fixture(scope="module")
def extractor(narrow_file):
    return feature_extractor(LAYERS, weights=narrow_file, dtype="float64")


def rows(activation):
    """The paper's F, filters by positions."""
    return activation.numpy().reshape(-1, activation.shape[-1]).T


def expected_content(extractor, units):
    f, p = (rows(extractor(image)["block2_conv1"]) for image in (IMAGE, CONTENT))
    return {"paper": 0.5 * np.sum((f - p) ** 2), "gatys_code": np.mean((f - p) ** 2)}[units]


def expected_style(extractor, layer, units):
    f, s = (rows(extractor(image)[layer]) for image in (IMAGE, STYLE))
    filters, positions = f.shape
    mean_gram, mean_target = f @ f.T / positions, s @ s.T / s.shape[1]
    return {
        "paper": np.sum((mean_gram * positions - mean_target * positions) ** 2)
        / (4 * filters**2 * positions**2),
        "gatys_code": np.mean((mean_gram - mean_target) ** 2) / filters**2,
    }[units]


def terms(extractor, units, **options):
    return [
        *content_terms(extractor, CONTENT, ["block2_conv1"], weight=3.0, units=units),
        *style_terms(extractor, STYLE, LAYERS, weight=7.0, units=units, **options),
    ]


@pytest.mark.parametrize("units", config.choices("units"))
def test_terms_in_their_units(extractor, units):
    values = Objective(extractor, terms(extractor, units)).losses(IMAGE)
    assert list(values) == ["content/block2_conv1", *(f"style/{layer}" for layer in LAYERS)]
    np.testing.assert_allclose(values["content/block2_conv1"], expected_content(extractor, units), rtol=1e-10)
    for layer in LAYERS:
        np.testing.assert_allclose(
            values[f"style/{layer}"], expected_style(extractor, layer, units), rtol=1e-10
        )


@pytest.mark.parametrize(("units", "equal"), [("paper", 1 / 3), ("gatys_code", 1.0)])
def test_total_is_the_weighted_sum(extractor, units, equal):
    objective = Objective(extractor, terms(extractor, units))
    total, values, _ = objective.value_and_gradient(IMAGE)
    style = sum(expected_style(extractor, layer, units) for layer in LAYERS)
    np.testing.assert_allclose(total, 3 * expected_content(extractor, units) + 7 * equal * style, rtol=1e-10)
    np.testing.assert_allclose(sum(objective.weighted(values).values()), total, rtol=1e-10)


def test_layer_weights(extractor):
    weighted = terms(extractor, "paper", layer_weights=(0.5, 0.0, 0.25))
    assert {term.name: term.weight for term in weighted} == {
        "content/block2_conv1": 3.0,
        "style/block1_conv1": 3.5,
        "style/block3_conv1": 1.75,
    }


def test_gradient_against_differences(extractor):
    objective = Objective(extractor, [*terms(extractor, "paper"), *variation_terms(2.0)])
    _, _, gradient = objective.value_and_gradient(IMAGE)
    for place in ((0, 0, 0, 0), (0, 11, 17, 1), (0, 23, 29, 2)):
        step = np.zeros(IMAGE.shape)
        step[place] = 1e-5
        above, below = (float(objective.value_and_gradient(IMAGE + sign * step)[0]) for sign in (1, -1))
        assert float(gradient[place]) == pytest.approx((above - below) / 2e-5, rel=1e-4)


def test_compiled_once(extractor):
    traced = []

    def loss(image, activations):
        traced.append(image.shape)
        return tf.reduce_sum(tf.square(image))

    objective = Objective(extractor, [Term("f", 1.0, loss)])
    for _ in range(3):
        objective.value_and_gradient(IMAGE)
    assert traced == [IMAGE.shape]
    objective.losses(IMAGE)
    objective.losses(tf.Variable(IMAGE))
    assert traced == [IMAGE.shape] * 2


def test_targets_are_not_computed_again(narrow_file):
    """Content and style go through the network when the terms are made, and never after that."""
    passes = []

    class Counting:
        def __init__(self, model):
            self.model = model

        def __call__(self, image):
            tf.py_function(lambda picture: passes.append(tuple(picture.shape)), [image], [])
            return self.model(image)

    counting = Counting(feature_extractor(LAYERS, weights=narrow_file, dtype="float64"))
    objective = Objective(counting, terms(counting, "paper"))
    made = len(passes)
    for _ in range(3):
        objective.value_and_gradient(IMAGE)
    assert passes[made:] == [tuple(IMAGE.shape)] * 3


def test_style_of_the_picture_itself_is_no_loss_at_any_size(extractor):
    texture = np.tile(picture(8, 8), (3, 3, 1))[np.newaxis] / 255.0
    small, large = tf.constant(texture), tf.constant(np.tile(texture, (1, 2, 2, 1)))
    terms_of_small = style_terms(extractor, small, ["block1_conv1"], weight=1.0, units="paper")
    on_large = float(Objective(extractor, terms_of_small).losses(large)["style/block1_conv1"])
    other = float(Objective(extractor, terms_of_small).losses(IMAGE)["style/block1_conv1"])
    assert on_large < 0.02 * other  # all that differs is the border


def test_units_of_the_config_are_those_of_the_objective():
    assert set(config.choices("units")) == set(UNITS)


def test_terms_must_have_names_of_their_own(extractor):
    term = Term("same", 1.0, lambda image, activations: tf.reduce_sum(image))
    for wrong in ([], [term, term]):
        with pytest.raises(ValueError, match=r"^terms: must be at least one, each with its own name"):
            Objective(extractor, wrong)
