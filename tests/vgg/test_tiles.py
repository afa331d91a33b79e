import numpy as np
import pytest

from tfstyle.vgg.tiles import Span, halo_of, spans, tiles_of


def test_spans_by_hand():
    # 100 = 6 cells of 16 and 4 pixels; at most 2 cells a tile, the rest in the last.
    assert spans(100, tile=40, stride=16, halo=16) == [
        Span(start=0, stop=32, first=0, last=48),
        Span(start=32, stop=64, first=16, last=80),
        Span(start=64, stop=100, first=48, last=100),
    ]


@pytest.mark.parametrize("size", [(1, 1), (64, 96), (130, 77), (257, 31)])
@pytest.mark.parametrize(("tile", "stride", "radius"), [(16, 16, 70), (40, 8, 5), (33, 4, 14), (7, 1, 2)])
def test_cores_cover_the_picture_once_and_see_enough(size, tile, stride, radius):
    halo = halo_of(radius, stride)
    counted = np.zeros(size, int)
    for place in tiles_of(*size, tile, stride, halo):
        rows, columns = place
        counted[rows.start : rows.stop, columns.start : columns.stop] += 1
        for length, (start, stop, first, last) in zip(size, place):
            assert first <= max(0, start - radius) and last >= min(length, stop + radius)
            assert first % stride == start % stride == 0
            assert last == length or last % stride == 0
            assert stop == length or stop % stride == 0
            assert stop - start <= tile + (stride - 1 if stop == length else 0)
    np.testing.assert_array_equal(counted, 1)


def test_tile_smaller_than_the_stride():
    with pytest.raises(ValueError, match=r"^tile=15: must be at least 16, the stride of the deepest layer"):
        spans(100, tile=15, stride=16, halo=80)
