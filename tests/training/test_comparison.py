"""A network beside the optimisation."""

import dataclasses
import json

import numpy as np
import pytest
from PIL import Image

from tfstyle import TransferConfig, transfer
from tfstyle.feedforward.model_card import page
from tfstyle.training.comparison import Comparison, compare, summary

from conftest import picture

LAYERS = {"content_layers": "conv2_1", "style_layers": "conv1_1,conv2_1"}


@pytest.fixture(scope="module")
def config(narrow_file):
    return TransferConfig(
        weights=narrow_file,
        image_size=40,
        scales=1,
        style_weight=50.0,
        tv_weight=0.1,
        precision="float32",
        pooling="average",
        **LAYERS,
    )


def test_values_are_those_of_a_transfer(config, tmp_path):
    """What the network's picture is worth, and where the optimisation gets, by `transfer` itself."""
    photograph, style = picture(32, 32, 3), picture(40, 30, 4)
    Image.fromarray(photograph).save(tmp_path / "photo.png")
    alone = dataclasses.replace(config, image_size=32, style_scale=40 / 32, iterations=20, log_every=10)
    expected = transfer(photograph, style, alone)
    first = expected.history[0]
    weights = {name: value / expected.unweighted[name] for name, value in expected.losses.items()}
    made = np.asarray(expected.image)
    (found,) = compare(
        lambda image, number: made,
        [tmp_path / "photo.png"],
        [style],
        config,
        weights,
        size=32,
        steps=(10, 20),
    )
    assert found.start == pytest.approx(first.total, rel=1e-4)
    assert found.network == pytest.approx(expected.total, rel=1e-4)
    assert found.optimisation[20] == pytest.approx(expected.total, rel=1e-3)
    assert found.optimisation[20] < found.optimisation[10] < found.start
    assert 15 < found.equal_steps <= 20 or found.equal_steps == float("inf")
    assert set(found.pictures) == {"photograph", "network", 10, 20}
    np.testing.assert_array_equal(found.pictures["photograph"], photograph)
    json.dumps(found.to_dict(), allow_nan=False)


def test_what_does_not_fit_is_refused(config):
    with pytest.raises(ValueError, match=r"^steps=0: must be whole numbers, 1 or above"):
        compare(None, [], [], config, {}, steps=(0,))
    with pytest.raises(ValueError, match=r"^image_size=0: "):
        compare(None, [], [], dataclasses.replace(config, image_size=0), {})


def comparison(network, **changes):
    options = {"network_seconds": 0.5, "step_seconds": 0.25, **changes}
    return Comparison("a.jpg", 0, 100.0, network, {10: 60.0, 20: 50.0, 30: 48.0}, **options)


def test_equal_steps_and_summary_by_hand():
    for value, steps in ((120, 0), (100, 0), (80, 5), (60, 10), (55, 15), (49, 25), (47, float("inf"))):
        assert comparison(value).equal_steps == steps
    found = summary([comparison(80), comparison(55), comparison(47)], steps=(10, 30))
    assert found["network"] == 0.55 and found["10 steps"] == 0.6 and found["30 steps"] == 0.48
    assert found["equal_steps"] == 15
    assert summary([comparison(47)], steps=(10,))["equal_steps"] is None
    assert found["times_as_fast"] == (5 * 0.5 + 15 * 0.5) / 2


def test_the_page_of_a_card():
    card = {
        "model": "network",
        "photographs": 976,
        "recipe": {"steps": 7, "batch_size": 4, "crop_size": 24, "computed_in": "float32"},
        "config": {
            "weights": "weights.npz", "content_layers": ["block3_conv1"], "style_layers": ["block1_conv1"],
            "style_loss": "gram", "style_strength": 0.5, "style_weight": 1.0, "image_size": 512,
        },
        "losses": {"content/block3_conv1": 2.5},
        "license": "MIT",
    }  # fmt: skip
    lines = page(card, ["swirls"]).splitlines()
    for line in (
        "| Steps | 7 of 4 crops, 24 x 24, computed in float32 |",
        "| Photographs | 976 |",
        "| Extractor | weights.npz |",
        "| Style | gram, strength 0.5, pictures 512 pixels wide |",
        "1. swirls ![swirls](styles/1_swirls.jpg)",
        "| content/block3_conv1 | 2.5 |",
        "| Licence | MIT |",
    ):
        assert line in lines
    assert "Seconds" not in page({"model": "network"})
    for weights in ("imagenet", "mini"):
        assert "Simonyan & Zisserman" in page({"config": {**card["config"], "weights": weights}})
