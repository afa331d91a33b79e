"""Styles measured before the run."""

import dataclasses
import json

import numpy as np
import pytest
import tensorflow as tf

from tfstyle import StyleTargets, feature_extractor, style_targets, transfer
from tfstyle.losses.targets import fingerprint, options_of

from conftest import narrow_weights, picture, published, shallow

STYLE, OTHER = picture(40, 44, seed=4), picture(44, 40, seed=5)
CONTENT = picture(37, 51, seed=1)


@pytest.fixture(scope="module")
def config(narrow_file):
    return shallow(narrow_file, image_size=64, iterations=3, scales=2)


@pytest.fixture
def deep(config):
    """With layers that need pictures of 16 pixels."""
    return dataclasses.replace(config, style_layers=tuple(f"conv{block}_1" for block in range(1, 6)))


@pytest.mark.parametrize("statistic", ["gram", "bures", "histogram"])
def test_a_run_with_saved_targets_is_that_with_the_picture(config, statistic, tmp_path):
    config = dataclasses.replace(config, style_loss=statistic, scales=2 if statistic == "gram" else 1)
    targets = style_targets(STYLE, config)
    targets.save(tmp_path / "style.npz")
    with np.load(tmp_path / "style.npz") as file:  # of what is symmetric, half
        matrices = [name for name in file.files if name.split("|")[-2:-1] in (["gram"], ["second"])]
    assert all(name.endswith("|upper") or statistic == "histogram" for name in matrices)
    loaded = StyleTargets.load(tmp_path / "style.npz")
    assert loaded.hash == targets.hash
    found = transfer(CONTENT, loaded, config)
    np.testing.assert_array_equal(found.image, transfer(CONTENT, STYLE, config).image)


def test_blended_with_a_picture(config):
    config = dataclasses.replace(config, style_blend=(3, 1))
    found = transfer(CONTENT, [style_targets(STYLE, config), OTHER], config)
    np.testing.assert_array_equal(found.image, transfer(CONTENT, [STYLE, OTHER], config).image)


def test_transparent_parts_do_not_count(config):
    opacity = np.full((40, 44, 1), 255, np.uint8)
    opacity[:, 20:] = 0
    cut = np.concatenate([STYLE, opacity], axis=-1)
    found = transfer(CONTENT, style_targets(cut, config), config)
    np.testing.assert_array_equal(found.image, transfer(CONTENT, cut, config).image)


@pytest.fixture(scope="module")
def targets(config):
    return style_targets(STYLE, config)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"style_loss": "moments"}, "made with style_loss=gram, and the run has style_loss=moments"),
        ({"image_size": 72}, "made with image_size=64"),
        ({"style_layers": ("conv1_1",)}, "its targets are of the layers block1_conv1,block2_conv1"),
        ({"color": "matched"}, "color=matched needs the picture"),
        ({"normalize": True}, "normalize=true needs the picture"),
        ({"init": "style"}, "init='style'"),
    ],
)
def test_what_must_be_the_same(config, targets, change, message):
    with pytest.raises(ValueError, match=message):
        transfer(CONTENT, targets, dataclasses.replace(config, **change))


def test_a_run_has_no_more_scales_than_its_targets(deep):
    """Of two, this style is large enough for one; it is the same where its picture is given."""
    config = dataclasses.replace(deep, iterations=1)
    targets = style_targets(STYLE[:14], config)
    assert len(targets.scales) == 1
    found = transfer(CONTENT, targets, config)
    assert found.history[0].scales == 1
    np.testing.assert_array_equal(found.image, transfer(CONTENT, STYLE[:14], config).image)


def test_a_style_that_is_too_small(deep):
    with pytest.raises(ValueError, match=r"style: is 64 x 6 pixels.*at least 16"):
        style_targets(picture(6, 64, seed=1), dataclasses.replace(deep, scales=1))


def test_other_weights_and_where_a_picture_is_needed(config, targets, tmp_path):
    np.savez(tmp_path / "other.npz", **narrow_weights(seed=1))
    with pytest.raises(ValueError, match="other weights"):
        transfer(CONTENT, targets, dataclasses.replace(config, weights=str(tmp_path / "other.npz")))
    with pytest.raises(ValueError, match=r"style_masks: .*give its picture"):
        transfer(CONTENT, targets, config, style_masks=[np.full((40, 44), 255, np.uint8)])
    histograms = dataclasses.replace(config, style_loss="histogram")
    with pytest.raises(ValueError, match="histograms are in units of one style"):
        transfer(CONTENT, [style_targets(STYLE, histograms), OTHER], histograms)


