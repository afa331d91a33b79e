"""Exported models, called where tfstyle cannot be imported, give what tfstyle gives."""

import json

import numpy as np
import pytest
import tensorflow as tf
from tensorflow.core.protobuf import saved_model_pb2

import tfstyle
from tfstyle.export import savedmodel
from tfstyle.io import encode, images
from tfstyle.losses.targets import fingerprint
from tfstyle.synthesis.style_targets import style_targets
from tfstyle.vgg import minimum_size

from conftest import answers_to_a_stranger, file_bytes, picture, published

LAYERS = ("block1_conv1", "block2_conv1", "block3_conv1")
# (height, width): the smallest that these layers allow, odd ones, a larger one.
SIZES = [(4, 4), (7, 9), (66, 90)]
MODELS = ("extractor", "any", "one")
STYLE = picture(40, 44, seed=2)


def config(narrow_file, **options):
    options = {
        "weights": narrow_file, "content_layers": ("conv2_1",), "style_layers": LAYERS, "optimizer": "adam",
        "iterations": 3, "image_size": 0, "scales": 1, "precision": "float32",
        # Rounding chooses between equal maxima of a flat area, and Adam makes steps of next to no gradient:
        # with the maximum, contents that differ in the last bit come out up to 7 levels apart.
        "pooling": "average", "adam_epsilon": 1e-4, **options,
    }  # fmt: skip
    return published(**options)


@pytest.fixture(scope="module")
def extractor(narrow_file):
    return tfstyle.feature_extractor(LAYERS, weights=narrow_file)


@pytest.fixture(scope="module")
def exports(narrow_file, extractor, tmp_path_factory):
    """An extractor, a transfer in any style, and one in a style."""
    folder = tmp_path_factory.mktemp("exports")
    savedmodel.export_extractor(folder / "extractor", extractor, {"weights": narrow_file})
    savedmodel.export_transfer(folder / "any", config(narrow_file))
    measured = style_targets(STYLE, config(narrow_file))
    savedmodel.export_transfer(folder / "one", config(narrow_file), measured)
    return folder


@pytest.fixture(scope="module")
def loaded(exports):
    return {name: tf.saved_model.load(exports / name) for name in MODELS}


def decoded(file):
    return tf.io.decode_png(file).numpy()


def expected(narrow_file, content, **options):
    """What `transfer` makes, uint8."""
    return encode.to_uint8(tfstyle.transfer(content, STYLE, config(narrow_file, **options)).image)


def painted(loaded, content, steps=3, style=STYLE):
    """What a model's function for any style makes, uint8."""
    return encode.to_uint8(
        loaded["any"].paint(images.load_image(content), images.load_image(style), tf.constant(steps))
    )


def same(found, picture):
    """Whether uint8 pictures are the same, but for the last level."""
    found = np.asarray(found)
    assert found.dtype == np.uint8 and found.shape == picture.shape
    return np.abs(found.astype(int) - picture).max() <= 1


@pytest.mark.slow
def test_called_where_there_is_no_tfstyle(exports, extractor, narrow_file, tmp_path):
    contents = {size: picture(*size, seed=1) for size in [*SIZES, (3, 40)]}

    def call(name, size):
        image = contents[size][np.newaxis]
        inputs = {"content": image, "style": STYLE[np.newaxis], "steps": np.int32(3)}
        return exports / name, "serving_default", inputs if name == "any" else {"image": image}

    calls = [call(name, size) for size in contents for name in MODELS]
    answers = iter(answers_to_a_stranger(tmp_path, calls))
    for size in SIZES:
        found = next(answers)
        assert set(found) == set(LAYERS)
        for layer, activations in extractor(images.load_image(contents[size])).items():
            assert found[layer].dtype == np.float32
            np.testing.assert_allclose(found[layer], activations, rtol=1e-4, atol=1e-5)
        wanted = expected(narrow_file, contents[size])
        assert not same(wanted, contents[size])
        for name in ("any", "one"):
            assert same(next(answers)["picture"][0], wanted), name
    for name, argument in zip(MODELS, ("image", "content", "content")):
        told = str(next(answers)["error"])
        assert f"{argument}: too small; these layers need at least 4 pixels" in told, name


def call(model, signature="serving_default", **inputs):
    """What a signature answers, in NumPy."""
    found = model.signatures[signature](**{name: tf.constant(value) for name, value in inputs.items()})
    return {name: value.numpy() for name, value in found.items()}


A, B = picture(20, 26, seed=3), picture(20, 26, seed=4)


def test_pixels_and_files_of_any_size(loaded):
    for made, content in zip(call(loaded["one"], image=np.stack([A, B]))["picture"], (A, B), strict=True):
        assert same(made, painted(loaded, content))
    contents = [A, picture(31, 17)]
    found = call(loaded["one"], "encoded_bytes", image_bytes=[file_bytes(content) for content in contents])
    for made, content in zip(found["picture_bytes"], contents, strict=True):
        assert same(decoded(made), painted(loaded, content))


