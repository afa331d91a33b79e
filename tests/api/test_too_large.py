"""What would not fit into memory is refused by the pictures' headers: here, nothing follows them."""

import dataclasses
import re

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

import tfstyle
from tfstyle.evaluation import evaluate
from tfstyle.feedforward.networks import transformation_network
from tfstyle.feedforward.painting import Painter
from tfstyle.runtime import memory
from tfstyle.runtime.memory_model import require_paintable

from conftest import picture

LAYERS = {"content_layers": "conv2_1", "style_layers": "conv1_1,conv2_1"}
STYLE = picture(40, 30, seed=2)


@pytest.fixture(autouse=True)
def machine(monkeypatch):
    """The process has 1 GB, and another one is free."""
    monkeypatch.setattr(memory, "resident_bytes", lambda: 10**9)
    monkeypatch.setattr(memory, "free_bytes", lambda: 10**9)
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: [])


def header(folder, width, height):
    """A PPM file of which only the header is there."""
    path = folder / f"{width}x{height}.ppm"
    path.write_bytes(f"P6 {width} {height} 255\n".encode())
    return path


CALLS = {
    "transfer": lambda content, config: tfstyle.transfer(content, STYLE, config),
    "batch": lambda content, config: tfstyle.transfer_batch([content], [STYLE], config),
    "plan": lambda content, config: tfstyle.plan_transfer(content, STYLE, config).require_fit(),
    "explain": lambda content, config: tfstyle.explain_transfer(content, STYLE, config),
    "content": lambda content, config: tfstyle.reconstruct_content(content, "conv2_1", config),
    "style": lambda content, config: tfstyle.reconstruct_style(content, "conv2_1", config),
    "targets": lambda content, config: tfstyle.style_targets(content, config),
    "evaluate": lambda content, config: evaluate(content, STYLE, {"one": STYLE}, config),
}


@pytest.mark.parametrize("call", CALLS)
def test_a_size_is_refused_with_the_largest_that_would_fit(call, narrow_file, tmp_path):
    config = tfstyle.TransferConfig(
        weights=narrow_file, image_size=20000, precision="float32", memory_limit=2.0, **LAYERS
    )
    content = header(tmp_path, 400, 300)
    with pytest.raises(ValueError) as refusal:
        CALLS[call](content, config)
    found = re.search(
        r"image_size=20000: needs (\d+\.\d\d) GB of memory, and 2\.00 GB are there; what would fit:"
        r" image_size=(\d+)",
        str(refusal.value),
    )
    assert float(found[1]) > 10
    # Of that size, the file is read; and there is nothing in it.
    with pytest.raises(ValueError, match="damaged or cut short"):
        CALLS[call](content, dataclasses.replace(config, image_size=int(found[2])))
    with pytest.raises(ValueError, match="GB are there"):
        CALLS[call](content, dataclasses.replace(config, image_size=int(1.01 * int(found[2]) + 1)))


def test_pictures_too_large_to_be_decoded(narrow_file, tmp_path, monkeypatch):
    config = tfstyle.TransferConfig(weights=narrow_file, image_size=64, precision="float32", **LAYERS)
    content = header(tmp_path, 30000, 20000)
    with pytest.raises(ValueError, match=r"30000x20000\.ppm': has more than \d+ million pixels"):
        tfstyle.transfer(content, STYLE, config)
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", None)
    # 31 bytes for each of 600 million pixels.
    with pytest.raises(
        ValueError, match=r"^image_size=64: needs 19\.60 GB of memory, and 2\.00 GB are there"
    ):
        tfstyle.transfer(content, STYLE, config)


def test_arrays_are_refused_as_they_are(narrow_file):
    config = tfstyle.TransferConfig(weights=narrow_file, image_size=0, precision="float32", **LAYERS)
    content = np.broadcast_to(np.uint8(7), (20000, 30000, 3))  # three bytes
    with pytest.raises(ValueError, match=r"^image_size=0: needs .* GB are there"):
        tfstyle.transfer(content, STYLE, config)


def test_painting_in_one_pass(tmp_path):
    paint = Painter(transformation_network(1, width=4, residual_blocks=1))
    with pytest.raises(ValueError) as refusal:
        require_paintable(header(tmp_path, 12000, 9000), "content", paint.needed_bytes)
    found = re.fullmatch(
        r"content of 12000 x 9000 pixels: needs \d+\.\d\d GB of memory, and 2\.00 GB are there;"
        r" what would fit: a longer side of (\d+) pixels",
        str(refusal.value),
    )
    side = int(found[1])
    require_paintable(header(tmp_path, side, int(0.75 * side)), "content", paint.needed_bytes)
