import pytest

from tfstyle.config import TransferConfig
from tfstyle.schedule import Stage, number_of_scales, remaining, scale_sizes, stages


def test_scale_sizes():
    assert scale_sizes((192, 256), 1) == [(192, 256)]
    assert scale_sizes((193, 255), 3) == [(48, 64), (96, 128), (193, 255)]


@pytest.mark.parametrize(
    ("longer_side", "scales"), [(1, 1), (512, 1), (513, 2), (1024, 2), (1025, 3), (2048, 3), (4096, 4)]
)
def test_the_first_of_automatic_scales_is_at_most_512_pixels(longer_side, scales):
    assert number_of_scales((1, longer_side), TransferConfig()) == scales
    assert number_of_scales((longer_side, 1), TransferConfig(scales=2)) == 2


def test_finer_scales_take_a_share_of_the_iterations():
    config = TransferConfig(iterations=50, finer_share=0.4)
    assert stages((1000, 800), config) == [Stage(0, (500, 400), 50), Stage(1, (1000, 800), 20)]


def test_finish():
    config = TransferConfig(iterations=50, finer_share=0.4)
    assert stages((1000, 800), config, finish=True) == [
        Stage(0, (500, 400), 50),
        Stage(1, (1000, 800), 18),
        Stage(1, (1000, 800), 2, exact=True),
    ]
    one = TransferConfig(iterations=1)
    assert stages((10, 10), one, finish=True) == [Stage(0, (10, 10), 1, exact=True)]


def test_what_remains_is_counted_in_steps_of_the_current_stage():
    planned = [Stage(0, (10, 10), 50), Stage(1, (20, 20), 18), Stage(1, (20, 20), 2, exact=True)]
    assert remaining(planned, 0, 10) == 40 + 4 * 18 + 4 * 2 * 2
    assert remaining(planned, 1, 18) == 2 * 2
    assert remaining(planned, 2, 1) == 1
