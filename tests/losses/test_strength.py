"""Strength is a style weight in relative units, whatever the config's own units are."""

import dataclasses

import numpy as np
import pytest
import tensorflow as tf

from tfstyle import TransferConfig, Workshop, transfer
from tfstyle.losses import strength
from tfstyle.synthesis.inputs import make_inputs
from tfstyle.synthesis.objectives import Objectives

from conftest import picture

CONTENT, STYLE = picture(36, 48, seed=1), picture(40, 32, seed=2)


@pytest.fixture
def config(narrow_file):
    return TransferConfig(
        weights=narrow_file, image_size=0, iterations=4, precision="float32", style_strength=0.25,
        optimizer="adam", padding="zeros", units="gatys_code", content_layers=("conv2_1",),
        style_layers=("conv1_1", "conv2_1"),
    )  # fmt: skip


def objective(config, content=CONTENT):
    inputs = make_inputs(content, STYLE, config)
    return Objectives(inputs, config, None, Workshop()).at(inputs.size), inputs.content


def weighted(objective, image):
    """Each term's part of the total of one picture."""
    return {name: float(part[0]) for name, part in objective.weighted(objective.losses(image)).items()}


def test_the_scale():
    """Half is the default weight; a quarter more is five times as much."""
    half = TransferConfig().style_weight
    found = [strength.style_weight(s) for s in (0.25, 0.5, 0.75, 1.0)]
    assert found == pytest.approx([half / 5, half, 5 * half, 25 * half])


@pytest.mark.parametrize(("statistic", "units"), [("gram", "paper"), ("bures", "jcjohnson")])
def test_it_is_the_objective_of_relative_units(config, statistic, units):
    """Up to what the content's weight is in the config's units."""
    weight = strength.style_weight(0.25)
    relative = {"units": "relative", "style_strength": 0.0, "style_weight": weight, "style_loss": statistic}
    reference, content = objective(dataclasses.replace(config, **relative))
    strong, _ = objective(dataclasses.replace(config, units=units, style_loss=statistic, content_weight=7.0))
    other = tf.constant(np.random.default_rng(0).random(content.shape), tf.float32)
    expected, found = weighted(reference, other), weighted(strong, other)
    factor = found["content/block2_conv1"] / expected["content/block2_conv1"]
    assert found == pytest.approx({name: factor * value for name, value in expected.items()}, rel=1e-3)
    assert {term.weight for term in strong.terms if term.name.startswith("content")} == {7.0}


def test_shares_of_layers_stay(config):
    equal, content = objective(config)
    uneven, _ = objective(dataclasses.replace(config, style_layer_weights=(3, 1)))
    ones, others = (weighted(each, content) for each in (equal, uneven))
    # Of the two layers' halves, one has three quarters and one a quarter.
    for name, share in (("style/block1_conv1", 0.75), ("style/block2_conv1", 0.25)):
        assert others[name] == pytest.approx(ones[name] * 2 * share, rel=1e-3)


def test_it_is_told_in_weights_that_give_the_same(config):
    result = transfer(CONTENT, STYLE, config)
    lines = [line for progress in result.history for line in progress.note.splitlines()]
    (note,) = [line for line in lines if line.startswith("style_strength")]
    found = dict(part.split("=") for part in note.partition(": ")[2].split(", "))
    same = dataclasses.replace(
        config,
        style_strength=0.0,
        content_weight=float(found["content_weight"]),
        style_weight=float(found["style_weight"]),
        style_layer_weights=tuple(map(float, found["style_layer_weights"].split(","))),
    )
    again = transfer(CONTENT, STYLE, same).history[0]
    assert again.losses == pytest.approx(result.history[0].losses, rel=1e-3)


def test_a_finish_in_float32_has_the_same_weights(config):
    config = dataclasses.replace(config, precision="bfloat16")
    inputs = make_inputs(CONTENT, STYLE, config)
    objectives = Objectives(inputs, config, None, Workshop())
    one, other = objectives.at(inputs.size), objectives.exact_at(inputs.size)
    assert [term.weight for term in one.terms] == [term.weight for term in other.terms]


def test_content_and_style_may_be_the_same_or_of_one_colour(config):
    for content in (STYLE, np.full_like(STYLE, 200), np.zeros_like(STYLE)):
        made, image = objective(config, content)
        assert np.isfinite(list(weighted(made, image).values())).all()