def test_activations_of_files(loaded, extractor):
    found = call(loaded["extractor"], "encoded_bytes", image_bytes=[file_bytes(A), file_bytes(B)])
    assert set(found) == set(LAYERS)
    wanted = extractor(images.load_image(B))["block3_conv1"][0]
    np.testing.assert_allclose(found["block3_conv1"][1], wanted, rtol=1e-4, atol=1e-5)


def test_steps_and_files_each_in_its_style(loaded):
    found = call(loaded["one"], "with_steps", image=A[np.newaxis], steps=5)["picture"]
    assert same(found[0], painted(loaded, A, 5))
    contents, styles = [A, picture(31, 17)], [STYLE, picture(30, 30, seed=9)]
    inputs = {"content_bytes": list(map(file_bytes, contents)), "style_bytes": list(map(file_bytes, styles))}
    found = call(loaded["any"], "encoded_bytes", steps=2, **inputs)["picture_bytes"]
    for made, content, style in zip(found, contents, styles, strict=True):
        assert same(decoded(made), painted(loaded, content, 2, style))


def test_floats(loaded, extractor, narrow_file):
    pixels = images.load_image(A)
    found = loaded["extractor"].signatures["float"](image=pixels)
    np.testing.assert_allclose(found["block2_conv1"], extractor(pixels)["block2_conv1"], rtol=1e-4, atol=1e-5)
    wanted = tfstyle.transfer(A, STYLE, config(narrow_file)).image
    style = images.load_image(STYLE)
    for picture_of in (
        lambda: loaded["one"].signatures["float"](image=pixels)["picture"],
        lambda: loaded["any"].signatures["float"](content=pixels, style=style, steps=tf.constant(3))[
            "picture"
        ],
        lambda: loaded["any"].paint(pixels, style, 3),
        lambda: loaded["one"].paint(pixels, 3),
    ):
        np.testing.assert_allclose(picture_of(), wanted, atol=1e-3)


def test_one_style_for_each_content(loaded):
    contents, styles = np.stack([A, B]), np.stack([STYLE, picture(40, 44, seed=8)])
    found = call(loaded["any"], content=contents, style=styles, steps=2)["picture"]
    for made, content, style in zip(found, contents, styles):
        assert same(made, painted(loaded, content, 2, style))


def test_jpeg(loaded, extractor):
    file = tf.io.encode_jpeg(A, quality=95)
    found = loaded["extractor"].signatures["encoded_bytes"](image_bytes=file[tf.newaxis])
    pixels = images.load_image(tf.io.decode_jpeg(file, dct_method="INTEGER_ACCURATE").numpy())
    np.testing.assert_allclose(found["block1_conv1"], extractor(pixels)["block1_conv1"], rtol=1e-4, atol=1e-5)


