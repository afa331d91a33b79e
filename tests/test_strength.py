"""Strength is a balance of losses, each in units of what it is where nothing is matched."""

import dataclasses

import numpy as np
import pytest
import tensorflow as tf

from tfstyle import TransferConfig, Workshop, transfer
from tfstyle.assembly import Assembly
from tfstyle.scenes import make_scene

from conftest import picture

CONTENT, STYLE = picture(36, 48, seed=1), picture(40, 30, seed=2)


@pytest.fixture
def config(narrow_file):
    return TransferConfig(
        weights=narrow_file, image_size=0, iterations=4, precision="float32", style_strength=0.25
    )


@pytest.mark.parametrize("statistic", ["gram", "moments", "bures", "histogram"])
@pytest.mark.parametrize("pooling", ["max", "average"])
def test_losses_are_in_units_of_what_is_not_matched(config, statistic, pooling):
    config = dataclasses.replace(config, style_loss=statistic, pooling=pooling, content_weight=7.0)
    scene, _ = make_scene(CONTENT, STYLE, config)
    objective = Assembly(scene, config, None, Workshop()).objective_at(scene.size)

    def lost(pixels):
        image = tf.constant(pixels, tf.float32)
        return objective.weighted(objective.losses(image))["content/block4_conv2"]

    nothing = lost(np.broadcast_to(CONTENT.mean((0, 1)) / 255, CONTENT.shape)[np.newaxis])
    noise = tf.random.stateless_normal([1, *CONTENT.shape], [0, 1], stddev=0.1)
    unit = nothing**0.75 * lost(np.clip(scene.content + noise, 0, 1)) ** 0.25
    start = objective.weighted(objective.losses(scene.content))
    styles = [value for name, value in start.items() if name.startswith("style/")]
    assert len(styles) == 5
    # Every layer a fifth of 0.25/0.75 of the content's.
    np.testing.assert_allclose(styles, unit / 3 / 5, rtol=2e-3)
    assert {term.weight for term in objective.terms if term.name.startswith("content")} == {7.0}


def test_shares_of_layers_stay(config):
    config = dataclasses.replace(config, style_layer_weights=(3, 0, 1, 0, 0))
    scene, _ = make_scene(CONTENT, STYLE, config)
    objective = Assembly(scene, config, None, Workshop()).objective_at(scene.size)
    start = objective.weighted(objective.losses(scene.content))
    assert start["style/block1_conv1"] == pytest.approx(3 * start["style/block3_conv1"], rel=1e-3)


def test_it_is_told_in_weights_that_give_the_same(config):
    result = transfer(CONTENT, STYLE, config)
    (note,) = [progress.note for progress in result.history if "style_strength" in progress.note]
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


def test_stronger_is_further_from_the_content(config):
    errors = []
    for strength in (0.1, 0.5, 0.9):
        changed = dataclasses.replace(config, style_strength=strength, iterations=15)
        result = transfer(CONTENT, STYLE, changed)
        errors.append(result.unweighted["content/block4_conv2"])
    assert errors[0] < errors[1] < errors[2]


def test_a_finish_in_float32_has_the_same_weights(config):
    config = dataclasses.replace(config, precision="bfloat16")
    scene, _ = make_scene(CONTENT, STYLE, config)
    assembly = Assembly(scene, config, None, Workshop())
    one, other = assembly.objective_at(scene.size), assembly.exact_at(scene.size)
    assert [term.weight for term in one.terms] == [term.weight for term in other.terms]


def test_no_difference_no_balance(config):
    with pytest.raises(ValueError, match=r"^style_strength=0.25: cannot be measured"):
        transfer(CONTENT, CONTENT, config)
