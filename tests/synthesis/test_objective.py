"""The objective on a real (narrow) network in float64: every evaluation, traces, weights, batches, together.

That it is each source's formula, with its gradient: test_conformance.py.
"""

import os

import numpy as np
import pytest
import tensorflow as tf

from tfstyle.losses.regions import Region, Source, everywhere
from tfstyle.losses.terms import ImageTerm, SummedTerm, Term, content_terms, variation_terms
from tfstyle.synthesis.objective import EVALUATIONS, Objective, together
from tfstyle.vgg import feature_extractor

from conftest import picture, run_script, terms_of_styles

LAYERS = ["block1_conv1", "block2_conv1", "block3_conv1"]
CONTENT = tf.constant(picture(24, 30, seed=1)[np.newaxis] / 255.0)
STYLE = tf.constant(picture(28, 20, seed=2)[np.newaxis] / 255.0)  # of another size
IMAGE = tf.constant(picture(24, 30, seed=3)[np.newaxis] / 255.0)


@pytest.fixture(scope="module")
def extractor(narrow_file):
    return feature_extractor(LAYERS, weights=narrow_file, dtype="float64")


def terms(extractor, units, **options):
    return [
        *content_terms(extractor, CONTENT, ["block2_conv1"], weight=3.0, units=units),
        *terms_of_styles(
            extractor, everywhere(STYLE), LAYERS, size=(24, 30), weight=7.0, units=units, **options
        ),
    ]


def test_layer_weights(extractor):
    weighted = terms(extractor, "paper", layer_weights=(0.5, 0.0, 0.25))
    assert {term.name: term.weight for term in weighted} == {
        "content/block2_conv1": 3.0,
        "style/block1_conv1": 3.5,
        "style/block3_conv1": 1.75,
    }


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


def test_terms_must_have_names_of_their_own(extractor):
    term = Term("same", 1.0, lambda image, activations: tf.reduce_sum(image))
    for wrong in ([], [term, term]):
        with pytest.raises(ValueError, match=r"^terms: must be at least one, each with its own name"):
            Objective(extractor, wrong)


DEEP = ["block1_conv1", "block2_conv1", "block3_conv1", "block4_conv1", "block5_conv1"]


def deep_terms(extractor, image, tile=None):
    """Content in the middle of a block; no total variation, which could outweigh the network's gradient."""
    content = tf.constant(picture(*image.shape[1:3], seed=1)[np.newaxis] / 255.0, image.dtype)
    style = tf.constant(picture(130, 90, seed=2)[np.newaxis] / 255.0, image.dtype)
    options = {"units": "paper", "tile": tile}
    return [
        *content_terms(extractor, content, ["block4_conv2"], weight=1.0, **options),
        *terms_of_styles(extractor, everywhere(style), DEEP, size=image.shape[1:3], weight=1e2, **options),
    ]


def difference(one, other):
    return np.linalg.norm(one - other) / np.linalg.norm(other)


# The tiles divide neither the pictures nor themselves by the stride of 16; in each there is a tile
# whose neighbourhood of 80 pixels ends inside.
@pytest.mark.parametrize(
    ("padding", "pooling", "size", "tile", "dtype", "tolerance"),
    [
        ("reflect", "average", (65, 250), 33, "float64", 1e-12),
        ("zeros", "max", (203, 170), 50, "float32", 1e-5),
    ],
)
def test_evaluations_are_equal(narrow_file, padding, pooling, size, tile, dtype, tolerance):
    extractor = feature_extractor(
        [*DEEP, "block4_conv2"], weights=narrow_file, padding=padding, pooling=pooling, dtype=dtype
    )
    image = tf.constant(picture(*size, seed=3)[np.newaxis] / 255.0, dtype)
    total, values, gradient = Objective(extractor, deep_terms(extractor, image)).value_and_gradient(image)
    recomputing = Objective(extractor, deep_terms(extractor, image), evaluation="recompute")
    # Targets, too, are made of tiles here.
    tiled = Objective(extractor, deep_terms(extractor, image, tile), evaluation="tiled", tile=tile)
    for objective in (recomputing, tiled):
        other_total, other_values, other_gradient = objective.value_and_gradient(image)
        assert float(other_total[0]) == pytest.approx(float(total[0]), rel=tolerance)
        assert difference(other_gradient, gradient) < tolerance
        for name, value in values.items():
            # A term is a small difference of large numbers.
            assert float(other_values[name][0]) == pytest.approx(float(value[0]), rel=100 * tolerance)


