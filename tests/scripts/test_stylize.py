"""Files and folders painted: where they go, what they carry, what is said; and the script as a process."""

import io
import json
import re

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from tfstyle.batch.board import Board
from tfstyle.batch.stylize_files import Finish, Look, draw_looks, paint_files, plan
from tfstyle.feedforward.cards import CARD
from tfstyle.feedforward.networks import fingerprint, layout, parameters, transformation_network
from tfstyle.io import decode, encode

from conftest import ROOT, one_line, picture, run_script, well


def look(name, paint, styles=()):
    return Look(name, paint, {"task": "stylize", "look": name}, styles)


NEGATIVE = look("negative", lambda pictures: 1 - pictures)
MIRRORED = look("mirrored", lambda pictures: pictures[:, :, ::-1])


@pytest.fixture
def photos(tmp_path):
    """Three pictures, two of one size, one transparent; and a file that is none."""
    folder = tmp_path / "photos"
    folder.mkdir()
    for name, size in (("a.png", (20, 30)), ("b.png", (20, 30)), ("c.png", (11, 7))):
        Image.fromarray(picture(*size, ord(name[0]))).save(folder / name)
    opacity = np.full((11, 7, 1), 100, np.uint8)
    Image.fromarray(np.concatenate([picture(11, 7, 5), opacity], -1)).save(folder / "d.png")
    (folder / "bad.jpg").write_text("no picture")
    return folder


def outputs(jobs):
    return [output for job in jobs for _, output in job.outputs]


def pixels(path):
    return np.array(Image.open(path).convert("RGBA"))[..., :3]


@pytest.mark.parametrize("batch_size", [1, 2])
def test_a_folder(photos, tmp_path, batch_size):
    sizes = []
    stream = io.StringIO()
    board = Board(4, stream, every_seconds=0)
    watched = look("watched", lambda pictures: sizes.append(pictures.shape[:3]) or 1 - pictures)
    jobs = plan(str(photos), [watched], str(tmp_path / "out"))
    assert paint_files(jobs, board, batch_size) == 1
    assert sizes == ([(2, 20, 30), (2, 11, 7)] if batch_size == 2 else [(1, 20, 30)] * 2 + [(1, 11, 7)] * 2)
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["a.png", "b.png", "c.png", "d.png"]
    for name in "abc":
        np.testing.assert_array_equal(
            pixels(tmp_path / "out" / f"{name}.png"), 255 - pixels(photos / f"{name}.png")
        )
    np.testing.assert_array_equal(np.array(Image.open(tmp_path / "out" / "d.png"))[..., 3], 100)
    assert board.counts["made"] == 4 and board.counts["failed"] == 1
    assert re.search("failed: content=.*bad.jpg.*: is not a picture", stream.getvalue())


def test_each_carries_how_it_was_made(photos, tmp_path):
    (job,) = plan(str(photos / "a.png"), [NEGATIVE], str(tmp_path / "a.jpg"))
    paint_files([job])
    note = json.loads(encode.read_note(tmp_path / "a.jpg"))
    assert note["task"] == "stylize" and note["look"] == "negative"
    assert note["inputs"]["content"]["path"] == str(photos / "a.png")
    assert len(note["inputs"]["content"]["sha256"]) == 64


def test_several_looks_read_a_picture_once(photos, tmp_path, monkeypatch):
    jobs = plan(str(photos / "a.png"), [NEGATIVE, MIRRORED], str(tmp_path / "out"))
    assert [path.name for path in outputs(jobs)] == ["a_negative.png", "a_mirrored.png"]
    read, load = [], decode.decode
    monkeypatch.setattr(decode, "decode", lambda *given: read.append(given) or load(*given))
    paint_files(jobs)
    assert len(read) == 1
    np.testing.assert_array_equal(pixels(outputs(jobs)[1]), pixels(photos / "a.png")[:, ::-1])


