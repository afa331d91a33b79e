"""Series of values as lines."""

import numpy as np

from tfstyle.io.charts import line_chart

BLUE, ORANGE = (0, 114, 178), (213, 94, 0)


def drawn(chart, colour, rows):
    """The columns in which there is a colour, within some rows."""
    near = np.abs(np.int32(chart)[rows] - colour).max(-1) < 30
    return np.flatnonzero(near.any(0))


def test_lines_are_where_their_values_are():
    """One that is the largest all along, and one of half of it, with a gap in the middle third."""
    half = [1.0] * 11 + [None] * 10 + [1.0] * 11
    chart = line_chart({"a": [2.0] * 32, "b": half}, "error", (640, 200))
    assert chart.size == (640, 200)
    top, middle = slice(54, 64), slice(102, 118)
    whole = drawn(chart, BLUE, top)
    assert len(whole) > 560 and not len(drawn(chart, BLUE, middle))
    columns = drawn(chart, ORANGE, middle)
    (gap,) = np.flatnonzero(np.diff(columns) > 20)
    share = (columns[gap + 1] - columns[gap]) / (whole[-1] - whole[0])
    assert abs(share - 11 / 31) < 0.03


def test_nothing_to_draw_and_a_single_value():
    line_chart({"a": [None, None]}, "error", (300, 100))
    assert len(drawn(line_chart({"a": [3.0]}, "error", (300, 120)), BLUE, slice(50, 80)))
