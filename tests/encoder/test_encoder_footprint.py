"""Trainings of an encoder that would not fit into memory are refused, with what would fit."""

import dataclasses
import re

import numpy as np
import pytest
import tensorflow as tf
from encoder import crops, footprint
from encoder.recipe import EncoderRecipe
from encoder.training import train
from encoder.trunk import trunk
from PIL import Image

from tfstyle.runtime import memory

from conftest import picture

RECIPE = EncoderRecipe(batch_size=64, crop_size=64)


def with_room(monkeypatch, size):
    monkeypatch.setattr(memory, "resident_bytes", lambda: 10**9)
    monkeypatch.setattr(memory, "free_bytes", lambda: size)


@pytest.mark.parametrize(
    "options", [{}, {"widths": (2, 3, 4, 5, 6), "depths": (1, 2, 3, 4, 4), "crop_size": 50}]
)
def test_values_and_parameters_are_those_of_the_network(options):
    recipe = dataclasses.replace(RECIPE, **options)
    network = trunk(recipe)
    kinds = (tf.keras.layers.Conv2D, tf.keras.layers.AveragePooling2D)
    layers = {layer.name: layer.output for layer in network.layers if isinstance(layer, kinds)}
    side = recipe.crop_size
    shapes = tf.keras.Model(network.input, layers).compute_output_shape((1, side, side, 3))
    assert footprint.values(recipe) == sum(np.prod(shape) for shape in shapes.values())
    assert footprint.parameters(recipe) == sum(np.prod(each.shape) for each in network.trainable_variables)


def test_needs_grow_with_the_batch_its_area_and_the_photographs():
    def needs(photographs=0, **changes):
        return footprint.needed_bytes(dataclasses.replace(RECIPE, **changes), photographs)

    nothing = 2 * needs() - needs(batch_size=128)
    assert needs(batch_size=256) - nothing == pytest.approx(4 * (needs() - nothing), rel=1e-6)
    assert needs(crop_size=128) - nothing == pytest.approx(4 * (needs() - nothing), rel=1e-6)
    assert needs(10**9) - needs() == pytest.approx(3.8e9, rel=1e-6)
    assert needs() < needs(adversarial=1.0) and needs() < needs(precision="float32")
    assert needs() < needs(normalization="batch")


def test_what_cannot_fit_is_refused_with_what_would(monkeypatch):
    photographs = [picture(40, 50, seed) for seed in range(2)]
    needs = footprint.needed_bytes(RECIPE, 2 * 40 * 50 * 3)
    with_room(monkeypatch, int(0.8 * needs))
    with pytest.raises(ValueError, match=r"^batch_size=64, crop_size=64: needs 1\.\d\d GB") as caught:
        train(photographs, RECIPE)
    batch, side = map(int, re.search(r"batch_size=(\d+) or crop_size=(\d+)$", str(caught.value)).groups())
    assert batch % 2 == 0
    for changes in ({"batch_size": batch}, {"crop_size": side}):
        footprint.require_fit(dataclasses.replace(RECIPE, **changes), photographs)
    with_room(monkeypatch, 0)
    with pytest.raises(ValueError, match="nothing smaller would fit"):
        footprint.require_fit(RECIPE, photographs)


def test_photographs_that_would_not_fit_are_told_before_all_are_read(tmp_path, monkeypatch):
    """Of 12, with a look after each 4: 4 are read, and there is room for 6."""
    paths = [tmp_path / f"{index}.png" for index in range(12)]
    for path in paths[:4]:
        Image.fromarray(picture(20, 30, 1)).save(path)
    each = 20 * 30 * 3
    monkeypatch.setattr(crops, "_LOOK_EVERY", 4)
    monkeypatch.setattr(footprint, "free_bytes", lambda: 6.5 * each * 4.8 - 4 * each)
    with pytest.raises(ValueError, match=r"^photos: 12 of them take more memory than .* about 6 would fit$"):
        crops.read_photographs(paths)
    assert len(crops.read_photographs(paths[:4])) == 4