def test_names_by_default(photos, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert [str(path) for path in outputs(plan(str(photos / "a.png"), [NEGATIVE]))] == ["a_negative.png"]
    names = [str(path) for path in outputs(plan(str(photos / "[ab].png"), [NEGATIVE]))]
    assert names == ["a_negative.png", "b_negative.png"]
    names = [str(path) for path in outputs(plan(str(photos / "a.png"), [NEGATIVE], "photos"))]
    assert names == ["photos/a_negative.png"]
    (tmp_path / "a_negative.png").touch()
    assert [str(path) for path in outputs(plan(str(photos / "a.png"), [NEGATIVE]))] == ["a_negative-2.png"]


def test_what_cannot_be_planned(photos, tmp_path):
    def refused(error, message, content, output, looks=(NEGATIVE,)):
        with pytest.raises(error, match=message):
            plan(str(content), looks, str(output))

    refused(ValueError, "^output='.*a.png': would take the place of content='.*a.png'; name", photos, photos)
    styled = look("styled", None, [photos / "b.png"])
    refused(
        ValueError,
        "^output='.*b.png': would take the place of style='.*b.png'",
        photos / "a.png",
        photos / "b.png",
        [styled],
    )
    refused(ValueError, "^output=.*: must end in .png", photos / "a.png", tmp_path / "out")
    refused(
        FileNotFoundError, "^content='.*e.png': no such file or folder", photos / "e.png", tmp_path / "e.png"
    )
    refused(FileNotFoundError, r"^content='.*\*.gif': matches no file", photos / "*.gif", tmp_path / "out")
    refused(OSError, "^output=.*: cannot be made", photos, photos / "bad.jpg" / "out")


def test_contents_of_one_name_have_outputs_of_their_own(photos, tmp_path):
    Image.fromarray(picture(8, 8)).save(photos / "a.jpg")
    (photos / "a-2.png").write_bytes((photos / "b.png").read_bytes())
    names = [path.name for path in outputs(plan(str(photos / "a*"), [NEGATIVE], str(tmp_path / "out")))]
    assert sorted(names) == ["a-2.png", "a-3.png", "a.png"]


def test_nothing_of_what_is_transparent_is_painted(tmp_path):
    """A red disc on nothing is painted as if all were red."""
    seen = []
    watched = look("watched", lambda pictures: seen.append(pictures.copy()) or pictures)
    disc = np.zeros((40, 50, 4), np.uint8)
    rows, columns = np.indices((40, 50))
    disc[(rows - 20) ** 2 + (columns - 25) ** 2 < 100] = [200, 10, 20, 255]
    disc[20, 25] = [200, 10, 20, 128]
    Image.fromarray(disc).save(tmp_path / "disc.png")
    paint_files(plan(str(tmp_path / "disc.png"), [watched], str(tmp_path / "made.png")))
    np.testing.assert_allclose(255 * seen[0], np.broadcast_to([200, 10, 20], (1, 40, 50, 3)), atol=2.5)
    np.testing.assert_array_equal(np.array(Image.open(tmp_path / "made.png"))[..., 3], disc[..., 3])


def test_the_only_picture_is_bad(photos, tmp_path):
    with pytest.raises(ValueError, match="is not a picture"):
        paint_files(plan(str(photos / "bad.jpg"), [NEGATIVE], str(tmp_path / "a.png")))


def test_colours_of_the_content(photos, tmp_path):
    """Chrominance I and Q stay, by YIQ's matrix."""
    faint = look("faint", lambda pictures: 0.8 * pictures + 0.1)  # nothing is clipped
    paint_files(plan(str(photos / "a.png"), [faint], str(tmp_path / "a.png")), finish=Finish.of("content"))
    yiq = np.array([[0.299, 0.587, 0.114], [0.5959, -0.2746, -0.3213], [0.2115, -0.5227, 0.3112]])
    before, after = (pixels(path) @ yiq.T for path in (photos / "a.png", tmp_path / "a.png"))
    np.testing.assert_allclose(after[..., 0], 0.8 * before[..., 0] + 25.5, atol=25)
    free = ((pixels(tmp_path / "a.png") > 0) & (pixels(tmp_path / "a.png") < 255)).all(-1)
    assert free.mean() > 0.5
    np.testing.assert_allclose(after[free][:, 0], 0.8 * before[free][:, 0] + 25.5, atol=1)
    np.testing.assert_allclose(after[free][:, 1:], before[free][:, 1:], atol=1)
    with pytest.raises(ValueError, match="color='grey': must be one of style, content"):
        Finish.of("grey")


def test_a_mask_says_where(photos, tmp_path):
    mask = np.zeros((40, 60), np.uint8)
    mask[:, 30:] = 255  # twice the size of the picture
    Image.fromarray(mask).save(tmp_path / "mask.png")
    told = []
    jobs = plan(str(photos / "a.png"), [NEGATIVE], str(tmp_path / "a.png"))
    paint_files(jobs, finish=Finish.of("style", tmp_path / "mask.png"), tell=told.append)
    made, given = pixels(tmp_path / "a.png"), pixels(photos / "a.png")
    np.testing.assert_array_equal(made[:, :14], given[:, :14])
    np.testing.assert_array_equal(made[:, 16:], 255 - given[:, 16:])
    assert json.loads(encode.read_note(tmp_path / "a.png"))["mask"]["path"] == str(tmp_path / "mask.png")
    assert told == [
        {"content": str(photos / "a.png"), "look": "negative", "output": str(tmp_path / "a.png"), "width": 30, "height": 20}
    ]  # fmt: skip


def test_of_a_mask_with_transparent_parts_the_opacity_counts(tmp_path):
    cut_out = np.full((8, 6, 4), 255, np.uint8)
    cut_out[:, :3, 3] = 51
    Image.fromarray(cut_out).save(tmp_path / "mask.png")
    np.testing.assert_allclose(
        Finish.of("style", tmp_path / "mask.png").mask[0], [0.2] * 3 + [1] * 3, rtol=1e-6
    )
    (tmp_path / "bad.png").write_text("no picture")
    with pytest.raises(ValueError, match=r"^mask='.*bad.png': is not a picture"):
        Finish.of("style", tmp_path / "bad.png")


def test_the_content_may_have_another_name(photos, tmp_path):
    told = []
    paint_files(plan(str(photos / "a.png"), [NEGATIVE], str(tmp_path / "a.png"), "-"), tell=told.append)
    assert told[0]["content"] == "-"
    assert json.loads(encode.read_note(tmp_path / "a.png"))["inputs"]["content"]["path"] == "-"
    with pytest.raises(ValueError, match=r"^content='-': is not a picture"):
        paint_files(plan(str(photos / "bad.jpg"), [NEGATIVE], str(tmp_path / "b.png"), "-"), tell=told.append)
    assert told[1] == {"content": "-", "error": told[1]["error"]} and "content='-'" in told[1]["error"]


def test_a_sheet_shows_every_look(photos):
    looks = [NEGATIVE, MIRRORED, look("white", np.ones_like)]
    sheet = np.array(draw_looks(photos / "a.png", looks, longer_side=90, columns=2))
    one = np.array(draw_looks(photos / "a.png", looks[:1], longer_side=90))
    assert sheet.shape[0] > 2 * 60 and sheet.shape[1] > 2 * 90 > one.shape[1] > 90
    assert (np.abs(one.astype(int) - 255).sum(-1) > 0).any(1).sum() >= 60


@pytest.mark.slow
def test_the_script(photos, tmp_path):
    network, model = transformation_network(3, width=4, residual_blocks=1), tmp_path / "model"
    tf.train.Checkpoint(parameters=parameters(network)).write(str(model / "variables" / "variables"))
    card = {
        "model": "network", "styles": ["mosaic.jpg", "swirls.png", "dots.jpg"], "styles_known": 3,
        "layout": layout(network), "fingerprint": fingerprint(network),
    }  # fmt: skip
    (model / CARD).write_text(json.dumps(card))

    def stylize(*flags):
        return run_script("stylize.py", "--model=model", *flags, cwd=tmp_path)

    mixed = well(stylize("--content=photos/a.png", "--style=mosaic:3,dots:1", "--strength=0.5"))
    assert mixed.stdout == "a_mosaic75_dots25.png\n"
    image = pixels(photos / "a.png")[np.newaxis] / np.float32(255)
    made = network({"image": image, "style": np.float32([[0.75, 0, 0.25]])})
    difference = pixels(tmp_path / "a_mosaic75_dots25.png") - (image + made)[0] * 127.5
    assert np.abs(difference).max() < 0.51
    note = json.loads(encode.read_note(tmp_path / "a_mosaic75_dots25.png"))
    assert note["style"] == [0.75, 0, 0.25] and note["model"]["fingerprint"] == card["fingerprint"]

    plain = stylize("--content=photos/a.png", "--output=plain.png", "--json")
    told = {"content": "photos/a.png", "look": "mosaic", "output": "plain.png", "width": 30, "height": 20}
    assert json.loads(plain.stdout) == told
    assert well(stylize("--content=photos/a.png", "--sheet")).stdout == "a_styles.png\n"

    for flags, message in (
        (["--content=photos", "--output=-"], "output='-': is for one content, named by itself, in one style"),
        (["--content=photos/a*", "--output=-"], "output='-': is for one content, named by itself"),
        (["--content=photos", "--mask=photos/a.png"], "mask='photos/a.png': is for one content, not for 5"),
        (["--content=photos/a.png", "--mask=photos/c.png"], "mask='photos/c.png': 7 x 11 pixels"),
        (
            ["--content=photos", "--style=mosaic", "--all_styles"],
            "all_styles=true: cannot be given with --style",
        ),
        (["--content=photos", "--sheet", "--style=mosaic"], "sheet=true: cannot be given with --style"),
        (["--content=photos", "--output=-", "--json"], "json=true: cannot be given with --output=-"),
        (["--content=photos", "--sheet", "--color=content"], "sheet=true: cannot be given with --color"),
        (["--content=photos", "--batch_size=0"], "batch_size=0: must be a whole number, 1 or above"),
    ):
        assert message in one_line(stylize(*flags))

    every = stylize("--content=photos", "--all_styles", "--output=out", "--batch_size=2")
    assert every.returncode == 1
    assert every.stdout == "out\n"
    assert every.stderr.splitlines()[-1] == "stylize.py: error: 1 of 5 pictures could not be read"
    assert len(list((tmp_path / "out").iterdir())) == 12


@pytest.mark.parametrize(
    ("style", "network"),
    [
        ("starry_night", "styles"),
        ("starry_night.jpg", "styles"),  # a file name of a known style, and no such file
        ("photos/a.png", "any_style"),
        ("photos/a.png:0.7,photos/b.png:0.3", "any_style"),
    ],
)
def test_known_styles_and_pictures_have_their_networks(photos, tmp_path, style, network):
    flags = [f"--content={photos / 'c.png'}", f"--style={style}", "--json", "--output=made.png"]
    well(run_script("stylize.py", *flags, cwd=tmp_path))
    note = json.loads(encode.read_note(tmp_path / "made.png"))
    card = json.loads((ROOT / "saved_models" / network / CARD).read_text())
    assert note["model"]["fingerprint"] == card["fingerprint"]


def test_a_style_that_is_neither_is_told(photos, tmp_path):
    for style, message in (
        ("starry_knight", "style='starry_knight': must be one of almond_blossom, apollo"),
        ("nowhere.jpg", "style='nowhere.jpg': no such file"),
    ):
        made = run_script("stylize.py", f"--content={photos / 'c.png'}", f"--style={style}", cwd=tmp_path)
        assert f"error: {message}" in one_line(made)
