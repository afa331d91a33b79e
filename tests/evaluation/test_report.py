"""The table of scores that are given, so that every cell is known; on sheets, pictures in plain colours."""

import dataclasses

import numpy as np
import pytest
import tensorflow as tf

from tfstyle.evaluation import Evaluation, Scores, draw_sheet, markdown_page, markdown_table
from tfstyle.evaluation.report import columns, key_columns

ERRORS = {"block1_conv1": 0.1, "block3_conv1": 0.3}
BASE = Scores(0.5, ERRORS, ssim=0.25, edges=0.5, border=1.0, seams=None, objective=50.0)


def evaluation(**scores):
    black = tf.zeros([1, 8, 8, 3])
    return Evaluation(black, [black], dict.fromkeys(scores, black), scores, BASE)


def cells(table):
    """{row's first cell: {heading: cell}} of a Markdown table."""
    head, rule, *rows = [[cell.strip() for cell in row.strip("|").split(" | ")] for row in table.splitlines()]
    assert set("".join(rule)) == {"-", "|"}
    assert len({len(line) for line in table.splitlines()}) == 1  # reads as plain text, too
    return {row[0]: dict(zip(head[1:], row[1:])) for row in rows}


def test_a_row_a_picture_and_the_content_last():
    found = cells(markdown_table(evaluation(one=BASE)))
    assert list(found) == ["one", "*the content itself*"]
    expected = {
        "content error": "0.5", "style error": "0.2", "style conv1_1": "0.1", "style conv3_1": "0.3",
        "SSIM": "0.25", "edges": "0.5", "border": "1", "seams": "-", "objective": "50",
    }  # fmt: skip
    assert (
        found["one"] == found["*the content itself*"] == expected
    )  # nothing is bold where there is no choice


@pytest.mark.parametrize(
    ("field", "title", "worse", "better"),
    [
        ("content_error", "content error", 0.6, 0.4), ("ssim", "SSIM", 0.1, 0.9),
        ("ssim", "SSIM", -0.5, -0.1), ("edges", "edges", -0.1, 0.1), ("border", "border", 1.5, 1.1),
        ("seams", "seams", 2.0, 1.5), ("objective", "objective", 20_000.0, 1_000.0),
    ],
)  # fmt: skip
def test_the_best_is_bold(field, title, worse, better):
    scores = {
        name: dataclasses.replace(BASE, **{field: value}) for name, value in (("a", worse), ("b", better))
    }
    found = cells(markdown_table(evaluation(**scores)))
    assert "*" not in found["a"][title]
    assert found["b"][title].startswith("**") and found["b"][title].endswith("**")
    assert "*" not in found["*the content itself*"][title]


def test_best_style_is_told_by_layer_and_mean():
    other = dataclasses.replace(BASE, style_errors={"block1_conv1": 0.2, "block3_conv1": 0.1})
    found = cells(markdown_table(evaluation(a=BASE, b=other)))
    assert (found["a"]["style conv1_1"], found["b"]["style conv1_1"]) == ("**0.1**", "0.2")
    assert (found["a"]["style conv3_1"], found["b"]["style conv3_1"]) == ("0.3", "**0.1**")
    assert (found["a"]["style error"], found["b"]["style error"]) == ("0.2", "**0.15**")


def test_what_is_equally_good_is_equally_bold_and_an_only_number_is_not():
    below, above = (
        dataclasses.replace(BASE, border=border, ssim=ssim) for border, ssim in ((0.7, 0.5), (1, 0.50001))
    )
    found = cells(markdown_table(evaluation(a=below, b=above)))
    assert (found["a"]["border"], found["b"]["border"]) == ("**0.7**", "**1**")
    assert (found["a"]["SSIM"], found["b"]["SSIM"]) == ("**0.5**", "**0.5**")
    found = cells(markdown_table(evaluation(a=BASE, b=dataclasses.replace(BASE, seams=1.0))))
    assert (found["a"]["seams"], found["b"]["seams"]) == ("-", "1")


def test_numbers_as_readers_see_them():
    scores = dataclasses.replace(BASE, content_error=0.012345, objective=12345.6, evaluations=1500)
    found = cells(markdown_table(evaluation(a=scores, b=BASE)))
    assert found["a"]["content error"] == "**0.0123**"
    assert found["a"]["objective"] == "12,346"
    assert (found["a"]["evaluations"], found["b"]["evaluations"]) == ("1500", "-")


def test_evaluations_have_a_column_only_where_they_are_known():
    assert "evaluations" not in [column.title for column in columns(evaluation(a=BASE))]
    known = evaluation(a=dataclasses.replace(BASE, evaluations=3))
    assert columns(known)[-1].title == key_columns(known)[-1].title == "evaluations"


def test_names_cannot_break_the_table_and_the_page_explains_every_score():
    table = markdown_table(evaluation(**{"a|b": BASE}))
    assert table.splitlines()[2].startswith("| a\\|b ")
    page = markdown_page(evaluation(a=BASE, b=BASE), "About these.")
    assert page.startswith("# Evaluation\n\nAbout these.\n\n| result ")
    for column in key_columns(evaluation(a=BASE)):
        assert f"\n- {column.title}: " in page
    assert page.endswith(".\n")


COLORS = [(255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 0), (0, 255, 255), (255, 0, 255), (200, 0, 0)]
GREEN, INK = (0, 120, 50), (32, 32, 32)


def plain(color, height=15, width=20):
    return tf.constant(np.broadcast_to(np.float32(color) / 255, (1, height, width, 3)))


def drawn(results, styles=1, name="result {}"):
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
    sheet = np.asarray(draw_sheet(drawn(results, styles), cell=200))
    for color in [COLORS[0], *COLORS[2 : 2 + results]]:
        places = where(sheet, color)
        assert len(places) == 200 * 150
        assert np.ptp(places, axis=0).tolist() == [149, 199]
    assert len(where(sheet, COLORS[1])) == styles * 200 * 100
    # Nothing reaches an edge, where it might be cut off.
    for edge in (sheet[0], sheet[-1], sheet[:, 0], sheet[:, -1]):
        assert (edge == 255).all()


def test_pictures_stand_in_reading_order():
    sheet = np.asarray(draw_sheet(drawn(5), cell=200))
    corners = [where(sheet, color)[0].tolist() for color in (COLORS[0], *COLORS[2:7])]
    assert corners == sorted(corners)
    assert len({left for _, left in corners}) == 4 and len({top for top, _ in corners}) == 3


def test_figures_stand_below_the_best_in_green():
    sheet = np.asarray(draw_sheet(drawn(2), cell=200))
    first = []
    for color in COLORS[2:4]:
        places = where(sheet, color)
        bottom, (left, right) = places[:, 0].max(), (places[:, 1].min(), places[:, 1].max())
        below = sheet[bottom + 1 :, left : right + 1]
        assert len(where(below, INK)) > 20  # the name at least
        first.append(where(below, GREEN)[0, 0])
    # The content error, best of the first, is the first figure; the others are equally good.
    assert first[0] < first[1]
    assert len(where(np.asarray(draw_sheet(drawn(1), cell=200)), GREEN)) == 0


def test_long_names_are_cut_at_their_beginning_and_a_cell_may_be_too_small():
    long, longer = (
        draw_sheet(drawn(2, name=f"{start}the/same/end/of/a/path/{{}}"), cell=200)
        for start in ("x" * 60, "y" * 90)
    )
    assert long.size == longer.size
    np.testing.assert_array_equal(np.asarray(long), np.asarray(longer))
    with pytest.raises(ValueError, match="cell=50: must be at least 200"):
        draw_sheet(drawn(1), cell=50)
