"""Styles measured before the run."""

import dataclasses

import numpy as np
import pytest

from tfstyle import StyleTargets, TransferConfig, style_targets, transfer

from conftest import narrow_weights, picture

STYLE, OTHER = picture(40, 44, seed=4), picture(44, 40, seed=5)
CONTENT = picture(37, 51, seed=1)


@pytest.fixture(scope="module")
def config(narrow_file):
    return TransferConfig(
        weights=narrow_file, image_size=64, iterations=3, scales=2, precision="float32", optimizer="adam"
    )


@pytest.mark.parametrize("statistic", ["gram", "moments", "bures", "histogram"])
def test_a_run_with_saved_targets_is_that_with_the_picture(config, statistic, tmp_path):
    config = dataclasses.replace(config, style_loss=statistic, scales=2 if statistic == "gram" else 1)
    targets = style_targets(STYLE, config)
    targets.save(tmp_path / "style.npz")
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


def test_the_file_is_small(config, tmp_path):
    style_targets(STYLE, dataclasses.replace(config, scales=1)).save(tmp_path / "style.npz")
    filters = (4, 6, 8, 8, 8)
    values = sum(n * (n + 1) // 2 for n in filters)
    assert (tmp_path / "style.npz").stat().st_size < 4 * values + 2500


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"style_loss": "moments"}, "made with style_loss=gram, and the run has style_loss=moments"),
        ({"image_size": 72}, "made with image_size=64"),
        ({"style_layers": ("conv1_1",)}, "its targets are of the layers block1_conv1,block2_conv1"),
        ({"color": "matched"}, "color=matched needs the picture"),
        ({"normalize": True}, "normalize=true needs the picture"),
        ({"scales": 3, "content_layers": "conv1_1"}, "targets have 2 scales and this run has 3"),
    ],
)
def test_what_must_be_the_same(config, change, message):
    config = dataclasses.replace(config, style_layers=("conv1_1", "conv2_1"), content_layers="conv2_1")
    targets = style_targets(STYLE, config)
    with pytest.raises(ValueError, match=message):
        transfer(CONTENT, targets, dataclasses.replace(config, **change))


def test_a_style_that_is_too_small(config):
    with pytest.raises(ValueError, match=r"style: is 64 x 6 pixels.*at least 16"):
        style_targets(picture(6, 64, seed=1), dataclasses.replace(config, scales=1))


def test_other_weights(config, tmp_path):
    np.savez(tmp_path / "other.npz", **narrow_weights(seed=1))
    with pytest.raises(ValueError, match="other weights"):
        transfer(
            CONTENT,
            style_targets(STYLE, config),
            dataclasses.replace(config, weights=str(tmp_path / "other.npz")),
        )


def test_where_a_picture_is_needed(config):
    targets = style_targets(STYLE, config)
    with pytest.raises(ValueError, match=r"style_masks: .*give its picture"):
        transfer(CONTENT, targets, config, style_masks=[np.full((40, 44), 255, np.uint8)])
    with pytest.raises(ValueError, match="init='style'"):
        transfer(CONTENT, targets, dataclasses.replace(config, init="style"))
    histograms = dataclasses.replace(config, style_loss="histogram")
    with pytest.raises(ValueError, match="histograms are in units of one style"):
        transfer(CONTENT, [style_targets(STYLE, histograms), OTHER], histograms)


def test_files_that_are_none(config, tmp_path):
    path = tmp_path / "style.npz"
    targets = style_targets(STYLE, config)
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
    targets.save(path)
    whole = path.read_bytes()
    generator = np.random.default_rng(0)
    for _ in range(60):
        data = bytearray(whole)
        for place in generator.integers(0, len(data), 3):
            data[place] ^= 1 << int(generator.integers(8))
        path.write_bytes(bytes(data[: generator.integers(1, len(data) + 1)]))
        try:
            StyleTargets.load(path)
        except ValueError as error:
            assert "holds no targets" in str(error)