# name: (model, signature, inputs, what the error says)
ONE, TWO = A[np.newaxis], np.stack([A, B])
REFUSED = {
    "no picture": ("one", "serving_default", {"image": ONE[:0]}, "image: must be at least one picture"),
    "no file": ("one", "encoded_bytes", {"image_bytes": np.zeros([0], "S1")}, "image_bytes: must be at least one"),
    "no picture for the extractor": ("extractor", "serving_default", {"image": ONE[:0]}, "image: must be at least"),
    "grey": ("one", "serving_default", {"image": ONE[..., :1]}, r"\[1,20,26,1\] is not compatible"),
    "floats of 255": ("one", "float", {"image": ONE.astype("f")}, r"image: floats must be in \[0, 1\]; divide"),
    "not a number": ("extractor", "float", {"image": ONE * np.float32("nan")}, r"image: floats must be in \[0, 1\]"),
    "no steps": ("one", "with_steps", {"image": ONE, "steps": 0}, "steps: must be 1 or above"),
    "two sizes": (
        "extractor", "encoded_bytes", {"image_bytes": [file_bytes(A), file_bytes(A[1:])]},
        r"image_bytes: pictures of one call must be of one size.*20 26 3.*and.*19 26 3",
    ),
    "no image": ("one", "encoded_bytes", {"image_bytes": [b"text"]}, "the bytes are no JPEG, PNG, GIF, BMP or WebP"),
    "two styles for one": (
        "any", "serving_default", {"content": ONE, "style": TWO, "steps": 1},
        "style: must be one picture, or one for each content; there are.*2.*for.*1",
    ),
    "two files of style for one": (
        "any", "encoded_bytes",
        {"content_bytes": [file_bytes(A)], "style_bytes": [file_bytes(A), file_bytes(B)], "steps": 1},
        "style_bytes: must be one picture, or one for each content",
    ),
    "style too small": (
        "any", "serving_default", {"content": ONE, "style": ONE[:, :3], "steps": 1}, "style: too small; .*least 4",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_refused_clearly(loaded, name):
    model, signature, inputs, message = REFUSED[name]
    with pytest.raises(tf.errors.InvalidArgumentError, match=message):
        call(loaded[model], signature, **inputs)


def test_card(exports, narrow_file, extractor):
    cards = {name: json.loads((exports / name / "tfstyle.json").read_text()) for name in MODELS}
    for card in cards.values():
        assert card["layers"] == list(LAYERS) and card["weights"] == narrow_file
        assert card["fingerprint"] == fingerprint(extractor, LAYERS)
        assert card["license"].startswith("MIT, for the code;")
        assert card["versions"]["tensorflow"] == tf.__version__
    assert [card["minimum_size"] for card in cards.values()] == [minimum_size(extractor)] * 3
    assert published(**cards["one"]["config"]) == config(narrow_file)
    assert cards["one"]["style"] == style_targets(STYLE, config(narrow_file)).hash
    assert cards["any"]["style"] is None
    assert set(cards["any"]["signatures"]) == {"serving_default", "float", "encoded_bytes"}
    assert cards["one"]["signatures"]["with_steps"] == {
        "inputs": {"image": "uint8 [?, ?, ?, 3]", "steps": "int32 []"},
        "outputs": {"picture": "uint8 [?, ?, ?, 3]"},
    }


def constants(folder):
    """Bytes of each of a model's numeric constants."""
    saved = saved_model_pb2.SavedModel.FromString((folder / "saved_model.pb").read_bytes())
    graph = saved.meta_graphs[0].graph_def
    nodes = [*graph.node, *(node for function in graph.library.function for node in function.node_def)]
    tensors = [node.attr["value"].tensor for node in nodes if node.op == "Const"]
    return [tensor.ByteSize() for tensor in tensors if tensor.dtype != tf.string]


def test_weights_and_targets_are_saved_once(exports, extractor, narrow_file):
    weights = sum(values.nbytes for values in extractor.get_weights())
    for name in MODELS:
        files = (exports / name / "variables").glob("variables.data*")
        assert weights <= sum(file.stat().st_size for file in files) < 2 * weights
    for name in ("extractor", "any"):
        assert max(constants(exports / name)) < 1000
    targets = style_targets(STYLE, config(narrow_file))
    largest = 4 * sum(scale["block3_conv1"]["gram"].shape.num_elements() for scale in targets.scales)
    assert len([size for size in constants(exports / "one") if size >= largest]) == 1


@pytest.mark.slow
def test_colours_of_the_content_and_a_size(narrow_file, tmp_path):
    """The style's picture is part of the model."""
    options = {"color": "content", "image_size": 40}
    folder = savedmodel.export_transfer(tmp_path / "model", config(narrow_file, **options), STYLE)
    made = tf.saved_model.load(folder).signatures["serving_default"](image=tf.constant(ONE))["picture"]
    assert made.shape == [1, 31, 40, 3]
    assert same(made[0], expected(narrow_file, A, **options))
    assert json.loads((folder / "tfstyle.json").read_text())["style"]


def test_a_picture_of_a_style_is_measured(narrow_file, tmp_path, monkeypatch):
    monkeypatch.setattr(savedmodel, "save", lambda module, folder, card: card)
    card = savedmodel.export_transfer(tmp_path / "model", config(narrow_file), STYLE)
    assert card["style"] == style_targets(STYLE, config(narrow_file)).hash


class Nothing(tf.Module):
    """What can be saved in a moment."""

    def functions(self):
        return {"serving_default": tf.function(lambda x: {"y": x}, [tf.TensorSpec([], tf.float32, "x")])}


def test_an_older_export_is_replaced_and_outlives_a_failure(tmp_path, monkeypatch):
    folder = tmp_path / "models" / "1"
    folder.parent.mkdir()
    savedmodel.save(Nothing(), folder, {"model": "old"})
    (folder / "more.txt").write_text("of the old one")
    assert savedmodel.save(Nothing(), folder, {"model": "new"}) == folder
    assert not (folder / "more.txt").exists()

    def full(*_, **__):
        raise tf.errors.ResourceExhaustedError(None, None, "No space left on device")

    monkeypatch.setattr(tf.saved_model, "save", full)
    with pytest.raises(OSError, match=r"output='.*1': cannot be written \(No space left on device\)"):
        savedmodel.save(Nothing(), folder, {"model": "newer"})
    assert json.loads((folder / "tfstyle.json").read_text())["model"] == "new"
    assert [path.name for path in folder.parent.iterdir()] == ["1"]


def test_other_folders_are_left_alone(extractor, narrow_file, tmp_path):
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(ValueError, match="holds something that is no export"):
        savedmodel.export_extractor(tmp_path, extractor)
    with pytest.raises(OSError, match=r"output='.*mine.txt': is a file; name a folder"):
        savedmodel.export_transfer(tmp_path / "mine.txt", config(narrow_file))
    with pytest.raises(OSError, match=r"output='.*mine.txt.*': cannot be made"):
        savedmodel.export_transfer(tmp_path / "mine.txt" / "model", config(narrow_file))
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"image_size": 3}, "image_size=3: too small; these layers need 4 or above"),
        ({"normalize": True}, "normalize=True: is not possible in a graph"),
        ({"color": "matched"}, "color=matched: is not possible in a graph"),
    ],
)
def test_options_that_cannot_be(narrow_file, tmp_path, options, message):
    with pytest.raises(ValueError, match=message):
        savedmodel.export_transfer(tmp_path / "model", config(narrow_file, **options), STYLE)
    assert list(tmp_path.iterdir()) == []
