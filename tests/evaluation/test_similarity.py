"""Structure and edges: values known by hand, and an independent SSIM."""

import numpy as np
import pytest

from tfstyle.evaluation.artifacts import border_score
from tfstyle.evaluation.similarity import edge_fidelity, structural_similarity

from conftest import picture

GENERATOR = np.random.default_rng(0)
CONTENT = (picture(60, 80, seed=3) / 255).astype(np.float32)[np.newaxis]
NOISE = GENERATOR.standard_normal(CONTENT.shape).astype(np.float32)


def noisy(amount):
    return np.clip(CONTENT + amount * NOISE, 0, 1)


def grey(plane):
    """Turns `[H, W]` into a picture."""
    return np.repeat(np.asarray(plane, np.float32)[np.newaxis, :, :, np.newaxis], 3, axis=-1)


def ramp(degrees, height, width):
    """Light that rises along a direction, from the middle's 0.5."""
    y, x = np.mgrid[:height, :width]
    angle = np.radians(degrees)
    slope = np.cos(angle) * (x - width / 2) + np.sin(angle) * (y - height / 2)
    return grey(0.5 + 0.8 * slope / max(height, width))


def test_bytes_are_what_their_floats_are_and_other_ranges_are_refused():
    content, made = (np.round(255 * each).astype(np.uint8) for each in (CONTENT, noisy(0.2)))
    for score in (structural_similarity, edge_fidelity, border_score):
        expected = score(made / np.float32(255), content / np.float32(255))
        assert score(made, content) == pytest.approx(expected)
        with pytest.raises(ValueError, match=r"^picture: .*floats must be in \[0, 1\], not from 0 to 255"):
            score(made.astype(np.float32), content)


def test_ssim_against_the_formula():
    """Eq. (13) of Wang et al. 2004, windows that lie in the picture whole."""
    a, b = GENERATOR.random((2, 13, 14))
    bell = np.exp(-0.5 * (np.arange(-5, 6) / 1.5) ** 2)
    window = np.outer(bell, bell) / bell.sum() ** 2
    values = []
    for y, x in np.ndindex(3, 4):
        one, two = a[y : y + 11, x : x + 11], b[y : y + 11, x : x + 11]
        mean_1, mean_2 = np.sum(window * one), np.sum(window * two)
        var_1, var_2 = np.sum(window * (one - mean_1) ** 2), np.sum(window * (two - mean_2) ** 2)
        covariance = np.sum(window * (one - mean_1) * (two - mean_2))
        likeness = (2 * mean_1 * mean_2 + 0.01**2) * (2 * covariance + 0.03**2)
        values.append(likeness / ((mean_1**2 + mean_2**2 + 0.01**2) * (var_1 + var_2 + 0.03**2)))
    assert structural_similarity(grey(a), grey(b)) == pytest.approx(np.mean(values), abs=1e-4)


def test_ssim_sees_luminance_and_not_colour():
    # A step in red, and one in blue of the same luminance.
    weights = {0: 0.2989, 2: 0.114}
    pictures = []
    for channel in (0, 2):
        values = np.full((1, 20, 20, 3), 0.5, np.float32)
        values[:, :, 10:, channel] += 0.05 / weights[channel]
        pictures.append(values)
    assert structural_similarity(*pictures) == pytest.approx(1, abs=1e-4)


@pytest.mark.parametrize("score", [structural_similarity, edge_fidelity])
def test_noise_makes_it_worse(score):
    values = [score(noisy(amount), CONTENT) for amount in (0, 0.1, 0.3, 1.0)]
    assert values == sorted(values, reverse=True)
    assert values[0] == pytest.approx(1) and values[-1] < 0.6


def test_edges_of_the_same_picture_whatever_its_contrast():
    assert edge_fidelity(CONTENT, CONTENT) == pytest.approx(1)
    assert edge_fidelity(0.5 + 0.3 * (CONTENT - 0.5), CONTENT) > 0.99
    assert edge_fidelity(1 - CONTENT, CONTENT) == pytest.approx(1, abs=1e-5)  # light for dark


@pytest.mark.parametrize("degrees", [0, 20, 45, 70, 90, 135, 180])
def test_edges_count_by_the_doubled_angle(degrees):
    content = grey(np.where(np.arange(60) < 30, 0.2, 0.8)[np.newaxis].repeat(200, 0))
    found = edge_fidelity(ramp(degrees, 200, 60), content)
    # But for a few rows at the border, where slopes bend.
    assert found == pytest.approx(np.cos(2 * np.radians(degrees)), abs=0.03)


def test_lost_edges_count_nothing():
    assert edge_fidelity(np.full_like(CONTENT, 0.4), CONTENT) == 0
    content = grey(np.where(np.arange(60) < 30, 0.2, 0.8)[np.newaxis].repeat(60, 0))
    half = content.copy()
    half[:, 30:] = 0.5
    assert edge_fidelity(half, content) == pytest.approx(0.5, abs=0.05)


def test_paint_between_the_edges_does_not_count():
    content = grey(np.where(np.arange(80) < 40, 0.2, 0.8)[np.newaxis].repeat(60, 0))
    painted = content.copy()
    painted[:, :, :25] += 0.2 * GENERATOR.random((1, 60, 25, 3)).astype(np.float32)
    assert edge_fidelity(painted, content) == pytest.approx(1)
    assert structural_similarity(painted, content) < 0.9


def test_a_content_without_edges():
    assert edge_fidelity(CONTENT, np.full_like(CONTENT, 0.4)) is None
    faint = grey(0.5 + 0.1 * np.arange(60)[np.newaxis].repeat(60, 0) / 255)  # a tenth of a grey level a pixel
    assert edge_fidelity(CONTENT[:, :, :60], faint) is None
