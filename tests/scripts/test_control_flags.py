"""The means of control as flags: pictures, and records of what they were made from."""

import json

import numpy as np
import pytest
from PIL import Image

from tfstyle import TransferConfig, transfer
from tfstyle.io import encode

from conftest import picture, run_script, well

LAYERS = {"content_layers": "conv2_1", "style_layers": "conv1_1,conv2_1"}
FLAGS = (
    "--image_size=40", "--iterations=3", "--precision=float32", "--style_strength=0.5", "--optimizer=adam",
    *(f"--{name}={value}" for name, value in LAYERS.items()),
)  # fmt: skip


@pytest.fixture(scope="module")
def folder(files, narrow_file):
    """Content, two styles, masks, and a content with transparent parts."""
    Image.fromarray(picture(30, 40, seed=4)).save(files / "other, with a comma.png")
    left = np.zeros((36, 48), np.uint8)
    left[:, :24] = 255
    Image.fromarray(left).save(files / "left.png")
    Image.fromarray(255 - left).save(files / "right.png")
    square = np.zeros((40, 40), np.uint8)
    square[:, :20] = 255
    Image.fromarray(square).save(files / "other_left.png")
    Image.fromarray(np.dstack([picture(36, 48, seed=1), left])).save(files / "half.png")
    return files


def run(folder, narrow_file, *flags):
    return run_script(
        "style_transfer.py", f"--weights={narrow_file}", "--padding=zeros", *FLAGS, *flags, cwd=folder
    )


SEVERAL = (
    "--content=content.png",
    '--style=style.png,"other, with a comma.png"',
    "--content_masks=left.png,right.png",
)


def test_several_styles_with_masks_and_the_same_again(folder, narrow_file):
    done = well(run(folder, narrow_file, *SEVERAL, "--color=matched", "--output=several.png"))
    assert "style_strength=0.5: content_weight=1, style_weight=1, style_layer_weights=" in done.stderr
    config = TransferConfig(
        weights=narrow_file, padding="zeros", image_size=40, iterations=3, precision="float32",
        style_strength=0.5, optimizer="adam", color="matched", **LAYERS,
    )  # fmt: skip
    expected = transfer(
        folder / "content.png",
        [folder / "style.png", folder / "other, with a comma.png"],
        config,
        content_masks=[folder / "left.png", folder / "right.png"],
    ).image
    written = Image.open(folder / "several.png")
    np.testing.assert_array_equal(np.asarray(written), encode.to_uint8(expected))
    inputs = json.loads(written.text["tfstyle"])["inputs"]
    assert list(inputs) == ["content", "style", "style 2", "content_masks", "content_masks 2", "weights"]
    well(run_script("style_transfer.py", "--from=several.png", "--output=again.png", cwd=folder))
    assert (folder / "again.png").read_bytes() == (folder / "several.png").read_bytes()


def test_a_transparent_content_stays_so(folder, narrow_file):
    well(run(folder, narrow_file, "--content=half.png", "--style=style.png", "--output=clear.png"))
    written = Image.open(folder / "clear.png")
    assert written.mode == "RGBA"
    np.testing.assert_array_equal(np.asarray(written)[:, :18, 3], 255)
    np.testing.assert_array_equal(np.asarray(written)[:, 22:, 3], 0)


def test_weights_in_the_units_of_others(folder, narrow_file):
    flags = ["--content=content.png", "--style=style.png", "--explain"]
    done = well(run(folder, narrow_file, *flags, "--preset=gatys_code", "--style_strength=0"))
    rows = {line.split()[0]: line.split()[1:] for line in done.stdout.splitlines()[2:]}
    assert rows["gatys_code"] == ["1", "1000", "-"] and rows["jcjohnson"][:2] == ["1", "1000"]
    assert well(run(folder, narrow_file, *flags)).stdout != done.stdout
