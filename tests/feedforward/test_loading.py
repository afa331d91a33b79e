"""Exported networks come back as they were, or it is said what is wrong."""

import json
import shutil

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from tfstyle.export.savedmodel import export_network
from tfstyle.feedforward.cards import CARD, read_card, stroke_size, style_names, style_picture
from tfstyle.feedforward.loading import assign, load_network
from tfstyle.feedforward.networks import in_half_precision, parameters, transformation_network
from tfstyle.io.images import load_image

from conftest import picture


@pytest.fixture(scope="module")
def network():
    """Its parameters are ones that files can keep."""
    return in_half_precision(transformation_network(2, width=2, residual_blocks=1, seed=4))


@pytest.fixture(scope="module")
def exported(network, tmp_path_factory):
    about = {"styles": ["mosaic.jpg", "swirls.png"]}
    return export_network(tmp_path_factory.mktemp("exported") / "model", network, about)


@pytest.fixture
def copy(exported, tmp_path):
    return shutil.copytree(exported, tmp_path / "model")


def change(folder, **fields):
    card = json.loads((folder / CARD).read_text())
    (folder / CARD).write_text(json.dumps(card | fields))


def test_a_network_comes_back_without_a_look_at_the_graphs(network, copy):
    (copy / "saved_model.pb").unlink()
    loaded, card = load_network(copy)
    assert [layer.name for layer in loaded.layers] == [layer.name for layer in network.layers]
    for one, other in zip(loaded.weights, network.weights, strict=True):
        np.testing.assert_array_equal(one, other)
    assert card["layout"] == {
        "styles": 2,
        "width": 2,
        "residual_blocks": 1,
        "colors": False,
        "dtype": "float32",
    }
    assert style_names(card) == ["mosaic", "swirls"]


def test_files_keep_half_of_the_digits(tmp_path):
    """Of a parameter, to one part in 2048."""
    network = transformation_network(2, width=4, residual_blocks=1, seed=5)
    folder = export_network(tmp_path / "model", network)
    loaded, card = load_network(folder)
    for one, other in zip(loaded.weights, network.weights, strict=True):
        np.testing.assert_allclose(one, other, rtol=2**-11, atol=1e-7)
        np.testing.assert_array_equal(one, np.float16(other))
    values = sum(np.size(each) for each in network.weights)
    assert (folder / "variables" / "variables.data-00000-of-00001").stat().st_size < 2 * values + 4000
    assert card["stored_in"] == "float16"


def test_what_was_kept_in_float32_is_read(network, copy):
    """As exports were before parameters were halved."""
    named = {name: tf.Variable(2.5 * value) for name, value in parameters(network).items()}
    tf.train.Checkpoint(parameters=named).write(str(copy / "variables" / "variables"))
    found = {name: tf.Variable(value) for name, value in parameters(network).items()}
    assign(found, copy, "model")
    for name, value in found.items():
        np.testing.assert_array_equal(value, named[name])
    with pytest.raises(
        ValueError, match=r"^model: tfstyle\.json says stored_in='int8': must be float32 or float16$"
    ):
        assign(found, copy, "model", "int8")


@pytest.mark.parametrize(
    ("card", "expected"),
    [
        ({"config": {"image_size": 384}}, 384),
        ({"config": {}}, 0),
        ({}, 0),
        ({"config": {"image_size": "x"}}, 0),
    ],
)
def test_strokes_have_the_size_of_training(card, expected):
    assert stroke_size(card) == expected


def test_a_style_is_shown_at_the_size_of_training(tmp_path):
    Image.fromarray(picture(40, 60)).save(tmp_path / "a.png")
    for size, shown in ((30, (1, 20, 30, 3)), (0, (1, 40, 60, 3))):
        assert style_picture(tmp_path / "a.png", {"config": {"image_size": size}}).shape == shown


def test_a_page_shows_what_the_network_paints(network, tmp_path):
    photograph = np.random.default_rng(1).uniform(size=(1, 20, 28, 3)).astype("f4")
    folder = export_network(tmp_path / "model", network, {"styles": ["mosaic.jpg", "swirls.png"]}, photograph)
    page = (folder / "README.md").read_text()
    for number, name in ((1, "mosaic"), (2, "swirls")):
        assert f"{number}. {name} ![{name}](styles/{number}_{name}.jpg)" in page
        painted = network({"image": photograph, "style": np.eye(2, dtype="f4")[number - 1 : number]})
        shown = load_image(folder / "styles" / f"{number}_{name}.jpg")
        assert shown.shape == painted.shape and np.abs(shown - painted).mean() < 0.05