def test_evaluation_without_a_graph_is_that_with_one(extractor):
    """`plain` goes through the extractor in pieces where it can, and else calls it."""
    one, other = (
        Objective(network, terms(extractor, "paper")).value_and_gradient(IMAGE)
        for network in (extractor, lambda image: extractor(image))
    )
    np.testing.assert_allclose(one[0], other[0], rtol=1e-12)
    assert difference(one[2], other[2]) < 1e-12


@pytest.mark.parametrize("evaluation", EVALUATIONS)
def test_weighing_needs_no_other_trace(extractor, evaluation):
    traced = []

    def part(features, cut):
        traced.append(features.shape)
        return tf.reduce_sum(features)

    def both(weight):
        return [SummedTerm("sum", weight, "block2_conv1", part, lambda found: found), *variation_terms(1.0)]

    objective = Objective(extractor, both(1.0), evaluation=evaluation, tile=8)
    before = objective.value_and_gradient(IMAGE)
    count = len(traced)
    objective.weigh({"sum": 3.0, "total_variation": 0.5})
    total, _, gradient = objective.value_and_gradient(IMAGE)
    assert len(traced) == count
    variation = before[0] - before[1]["sum"]
    np.testing.assert_allclose(total, 3 * before[1]["sum"] + 0.5 * variation, rtol=1e-12)
    again = Objective(extractor, both(3.0)[:1], evaluation=evaluation, tile=8).value_and_gradient(IMAGE)[2]
    alone = Objective(extractor, variation_terms(0.5)).value_and_gradient(IMAGE)[2]
    np.testing.assert_allclose(gradient, again + alone, rtol=1e-10, atol=1e-12)
    if evaluation == "tiled":  # one trace for tiles of any size, in each of the passes
        assert {shape[1] for shape in traced} == {None}


def test_terms_on_the_picture_alone(extractor):
    term = ImageTerm("bright", 2.0, tf.reduce_sum)
    assert float(term.loss(IMAGE, {})) == pytest.approx(np.sum(IMAGE))
    for evaluation in EVALUATIONS:
        total, _, gradient = Objective(extractor, [term], evaluation=evaluation).value_and_gradient(IMAGE)
        assert float(total[0]) == pytest.approx(2 * np.sum(IMAGE))
        np.testing.assert_array_equal(gradient, np.full(IMAGE.shape, 2.0))


def test_users_own_terms_in_every_evaluation_but_tiled(extractor):
    def loss(image, activations):
        return tf.reduce_sum(image) * tf.reduce_sum(activations["block2_conv1"] ** 2)

    summands = [Term("own", 1e-3, loss), *terms(extractor, "paper")]
    plain = Objective(extractor, summands).value_and_gradient(IMAGE)
    recomputed = Objective(extractor, summands, evaluation="recompute").value_and_gradient(IMAGE)
    np.testing.assert_allclose(recomputed[0], plain[0], rtol=1e-12)
    assert difference(recomputed[2], plain[2]) < 1e-12
    with pytest.raises(
        ValueError, match=r"^terms: 'own' may look at all activations.* ImageTerm .* SummedTerm"
    ):
        Objective(extractor, summands, evaluation="tiled")


def test_a_value_for_each_picture(extractor):
    """Of a batch; one that is all pictures' together would be nobody's."""
    both = tf.concat([IMAGE, CONTENT], 0)
    objective = Objective(extractor, [*terms(extractor, "paper"), *variation_terms(1.0)])
    alone = Objective(extractor, objective.terms)
    totals, values, gradient = objective.value_and_gradient(both)
    for index in range(2):
        total, parts, slope = alone.value_and_gradient(both[index : index + 1])
        np.testing.assert_allclose(totals[index], total[0], rtol=1e-11)
        np.testing.assert_allclose(gradient[index], slope[0], rtol=1e-9, atol=1e-13)
        for name, value in parts.items():
            np.testing.assert_allclose(values[name][index], value[0], rtol=1e-11, atol=1e-20)
    with pytest.raises(ValueError, match=r"^terms: 'bright' gives one value for 2 pictures"):
        Objective(extractor, [ImageTerm("bright", 1.0, tf.reduce_sum)]).losses(both)


