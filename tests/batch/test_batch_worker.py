"""What a worker makes: the same as `tfstyle.transfer`, and no picture at another's cost."""

import dataclasses
import json
import logging

import numpy as np
import pytest
from PIL import Image

import tfstyle
from tfstyle.api import provenance
from tfstyle.batch import sources
from tfstyle.batch import worker as maker_module
from tfstyle.batch.inspection import Looker, Wanted, fitted_pixels, header_size
from tfstyle.batch.orders import Content, Order
from tfstyle.batch.worker import Maker, check
from tfstyle.io import encode, images
from tfstyle.io.files import sha256
from tfstyle.synthesis.loop import Result

from conftest import file_bytes, picture, turned

OPTIONS = {
    "image_size": 32, "iterations": 2, "optimizer": "adam", "precision": "float32",
    "content_layers": "conv2_1", "style_layers": "conv1_1,conv2_1",
}  # fmt: skip


@pytest.fixture
def order(files, narrow_file, tmp_path):
    Image.fromarray(picture(36, 36, seed=9)).save(tmp_path / "other.png")
    config = tfstyle.TransferConfig(weights=narrow_file, padding="zeros", **OPTIONS)
    inputs = json.loads(provenance.describe("style_transfer", config, {}))["inputs"]
    styles = sources.find_styles([str(files / "style.png"), str(tmp_path / "other.png")])
    return Order(config, styles, str(tmp_path / "out"), batch_size=2, retries=1, files=inputs)


@pytest.fixture
def contents(files, tmp_path):
    Image.fromarray(picture(36, 48, seed=3)).save(tmp_path / "second.png")
    return [Content("content", str(files / "content.png")), Content("second", str(tmp_path / "second.png"))]


def made(order, contents):
    """Everything as a run does it; returns {output: outcome}."""
    maker, group, outcomes = Maker(order), [], []
    for content in contents:
        wanted, known = Looker(order).look(content)
        outcomes += known
        if wanted is not None:
            pixels = maker.load(wanted)
            if isinstance(pixels, list):
                outcomes += pixels
            else:
                group.append((wanted, pixels))
    outcomes += maker.make(group)
    return {outcome.output: outcome for outcome in outcomes}


def test_the_same_as_transfer(order, contents, tmp_path):
    outcomes = made(order, contents)
    assert {outcome.kind for outcome in outcomes.values()} == {"made"} and len(outcomes) == 4
    for content in contents:
        for style in order.styles:
            output = tmp_path / "out" / order.output_of(content.name, style)
            expected = tfstyle.transfer(content.path, style.path, order.config)
            difference = np.asarray(Image.open(output)) / 255 - expected.image[0].numpy()
            assert np.abs(difference).max() < 1.01 / 255
            pictures = {"content": content.path, "style": style.path}
            assert encode.read_note(output) == provenance.describe("style_transfer", order.config, pictures)
            record = json.loads((tmp_path / "out" / "records" / f"{output.stem}.json").read_text())
            assert record["losses"] == pytest.approx(expected.losses, rel=1e-3)
    assert {outcome.kind for outcome in made(order, contents).values()} == {"finished"}


@pytest.fixture
def at_once(monkeypatch):
    """Pictures are their contents, unpainted; how many of them, and in how many styles, were asked for at once."""
    asked = []

    def transferred(self, group, numbers):
        asked.append((len(group), len(numbers)))
        if any(np.max(pixels) == 0 for _, pixels in group):
            raise FloatingPointError("the loss is not finite")
        return [
            [Result(pixels[np.newaxis], {"content": 1.0}, {}, 0.1, 2, []) for _ in numbers]
            for _, pixels in group
        ]

    monkeypatch.setattr(Maker, "_transferred", transferred)
    return asked


def test_only_what_is_missing(order, contents, at_once):
    made(dataclasses.replace(order, styles=order.styles[:1]), contents[:1])
    at_once.clear()
    outcomes = made(order, contents)
    assert sorted(outcome.kind for outcome in outcomes.values()) == ["finished", "made", "made", "made"]
    assert sorted(at_once) == [(1, 1), (1, 2)]


def test_what_another_worker_has_finished_is_not_made(order, contents, at_once):
    wanted, _ = Looker(order).look(contents[0])
    made(order, contents)
    at_once.clear()
    maker = Maker(order)
    assert [outcome.kind for outcome in maker.make([(wanted, maker.load(wanted))])] == ["finished"] * 2
    assert not at_once


def test_one_failure_costs_no_other(order, contents, tmp_path, at_once):
    order = dataclasses.replace(order, styles=order.styles[:1])
    blank = tmp_path / "blank.png"
    Image.new("RGB", (48, 36)).save(blank)
    (tmp_path / "text.png").write_text("not a picture")
    bad = [
        Content("blank", str(blank)),
        Content("text", str(tmp_path / "text.png")),
        Content("gone", "gone.png"),
    ]
    outcomes = made(order, [contents[0], *bad, contents[1]])
    kinds = {name.partition("__")[0]: outcome.kind for name, outcome in outcomes.items()}
    assert kinds == {
        "content": "made", "blank": "failed", "text": "failed", "gone": "failed", "second": "made",
    }  # fmt: skip
    reasons = {name.partition("__")[0]: outcome.reason for name, outcome in outcomes.items()}
    assert reasons["blank"] == f"{blank}: the loss is not finite"
    assert reasons["text"] == f"{tmp_path / 'text.png'}: is not a picture that Pillow can read"
    assert reasons["gone"] == "'gone.png': no such file or directory"
    again = {name.partition("__")[0]: one.kind for name, one in made(order, [*contents, *bad]).items()}
    assert again == {
        "content": "finished", "second": "finished", "blank": "failed before", "text": "failed before",
        "gone": "failed",  # it may be there next time
    }  # fmt: skip
    retried = made(dataclasses.replace(order, retry_failures=True), bad)
    assert {outcome.kind for outcome in retried.values()} == {"failed"}


