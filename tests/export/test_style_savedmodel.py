"""SavedModels of networks for any style, called where there is no tfstyle."""

import json

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from tfstyle import InstantStylizer
from tfstyle.export import savedmodel
from tfstyle.export.savedmodel import export_style_network
from tfstyle.feedforward.loading import load_style_network
from tfstyle.feedforward.networks import fingerprint
from tfstyle.feedforward.onnx_network import embedded, light_file
from tfstyle.feedforward.style_network import in_half_precision, style_network

from conftest import answers_to_a_stranger, picture, run_script

SIZES = [(1, 1), (7, 5), (33, 47)]


def small(height, width, seed):
    return picture(max(height, 6), max(width, 6), seed)[np.newaxis, :height, :width]


@pytest.fixture(scope="module")
def network():
    network = style_network(embedding=5, width=4, residual_blocks=1)
    network.measure([np.float32(small(32, 24, seed)) / 255 for seed in range(4)])
    return in_half_precision(network)


@pytest.fixture(scope="module")
def folder(network, tmp_path_factory):
    folder = tmp_path_factory.mktemp("saved") / "model"
    return export_style_network(folder, network, {"photographs": 3}, light=True)


def whole(network, image, style, strength):
    """What the network makes, as floats, blended with the photograph."""
    image, style = (each / np.float32(255) for each in (image, style))
    return image + strength * (network({"image": image, "style": style}).numpy() - image)


@pytest.fixture(scope="module")
def loaded(folder):
    return tf.saved_model.load(str(folder))


@pytest.mark.slow
def test_without_tfstyle(network, folder, tmp_path):
    """Every signature on every size."""
    style, strength = small(20, 31, 9), np.float32(0.75)
    pictures, calls = [small(*size, 1) for size in SIZES], []
    for image in pictures:
        calls.append((folder, "serving_default", {"image": image, "style": style, "strength": strength}))
        floats = {"image": image / np.float32(255), "style": style / np.float32(255), "strength": strength}
        calls.append((folder, "float", floats))
    files = {
        f"{name}_bytes": np.array([tf.io.encode_png(each[0]).numpy() for each in some])
        for name, some in (("image", pictures), ("style", [style]))
    }
    calls.append((folder, "encoded_bytes", {**files, "strength": strength}))
    *answers, encoded = answers_to_a_stranger(tmp_path, calls)
    for image, integers, floats, file in zip(
        pictures, answers[::2], answers[1::2], encoded["picture_bytes"], strict=True
    ):
        expected = whole(network, image, style, 0.75)
        np.testing.assert_allclose(floats["picture"], expected, atol=1e-5)
        for found in (integers["picture"], tf.io.decode_png(file).numpy()[np.newaxis]):
            assert found.dtype == np.uint8 and np.abs(found - 255 * expected).max() <= 0.51


def test_styles_are_measured_once_and_mixed(network, loaded):
    image = small(19, 23, 1) / np.float32(255)
    styles = [small(20, 31, 8) / np.float32(255), small(40, 16, 9) / np.float32(255)]
    embeddings = [loaded.embed(style)["embedding"] for style in styles]
    for style, found in zip(styles, embeddings):
        np.testing.assert_allclose(found, network.embedding(style), rtol=1e-4, atol=1e-5)
    mixed = 0.25 * embeddings[0] + 0.75 * embeddings[1]
    made = loaded.restyle(image, mixed, strength=tf.constant(1.0))
    expected = network.network({"image": tf.constant(image), "style": mixed})
    np.testing.assert_allclose(made, expected, atol=1e-5)


def test_comes_back(network, folder):
    again, card = load_style_network(folder)
    assert fingerprint(again) == fingerprint(network) == card["fingerprint"]
    wide, _ = load_style_network(folder, dtype="float64")
    assert wide.network.get_layer("first").compute_dtype == "float64"


