"""Pictures in plain colours: whatever covered one would take pixels of its colour away."""

import dataclasses

import numpy as np
import pytest
import tensorflow as tf

from tfstyle.evaluation import Evaluation, Scores, draw_sheet

COLORS = [(255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 0), (0, 255, 255), (255, 0, 255), (200, 0, 0)]
BASE = Scores(0.5, {"block1_conv1": 0.1}, ssim=0.25, edges=0.5, border=1.0, seams=None, objective=50.0)
GREEN, INK, WHITE = (0, 120, 50), (32, 32, 32), (255, 255, 255)


def plain(color, height=15, width=20):
    return tf.constant(np.broadcast_to(np.float32(color) / 255, (1, height, width, 3)))


def evaluation(results, styles=1, name="result {}"):
    names = [name.format(index) for index in range(results)]
    pictures = {name: plain(color) for name, color in zip(names, COLORS[2:])}
    scores = {
        name: dataclasses.replace(BASE, content_error=0.1 * (1 + index)) for index, name in enumerate(names)
    }
    of_styles = [plain(COLORS[1], 20, 10)] * styles
    return Evaluation(plain(COLORS[0]), of_styles, pictures, scores, BASE)


def where(sheet, color):
    return np.argwhere((sheet == color).all(-1))


@pytest.mark.parametrize(("results", "styles"), [(1, 1), (2, 1), (5, 1), (1, 3), (3, 5)])
def test_nothing_covers_a_picture(results, styles):
    sheet = np.asarray(draw_sheet(evaluation(results, styles), cell=200))
    for color in [COLORS[0], *COLORS[2 : 2 + results]]:
        places = where(sheet, color)
        assert len(places) == 200 * 150
        assert np.ptp(places, axis=0).tolist() == [149, 199]
    assert len(where(sheet, COLORS[1])) == styles * 200 * 100
    # Nothing reaches an edge, where it might be cut off.
    for edge in (sheet[0], sheet[-1], sheet[:, 0], sheet[:, -1]):
        assert (edge == 255).all()


def test_pictures_stand_in_reading_order():
    sheet = np.asarray(draw_sheet(evaluation(5), cell=200))
    corners = [where(sheet, color)[0].tolist() for color in (COLORS[0], *COLORS[2:7])]
    assert corners == sorted(corners)
    assert len({left for _, left in corners}) == 4 and len({top for top, _ in corners}) == 3


def test_figures_stand_below_the_best_in_green():
    sheet = np.asarray(draw_sheet(evaluation(2), cell=200))
    first = []
    for color in COLORS[2:4]:
        places = where(sheet, color)
        bottom, (left, right) = places[:, 0].max(), (places[:, 1].min(), places[:, 1].max())
        below = sheet[bottom + 1 :, left : right + 1]
        assert len(where(below, INK)) > 20  # the name at least
        first.append(where(below, GREEN)[0, 0])
    # The content error, best of the first, is the first figure; the others are equally good.
    assert first[0] < first[1]
    assert len(where(np.asarray(draw_sheet(evaluation(1), cell=200)), GREEN)) == 0


def test_long_names_are_cut_at_their_beginning():
    long, longer = (
        draw_sheet(evaluation(2, name=f"{start}the/same/end/of/a/path/{{}}"), cell=200)
        for start in ("x" * 60, "y" * 90)
    )
    assert long.size == longer.size
    np.testing.assert_array_equal(np.asarray(long), np.asarray(longer))


def test_a_cell_too_small():
    with pytest.raises(ValueError, match="cell=50: must be at least 200"):
        draw_sheet(evaluation(1), cell=50)