def test_what_would_not_fit_into_memory_is_refused_by_its_header(order, tmp_path):
    (tmp_path / "wide.ppm").write_bytes(b"P6 12000 9000 255\n")
    config = dataclasses.replace(order.config, image_size=0, memory_limit=2.0)
    outcomes = made(dataclasses.replace(order, config=config), [Content("wide", str(tmp_path / "wide.ppm"))])
    assert {outcome.kind for outcome in outcomes.values()} == {"failed"}
    assert all("2.00 GB are there" in outcome.reason for outcome in outcomes.values())


def test_a_disk_that_fails_once(order, contents, at_once, monkeypatch):
    maker = Maker(dataclasses.replace(order, styles=order.styles[:1]))
    wanted, _ = Looker(order).look(contents[0])
    real, calls = maker_module._encoded, []

    def flaky(*arguments):
        calls.append(1)
        if len(calls) == 1:
            raise OSError("disk full")
        return real(*arguments)

    monkeypatch.setattr(maker_module, "_encoded", flaky)
    (outcome,) = maker.make([(dataclasses.replace(wanted, styles=(0,)), maker.load(wanted))])
    assert outcome.kind == "made" and len(calls) == 2


def test_pixels_are_those_of_transfer(tmp_path):
    Image.fromarray(picture(90, 120, seed=4)).save(tmp_path / "large.png")
    content = Content("large", str(tmp_path / "large.png"))
    wanted = Wanted(content, sha256(content.path), (0,))
    expected = images.load_fitted(content.path, "content", 40)
    np.testing.assert_array_equal(fitted_pixels(wanted, 40), expected[0])
    with pytest.raises(OSError, match="has changed since this run first read it"):
        fitted_pixels(dataclasses.replace(wanted, sha256="another"), 40)


def test_transparent_pixels_are_those_of_transfer(tmp_path):
    alpha = Image.radial_gradient("L").resize((120, 90))
    see_through = Image.fromarray(picture(90, 120, seed=4))
    see_through.putalpha(alpha)
    see_through.save(tmp_path / "large.png")
    content = Content("large", str(tmp_path / "large.png"))
    wanted = Wanted(content, sha256(content.path), (0,))
    pixels, opacity = images.load_with_alpha(fitted_pixels(wanted, 40))
    image, alpha = images.load_with_alpha(content.path)
    np.testing.assert_allclose(opacity, images.resize(alpha, (30, 40)), atol=1e-6)
    # Where a picture is nearly transparent, its colours may be too weak to be told from white.
    difference = np.abs(pixels - images.resize(image, (30, 40)))
    assert np.max(difference) < 2 / 255 and np.mean(difference > 1e-5) < 0.02


def test_what_tensorflow_says_of_compiling_is_no_news():
    told = "5 out of the last 5 calls to f triggered tf.function retracing.", "out of memory"
    assert [maker_module._is_news(logging.makeLogRecord({"msg": each})) for each in told] == [False, True]


def test_header_size():
    image = Image.fromarray(picture(20, 30))
    assert header_size(file_bytes(image)) == (20, 30)
    assert header_size(file_bytes(image, "JPEG", exif=turned())) == (30, 20)
    assert header_size(b"nothing") == (0, 0)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"style_layers": ["conv3_9"]}, "unknown layer"),
        ({"weights": "none.npz"}, "weights='none.npz'"),
        ({"init": "none.png"}, "init='none.png'"),
        ({"style_blend": (1.0, 2.0)}, "style_blend: must be empty"),
    ],
)
def test_what_would_fail_for_all_is_found_first(order, changes, says):
    with pytest.raises((ValueError, OSError), match=says):
        check(dataclasses.replace(order, config=dataclasses.replace(order.config, **changes)))


def test_styles_that_are_no_pictures(order, tmp_path):
    (tmp_path / "text.png").write_text("not a picture")
    styles = sources.find_styles([str(tmp_path / "text.png")])
    with pytest.raises(ValueError, match=r"styles='.*text\.png': is not a picture"):
        check(dataclasses.replace(order, styles=styles))


def test_style_targets(order, contents, files):
    targets = tfstyle.style_targets(str(files / "style.png"), order.config)
    targets.save(files / "style.npz")
    order = dataclasses.replace(order, styles=sources.find_styles([str(files / "style.npz")]))
    check(order)
    (outcome,) = made(order, contents[:1]).values()
    assert outcome.kind == "made"
    larger = dataclasses.replace(order, config=dataclasses.replace(order.config, image_size=64))
    with pytest.raises(ValueError, match=r"styles='.*style\.npz': its targets were made with image_size=32"):
        check(larger)
    with pytest.raises(ValueError, match="is not the file that the run was started with"):
        Maker(dataclasses.replace(order, styles=[dataclasses.replace(order.styles[0], sha256="another")]))
