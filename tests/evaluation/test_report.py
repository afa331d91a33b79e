"""The table of scores that are given, so that every cell is known."""

import dataclasses

import pytest
import tensorflow as tf

from tfstyle.evaluation import Evaluation, Scores, markdown_page, markdown_table
from tfstyle.evaluation.report import columns, key_columns

ERRORS = {"block1_conv1": 0.1, "block3_conv1": 0.3}
BASE = Scores(0.5, ERRORS, ssim=0.25, edges=0.5, border=1.0, seams=None, objective=50.0)


def evaluation(**scores):
    black = tf.zeros([1, 8, 8, 3])
    return Evaluation(black, [black], dict.fromkeys(scores, black), scores, BASE)


def cells(table):
    """{row's first cell: {heading: cell}} of a Markdown table."""
    head, rule, *rows = [
        [cell.strip() for cell in line.strip("|").split(" | ")] for line in table.splitlines()
    ]
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


def test_what_is_equally_good_is_equally_bold():
    below, above = (
        dataclasses.replace(BASE, border=border, ssim=ssim) for border, ssim in ((0.7, 0.5), (1, 0.50001))
    )
    found = cells(markdown_table(evaluation(a=below, b=above)))
    assert (found["a"]["border"], found["b"]["border"]) == ("**0.7**", "**1**")
    assert (found["a"]["SSIM"], found["b"]["SSIM"]) == ("**0.5**", "**0.5**")


def test_the_only_number_of_a_column_is_not_the_best():
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


def test_names_cannot_break_the_table():
    table = markdown_table(evaluation(**{"a|b": BASE}))
    assert table.splitlines()[2].startswith("| a\\|b ")


def test_page_explains_every_score():
    page = markdown_page(evaluation(a=BASE, b=BASE), "About these.")
    assert page.startswith("# Evaluation\n\nAbout these.\n\n| result ")
    for column in key_columns(evaluation(a=BASE)):
        assert f"\n- {column.title}: " in page
    assert page.endswith(".\n")
