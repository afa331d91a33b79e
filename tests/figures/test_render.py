"""Panels on disk: made once, found again, made anew where anything is different."""

import dataclasses
import json
import shutil

import pytest

from tfstyle import transfer
from tfstyle.figures import figure, render
from tfstyle.io import encode, images
from tfstyle.io.files import sha256
from tfstyle.runtime.stopping import Supervision

from conftest import KillAt, Killed, Recorder, shallow


@pytest.fixture(scope="module")
def base(narrow_file):
    return shallow(narrow_file, image_size=32, iterations=2, log_every=1)


@pytest.fixture(scope="module")
def pictures(files):
    return {"content": str(files / "content.png"), "style": str(files / "style.png")}


@pytest.fixture(scope="module")
def finished(base, pictures, tmp_path_factory):
    """The folder of a figure of one panel."""
    folder = tmp_path_factory.mktemp("finished")
    render(figure("photo", base), pictures, folder)
    return folder


@pytest.fixture
def photo(finished, tmp_path):
    """A copy of it."""
    return shutil.copytree(finished, tmp_path / "photo")


def test_panels_are_what_transfer_makes(base, pictures, tmp_path):
    made = render(figure("tradeoff", base), pictures, tmp_path)
    assert [entry.path.name for entry in made] == [
        f"content_style_{ratio}.png" for ratio in ("0.0001", "0.001", "0.01", "0.1")
    ]
    expected = transfer(pictures["content"], pictures["style"], made[2].panel.config)
    assert (
        encode.to_uint8(images.load_image(made[2].path)).tolist() == encode.to_uint8(expected.image).tolist()
    )
    assert made[2].losses == expected.losses and made[2].evaluations == expected.evaluations
    assert "--from=content_style_0.01.png" in made[2].command


def test_a_killed_figure_makes_only_what_is_missing(base, pictures, tmp_path):
    chosen = figure("layers", base)
    with pytest.raises(Killed):
        render(chosen, pictures, tmp_path, reporters=[KillAt(3)])  # in the second of two runs
    assert [path.name for path in tmp_path.glob("*.png")] == ["conv2_2.png"]
    first = sha256(tmp_path / "conv2_2.png")
    recorder = Recorder()
    made = render(chosen, pictures, tmp_path, reporters=[recorder])
    assert [entry.path.name for entry in made] == ["conv2_2.png"] * 2 + ["conv4_2.png"] * 2
    assert sha256(tmp_path / "conv2_2.png") == first
    (begun, _), *_, (ended, _) = recorder.seen
    assert ended.step == ended.total_steps == 2  # of one run, not of two
    assert begun.note.splitlines()[0] == "panel 1 of 1: conv4_2"
    again = Recorder()
    render(chosen, pictures, tmp_path, reporters=[again])
    assert again.seen == []


def test_other_settings_are_another_panel(base, pictures, photo):
    recorder = Recorder()
    render(figure("photo", dataclasses.replace(base, seed=3)), pictures, photo, reporters=[recorder])
    assert recorder.seen
    (path,) = photo.glob("*.png")
    assert json.loads(encode.read_note(path))["config"]["seed"] == 3


def test_checkpoints_go_on_inside_a_panel(base, pictures, finished, tmp_path):
    chosen = figure("photo", base)
    (tmp_path / "other").mkdir()
    render(chosen, pictures, tmp_path / "other", supervision=Supervision(tmp_path / "states"))
    for path in (tmp_path / "other").iterdir():
        path.unlink()
    recorder = Recorder()
    made = render(
        chosen, pictures, tmp_path / "other", reporters=[recorder],
        supervision=Supervision(tmp_path / "states"),
    )  # fmt: skip
    assert "goes on from the checkpoint" in recorder.seen[0][0].note
    assert made[0].path.read_bytes() == (finished / made[0].path.name).read_bytes()


def test_a_missing_picture_is_told_before_anything_is_made(base, pictures, tmp_path):
    with pytest.raises(ValueError, match="--style: is missing; figure=representations needs a picture file"):
        render(figure("representations", base), {"content": pictures["content"]}, tmp_path)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "text",
    ["", "[" * 100_000, "[]", '{"losses": {"a": "x"}, "seconds": 1, "evaluations": 1}', '{"losses": {}}'],
)
def test_a_damaged_record_is_named(base, pictures, photo, text):
    (path,) = photo.glob("*.json")
    path.write_text(text)
    with pytest.raises(
        ValueError, match=rf"{path.name}': is damaged .*; remove it, and its panel is made again"
    ):
        render(figure("photo", base), pictures, photo)