def test_files_that_are_none(targets, tmp_path):
    """Damaged ones: tests/fuzz."""
    path = tmp_path / "style.npz"
    with pytest.raises(ValueError, match=r"must end in .npz"):
        targets.save(tmp_path / "style.bin")
    with pytest.raises(FileNotFoundError, match=r"style='.*style.npz': no such file"):
        StyleTargets.load(path, "style")
    np.savez(path, gram=np.zeros(3))
    with pytest.raises(ValueError, match="holds no targets of a style, or is damaged"):
        StyleTargets.load(path)
    np.savez(path, json=np.array([object()]))
    with pytest.raises(ValueError, match="holds no targets"):
        StyleTargets.load(path)


def test_histograms_of_as_many_filters_as_bins_come_back(tmp_path):
    """Their matrices are square and not symmetric: half of them would not do."""
    generator = np.random.default_rng(0)
    sums = {
        name: tf.constant(generator.random((1, 256, 256)), tf.float32) for name in ("positions", "values")
    }
    moments = {name: tf.constant(generator.random((1, 256)), tf.float32) for name in ("first", "second")}
    options = options_of(published(style_loss="histogram"))
    made = StyleTargets(({"block3_conv1": sums},), ({"block3_conv1": moments},), options, "0")
    made.save(tmp_path / "style.npz")
    loaded = StyleTargets.load(tmp_path / "style.npz")
    for name, value in sums.items():
        np.testing.assert_array_equal(loaded.scales[0]["block3_conv1"][name], value)


def gram_file(path, arrays, **header):
    options = options_of(published(style_loss="gram"))
    record = {"scales": 1, "options": options, "network": "0", **header}
    np.savez(path, json=np.frombuffer(json.dumps(record).encode(), np.uint8), **arrays)


GRAM = np.arange(6, dtype=np.float32)[np.newaxis]  # half of a matrix of three filters


def test_half_a_matrix_is_completed(tmp_path):
    gram_file(tmp_path / "a.npz", {"0|targets|block1_conv1|gram|upper": GRAM})
    found = StyleTargets.load(tmp_path / "a.npz").scales[0]["block1_conv1"]["gram"]
    np.testing.assert_array_equal(found[0], [[0, 1, 2], [1, 3, 4], [2, 4, 5]])


@pytest.mark.parametrize(
    ("arrays", "header"),
    [
        ({}, {}),
        ({"0|targets|a|gram|upper": GRAM}, {"scales": 10**9}),
        ({"0|targets|a|gram|upper": GRAM}, {"scales": 2}),
        ({"0|targets|a|gram|upper": GRAM}, {"scales": True}),
        ({"0|targets|a|gram|upper": GRAM}, {"network": 3}),
        ({"0|targets|a|gram|upper": GRAM}, {"options": {"style_loss": "gram"}}),
        ({"0|targets|a|gram|upper": GRAM, "-1|targets|a|gram|upper": GRAM}, {}),
        ({"0|targets|a|gram|upper": GRAM, "00|targets|a|gram|upper": GRAM}, {}),
        ({"0|targets|a|gram|upper": GRAM, "0|references|a|first|all": GRAM}, {}),
        ({"0|targets|a|gram|upper": GRAM, "0|targets|a|first|all": GRAM}, {}),
        ({"0|targets|a|gram|upper": GRAM[:, :5]}, {}),
        ({"0|targets|a|gram|upper": GRAM * np.nan}, {}),
        ({"0|targets|a|gram|upper": GRAM.astype(np.float64)}, {}),
        ({"0|targets|a|gram|all": np.zeros((1, 3, 4), np.float32)}, {}),
        ({"0|targets|a|gram|all": np.zeros((2, 3, 3), np.float32)}, {}),
        ({"0|targets|a|gram|upper": GRAM, "1|targets|a|gram|upper": GRAM[:, :3]}, {"scales": 2}),
        ({"0|targets|a|gram|upper": GRAM, "1|targets|b|gram|upper": GRAM}, {"scales": 2}),
    ],
)
def test_what_would_go_wrong_later_is_refused(tmp_path, arrays, header):
    gram_file(tmp_path / "a.npz", arrays, **header)
    with pytest.raises(ValueError, match="holds no targets of a style, or is damaged"):
        StyleTargets.load(tmp_path / "a.npz")


def test_sums_of_other_filters_do_not_fit_the_network(tmp_path, narrow_file):
    extractor = feature_extractor(["block1_conv1"], weights=narrow_file)
    own = fingerprint(extractor, ["block1_conv1"])
    gram_file(tmp_path / "a.npz", {"0|targets|block1_conv1|gram|upper": GRAM}, network=own)
    with pytest.raises(ValueError, match="do not fit the network's block1_conv1"):
        StyleTargets.load(tmp_path / "a.npz").require_network(extractor)
