"""Progress in a notebook."""

import base64
import dataclasses
import io
import re
import sys

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from tfstyle.reporting import NotebookReporter
from tfstyle.synthesis.loop import Result

from records import IMAGE, progress


class Place:
    """What is on the page, in turn."""

    def __init__(self, page):
        self.pages = [page]

    def update(self, page):
        self.pages.append(page)


def picture_in(page):
    jpeg = base64.b64decode(re.search(r'src="data:image/jpeg;base64,([^"]+)"', page)[1])
    return np.asarray(Image.open(io.BytesIO(jpeg)))


def test_one_place_shows_picture_and_time_left():
    places, times = [], iter([0.0, 0.5, 2.0, 2.1])

    def show(page):
        places.append(Place(page))
        return places[-1]

    reporter = NotebookReporter(300, show=show, clock=lambda: next(times))
    reporter.report(progress(0), IMAGE)
    reporter.report(progress(25, seconds=10.0), IMAGE)  # too soon
    reporter.report(progress(50, seconds=25.0), tf.ones_like(IMAGE))
    reporter.report(progress(100, seconds=50.0), IMAGE)  # the last one is never too soon
    (place,) = places
    first, half, last = place.pages
    assert "0/100" in first and 'width="300"' in first and "50/100  2.0 steps/s  0:25 left" in half
    assert "100/100  0:50" in last
    assert picture_in(first).shape == tuple(IMAGE.shape[1:]) and picture_in(half).min() == 255


def test_notes_stay_and_are_never_too_soon():
    place = Place("")
    reporter = NotebookReporter(show=lambda page: place.update(page) or place, clock=lambda: 0.0)
    reporter.report(dataclasses.replace(progress(0), note="two\nlines"), IMAGE)
    reporter.report(progress(10, seconds=1.0), IMAGE)  # too soon
    reporter.report(dataclasses.replace(progress(20, seconds=2.0), note="stopped by a & b"), IMAGE)
    _, first, last = place.pages
    assert "<code>two</code><br><code>lines</code>" in first
    assert "two" in last and "stopped by a &amp; b" in last and "20/100" in last


def test_names_are_text():
    shown = []
    record = dataclasses.replace(progress(100), losses={"<b>": 1.0})
    NotebookReporter(show=lambda page: shown.append(page)).report(record, IMAGE)
    assert "1 &lt;b&gt;" in shown[0]


def test_without_ipython(monkeypatch):
    monkeypatch.setitem(sys.modules, "IPython", None)
    with pytest.raises(ImportError, match=r"^NotebookReporter: needs IPython"):
        NotebookReporter()


def test_a_result_is_shown_as_its_picture():
    result = Result(tf.fill([1, 4, 6, 3], 0.2), {}, {}, 1.0, 1, [])
    np.testing.assert_array_equal(Image.open(io.BytesIO(result._repr_png_())), np.full([4, 6, 3], 51))
