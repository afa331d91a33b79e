"""LiteRT and ONNX files paint what their networks do, at any size, with nothing but built-in ops."""

import json

import numpy as np
import pytest
import tensorflow as tf

from tfstyle.export.conversion import RUNTIMES, check, convert
from tfstyle.export.lite import LiteNetwork
from tfstyle.export.savedmodel import export_network
from tfstyle.feedforward.networks import in_half_precision, in_precision, transformation_network
from tfstyle.feedforward.onnx_network import OnnxNetwork

from conftest import differing, noise, run_script, well

SIZES = [(64, 48), (33, 47), (1, 1), (1, 7), (5, 3)]
MIXED = [0.2, 0.5, 0.3]


def trained(**options):
    return differing(transformation_network(3, width=4, residual_blocks=1, colors=True, **options))


def expected(network, image, style):
    return network({"image": tf.constant(image), "style": tf.constant([style])}).numpy()


@pytest.fixture(scope="module")
def network():
    """Its parameters are ones that folders can keep."""
    return in_half_precision(trained())


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """The same network trained in half precision, as a SavedModel."""
    about = {"styles": ["waves.jpg", "mosaic.jpg", "swirls.jpg"]}
    return export_network(tmp_path_factory.mktemp("model") / "m", trained(dtype="mixed_bfloat16"), about)


@pytest.fixture(scope="module")
def file(network, tmp_path_factory):
    return convert(network, tmp_path_factory.mktemp("lite") / "any.tflite")


@pytest.fixture(scope="module", params=RUNTIMES)
def opened(network, file, request):
    path = file if request.param == file.suffix else convert(network, file.with_suffix(request.param))
    return RUNTIMES[path.suffix](path)


def test_any_size_and_any_mixture_is_painted_as_by_the_network(network, opened):
    assert opened.has_style
    for size, style in zip(SIZES, ([1.0, 0, 0], *[MIXED] * 4)):
        image = noise(1, *size, 3)
        made = opened.paint(image, [style])
        assert made.shape == image.shape and made.dtype == np.float32
        np.testing.assert_allclose(made, expected(network, image, style), atol=0.1 / 255)


@pytest.fixture(scope="module")
def large(network):
    """A picture that is large, one that is nearly flat, too, and what becomes of them in float64."""
    wide = in_precision(network, "float64")
    pictures = [noise(1, 512, 512, 3), 0.9 + 0.02 * noise(1, 512, 512, 3)]
    return pictures, [expected(wide, each.astype(np.float64), np.float64(MIXED)) for each in pictures]


def test_statistics_of_the_network_are_exact_in_large_pictures(network, large):
    """With sums of all positions at once, it is off by 12/255 in the second."""
    for picture, exact in zip(*large):
        np.testing.assert_allclose(expected(network, picture, MIXED), exact, atol=0.2 / 255)


def test_statistics_of_files_are_exact_in_large_pictures_call_after_call(opened, large):
    pictures, exact = large
    for index in (0, 0, 1, 1, 0):
        np.testing.assert_allclose(opened.paint(pictures[index], [MIXED]), exact[index], atol=0.2 / 255)


def test_there_are_built_in_ops_only(file, capsys):
    tf.lite.experimental.Analyzer.analyze(model_path=str(file))
    ops = capsys.readouterr().out
    assert "CONV_2D" in ops
    for other in ("Flex", "FLEX", "CUSTOM", "READ_VARIABLE"):
        assert other not in ops


def test_an_onnx_file_with_a_style_in_it(network, folder, tmp_path):
    file = OnnxNetwork(convert(folder, tmp_path / "a.onnx", style={"mosaic": 3, "swirls": 1}))
    image = noise(1, 33, 47, 3)
    assert not file.has_style
    np.testing.assert_allclose(file.paint(image), expected(network, image, [0, 0.75, 0.25]), atol=0.1 / 255)
    assert check(file, folder, [image], [0, 3, 1]) < 0.1 and check(file, folder, [image], "mosaic") > 2
    for name, value in (("size", (4, 5)), ("quantize", "float16")):
        with pytest.raises(ValueError, match=rf"^{name}=.*: is for \.tflite; an ONNX file takes all sizes"):
            convert(folder, tmp_path / "b.onnx", **{name: value})


