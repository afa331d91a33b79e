"""The objectives of runs that share a workshop."""

import dataclasses

import numpy as np
import pytest
import tensorflow as tf

from tfstyle.config import TransferConfig
from tfstyle.runtime.workshop import Workshop
from tfstyle.synthesis.inputs import make_inputs
from tfstyle.synthesis.objectives import Objectives

from conftest import narrow_weights, picture

CONTENT, STYLE = picture(40, 48, seed=1), picture(44, 40, seed=2)
LEFT = np.zeros((40, 48), np.uint8)
LEFT[:, :24] = 255


@pytest.fixture(scope="module")
def config(narrow_file):
    return TransferConfig(
        weights=narrow_file,
        padding="zeros",
        image_size=48,
        content_layers=("conv2_1",),
        style_layers=("conv1_1", "conv2_1"),
        scales=1,
    )


def objectives(config, style=STYLE, workshop=None, **masks):
    inputs = make_inputs(CONTENT, style, config, **masks)
    return Objectives(inputs, config, None, workshop or Workshop())


def test_a_normalised_network_is_that_of_the_pictures_measured(config):
    """Of a style that is given twice, regions are equal, but what is measured is not."""
    config, masks = dataclasses.replace(config, normalize=True), {"content_masks": [LEFT, 255 - LEFT]}
    workshop = Workshop()
    objectives(config, workshop=workshop, **masks).at((40, 48))
    shared = objectives(config, [STYLE, STYLE.copy()], workshop, **masks).at((40, 48))
    alone = objectives(config, [STYLE, STYLE.copy()], **masks).at((40, 48))
    for one, other in zip(shared.extractor.get_weights(), alone.extractor.get_weights()):
        np.testing.assert_array_equal(one, other)


def test_weights_are_explained_where_all_iterations_are_exact(config):
    config = dataclasses.replace(config, iterations=1, precision="bfloat16", style_strength=0.5)
    assert "content" in objectives(config).explain()


def test_coarse_scales_are_on_their_own_network(config, tmp_path):
    np.savez(tmp_path / "other.npz", **narrow_weights(seed=1))
    other = str(tmp_path / "other.npz")
    both = objectives(dataclasses.replace(config, scales=2, coarse_weights=other))
    for size, weights in (((20, 24), other), ((40, 48), config.weights)):
        one = objectives(dataclasses.replace(config, scales=2, weights=weights))
        image = tf.random.Generator.from_seed(1).uniform([1, *size, 3])
        for name, value in one.at(size).losses(image).items():
            np.testing.assert_array_equal(value, both.at(size).losses(image)[name])
