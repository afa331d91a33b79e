"""Which styles go where; style terms under masks, blends and statistics, against NumPy, on a real (narrow) network in float64."""

import numpy as np
import pytest
import tensorflow as tf

from tfstyle.losses.measuring import Target
from tfstyle.losses.regions import Region, Source, everywhere, limited, make_regions, painted
from tfstyle.synthesis.objective import Objective
from tfstyle.vgg import feature_extractor
from tfstyle.vgg.receptive_field import propagated

from conftest import picture, terms_of_styles

LAYERS = ["block1_conv1", "block2_conv1"]
SIZE = (24, 30)
IMAGE = tf.constant(picture(*SIZE, seed=3)[np.newaxis] / 255.0)
STYLES = [tf.constant(picture(28, 20, seed=seed)[np.newaxis] / 255.0) for seed in (1, 2)]


def half(height, width):
    """White on the left, with a soft edge."""
    mask = np.zeros((1, height, width, 1), np.float32)
    mask[:, :, : width // 2], mask[:, :, width // 2] = 1.0, 0.5
    return tf.constant(mask)


@pytest.fixture(scope="module")
def extractor(narrow_file):
    return feature_extractor(LAYERS, weights=narrow_file, dtype="float64")


def losses(extractor, regions, evaluation="plain", **options):
    terms = terms_of_styles(extractor, regions, LAYERS, size=SIZE, weight=1.0, units="paper", **options)
    return Objective(extractor, terms, evaluation=evaluation, tile=8).losses(IMAGE)


def mean_gram(extractor, image, layer, mask=None):
    """Guided, per position: each counts as the share of what it sees that lies in the region."""
    features = extractor(image)[layer].numpy()[0]
    shares = (
        np.ones(features.shape[:2])
        if mask is None
        else propagated(extractor, mask, [layer])[layer].numpy()[0, ..., 0]
    )
    rows = features.reshape(-1, features.shape[-1])
    return rows.T @ (rows * shares.reshape(-1, 1)) / np.sum(shares)


def distance(one, other):
    """Eq. (4) of Gram matrices per position."""
    return np.sum((one - other) ** 2) / (4 * len(one) ** 2)


@pytest.mark.parametrize("layer", LAYERS)
def test_a_region_has_its_own_style(extractor, layer):
    where, what = half(*SIZE), half(28, 20)
    regions = [
        Region((Source(STYLES[0], mask=what),), where, "1"),
        Region((Source(STYLES[1]),), 1 - where, "2"),
    ]
    values = losses(extractor, regions)
    assert list(values) == [f"style/{name}/{region}" for region in "12" for name in LAYERS]
    expected = [
        distance(mean_gram(extractor, IMAGE, layer, where), mean_gram(extractor, STYLES[0], layer, what)),
        distance(mean_gram(extractor, IMAGE, layer, 1 - where), mean_gram(extractor, STYLES[1], layer)),
    ]
    np.testing.assert_allclose([values[f"style/{layer}/{region}"][0] for region in "12"], expected, rtol=1e-5)


def test_a_region_weighs_as_its_share_of_the_picture(extractor):
    where = half(*SIZE)
    regions = [Region((Source(STYLES[0]),), mask, name) for mask, name in ((where, "1"), (1 - where, "2"))]
    terms = terms_of_styles(extractor, regions, LAYERS, size=SIZE, weight=6.0, units="paper")
    share = 15.5 / 30
    np.testing.assert_allclose(
        [term.weight for term in terms], [3 * share] * 2 + [3 * (1 - share)] * 2, rtol=1e-6
    )


def test_positions_between_regions_count_as_much_as_others(extractor):
    """For both regions together, each column counts as its positions."""
    where = half(*SIZE)
    regions = [Region((Source(STYLES[0]),), mask, name) for mask, name in ((where, "1"), (1 - where, "2"))]
    terms = terms_of_styles(extractor, regions, LAYERS, size=SIZE, weight=1.0, units="paper")
    for layer, features in extractor(IMAGE).items():
        height, width = features.shape[1:3]
        for column in range(width):
            here = (slice(None), slice(None), slice(column, column + 1))
            counts = [
                term.part(features[here], lambda guide, here=here: guide[here])["count"].numpy()
                for term in terms
                if term.layer == layer
            ]
            assert len(counts) == 2
            np.testing.assert_allclose(sum(counts), height, rtol=1e-5)


@pytest.mark.parametrize("layer", LAYERS)
def test_blends(extractor, layer):
    region = Region((Source(STYLES[0], 3.0), Source(STYLES[1], 1.0)))
    own = mean_gram(extractor, IMAGE, layer)
    targets = [mean_gram(extractor, style, layer) for style in STYLES]
    mixed = float(losses(extractor, [region], blend="targets")[f"style/{layer}"][0])
    assert mixed == pytest.approx(distance(own, 0.75 * targets[0] + 0.25 * targets[1]), rel=1e-8)
    summed = float(losses(extractor, [region], blend="losses")[f"style/{layer}"][0])
    assert summed == pytest.approx(
        0.75 * distance(own, targets[0]) + 0.25 * distance(own, targets[1]), rel=1e-8
    )


@pytest.mark.parametrize(
    ("statistic", "evaluation"),
    [("gram", "tiled"), ("moments", "recompute"), ("bures", "recompute"), ("histogram", "tiled")],
)
def test_every_statistic_of_regions_in_every_evaluation(extractor, statistic, evaluation):
    where = half(*SIZE)
    regions = [
        Region((Source(STYLES[0], mask=half(28, 20)), Source(STYLES[1])), where, "1"),
        Region((Source(STYLES[1]),), 1 - where, "2"),
    ]

    def evaluated(evaluation):
        terms = terms_of_styles(
            extractor, regions, LAYERS, size=SIZE, weight=1.0, units="paper", statistic=statistic,
            tile=8 if evaluation == "tiled" else None,
        )  # fmt: skip
        return Objective(extractor, terms, evaluation=evaluation, tile=8).value_and_gradient(IMAGE)

    (total, _, gradient), (other, _, slope) = evaluated("plain"), evaluated(evaluation)
    assert float(total[0]) > 0 and float(tf.norm(gradient)) > 0
    np.testing.assert_allclose(other, total, rtol=1e-7)
    np.testing.assert_allclose(slope, gradient, rtol=1e-5, atol=1e-7 * float(tf.norm(gradient)))


def test_a_masked_part_of_a_style_counts_for_nothing(extractor):
    """What the mask leaves out may be anything."""
    wide = tf.constant(picture(28, 60, seed=1)[np.newaxis] / 255.0)
    mask = np.zeros((1, 28, 60, 1), np.float32)
    mask[:, :, :10] = 1
    # From twice as far on as any layer sees: so far the mask reaches, and so far what it reaches sees.
    spoilt = tf.where(tf.range(60)[:, tf.newaxis] < 40, wide, 1.0)
    regions = [[Region((Source(style, mask=tf.constant(mask)),))] for style in (wide, spoilt)]
    one, other = (losses(extractor, each)["style/block2_conv1"] for each in regions)
    np.testing.assert_allclose(one, other, rtol=1e-12)


# Regions.

ONE = tf.zeros([1, 8, 6, 3])


def mask(*rows):
    return tf.constant(rows, tf.float32)[tf.newaxis, ..., tf.newaxis]


LEFT, RIGHT = mask([1, 0], [1, 0]), mask([0, 1], [0, 1])


def test_what_does_not_fit():
    with pytest.raises(ValueError, match=r"^style: 3 pictures for 2 regions"):
        make_regions([ONE] * 3, (1.0,) * 3, [(LEFT, None), (RIGHT, None)])
    with pytest.raises(ValueError, match=r"^style_masks: 2 of them for one style and no content_masks"):
        make_regions([ONE], (1.0,), [(None, LEFT), (None, RIGHT)])


def test_area_is_the_share_of_the_picture_and_painted_where_any_region_lies():
    assert Target((), mask=mask([1, 0.5], [0, 0])).area == pytest.approx(0.375)
    first, second = (
        Region((Source(ONE),), where) for where in (mask([1, 0.25], [0, 0]), mask([0, 0.5], [0, 0]))
    )
    np.testing.assert_allclose(painted([first, second])[0, ..., 0], [[1, 0.75], [0, 0]])
    whole = [Region((Source(ONE),), where) for where in (LEFT, RIGHT)]
    assert painted(whole) is None


def test_shrunk_with_their_masks():
    source = Source(ONE, mask=tf.ones([1, 8, 6, 1])).shrunk(0.5)
    assert source.style.shape == (1, 4, 3, 3) and source.mask.shape == (1, 4, 3, 1)


def test_what_is_transparent_counts_for_nothing():
    half = tf.fill([1, 2, 2, 1], 0.5)
    (region,) = limited(everywhere(ONE), half, {id(ONE): RIGHT})
    assert region.mask is half and region.sources[0].mask is RIGHT
    (region,) = limited(make_regions([ONE], (1.0,), [(LEFT, LEFT)]), half, {id(ONE): RIGHT})
    np.testing.assert_allclose(region.mask, 0.5 * LEFT)
    np.testing.assert_allclose(region.sources[0].mask, tf.zeros([1, 2, 2, 1]))