def test_kernels_in_fewer_bits_are_smaller_and_less_like_the_network(network, file, tmp_path):
    pictures = [noise(1, *size, 3) for size in SIZES[:2]]
    sizes, errors = [], []
    for quantize in ("none", "float16", "dynamic"):
        path = file if quantize == "none" else convert(network, tmp_path / "a.tflite", quantize=quantize)
        sizes.append(path.stat().st_size)
        errors.append(check(LiteNetwork(path), network, pictures))
    assert sizes == sorted(sizes, reverse=True) and sizes[2] < 0.8 * sizes[0]
    assert errors[0] < 0.05 < errors[1] < 2 < errors[2] < 64


def test_a_folder_with_a_fixed_style_and_size(network, folder, tmp_path):
    lite = LiteNetwork(
        convert(folder, tmp_path / "a.tflite", size=(33, 47), style={"mosaic": 3, "swirls": 1})
    )
    assert not lite.has_style and lite.size == (33, 47)
    image = noise(1, 33, 47, 3)
    # In float32, whatever the network was trained in.
    np.testing.assert_allclose(lite.paint(image), expected(network, image, [0, 0.75, 0.25]), atol=0.1 / 255)
    assert check(lite, folder, [image], "mosaic") > 2
    with pytest.raises(ValueError, match=r"^image: is 33 x 47 pixels; this file was made for 47 x 33 only"):
        lite.paint(noise(1, 47, 33, 3))
    with pytest.raises(ValueError, match=r"^style: must be given if"):
        check(lite, folder, [image])


def test_the_largest_error_of_all_styles_is_found(file):
    """Only of the last style is the other network another."""
    other, image = trained(), noise(1, 12, 16, 3)
    norm = other.get_layer("whole_again_norm")
    norm.shift.assign(norm.shift + np.float32([[0], [0], [0.5]]))
    lite, style = LiteNetwork(file), [0.0, 0, 1]
    assert lite.size is None
    worst = np.abs(expected(other, image, style) - lite.paint(image, [style])).max() * 255
    assert worst > 2
    np.testing.assert_allclose(check(lite, other, [image]), worst, rtol=1e-5)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"output": "a.lite"}, r"^output='.*a\.lite': must end in \.tflite or \.onnx"),
        ({"quantize": "int4"}, r"^quantize='int4': must be one of none, float16, dynamic"),
        ({"size": (0, 5)}, r"^size=0: must be a whole number, 1 or above"),
        ({"size": (5,)}, r"^size=5: must be a height and a width"),
        ({"style": [1, 0]}, r"^style=1,0: must be 3 numbers"),
    ],
)
def test_what_cannot_be_is_refused(network, tmp_path, options, message):
    options = {"output": "a.tflite", **options}
    with pytest.raises(ValueError, match=message):
        convert(network, tmp_path / options.pop("output"), **options)
    assert not list(tmp_path.iterdir())


def test_another_file_is_refused(tmp_path):
    for kind, opener in (("lite", LiteNetwork), ("onnx", OnnxNetwork)):
        (tmp_path / "a").write_bytes(b"no model")
        with pytest.raises(ValueError, match=rf"^{kind}='.*a': holds no network"):
            opener(tmp_path / "a")
        with pytest.raises(FileNotFoundError, match=rf"^{kind}='.*b': no such file"):
            opener(tmp_path / "b")


@pytest.mark.slow
def test_from_the_command_line(folder, tmp_path):
    flags = [f"--model={folder}", "--quantize=float16", "--style=mosaic", "--timing_size=40"]
    made = well(run_script("convert_stylizer.py", *flags, "--output=a.tflite", cwd=tmp_path))
    assert made.stdout.startswith("a.tflite: 0.0")
    card = json.loads((tmp_path / "a.json").read_text())
    assert card["bytes"] == (tmp_path / "a.tflite").stat().st_size
    assert 0 < card["largest_error_of_255"] < 2
    assert card["seconds"].keys() == {"file", "saved_model"}
    assert card["style"] == [0, 1, 0] and card["size"] is None
    assert card["network"]["styles"] == ["waves.jpg", "mosaic.jpg", "swirls.jpg"]
