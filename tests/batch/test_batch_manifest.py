"""What counts as finished, and that no kill can make anything else count."""

import dataclasses
import json
import os

import pytest

from tfstyle import TransferConfig
from tfstyle.batch import manifest
from tfstyle.batch.manifest import Ledger
from tfstyle.batch.orders import Content, Failure, Order, Style
from tfstyle.io import store

CAT = Content("sub/cat", "in/sub/cat.jpg")
FIGURES = {"losses": {"content": 1.5}, "evaluations": 3, "seconds": 0.1}


@pytest.fixture
def order(tmp_path):
    return Order(TransferConfig(iterations=3), [Style("waves", "waves.jpg", "s1")], str(tmp_path))


def finished(order, sha256="c1", content=CAT):
    return Ledger(order).is_finished(content, sha256, order.styles[0])


def make(order, picture=b"pixels", sha256="c1"):
    return Ledger(order).write_made(CAT, sha256, order.styles[0], picture, FIGURES)


def test_finished(order, tmp_path):
    assert not finished(order)
    assert make(order) == "sub/cat__waves.png"
    assert (tmp_path / "sub" / "cat__waves.png").read_bytes() == b"pixels"
    assert finished(order)


def test_made_from_anything_else_is_not_finished(order, tmp_path):
    make(order)
    assert not finished(order, sha256="c2")
    for changed in (
        {"config": TransferConfig(iterations=4)},
        {"styles": [Style("waves", "waves.jpg", "s2")]},
        {"suffix": ".jpg"},
        {"files": {"weights": {"path": "w.npz", "sha256": "w1"}}},
    ):
        assert not finished(dataclasses.replace(order, **changed)), changed
    assert finished(dataclasses.replace(order, batch_size=1, retries=0))
    (tmp_path / "sub" / "cat__waves.png").unlink()
    assert not finished(order)


@pytest.mark.parametrize("operation", ["write", "delete"])
@pytest.mark.parametrize("number", range(2))
def test_killed_between_any_two_steps(order, tmp_path, monkeypatch, operation, number):
    """A picture of other settings is replaced; whatever is there then, it is not taken for either's."""
    other = dataclasses.replace(order, config=TransferConfig(iterations=9))
    make(other, b"of other settings")
    calls = []
    real = getattr(store, operation)

    def killed(*arguments):
        calls.append(arguments)
        if len(calls) > number:
            raise KeyboardInterrupt
        return real(*arguments)

    monkeypatch.setattr(store, operation, killed)
    with pytest.raises(KeyboardInterrupt):
        make(order, b"of these settings")
    there = (tmp_path / "sub" / "cat__waves.png").read_bytes()
    assert not finished(other) or there == b"of other settings"
    assert not finished(order) or there == b"of these settings"


def test_failures(order):
    book, (style,) = Ledger(order), order.styles
    book.write_failed(CAT, "c1", style, Failure("is damaged"))
    assert book.has_failed(CAT, "c1", style)
    assert not book.has_failed(CAT, "c2", style)
    book.write_failed(CAT, "c1", style, Failure("disk", 3, transient=True))
    assert not book.has_failed(CAT, "c1", style)
    make(order)
    assert manifest.write_manifest(order.output) == (1, 0)
    book.write_failed(CAT, "c1", style, Failure("disk"))  # as a run leaves it that was killed just then
    assert manifest.write_manifest(order.output) == (1, 0)
    book.write_failed(CAT, "c2", style, Failure("is damaged"))
    assert manifest.write_manifest(order.output) == (1, 1)


def test_failures_that_are_known_without_a_look_at_bytes(order):
    book, (style,) = Ledger(order), order.styles
    broken = dataclasses.replace(CAT, problem="has no name")
    book.write_failed(broken, None, style, Failure("has no name"))
    assert book.has_failed(broken, None, style)
    assert not book.has_failed(dataclasses.replace(CAT, problem="has another"), None, style)


