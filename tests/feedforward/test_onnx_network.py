"""Networks painted with by onnxruntime: the same pictures, and no TensorFlow."""

import io
import json
import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from tfstyle.export.savedmodel import export_network
from tfstyle.feedforward.cards import read_card
from tfstyle.feedforward.loading import load_network
from tfstyle.feedforward.networks import transformation_network
from tfstyle.feedforward.onnx_network import FILE, LightPainter, light_file
from tfstyle.runtime.memory_model import PAINTED_LIGHT, most_whole_pixels

from conftest import differing, picture, well


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A network trained in half precision."""
    network = differing(transformation_network(2, width=4, residual_blocks=1, dtype="mixed_bfloat16"))
    folder = tmp_path_factory.mktemp("light") / "model"
    return export_network(folder, network, {"styles": ["mosaic.jpg", "swirls.jpg"]}, light=True)


@pytest.fixture(scope="module")
def network(folder):
    """It is in float32 here, as in strips."""
    return load_network(folder, dtype="float32")[0]


def no_strips(*given):
    raise AssertionError("painted in strips")


@pytest.mark.parametrize(("size", "most"), [((33, 50), 0.5), ((1, 1), 12)])
def test_pictures_are_those_of_the_network(folder, network, size, most):
    """Where all is of one colour, normalisations amplify what is left: the rounding of the processor."""
    paint = LightPainter(light_file(folder, read_card(folder)), 4, no_strips)
    pictures = np.stack([picture(*size, seed) for seed in (1, 2)]).astype(np.float32) / 255
    weights = [0.25, 0.75]
    whole = network({"image": tf.constant(pictures), "style": tf.constant([weights] * 2)}).numpy()
    np.testing.assert_allclose(paint(pictures, weights), whole, atol=most / 255)


def test_pictures_too_large_as_a_whole_go_elsewhere(folder):
    given = []
    paint = LightPainter(folder / FILE, 4, lambda *arguments: given.append(arguments))
    whole = most_whole_pixels(4, PAINTED_LIGHT)
    large = np.broadcast_to(np.float32(0.5), (1, 2, whole, 3))
    paint(large, [1.0, 0.0])
    assert given[0][0].shape == large.shape and given[0][1:] == ([1.0, 0.0],)
    assert paint.needed_bytes(1000) == PAINTED_LIGHT * 4 * 1000
    strips = 4 * (50 * 2**19 + 3 * 2 * whole)
    assert paint.needed_bytes(2 * whole) == 700e6 + strips, "TensorFlow is still to come"


def test_which_folders_have_a_file(folder, tmp_path):
    card = read_card(folder)
    assert light_file(folder, card) == folder / FILE
    assert light_file(folder, {key: value for key, value in card.items() if key != "onnx"}) is None
    assert light_file(tmp_path, card) is None
    (tmp_path / FILE).write_bytes(b"another")
    with pytest.raises(ValueError, match=r"network\.onnx is not the one that its card speaks of"):
        light_file(tmp_path, card)


def run(*flags, cwd, stdin=b""):
    """Runs `tfstyle stylize`; the last line on standard error tells whether TensorFlow was imported."""
    program = (
        "import atexit, sys\nfrom tfstyle.cli import main\n"
        "atexit.register(lambda: print('tensorflow' in sys.modules, file=sys.stderr))\nmain()"
    )
    command = [sys.executable, "-c", program, "stylize", *flags]
    done = well(subprocess.run(command, cwd=cwd, capture_output=True, input=stdin))
    assert done.stderr.decode().splitlines()[-1] == "False"
    return done.stdout


def test_the_command_does_without_tensorflow(folder, network, tmp_path):
    """And a transparent picture is painted in the colours that it had before it was laid on white."""
    content = np.dstack([picture(30, 40), np.full((30, 40), 200, np.uint8)])
    Image.fromarray(content).save(tmp_path / "photo.png")
    flags = [f"--model={folder}", "--style=swirls"]
    assert run(*flags, "--content=photo.png", "--output=made.png", cwd=tmp_path) == b"made.png\n"
    made = Image.open(tmp_path / "made.png")
    assert json.loads(made.text["tfstyle"])["model"]["onnx"] == read_card(folder)["onnx"]
    laid = np.round(content[..., :3] * np.float32(200 / 255) + 55)
    shown = np.clip((laid - 55) / np.float32(200), 0, 1)[np.newaxis]
    expected = 255 * network({"image": tf.constant(shown), "style": tf.constant([[0.0, 1.0]])}).numpy()[0]
    pixels = np.array(made)
    assert np.abs(pixels[..., :3] - expected).max() < 2.5 and np.all(pixels[..., 3] == 200)
    bytes_given = (tmp_path / "photo.png").read_bytes()
    piped = run(*flags, "--content=-", "--output=-", cwd=tmp_path, stdin=bytes_given)
    np.testing.assert_array_equal(np.array(Image.open(io.BytesIO(piped))), pixels)