def test_styles_are_read_without_tensorflow_too(network, folder):
    """By onnxruntime, also of a picture smaller than the encoder takes."""
    file = light_file(folder, json.loads((folder / savedmodel.CARD).read_text()), "style_onnx")
    for size in SIZES:
        style = small(*size, 2) / np.float32(255)
        expected = network.embedding(style).numpy()[0]
        np.testing.assert_allclose(embedded(file, style), expected, rtol=1e-2, atol=0.01)
    with pytest.raises(ValueError, match="holds no network of tfstyle"):
        embedded(folder / "network.onnx", style)


def test_one_style_for_all_or_one_for_each(loaded):
    images = np.concatenate([small(9, 8, 1), small(9, 8, 2)])
    styles = np.concatenate([small(12, 12, 3), small(12, 12, 4)])
    call = loaded.signatures["serving_default"]
    strength = tf.constant(1.0)
    each = call(image=tf.constant(images), style=tf.constant(styles), strength=strength)["picture"].numpy()
    for index in range(2):
        one = call(image=tf.constant(images), style=tf.constant(styles[index : index + 1]), strength=strength)
        assert np.abs(one["picture"][index].numpy().astype(int) - each[index]).max() <= 1


def test_wrong_calls_are_told(loaded):
    image, style = np.zeros([1, 8, 8, 3], np.float32), np.zeros([1, 8, 8, 3], np.float32)
    for given, message in (
        ((image, style, 1.5), "strength: must be from 0 to 1, not"),
        ((image, 255 + style, 1.0), "style: floats must be in"),
        ((255 + image, style, 1.0), "image: floats must be in"),
        ((image[:0], style, 1.0), "image: must be at least one picture"),
        ((image, np.repeat(style, 2, 0), 1.0), "style: must be one picture, or one for each content"),
    ):
        with pytest.raises(tf.errors.InvalidArgumentError, match=message):
            loaded.paint(*map(tf.constant, given))


def test_the_card(folder, network, tmp_path):
    card = json.loads((folder / savedmodel.CARD).read_text())
    told = card["model"], card["layout"]["styles"], card["minimum_size"], card["photographs"]
    assert told == ("style_network", 5 + 12, 1, 3)
    assert set(card["signatures"]) == {"serving_default", "float", "encoded_bytes"}
    assert card["signatures"]["serving_default"]["inputs"] == {
        "image": "uint8 [?, ?, ?, 3]", "style": "uint8 [?, ?, ?, 3]", "strength": "float32 []",
    }  # fmt: skip
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(ValueError, match="holds something that is no export"):
        export_style_network(tmp_path, network)


def test_a_layer_of_any_style(network, folder):
    """Its styles are pictures, of which it has read what they are."""
    styles = [small(40, 50, seed)[0] for seed in (6, 7)]
    stylize = InstantStylizer.load(folder, pictures=styles, style="style2")
    image = small(18, 20, 1)
    expected = whole(network, image, styles[1][np.newaxis], 1.0)
    np.testing.assert_allclose(stylize(image / np.float32(255)), expected, atol=1e-4)


def test_the_script_paints_in_pictures_mixed(folder, network, tmp_path):
    content, *styles = (picture(20, 30, seed) for seed in (3, 4, 5))
    for name, pixels in (("photo", content), ("a", styles[0]), ("b", styles[1])):
        Image.fromarray(pixels).save(tmp_path / f"{name}.png")
    made = run_script(
        "stylize.py", "--content=photo.png", f"--model={folder}", "--style=a.png:0.7,b.png:0.3", cwd=tmp_path
    )
    assert (made.returncode, made.stdout) == (0, "photo_a_b.png\n"), made.stderr
    floats = [pixels[np.newaxis] / np.float32(255) for pixels in (content, *styles)]
    mixed = 0.7 * network.embedding(floats[1]) + 0.3 * network.embedding(floats[2])
    expected = network.network({"image": tf.constant(floats[0]), "style": mixed}).numpy()
    found = np.array(Image.open(tmp_path / "photo_a_b.png"))
    np.testing.assert_allclose(found, np.round(255 * expected[0]), atol=2)
    missing = run_script("stylize.py", "--content=photo.png", f"--model={folder}", cwd=tmp_path)
    assert missing.returncode == 1
    assert missing.stderr.splitlines()[-1].startswith("stylize.py: error: style: is missing")