def test_manifest(order, tmp_path):
    book, (style,) = Ledger(order), order.styles
    for name in "cab":
        book.write_made(Content(name, f"in/{name}.jpg"), f"hash of {name}", style, b"pixels", FIGURES)
    book.write_failed(Content("z", "in/z.jpg"), "hash of z", style, Failure("is damaged", 1))
    (tmp_path / "c__waves.png").unlink()  # its record alone is no picture
    assert manifest.write_manifest(order.output) == (2, 1)
    a, b = map(json.loads, (tmp_path / "manifest.jsonl").read_text().splitlines())
    assert a == {
        "output": "a__waves.png", "content": "in/a.jpg", "style": "waves.jpg",
        "sha256": {"content": "hash of a", "style": "s1"}, "config": order.config.to_dict(), **FIGURES,
    }  # fmt: skip
    assert b["output"] == "b__waves.png"
    (failed,) = map(json.loads, (tmp_path / "failures.jsonl").read_text().splitlines())
    assert (failed["content"], failed["reason"], failed["tries"]) == ("in/z.jpg", "is damaged", 1)


@pytest.mark.parametrize(
    "name", ["../../elsewhere.png", "/etc/passwd", "sub/../../x.png", "sub/dog__waves.png", "", "."]
)
def test_a_record_speaks_of_its_own_picture_alone(order, tmp_path, name):
    make(order)
    (tmp_path / "sub" / "dog__waves.png").write_bytes(b"pixels")
    path = tmp_path / "records" / "sub" / "cat__waves.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"output": name}))
    assert not finished(order)
    assert manifest.write_manifest(str(tmp_path)) == (0, 0)
    failure = Failure("is damaged", 1)
    Ledger(order).write_failed(CAT, "c1", order.styles[0], failure)
    path = tmp_path / "failures" / "sub" / "cat__waves.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"output": name}))
    assert manifest.write_manifest(str(tmp_path)) == (0, 0)
    assert (tmp_path / manifest.DEAD_LETTERS).read_bytes() == b""


@pytest.mark.parametrize(
    "text",
    [
        "", "{", "[]", "null", '{"output": 3}', '{"output": NaN}', '{"output": ' + "9" * 10_000 + "}", "[" * 100_000,
        " " * (1 << 21),
    ],
)  # fmt: skip
def test_what_is_no_record(order, tmp_path, text):
    make(order)
    (tmp_path / "records" / "sub" / "cat__waves.json").write_text(text)
    assert not finished(order)
    assert manifest.write_manifest(str(tmp_path)) == (0, 0)


def test_a_link_in_the_place_of_a_picture_is_not_followed(order, tmp_path):
    outside = tmp_path.parent / f"{tmp_path.name}-outside.png"
    outside.write_bytes(b"precious")
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "cat__waves.png").symlink_to(outside)
    make(order)
    assert outside.read_bytes() == b"precious"
    assert (tmp_path / "sub" / "cat__waves.png").read_bytes() == b"pixels"


def test_pipes_are_not_read(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(OSError, match="device or pipe"):
        store.read(str(tmp_path / "pipe"))
    (tmp_path / "file").write_bytes(b"12345")
    assert store.read(str(tmp_path / "file"), 5) == b"12345"
    with pytest.raises(ValueError, match="more than 4 bytes"):
        store.read(str(tmp_path / "file"), 4)


def test_names_that_are_no_utf_8_cost_no_manifest(order, tmp_path):
    """Found by tests/fuzz: one such record ended every later run with an error."""
    content = Content("b", os.fsdecode(b"in/\xff.jpg"))
    Ledger(order).write_made(content, "c1", order.styles[0], b"pixels", FIGURES)
    make(order)
    path = tmp_path / "records" / "sub" / "cat__waves.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"style": "\ud800"}))
    assert manifest.write_manifest(str(tmp_path)) == (2, 0)
    lines = [json.loads(line) for line in (tmp_path / manifest.MANIFEST).read_bytes().splitlines()]
    assert [line["content"] for line in lines] == ["in/\udcff.jpg", CAT.path]
