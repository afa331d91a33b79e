"""Pictures by folder, glob and name."""

import pytest

from tfstyle.io.store import find_pictures


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
    [
        ("none", "no such file or folder"),
        ("*.gif", "matches no file"),
        ("empty", "holds no picture$"),
    ],
)
def test_nothing_there(tmp_path, where, says):
    (tmp_path / "empty").mkdir()
    with pytest.raises(OSError, match=f"^photos='.*': {says}"):
        find_pictures(tmp_path / where)
