"""Weights from every kind of file, and the words for files that are none."""

import hashlib
import json

import h5py
import numpy as np
import pytest
import tensorflow as tf

from tfstyle.config import PRESETS
from tfstyle.config.layer_names import MINI_LAYERS
from tfstyle.figures import FIGURES, figure
from tfstyle.vgg import feature_extractor, sources, weights
from tfstyle.vgg.network import head, heads, layout
from tfstyle.vgg.network import vgg19 as application

from coded_files import coded_file, random_layers
from conftest import narrow_weights

LAYOUT = layout(application())


@pytest.fixture(scope="module")
def vgg19():
    tf.keras.utils.set_random_seed(5)
    return tf.keras.applications.VGG19(weights=None, include_top=False)


@pytest.fixture(scope="module")
def with_top():
    """VGG19 with its dense layers, in their order but narrow enough to build in no time."""
    tf.keras.utils.set_random_seed(6)
    base = tf.keras.applications.VGG19(weights=None, include_top=False, input_shape=(32, 32, 3))
    dense = tf.keras.layers.Dense(4, name="predictions")(tf.keras.layers.Flatten(name="flatten")(base.output))
    return tf.keras.Model(base.input, dense)


def assert_holds(values, model):
    assert list(values) == list(LAYOUT)
    for name, arrays in values.items():
        for array, expected in zip(arrays, model.get_layer(name).get_weights()):
            np.testing.assert_array_equal(array, expected)


@pytest.mark.parametrize(("suffix", "top"), [(".h5", True), (".weights.h5", False)])
def test_keras_files_with_and_without_the_top(vgg19, with_top, tmp_path, suffix, top):
    model = with_top if top else vgg19
    path = str(tmp_path / f"model{suffix}")
    model.save_weights(path) if suffix == ".weights.h5" else model.save(path)
    assert_holds(weights.load(path, LAYOUT), model)


def write_keras2_weights(model, path):
    """The layout of the file that Keras downloads: a group a layer, by name."""
    with h5py.File(path, "w") as file:
        for layer in model.layers:
            group = file.create_group(layer.name)
            for variable in layer.weights:
                group[f"{layer.name}_W_1:0" if variable.name == "kernel" else f"{layer.name}_b_1:0"] = (
                    variable.numpy()
                )
            group.attrs["weight_names"] = [name.encode() for name in group]
        file.attrs["layer_names"] = [layer.name.encode() for layer in model.layers]
        file.attrs["backend"], file.attrs["keras_version"] = b"tensorflow", b"1.2.2"


@pytest.mark.parametrize("name", ["notop.h5", sources.CODED_FILE])
def test_imagenet_is_whichever_file_there_is(vgg19, tmp_path, monkeypatch, name):
    path = tmp_path / name
    if name == sources.CODED_FILE:
        shapes = {layer: vgg19.get_layer(layer).kernel.shape[2:] for layer in LAYOUT}
        arrays = random_layers(shapes)
        path.write_bytes(coded_file(arrays))
        monkeypatch.setattr(sources, "CODED_SHA256", hashlib.sha256(path.read_bytes()).hexdigest())
    else:
        write_keras2_weights(vgg19, path)
    found = sources.Source(path, coded=name == sources.CODED_FILE)
    monkeypatch.setattr(sources, "fetch", lambda: found)
    loaded = weights.load("imagenet", LAYOUT)
    if found.coded:
        np.testing.assert_array_equal(loaded["block5_conv4"][1], arrays["block5_conv4_b"])
    else:
        assert_holds(loaded, vgg19)


def test_the_coded_file_by_path_is_known_by_its_hash(tmp_path):
    (tmp_path / sources.CODED_FILE).write_bytes(b"another")
    with pytest.raises(ValueError, match="another file than the known one"):
        weights.load(str(tmp_path / sources.CODED_FILE), LAYOUT)


def test_layers_of_the_embedded_network():
    assert LAYOUT.keys() & weights.load("mini", LAYOUT).keys() == MINI_LAYERS


def test_weights_are_described_by_their_hash(tmp_path, monkeypatch):
    assert weights.describe("mini") == f"mini (SHA-256 {weights._MINI_SHA256})"
    assert weights.describe("random") == "random"
    monkeypatch.setattr(sources, "fetch", lambda: sources.Source(tmp_path, coded=True))
    assert weights.describe("imagenet") == f"imagenet (8-bit coded, SHA-256 {sources.CODED_SHA256})"


def test_npz_of_other_widths(narrow_file):
    values = weights.load(narrow_file, LAYOUT)
    for name, (kernel, bias) in values.items():
        np.testing.assert_array_equal(kernel, narrow_weights()[f"{name}/kernel"])
        np.testing.assert_array_equal(bias, narrow_weights()[f"{name}/bias"])


def test_npz_may_end_blocks_early(tmp_path):
    arrays = {name: array for name, array in narrow_weights().items() if "block5_conv3" not in name}
    arrays = {name: array for name, array in arrays.items() if "block5_conv4" not in name}
    np.savez(tmp_path / "short.npz", **arrays)
    extractor = feature_extractor(["conv5_2"], weights=str(tmp_path / "short.npz"))
    assert "block5_conv2" in extractor.output
    with pytest.raises(ValueError, match=r"layers \(of weights=.*unknown layer 'block5_conv4'"):
        feature_extractor(["conv5_4"], weights=str(tmp_path / "short.npz"))


def changed(**changes):
    return {name: array for name, array in {**narrow_weights(), **changes}.items() if array is not None}


