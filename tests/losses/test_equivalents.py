"""Weights in other codes' units, against conversions by hand."""

import dataclasses

import pytest

from tfstyle.config import PRESETS, TransferConfig
from tfstyle.config.units import UNITS
from tfstyle.losses.equivalents import explain
from tfstyle.vgg import feature_extractor

SIZE = (32, 48)
WEIGHTS = {"content": 1.0, "style": 1000.0}
# Filters and positions of the layers of `conftest.narrow_weights` in a picture of this size.
SHAPES = {
    "conv1_1": (4, 1536), "conv2_1": (6, 384), "conv3_1": (8, 96), "conv4_1": (8, 24), "conv5_1": (8, 6),
}  # fmt: skip
DEVIATION = 57.63  # 255 times the mean of torchvision's


GATYS = TransferConfig(units="gatys_code")
# {term: its loss in the paper's units where all activations are 0}
WHOLES = {
    **{f"content/block{block}_conv2": 10.0 * block for block in (4, 5)},
    **{f"style/block{block}_conv1": 100.0 * block for block in range(1, 6)},
}


def explained(extractor, config, weights):
    return explain(extractor, SIZE, config, weights, WHOLES)


@pytest.fixture(scope="module")
def extractor(narrow_file):
    layers = [*SHAPES, "conv4_2", "conv5_2"]
    return feature_extractor(layers, weights=narrow_file)


def rows(text):
    """{name: [content_weight, style_weight, tv_weight]}, each a dash or numbers."""
    heading, columns, *lines = text.splitlines()
    assert heading == "The same objective, at 48 x 32 pixels, in the units of"
    assert columns.split() == ["content_weight", "style_weight", "tv_weight"]

    def cell(part):
        return "-" if part == "-" else [float(number) for number in part.split(",")]

    return {line.split()[0]: [cell(part) for part in line.replace(", ", ",").split()[1:]] for line in lines}


def near(*values):
    return pytest.approx(list(values), rel=1e-5)


def test_from_gatys_code(extractor):
    found = rows(explained(extractor, GATYS, WEIGHTS))
    assert list(found) == list(UNITS)
    assert found["gatys_code"] == [near(1), near(1000), "-"]
    # The mean of (F-P)^2 over NM elements is 2/(NM) of half its sum; conv4_2 has 8 filters, 24 positions.
    # Style: 1e3 4/N^2 for each layer, of which w_l = 1/5 leaves 5 times as much.
    paper = [5 * 1000 * 4 / filters**2 for filters, _ in SHAPES.values()]
    assert found["paper"] == [near(2 / (8 * 24)), near(*paper), "-"]
    assert found["jcjohnson"] == [near(1), near(1000), near(0)]
    assert found["anishathalye"] == [near(1), near(5000), near(0)]
    # The mean of (G/M - A/M)^2, not over N^2.
    tutorial = [5 * 1000 / filters**2 for filters, _ in SHAPES.values()]
    assert found["tf_tutorial"] == [near(1), near(*tutorial), near(0)]
    # 1e3/N^2 mean (G/M - A/M)^2 = s/5 sum (G - A)^2 / (36 pixels^2), whose sum is N^2 M^2 of that mean.
    keras = [
        5 * 1000 / filters**2 * 36 * 1536**2 / (filters**2 * positions**2)
        for filters, positions in SHAPES.values()
    ]
    assert found["keras_example"] == [near(1 / (8 * 24)), near(*keras), near(0)]
    # Activations there are as much smaller, and there are no Gram matrices.
    assert found["crowsonkb"] == [near(DEVIATION**2), "-", near(0)]


@pytest.mark.parametrize("name", UNITS)
def test_a_preset_is_told_its_own_weights(extractor, name):
    config = PRESETS["tfstyle" if name == "relative" else name]
    weights = {"content": config.content_weight, "style": config.style_weight}
    if config.tv_weight:
        weights["total_variation"] = config.tv_weight
    found = rows(explained(extractor, config, weights))[name]
    assert found[:2] == [near(config.content_weight), near(config.style_weight)]
    assert found[2] == (
        near(config.tv_weight) if config.tv_weight else "-" if name != "relative" else near(0)
    )


