"""Files that are whole or absent, and pictures by folder, glob and name."""

import os
import stat

import pytest

from tfstyle.io.files import check_outputs, reason, require_writable_folder, sha256, unused, write_atomically
from tfstyle.io.store import find_pictures


def test_write_replaces_the_whole_file_with_the_usual_permissions(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"longer than what follows")
    write_atomically(path, b"new")
    assert path.read_bytes() == b"new"
    assert os.listdir(tmp_path) == ["file"]
    write_atomically(tmp_path / "atomic", b"")
    (tmp_path / "plain").write_bytes(b"")
    modes = [stat.S_IMODE((tmp_path / name).stat().st_mode) for name in ("atomic", "plain")]
    assert modes[0] == modes[1]


def test_a_failed_write_leaves_the_old_file_and_no_other(tmp_path, monkeypatch):
    path = tmp_path / "file"
    path.write_bytes(b"old")

    def full_disk(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full_disk)
    with pytest.raises(OSError, match="No space left"):
        write_atomically(path, b"new")
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["file"]


def test_missing_folder_is_named(tmp_path):
    with pytest.raises(OSError, match=r"output='x/y.png': there is no folder"):
        require_writable_folder(tmp_path / "x", "output='x/y.png'")


def test_sha256_of_known_text(tmp_path):
    (tmp_path / "abc").write_bytes(b"abc")
    assert sha256(tmp_path / "abc").startswith("ba7816bf8f01cfea414140de5dae2223")


@pytest.mark.parametrize(
    ("link", "output"),
    [
        (None, "sub/../photo.png"),
        (None, "yet_to_be_made/../photo.png"),
        (os.link, "other.png"),
        (os.symlink, "other.png"),
    ],
)
def test_an_output_is_no_input_however_it_is_called(tmp_path, link, output, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "sub").mkdir()
    (tmp_path / "photo.png").touch()
    if link:
        link(tmp_path / "photo.png", output)
    with pytest.raises(ValueError, match=r"^output='.*': would take the place of content='photo.png'; name"):
        check_outputs(["new.png", output], [("content", "photo.png")])
    check_outputs(["new.png", "sub"], [("content", "photo.png"), ("weights", "imagenet"), ("style", "new")])


def test_a_folder_that_holds_an_input_and_a_read_only_file_are_not_replaced(tmp_path):
    path = tmp_path / "model" / "styles" / "a.jpg"
    path.parent.mkdir(parents=True)
    path.touch()
    with pytest.raises(ValueError, match=r"^output='.*model': would take the place of styles='.*a.jpg'"):
        check_outputs([tmp_path / "model"], [("styles", path)])
    (tmp_path / "a.png").touch(0o444)
    with pytest.raises(PermissionError, match=r"^output='.*a.png': is read-only"):
        check_outputs([tmp_path / "a.png"], [])


def test_a_name_that_nothing_has(tmp_path):
    assert unused(tmp_path / "a.png") == tmp_path / "a.png"
    for name in ("a.png", "a-2.png"):
        (tmp_path / name).touch()
    assert unused(tmp_path / "a.png") == tmp_path / "a-3.png"


def test_reasons_are_words():
    assert reason(PermissionError(13, "Permission denied", "a.png")) == "'a.png': permission denied"
    assert reason(ValueError("style: is\n damaged")) == "style: is damaged"


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "photos [1]"
    for name in ("b.HEIC", "a.jpeg", "c.webp", "d.tif", "e.avif", "notes.txt", ".a.png", "sub/f.png"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    return folder


def test_a_folder_holds_pictures_of_all_formats(folder):
    names = ["a.jpeg", "b.HEIC", "c.webp", "d.tif", "e.avif"]
    base, found = find_pictures(folder)
    assert base == str(folder) and found == [f"{folder}/{name}" for name in names]
    assert find_pictures(folder, deep=True)[1] == [*found, f"{folder}/sub/f.png"]
    assert f"{folder}/notes.txt" in find_pictures(folder, also=[".txt"])[1]


def test_what_is_named_is_taken_whatever_it_is_called(folder):
    assert find_pictures(folder / "notes.txt") == (str(folder), [f"{folder}/notes.txt"])
    assert find_pictures(f"{folder.parent}/*/*.txt") == (str(folder.parent), [f"{folder}/notes.txt"])


@pytest.mark.parametrize(
    ("where", "says"),
    [("none", "no such file or folder"), ("*.gif", "matches no file"), ("empty", "holds no picture$")],
)
def test_nothing_there(tmp_path, where, says):
    (tmp_path / "empty").mkdir()
    with pytest.raises(OSError, match=f"^photos='.*': {says}"):
        find_pictures(tmp_path / where)
