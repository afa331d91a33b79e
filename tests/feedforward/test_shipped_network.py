"""The networks that the repository ships, small and there for who has TensorFlow alone: sixteen styles, and any."""

import itertools
import json

import numpy as np

from tfstyle import InstantStylizer
from tfstyle.export.conversion import check, convert
from tfstyle.export.lite import LiteNetwork
from tfstyle.feedforward.loading import load_network, load_style_network
from tfstyle.feedforward.onnx_network import FILE, STYLE_FILE, OnnxNetwork, embedded

from conftest import ROOT, answers_to_a_stranger, picture

FOLDER, ANY_STYLE = ROOT / "saved_models" / "styles", ROOT / "saved_models" / "any_style"
SIZES = [(1, 7), (33, 20), (90, 121)]


def test_it_is_small_and_says_what_it_is():
    assert size_of(FOLDER) < 5e6
    card = json.loads((FOLDER / "tfstyle.json").read_text())
    network, _ = load_network(FOLDER)
    assert card["styles_known"] == len(card["styles"]) == network.input["style"].shape[-1] == 16
    assert card["config"]["weights"] == "imagenet" and card["photographs"] > 3000 and "license" in card
    page = (FOLDER / "README.md").read_text()
    for number, name in enumerate(card["styles"], 1):
        stem = name.removesuffix(".jpg")
        assert f"styles/{number}_{stem}.jpg" in page and (FOLDER / "styles" / f"{number}_{stem}.jpg").exists()


def size_of(folder):
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def test_any_style_is_small_and_the_same_without_tensorflow():
    """Styles that differ have embeddings and pictures that do."""
    assert size_of(ANY_STYLE) < 10e6
    network, card = load_style_network(ANY_STYLE, dtype="float32")
    assert card["config"]["weights"] == "imagenet"
    assert card["photographs"] > 3000 and len(card["styles"]) > 1500
    image, made = np.float32(picture(65, 43, 2))[np.newaxis] / 255, []
    for style in (picture(120, 80, 5), np.sqrt(picture(120, 80, 6) / 255.0) * 255):
        style = np.float32(style)[np.newaxis] / 255
        embedding = embedded(ANY_STYLE / STYLE_FILE, style)
        np.testing.assert_allclose(embedding, network.embedding(style)[0], atol=0.02)
        made.append(OnnxNetwork(ANY_STYLE / FILE).paint(image, [embedding]))
        np.testing.assert_allclose(made[-1], network({"image": image, "style": style}), atol=2 / 255)
    assert np.abs(made[0] - made[1]).mean() > 0.02


def test_styles_differ_and_shapes_stay():
    stylize = InstantStylizer.load(FOLDER)
    content = np.float32(picture(90, 120, 3))[np.newaxis] / 255
    made = {name: np.asarray(stylize(content, style=name)) for name in stylize.names}
    assert len(made) == 16 and "starry_night" in made
    # Strokes of files are as large as those of the styles in training; a layer made again knows.
    assert stylize.stroke_size == InstantStylizer.from_config(stylize.get_config()).stroke_size == 512
    edges = [np.abs(np.diff(each.mean(-1), axis=1)).max() for each in (content, *made.values())]
    assert min(edges) > 0.02
    pairs = [np.abs(one - other).mean() for one, other in itertools.combinations(made.values(), 2)]
    assert min(pairs) > 0.02  # some 5 of 255


def test_where_there_is_no_tfstyle(tmp_path):
    stylize, calls = InstantStylizer.load(FOLDER), []
    options = {"style": np.float32([[0.5, 0.5] + [0.0] * 14]), "strength": np.float32(0.8)}
    for height, width in SIZES:
        image = picture(max(height, 6), max(width, 6), 1)[np.newaxis, :height, :width]
        calls.append((FOLDER, "with_style", {"image": image, **options}))
    for (*_, given), answer in zip(calls, answers_to_a_stranger(tmp_path, calls), strict=True):
        made, image = answer["picture"], given["image"]
        assert made.shape == image.shape and made.dtype == np.uint8
        expected = np.asarray(stylize(image, style=dict.fromkeys(stylize.names[:2], 1.0), strength=0.8))
        np.testing.assert_allclose(np.int32(made), np.int32(expected), atol=1)


def test_as_a_lite_file_and_without_tensorflow(tmp_path):
    lite = LiteNetwork(convert(FOLDER, tmp_path / "styles.tflite", quantize="float16"))
    assert check(lite, FOLDER, [np.float32(picture(33, 22, 2))[np.newaxis] / 255]) < 2
    # To less than a step of 8 bits; rounding shows most where the photograph is flat.
    file, flat = OnnxNetwork(FOLDER / FILE), np.full((1, 24, 28, 3), 0.7, np.float32)
    assert check(file, FOLDER, [np.float32(picture(33, 22, 2))[np.newaxis] / 255]) < 1
    assert check(file, FOLDER, [flat]) < 3
