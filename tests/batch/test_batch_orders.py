"""What outputs are called, and which names are refused."""

import pytest

from tfstyle import TransferConfig
from tfstyle.batch.orders import Content, Order, Style, renamed, require_distinct, safe_stem, stem


def style(name, path=None):
    return Style(name, path or f"{name}.jpg", "0")


def test_output_names():
    order = Order(TransferConfig(), [style("waves")], "out", suffix=".jpg")
    assert order.output_of("sub/cat", order.styles[0]) == "sub/cat__waves.jpg"
    assert stem("sub/cat.v2.png") == "sub/cat.v2"


@pytest.mark.parametrize(
    ("name", "expected"), [(b"cat.jpg", "cat"), (b"a/b.c.png", "a/b.c"), ("é".encode(), "é")]
)
def test_names_that_stay_in_their_folder(name, expected):
    assert safe_stem(name) == expected


@pytest.mark.parametrize(
    "name",
    [
        b"../cat.jpg", b"a/../../cat.jpg", b"/etc/cat.jpg", b"a\0.jpg", b"a\n.jpg", b"..", b".", b"a//b.jpg",
        b"..\\cat.jpg", b"C:/cat.jpg", b"a/", b"\xff.jpg", b"x" * 200 + b".jpg",
    ],
)  # fmt: skip
def test_names_that_do_not(name):
    with pytest.raises(ValueError, match="image/filename="):
        safe_stem(name)


def test_two_contents_of_one_name():
    contents = [Content("cat", "cat.jpg"), Content("dog", "dog.jpg"), Content("cat", "cat.png")]
    require_distinct([style("a"), style("b")], contents[:2])
    with pytest.raises(
        ValueError, match=r"contents: outputs of 'cat\.jpg' and 'cat\.png' would have the same"
    ):
        require_distinct([style("a")], contents)


@pytest.mark.parametrize("names", [("a", "a"), ("b", "a__b"), ("_b", "b")])
def test_styles_that_could_give_one_name(names):
    # "x__a" in style "b", and "x" in style "a__b", are both "x__a__b".
    styles = [style(name, f"{number}/{name}.jpg") for number, name in enumerate(names)]
    with pytest.raises(ValueError, match=r"styles: outputs in '.*' and '.*' could have the same name"):
        require_distinct(styles, [])


def test_the_second_record_of_a_name_fails():
    second = renamed(Content("cat", "x/a.tfrecord", 7, b"data"), "x/a.tfrecord#3")
    assert second.name == "a.tfrecord-000007"
    assert second.problem == "image/filename: outputs would be called 'cat', as those of 'x/a.tfrecord#3'"