def test_to_and_from_relative_units(extractor):
    """A content loss of 40 and a style loss of 100, 200, … in the paper's units are 1 in these."""
    found = rows(explained(extractor, PRESETS["tfstyle"], {"content": 1.0, "style": 30.0}))
    assert found["paper"] == [near(1 / 40), near(30 / 100, 30 / 200, 30 / 300, 30 / 400, 30 / 500), "-"]
    back = rows(explained(extractor, PRESETS["paper"], {"content": 0.5, "style": 2.0}))["relative"]
    assert back == [near(0.5 * 40), near(200, 400, 600, 800, 1000), near(0)]


def test_total_variation_of_the_same_form_alone(extractor):
    config = TransferConfig(units="gatys_code", tv_weight=2.0, tv_loss="inner_squared")
    found = rows(explained(extractor, config, {**WEIGHTS, "total_variation": 2.0}))
    # Half of (255 d)^2, where here it is d^2.
    assert {name: row[2] for name, row in found.items() if row[2] != "-"} == {
        "relative": near(2 * 1536),  # a mean over pixels
        "jcjohnson": near(2 * 2 / 255**2),
    }
    config = TransferConfig(units="keras_example", tv_loss="mean_squared")
    found = rows(explained(extractor, config, {**WEIGHTS, "total_variation": 3.0}))
    assert found["anishathalye"][2] == near(3 * 255**2.5 / 255**2)
    assert found["keras_example"][2] == "-"


def test_bures_is_crowsonkbs_alone(extractor):
    config = TransferConfig(units="gatys_code", style_loss="bures")
    found = rows(explained(extractor, config, WEIGHTS))
    assert {name for name, row in found.items() if row[1] != "-"} == {"relative", "crowsonkb"}
    # Its layers have 256, 64, 16, 4 and 1 of 341, where these have 1.
    layers = [1000 * DEVIATION**2 * 341 / share for share in (256, 64, 16, 4, 1)]
    assert found["crowsonkb"][1] == near(*layers)
    # And moments are no code's.
    found = rows(explained(extractor, dataclasses.replace(config, style_loss="moments"), WEIGHTS))
    assert {row[1] for row in found.values()} == {"-"}
    # For other layers it has no weights, and equal ones are supposed.
    config = dataclasses.replace(config, units="crowsonkb", style_layers=("conv1_1", "conv2_1"))
    assert rows(explained(extractor, config, WEIGHTS))["crowsonkb"][1] == near(1000)


def test_layer_weights(extractor):
    config = TransferConfig(
        units="gatys_code", style_layers=("conv1_1", "conv3_1"), style_layer_weights=(0.25, 0.0)
    )
    found = rows(explained(extractor, config, WEIGHTS))
    assert found["gatys_code"][1] == found["jcjohnson"][1] == near(250, 0)
    assert found["anishathalye"][1] == near(500, 0)


def test_several_content_layers(extractor):
    """The tutorial and crowsonkb divide the weight, so that they need it twice."""
    config = TransferConfig(units="gatys_code", content_layers=("conv4_2", "conv5_2"))
    found = rows(explained(extractor, config, WEIGHTS))
    assert found["gatys_code"][0] == found["anishathalye"][0] == near(1)
    assert found["paper"][0] == near(2 / (8 * 24), 2 / (8 * 6))
    assert found["tf_tutorial"][0] == near(2)
    assert found["crowsonkb"][0] == near(2 * DEVIATION**2)


def test_what_is_not_there_weighs_nothing(extractor):
    found = rows(explained(extractor, TransferConfig(style_loss="bures"), {"style": 2.0}))
    assert {tuple(row[0]) for row in found.values()} == {(0.0,)}
    found = rows(explained(extractor, GATYS, {"content": 2.0}))
    assert {tuple(row[1]) for row in found.values()} == {(0.0,)}
