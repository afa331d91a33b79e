"""Several pictures in one graph, against each alone."""

import numpy as np
import pytest
import tensorflow as tf

from tfstyle.losses.regions import Region, Source, everywhere
from tfstyle.losses.terms import ImageTerm, Term, content_terms, variation_terms
from tfstyle.synthesis.objective import EVALUATIONS, Objective, together
from tfstyle.vgg import feature_extractor

from conftest import picture, terms_of_styles

LAYERS = ["block1_conv1", "block2_conv1"]
SIZE = (24, 30)
MASK = np.linspace(0, 1, 24 * 30).reshape(1, 24, 30, 1)


def tensor(height, width, seed):
    return tf.constant(picture(height, width, seed)[np.newaxis] / 255.0)


IMAGES = tf.concat([tensor(*SIZE, seed) for seed in (1, 2, 3)], 0)


@pytest.fixture(scope="module")
def extractor(narrow_file):
    return feature_extractor(LAYERS, weights=narrow_file, dtype="float64")


def objectives(extractor, evaluation="plain", more=()):
    """Three pictures with contents, styles, weights of their own; the second one has a mask, the third is grey."""
    regions = [
        everywhere(tensor(28, 20, 4)),
        [Region((Source(tensor(20, 26, 5)),), tf.constant(MASK))],
        everywhere(tensor(30, 30, 6)),
    ]
    made = []
    for index, region in enumerate(regions):
        terms = content_terms(
            extractor, tensor(*SIZE, 10 + index), LAYERS[:1], weight=1.0 + index, units="gatys_code"
        )
        terms += terms_of_styles(
            extractor, region, LAYERS, size=SIZE, weight=10.0 * index, units="gatys_code"
        )
        terms += [*variation_terms(0.5 * index), *more]
        seen = (
            (lambda image: tf.image.rgb_to_grayscale(image) * tf.ones([3], image.dtype))
            if index == 2
            else None
        )
        made.append(Objective(extractor, terms, evaluation=evaluation, tile=8, seen=seen))
    return made


@pytest.mark.parametrize("evaluation", EVALUATIONS)
def test_each_picture_is_as_if_alone(extractor, evaluation):
    alone = objectives(extractor, evaluation)
    joint = together(alone)
    values, losses, gradient = joint.value_and_gradient(IMAGES)
    weighted = joint.weighted(losses)
    assert values.shape == [3]
    for index, objective in enumerate(alone):
        value, parts, slope = objective.value_and_gradient(IMAGES[index : index + 1])
        np.testing.assert_allclose(values[index], value[0], rtol=1e-11)
        np.testing.assert_allclose(gradient[index], slope[0], rtol=1e-9, atol=1e-13)
        assert list(losses) == list(parts)
        for name, expected in objective.weighted(parts).items():
            np.testing.assert_allclose(losses[name][index], parts[name][0], rtol=1e-11)
            np.testing.assert_allclose(weighted[name][index], expected[0], rtol=1e-11)
    for name, values in joint.losses(IMAGES).items():
        np.testing.assert_allclose(values, losses[name], rtol=1e-12)


def test_terms_of_the_users_own(extractor):
    """Made for one picture: a scalar, from the picture or from all activations."""
    more = [
        ImageTerm("dark", 2.0, lambda image: tf.reduce_sum(tf.square(image))),
        Term("busy", 3.0, lambda image, activations: tf.reduce_max(activations["block2_conv1"])),
    ]
    found = together(objectives(extractor, more=more)).losses(IMAGES)
    np.testing.assert_allclose(found["dark"][:2], np.sum(IMAGES.numpy()[:2] ** 2, axis=(1, 2, 3)), rtol=1e-12)
    busy = extractor(IMAGES[1:2])["block2_conv1"]
    np.testing.assert_allclose(found["busy"][1], busy.numpy().max(), rtol=1e-12)


def test_weights_may_be_changed(extractor):
    alone = objectives(extractor)
    joint = together(alone)
    before = joint.value_and_gradient(IMAGES)[0].numpy()
    joint.weigh({term.name: [1, 2, 1] * np.array(term.weight) for term in joint.terms})
    np.testing.assert_allclose(joint.value_and_gradient(IMAGES)[0], before * [1, 2, 1], rtol=1e-12)


def test_notes_say_whose_they_are(extractor):
    alone = objectives(extractor)
    alone[1].note = "style_strength=0.5"
    assert together(alone).note == "picture 2: style_strength=0.5"


def test_what_does_not_go_together(extractor):
    alone = objectives(extractor)
    with pytest.raises(ValueError, match="at least one"):
        together([])
    other = Objective(extractor, alone[0].terms[:1])
    with pytest.raises(ValueError, match="terms of the same names"):
        together([alone[0], other])
    tiled = Objective(extractor, alone[0].terms, evaluation="tiled", tile=8)
    with pytest.raises(ValueError, match="one extractor, evaluation and tile"):
        together([alone[0], tiled])