def test_bad_evaluation(extractor):
    summands = terms(extractor, "paper")
    with pytest.raises(ValueError, match=r"^evaluation='fast': must be one of plain, recompute, tiled"):
        Objective(extractor, summands, evaluation="fast")
    with pytest.raises(ValueError, match=r"^tile=3: must be at least 4"):
        Objective(extractor, summands, evaluation="tiled", tile=3)
    for evaluation in ("recompute", "tiled"):
        with pytest.raises(ValueError, match=r"^extractor: .* must be a functional Keras model"):
            Objective(lambda image: extractor(image), summands, evaluation=evaluation)


PEAK = """
import re, sys
import numpy as np, tensorflow as tf
from tfstyle.losses.measuring import targets_of
from tfstyle.losses.regions import Region, Source, everywhere
from tfstyle.losses.style import style_terms
from tfstyle.synthesis.objective import Objective
from tfstyle.vgg import feature_extractor
evaluation, weights = sys.argv[1:]
layers = ["block1_conv1", "block2_conv1", "block3_conv1"]
extractor = feature_extractor(layers, weights=weights)
image = tf.random.uniform([1, 1024, 1024, 3])
targets = targets_of(extractor, everywhere(image), layers, "gram", tile=128)
terms = style_terms(extractor, targets, layers, size=(1024, 1024), weight=1.0, units="paper")
peak = lambda: int(re.search("VmHWM:\\s+(\\d+) kB", open("/proc/self/status").read())[1]) / 1024
open("/proc/self/clear_refs", "w").write("5")  # the peak so far is forgotten
before = peak()
Objective(extractor, terms, evaluation=evaluation, tile=256).value_and_gradient(image)
print(peak() - before)
"""


@pytest.mark.slow
@pytest.mark.skipif(not os.path.exists("/proc/self/clear_refs"), reason="reads the peak from Linux' /proc")
def test_memory(tmp_path):
    generator, arrays, channels = np.random.default_rng(0), {}, 3
    for name in ("block1_conv1", "block1_conv2", "block2_conv1", "block2_conv2", "block3_conv1"):
        arrays[f"{name}/kernel"] = generator.standard_normal((3, 3, channels, 16)) / 12
        arrays[f"{name}/bias"], channels = np.zeros(16), 16
    np.savez(tmp_path / "weights.npz", **arrays)
    (tmp_path / "peak.py").write_text(PEAK)
    megabytes = {}
    for evaluation in ("plain", "tiled"):
        done = run_script(tmp_path / "peak.py", evaluation, tmp_path / "weights.npz", cwd=tmp_path)
        assert done.returncode == 0, done.stderr[-2000:]
        megabytes[evaluation] = float(done.stdout)
    # conv1_1 alone has 64 MiB at this size.
    assert megabytes["tiled"] < 0.6 * megabytes["plain"], megabytes


def test_weights_may_be_one_for_each_picture():
    term = ImageTerm("light", 1.0, lambda image: tf.reduce_mean(image, axis=[1, 2, 3]))

    def nothing(image):
        return {}

    objective, images = together([Objective(nothing, [term]) for _ in range(3)]), tf.fill([3, 2, 2, 3], 0.5)
    objective.weigh({"light": [1.0, 2.0, 4.0]})
    np.testing.assert_allclose(objective.value_and_gradient(images)[0], [0.5, 1.0, 2.0])
    objective.weigh({"light": 3.0})
    np.testing.assert_allclose(objective.value_and_gradient(images)[0], [1.5, 1.5, 1.5])


# Several pictures together, against each alone.

SIZE = (24, 30)
MASK = np.linspace(0, 1, 24 * 30).reshape(1, 24, 30, 1)


def tensor(height, width, seed):
    return tf.constant(picture(height, width, seed)[np.newaxis] / 255.0)


IMAGES = tf.concat([tensor(*SIZE, seed) for seed in (1, 2, 3)], 0)


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
            extractor, region, LAYERS[:2], size=SIZE, weight=10.0 * index, units="gatys_code"
        )
        terms += [*variation_terms(0.5 * index), *more]
        seen = (
            (lambda image: tf.image.rgb_to_grayscale(image) * tf.ones([3], image.dtype))
            if index == 2
            else None
        )
        made.append(Objective(extractor, terms, evaluation=evaluation, tile=8, seen=seen))
    return made


@pytest.mark.parametrize("evaluation", ["plain", "tiled"])
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
