"""Frames and seams drawn by hand on pictures without them."""

import itertools

import numpy as np
import pytest

from tfstyle.evaluation.artifacts import border_score, seam_score

GENERATOR = np.random.default_rng(0)
FAINT = 1e-3


def strength(first, second):
    """Of the line between two rows `[L, 3]`, a stretch of 16 pixels at a time."""
    step = second - first
    stretches = [np.abs(step[start : start + 16].sum(0)) for start in range(0, len(step), 16)]
    return np.mean(np.sum(stretches, axis=0) / len(step))


def plain(height, width):
    return np.full((1, height, width, 3), 0.5, np.float32)


def texture(height, width):
    return GENERATOR.random((1, height, width, 3)).astype(np.float32)


def framed(picture, width, value=0.0):
    framed = np.full_like(picture, value)
    inside = slice(width, -width)
    framed[:, inside, inside] = picture[:, inside, inside]
    return framed


def stepped(picture, at, axis=2, step=0.3):
    """All that comes after a row or column is lighter."""
    stepped = 0.6 * picture
    index = [slice(None)] * 4
    index[axis] = slice(at, None)
    stepped[tuple(index)] += step
    return stepped


def test_border_of_the_content_itself():
    content = texture(40, 50)
    assert border_score(content, content) == 1
    assert border_score(plain(40, 50), plain(40, 50)) == 1


def test_border_against_numpy():
    """Of 96 pixels, 3 lines are outermost, and 6 are next to them."""
    content, picture = texture(96, 128), framed(texture(96, 128), 1, 0.9)

    def prominence(picture):
        ratios = []
        for turns in range(4):
            side = np.rot90(picture[0].astype(float), turns)
            lines = np.array([strength(*pair) for pair in itertools.pairwise(side)])
            ratios.append((lines[:3].max() + FAINT) / (np.median(lines[3:9]) + FAINT))
        return np.mean(ratios)

    assert border_score(picture, content) == pytest.approx(
        prominence(picture) / prominence(content), rel=1e-5
    )


@pytest.mark.parametrize("width", [1, 2, 6])
def test_a_frame_raises_the_border_score(width):
    content, picture = texture(192, 256), 0.5 + 0.4 * (texture(192, 256) - 0.5)
    without, faint, strong = (
        border_score(each, content) for each in (picture, framed(picture, width, 0.6), framed(picture, width))
    )
    assert without == pytest.approx(1, abs=0.25)
    assert max(1.3, without) < faint < strong and strong > 3


def test_a_border_of_the_content_is_no_frame():
    content = framed(texture(64, 64), 2)
    assert border_score(0.8 * content, content) == pytest.approx(1, abs=0.02)


def test_seams_against_numpy():
    picture = stepped(texture(30, 80), 64, step=0.2)  # the second stretch is cut off
    # Both of the ways to cut: at 32 and 64, and in three parts of one, two and two times 16.
    columns = picture[0].astype(float).swapaxes(0, 1)
    strengths = np.array([strength(*pair) for pair in itertools.pairwise(columns)])

    def score(places):
        lines = [place - 1 for place in places]
        near = [
            np.mean([strengths[i] for i in range(len(strengths)) if abs(i - line) <= 8 and i not in lines])
            for line in lines
        ]
        return (np.mean(strengths[lines]) + FAINT) / (np.mean(near) + FAINT)

    assert seam_score(picture, 32) == pytest.approx(max(score([32, 64]), score([16, 48])), rel=1e-5)


@pytest.mark.parametrize("axis", [1, 2])
def test_seams_of_either_direction(axis):
    picture = texture(120, 128) if axis == 2 else texture(128, 120)
    without, faint, strong = (seam_score(stepped(picture, 64, axis, step), 64) for step in (0.0, 0.15, 0.4))
    assert without == pytest.approx(1, abs=0.25)
    assert without < faint < strong and strong > 2


def test_a_seam_shows_through_grain():
    grain = 0.5 + 0.3 * (texture(240, 256) - 0.5)
    found = stepped(grain, 128, step=0.05)
    pixel_by_pixel = np.abs(np.diff(found, axis=2)).mean((0, 1, 3))
    assert pixel_by_pixel[127] < 1.35 * pixel_by_pixel.mean()
    assert seam_score(grain, 128) == pytest.approx(1, abs=0.2)
    assert seam_score(found, 128) > 1.8


@pytest.mark.parametrize(
    ("at", "found"), [(64, True), (128, True), (48, True), (96, True), (80, False), (30, False)]
)
def test_seams_only_where_tiles_meet(at, found):
    """144 pixels in tiles of 64: at multiples, or as this package cuts them, 48 each."""
    score = seam_score(stepped(texture(60, 144), at, step=0.4), 64)
    assert score > 2 if found else score < 1.5


def test_an_uneven_picture_has_no_seam():
    """Rough in the middle, where tiles meet, and smooth elsewhere: no line stands out from those near it."""
    picture = plain(128, 128)
    picture[:, 48:80] += 0.5 * (texture(32, 128) - 0.5)
    assert seam_score(picture, 64) == pytest.approx(1, abs=0.2)


def test_a_picture_of_one_tile_has_no_score_and_a_tile_may_be_too_small():
    assert seam_score(texture(40, 64), 64) is None
    assert seam_score(texture(40, 65), 64) is not None
    with pytest.raises(ValueError, match="tile=16: must be at least 32"):
        seam_score(plain(64, 64), 16)