def test_a_card_of_before_that_says_there_is_no_skip_connection(network, copy):
    card = json.loads((copy / CARD).read_text())
    change(copy, layout=card["layout"] | {"skip_connection": False})
    np.testing.assert_array_equal(load_network(copy)[0].weights[0], network.weights[0])


@pytest.mark.parametrize(("dtype", "computed"), [("mixed_bfloat16", "bfloat16"), ("float64", "float64")])
def test_in_another_precision(network, exported, dtype, computed):
    loaded, _ = load_network(exported, dtype=dtype)
    assert loaded.get_layer("first").compute_dtype == computed
    for one, other in zip(loaded.weights, network.weights, strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize(
    ("layout", "message"),
    [
        ({"width": 3}, r"its parameters cannot be read \(.*\(9, 9, 3, 2\).*\(9, 9, 3, 3\)"),
        ({"styles": 3}, r"its parameters cannot be read \(.*\(2, 2\).*\(3, 2\)"),
        ({"residual_blocks": 2}, "some of its parameters are missing"),
        ({"residual_blocks": 0}, f"its parameters are not those that {CARD} speaks of"),
        ({"skip_connection": True}, "has a skip connection, which networks of tfstyle no longer have; train"),
        ({"width": "wide"}, "tells of a network that cannot be made .*width='wide'"),
        ({"depth": 2}, "tells of a network that cannot be made .*depth"),
    ],
)
def test_layouts_that_are_not_the_networks(copy, layout, message):
    card = json.loads((copy / CARD).read_text())
    change(copy, layout=card["layout"] | layout)
    with pytest.raises(ValueError, match=f"^model='.*': .*{message}"):
        load_network(copy)


def test_other_damage(copy):
    change(copy, fingerprint="0" * 16)
    with pytest.raises(ValueError, match="are not those that"):
        load_network(copy)
    change(copy, layout=None)
    with pytest.raises(ValueError, match="tells no layout of the network; export it again"):
        load_network(copy)
    shutil.rmtree(copy / "variables")
    change(copy, layout={"styles": 2, "width": 2, "residual_blocks": 1})
    with pytest.raises(ValueError, match=r"^start='.*': .*larger than the file of its parameters"):
        load_network(copy, argument="start")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, f"holds no network .*{CARD}: No such file"),
        ("{", f"holds no network .*{CARD}: Expecting"),
        ("[" * 100_000, "holds no network"),
        ("[]", "another kind, None"),
        ('{"model": ["network"]}', "another kind"),
        ('{"model": "transfer"}', "another kind, 'transfer'"),
        ('{"model": NaN}', "holds no network"),
        ('{"model": ' + "9" * 9000 + "}", "holds no network"),
        (" " * (1 << 23), "holds no network"),
    ],
)
def test_cards_that_are_none(tmp_path, text, message):
    if text is not None:
        (tmp_path / CARD).write_text(text)
    with pytest.raises(ValueError, match=f"^model='.*': .*{message}"):
        read_card(tmp_path)


def test_no_folder(tmp_path):
    with pytest.raises(ValueError, match=r"^model='.*none': is no folder; tfstyle train makes one"):
        read_card(tmp_path / "none")


def test_names_of_styles():
    def names(styles, known=2):
        return style_names({"styles": styles, "styles_known": known})

    assert names(["x.y.jpg", "z.png"]) == ["x.y", "z"]
    assert names(["x.jpg", "x.png"]) == ["x.jpg", "x.png"]
    assert (
        names(["x.jpg", "x.jpg"]) == names(["x.jpg"]) == names([1, 2]) == names("ab") == ["style1", "style2"]
    )


@pytest.mark.parametrize(
    "layout",
    [
        {"styles": 2, "width": 4096, "residual_blocks": 1},
        {"styles": 10**9, "width": 2, "residual_blocks": 1},
        {"styles": 2, "width": 2, "residual_blocks": 10**6},
    ],
)
def test_a_network_larger_than_its_file_is_not_made(copy, layout):
    change(copy, layout={**layout, "dtype": "float32"})
    with pytest.raises(ValueError, match=r"tells of a network larger than the file of its parameters"):
        load_network(copy)


@pytest.mark.parametrize(("width", "blocks", "styles"), [(1, 0, 1), (4, 2, 40)])
def test_real_networks_are_not_larger_than_their_files(tmp_path, width, blocks, styles):
    network = transformation_network(styles, width=width, residual_blocks=blocks)
    assert load_network(export_network(tmp_path / "model", network))[1]["layout"]["width"] == width


@pytest.mark.parametrize("count", [0, -1, 10**12, True, 2.0, None, [1]])
def test_the_number_of_styles_is_a_sane_one(count):
    with pytest.raises(ValueError, match=r"styles_known=.*: must be a whole number, 1 to 10000"):
        style_names({"styles_known": count})