@pytest.mark.parametrize(
    ("arrays", "problem"),
    [
        ({"other/kernel": np.zeros(3), "other/bias": np.zeros(3)}, "other is none of its layers"),
        ({"x": np.zeros(3)}, "none of its layers"),
        (changed(**{"block2_conv1/bias": None}), "is not an .npz of kernels and biases"),
        (
            changed(**{"block2_conv1/kernel": None, "block2_conv1/bias": None}),
            "it has block2_conv2 but not block2_conv1",
        ),
        (changed(**{"block3_conv2/kernel": np.zeros((3, 3, 5, 8), np.float32)}), "block3_conv2 has shapes"),
        (changed(**{"block3_conv2/kernel": np.zeros((5, 5, 8, 8), np.float32)}), "block3_conv2 has shapes"),
        (changed(**{"block3_conv2/bias": np.full(8, np.nan, np.float32)}), "not finite"),
        (changed(**{"block3_conv2/bias": np.array([None] * 8)}), "is not an .npz"),  # needs pickle
    ],
)
def test_npz_of_another_network(tmp_path, arrays, problem):
    np.savez(tmp_path / "wrong.npz", **arrays)
    with pytest.raises(ValueError, match=f"weights='.*wrong.npz'.*{problem}"):
        weights.load(str(tmp_path / "wrong.npz"), LAYOUT)


def test_h5_of_another_network(tmp_path):
    other = tf.keras.applications.VGG16(weights=None, include_top=False)
    other.save_weights(tmp_path / "vgg16.weights.h5")
    with pytest.raises(ValueError, match=r"another network.*block3_conv4 is missing"):
        weights.load(str(tmp_path / "vgg16.weights.h5"), LAYOUT)


def test_files_that_are_no_weights(tmp_path):
    (tmp_path / "text.h5").write_text("text")
    with pytest.raises(ValueError, match="is not an HDF5 file"):
        weights.load(str(tmp_path / "text.h5"), LAYOUT)
    (tmp_path / "text.npz").write_text("text")
    with pytest.raises(ValueError, match=r"is not an .npz"):
        weights.load(str(tmp_path / "text.npz"), LAYOUT)
    (tmp_path / "model.keras").write_text("text")
    with pytest.raises(ValueError, match=r"must end in .h5, .weights.h5 or .npz"):
        weights.load(str(tmp_path / "model.keras"), LAYOUT)
    with pytest.raises(OSError, match="must be imagenet, random, mini or an existing file"):
        weights.load("imagnet", LAYOUT)


def test_a_changed_or_missing_embedded_file_is_told(tmp_path, monkeypatch):
    changed = bytearray(weights._MINI.read_bytes())
    changed[len(changed) // 2] ^= 1
    (tmp_path / "mini.npz").write_bytes(changed)
    for path in (tmp_path / "mini.npz", tmp_path / "missing.npz"):
        monkeypatch.setattr(weights, "_MINI", path)
        with pytest.raises(ValueError, match=r"weights='mini': .*is missing or changed"):
            weights.load("mini", LAYOUT)


def test_the_embedded_network_is_whole():
    """Thin layers of VGG19's names, and heads of VGG19's widths on all but the first, which is as wide itself."""
    assert weights._MINI.stat().st_size <= 8e6
    with np.load(weights._MINI, allow_pickle=False) as file:
        assert isinstance(json.loads(file["record"].tobytes()), dict)
        arrays = {name: file[name] for name in file.files if name != "record"}
    assert all(array.dtype == np.float16 and np.isfinite(array).all() for array in arrays.values())
    values = weights.load("mini", LAYOUT)
    first, *others = layers = [name for name in values if name in LAYOUT]
    assert set(values) == {*layers, *map(head, others)}
    widths = {name: LAYOUT[name].filters for name in layers}
    assert {name: values[head(name)][1].size for name in others} == {name: widths[name] for name in others}
    assert values[first][1].size == widths[first]
    extractor = feature_extractor(layers, weights="mini")
    assert {name: output.shape[-1] for name, output in extractor.output.items()} == widths
    assert list(heads(extractor)) == others


def test_the_embedded_network_has_the_layers_of_presets_and_figures():
    configs = [
        *PRESETS.values(),
        *(panel.config for name in FIGURES for panel in figure(name, PRESETS["mini"]).panels),
    ]
    asked = {layer for config in configs for layer in (*config.content_layers, *config.style_layers)}
    assert {"block1_conv1", "block4_conv2", "block5_conv2"} <= asked <= set(weights.load("mini", LAYOUT))


def test_a_layer_that_the_embedded_network_lacks_is_told():
    with pytest.raises(
        ValueError, match=r"layers \(of weights='mini'\): unknown layer 'block5_conv3'.*block5_conv2"
    ):
        feature_extractor(["conv1_1", "conv5_3"], weights="mini")


@pytest.mark.parametrize("options", [{"pooling": "average", "padding": "reflect"}, {"dtype": "bfloat16"}])
def test_the_embedded_network_takes_every_option(options):
    extractor = feature_extractor(["conv1_1", "conv5_2"], weights="mini", **options)
    picture = tf.constant(np.random.default_rng(0).random((1, 64, 48, 3)), tf.float32)
    deepest = extractor(picture)["block5_conv2"]
    assert deepest.shape == (1, 4, 3, 512)
    assert np.isfinite(tf.cast(deepest, tf.float32)).all()


def test_what_float16_cannot_hold_is_not_saved(tmp_path):
    saved = {"block1_conv1": (np.full((3, 3, 3, 2), 7e4), np.zeros(2))}
    with pytest.raises(ValueError, match="block1_conv1/kernel holds values that are too large"):
        weights.save(tmp_path / "saved.npz", saved, {})
    assert not (tmp_path / "saved.npz").exists()
