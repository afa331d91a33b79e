"""Folders, globs, lists and TFRecords."""

import hashlib

import pytest

from tfstyle.batch.sources import Shard, contents_of, distinct, find_contents, find_styles

from conftest import file_bytes, picture, write_examples


@pytest.fixture
def folder(tmp_path):
    for name in ("a.png", "sub/a.jpg", "sub/deep/b.PNG", "readme.txt", "targets.npz"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(name.encode())
    return tmp_path


def names(contents):
    return [content.name for content in contents]


def test_folder_without_outputs_below_it(folder):
    assert names(find_contents(str(folder))) == ["a", "sub/a", "sub/deep/b"]
    assert names(find_contents(f"{folder}/")) == ["a", "sub/a", "sub/deep/b"]
    assert names(find_contents(str(folder), f"{folder}/sub/../sub")) == ["a"]
    assert names(find_contents(f"{folder}/sub", str(folder))) == ["a", "deep/b"]


def test_globs_take_whatever_matches(folder):
    assert names(find_contents(f"{folder}/*.*")) == ["a", "readme", "targets"]
    assert names(find_contents(f"{folder}/sub/**/*.*")) == ["a", "deep/b"]
    assert names(find_contents(f"{folder}/s*/a.jpg")) == ["sub/a"]
    assert names(find_contents(f"{folder}/a.png")) == ["a"]


def test_relative(folder, monkeypatch):
    monkeypatch.chdir(folder)
    assert names(find_contents("*.png")) == ["a"]
    assert names(find_contents("a.png")) == ["a"]


def test_styles(folder):
    styles = find_styles([f"{folder}/a.png", f"{folder}/targets.npz", f"{folder}/sub"])
    assert [style.name for style in styles] == ["a", "targets", "a", "b"]
    assert styles[0].sha256 == hashlib.sha256(b"a.png").hexdigest()
    with pytest.raises(OSError, match=r"styles='none\.png': no such file"):
        find_styles(["none.png"])


def test_tfrecords(tmp_path):
    data = [file_bytes(picture(8, 8, seed)) for seed in range(3)]
    path = write_examples(
        tmp_path / "one.tfrecord",
        {"encoded": data[0], "filename": b"x/cat.jpg"},
        {"encoded": data[1]},
        {"encoded": data[2], "filename": b"../../cat.jpg"},
        {"filename": b"dog.jpg"},
        b"no example",
        {"encoded": data[1], "filename": b"x/cat.png"},
    )
    write_examples(tmp_path / "two.tfrecords-00001-of-00002")
    shards = find_contents(f"{tmp_path}/*")
    assert shards == [Shard(path), Shard(str(tmp_path / "two.tfrecords-00001-of-00002"))]
    cat, plain, outside, dog, broken, again = distinct(contents_of(shards[0]))
    assert (cat.name, cat.data, cat.problem, cat.source) == ("x/cat", data[0], "", f"{path}#0")
    assert (plain.name, plain.data, plain.problem) == ("one.tfrecord-000001", data[1], "")
    assert outside.name == "one.tfrecord-000002" and "must be a relative path" in outside.problem
    assert (dog.name, dog.problem) == ("dog", "has no image/encoded")
    assert broken.problem.startswith("is no example")
    assert again.name == "one.tfrecord-000005" and "would be called 'x/cat'" in again.problem


def test_damaged_tfrecords_end_with_a_failure(tmp_path):
    records = [{"encoded": file_bytes(picture(8, 8, seed))} for seed in range(3)]
    path = write_examples(tmp_path / "one.tfrecord", *records)
    whole = (tmp_path / "one.tfrecord").read_bytes()
    (tmp_path / "one.tfrecord").write_bytes(whole[:-20])
    contents = list(contents_of(Shard(path)))
    assert [bool(content.problem) for content in contents] == [False, False, True]
    assert contents[-1].problem.startswith("the TFRecord file cannot be read on from here")


def test_not_both_kinds(tmp_path):
    write_examples(tmp_path / "one.tfrecord")
    (tmp_path / "a.png").write_bytes(file_bytes(picture(8, 8)))
    with pytest.raises(ValueError, match="must match TFRecord files or pictures, not both"):
        find_contents(f"{tmp_path}/*")
