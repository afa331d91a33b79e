"""The command that trains networks: a style of one's own."""

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from tfstyle.feedforward import cards
from tfstyle.feedforward.loading import load_network, load_style_network
from tfstyle.feedforward.networks import parameters
from tfstyle.io import images

from conftest import picture, picture_folder, run_script, well


@pytest.mark.slow
def test_a_style_of_one_s_own_begins_with_what_is_read_from_its_picture(tmp_path):
    Image.fromarray(picture(80, 100, 3)).save(tmp_path / "own.png")
    flags = ["--steps=1", "--training_rate=0", "--crop_size=32", "--image_size=96", "--batch_size=1"]
    flags += ["--only_styles", "--styles=own.png", "--output=own"]
    assert well(run_script("train_stylizer.py", *flags, cwd=tmp_path)).stdout == "own\n"
    network, card = load_network(tmp_path / "own")
    assert card["styles"] == ["own.png"] and card["config"]["weights"] == "mini"
    any_style, _ = load_style_network(cards.shipped(cards.ANY_STYLE))
    style = images.load_fitted(tmp_path / "own.png", "style", 96)
    for name, own in parameters(any_style.for_known([style])).items():
        np.testing.assert_allclose(parameters(network)[name], own, rtol=2e-3, atol=2e-3)
    painted = network(
        {"image": tf.constant(picture(40, 40)[np.newaxis] / np.float32(255)), "style": tf.ones([1, 1])}
    )
    assert painted.shape == [1, 40, 40, 3]


@pytest.mark.slow
def test_a_network_for_any_style_from_folders(tmp_path):
    """One step of a small one."""
    for folder in ("photos", "paintings"):
        picture_folder(tmp_path / folder, 3, 60, 72)
    flags = ["--steps=1", "--crop_size=32", "--style_crop_size=32", "--weights=mini", "--style_layers=conv1_1,conv2_1",
             "--embedding=4", "--batch_size=1", "--validation=0", "--width=2", "--residual_blocks=0"]  # fmt: skip
    flags += ["--network=arbitrary", "--photos=photos", "--styles=paintings", "--output=any"]
    assert well(run_script("train_stylizer.py", *flags, cwd=tmp_path)).stdout == "any\n"
    network, card = load_style_network(tmp_path / "any")
    assert network.network.input["style"].shape[-1] == 4 + 12
    assert card["styles"] == ["0.png", "1.png", "2.png"]
    assert (tmp_path / "any" / "network.onnx").is_file() and (tmp_path / "any" / "style.onnx").is_file()
