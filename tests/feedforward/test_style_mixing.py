"""Which style, as people say it."""

import pytest

from tfstyle.feedforward.style_mixing import label, parse, weights_of

NAMES = ["mosaic", "swirls", "b.c"]


@pytest.mark.parametrize(
    ("style", "expected"),
    [
        (None, [1, 0, 0]),
        (2, [0, 0, 1]),
        ("swirls", [0, 1, 0]),
        ("swirls.jpg", [0, 1, 0]),
        ("b.c", [0, 0, 1]),
        ({"swirls": 3, "mosaic": 1}, [0.25, 0.75, 0]),
        ([1, 1, 2], [0.25, 0.25, 0.5]),
    ],
)
def test_weights(style, expected):
    assert weights_of(style, NAMES) == expected


@pytest.mark.parametrize(
    ("style", "message"),
    [
        (3, r"^style=3: must be from 0 to 2, for mosaic, swirls, b\.c$"),
        (-1, r"^style=-1: must be from 0 to 2"),
        ("b", r"^style='b': must be one of mosaic, swirls, b\.c$"),
        ({"dots": 1}, r"^style='dots': must be one of "),
        ({"mosaic": 0}, r"^style=\{'mosaic': 0\}: must have a share above 0"),
        ({"mosaic": "much"}, r"shares must be numbers, none below 0, not 'much'$"),
        ([1, 2], r"^style=1,2: must be 3 numbers"),
        ([1, 2, -0.5], r"^style=1,2,-0\.5: shares must be numbers, none below 0, not -0\.5$"),
        ([1, 2, float("nan")], r"none below 0, not nan$"),
        ([0, 0, 0], r"must have a share above 0"),
        (1.5, r"^style=1\.5: must be a name, or shares of "),
        (True, r"^style=True: must be a name"),
    ],
)
def test_weights_that_are_none(style, message):
    with pytest.raises(ValueError, match=message):
        weights_of(style, NAMES)


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["mosaic"], [1, 0, 0]),
        (["mosaic:0.5", " swirls:1.5"], [0.25, 0.75, 0]),
        (["mosaic", "b.c"], [0.5, 0, 0.5]),
        (["0", "2", "2"], [0, 0.5, 0.5]),
    ],
)
def test_words(words, expected):
    assert weights_of(parse(words, NAMES), NAMES) == expected


def test_names_that_look_like_something_else():
    names = ["1", "2", "a:b"]
    assert weights_of(parse(["2"], names), names) == [0, 1, 0]
    assert weights_of(parse(["a:b"], names), names) == [0, 0, 1]
    assert weights_of(parse(["a:b:1", "1:3"], names), names) == [0.75, 0, 0.25]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["dots:1"], r"^style='dots': must be one of "),
        (["mosaic:x"], r"^style=mosaic:x: 'x' must be a number, as in mosaic:0\.7$"),
        (["mosaic", "mosaic.jpg:2"], r"names mosaic twice$"),
    ],
)
def test_words_that_mean_nothing(words, message):
    with pytest.raises(ValueError, match=message):
        parse(words, NAMES)


def test_labels_are_file_names():
    assert label([0, 1, 0], NAMES) == "swirls"
    assert label([0.7, 0.3, 0], NAMES) == "mosaic70_swirls30"
    assert label([1], ["a b/ü:c"]) == "a-b-ü-c"
