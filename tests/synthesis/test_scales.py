import pytest

from tfstyle.config import TransferConfig
from tfstyle.synthesis.scales import Stage, number_of_scales, remaining, scale_sizes, stages
from tfstyle.vgg import feature_extractor
from tfstyle.vgg.costs import costs

CONFIG = TransferConfig()


def test_scale_sizes_each_of_a_pixel_at_least():
    assert scale_sizes((192, 256), 1, 2.0) == [(192, 256)]
    assert scale_sizes((193, 255), 3, 2.0) == [(48, 64), (96, 128), (193, 255)]
    assert scale_sizes((270, 405), 4, 1.5) == [(80, 120), (120, 180), (180, 270), (270, 405)]
    assert scale_sizes((600, 1000), 3, 2**0.5) == [(300, 500), (424, 707), (600, 1000)]
    sizes = scale_sizes((200, 300), 2000, 2.0)
    assert len(sizes) == 2000
    assert sizes[0] == (1, 1) and sizes[-3:] == [(50, 75), (100, 150), (200, 300)]


@pytest.mark.parametrize(
    ("longer_side", "scales"), [(1, 1), (512, 1), (513, 2), (1024, 2), (1025, 3), (2048, 3), (4096, 4)]
)
def test_the_first_of_automatic_scales_is_at_most_the_coarsest_size(longer_side, scales):
    assert number_of_scales((1, longer_side), TransferConfig(coarsest_size=512)) == scales
    assert number_of_scales((1, longer_side), TransferConfig(coarsest_size=256)) == scales + (
        longer_side > 256
    )
    assert number_of_scales((longer_side, 1), TransferConfig(scales=2)) == 2


@pytest.mark.parametrize(
    ("pictures", "scales"),
    [
        ([(64, 2000)], 3),
        ([(63, 2000)], 3),  # 15.75 pixels are 16
        ([(61, 2000)], 2),
        ([(64, 2000), (100, 30)], 1),
        ([(64, 2000), (100, 32)], 2),
        ([(1000, 1000)], 5),
        ([(3, 3)], 1),
        ([], 5),
    ],
)
def test_scales_at_which_a_picture_is_too_small_are_left_out(pictures, scales):
    for config in (TransferConfig(scales=5), TransferConfig(coarsest_size=512)):
        wanted = number_of_scales((64, 8192), config)
        assert wanted == 5
        assert number_of_scales((64, 8192), config, least=16, pictures=pictures) == scales


@pytest.mark.parametrize(
    ("factor", "longer_side", "scales"),
    [
        (1.5, 512, 1),
        (1.5, 513, 2),
        (1.5, 1152, 3),  # 512 * 1.5^2
        (1.5, 1153, 4),
        (2**0.5, 1024, 3),
        (1.41421356, 2048, 5),
        (1.41, 1024, 4),
        (4.0, 2049, 3),
    ],
)
def test_automatic_scales_with_another_factor(factor, longer_side, scales):
    config = TransferConfig(scale_factor=factor, coarsest_size=512)
    size = (longer_side // 2, longer_side)
    assert number_of_scales(size, config) == scales
    sizes = scale_sizes(size, scales, factor)
    assert sizes[-1] == size and max(sizes[0]) <= 512
    assert number_of_scales(size, TransferConfig(scale_factor=factor, scales=7)) == 7


def test_stages_grow_by_the_factor():
    config = TransferConfig(iterations=50, finer_share=0.4, scale_factor=1.25, scales=3, weights="random")
    assert stages((1000, 800), config) == [
        Stage(0, (640, 512), 50),
        Stage(1, (800, 640), 20),
        Stage(2, (1000, 800), 20),
    ]


def test_finish():
    config = TransferConfig(iterations=50, finer_share=0.4, coarsest_size=512, weights="random")
    assert stages((1000, 800), config, finish=True) == [
        Stage(0, (500, 400), 50),
        Stage(1, (1000, 800), 18),
        Stage(1, (1000, 800), 2, exact=True),
    ]
    one = TransferConfig(iterations=1)
    assert stages((10, 10), one, finish=True) == [Stage(0, (10, 10), 1, exact=True)]


def test_coarse_stages_on_the_embedded_network_are_less_work():
    coarse, last = stages((1000, 800), TransferConfig(coarsest_size=512))
    assert last.work == 1.0
    layers = {*CONFIG.content_layers, *CONFIG.style_layers}
    mini, vgg19 = (
        costs(feature_extractor(layers, weights=name), CONFIG.style_layers, (64, 64)).operations
        for name in ("mini", "random")
    )
    assert coarse.work == pytest.approx(mini / vgg19, rel=0.2)
    same = stages((1000, 800), TransferConfig(coarsest_size=512, coarse_weights="same"))
    assert {stage.work for stage in same} == {1.0}


def test_what_remains_is_counted_in_steps_of_the_current_stage():
    planned = [Stage(0, (10, 10), 50), Stage(1, (20, 20), 18), Stage(1, (20, 20), 2, exact=True)]
    assert remaining(planned, 0, 10) == 40 + 4 * 18 + 4 * 2 * 2
    assert remaining(planned, 1, 18) == 2 * 2
    assert remaining(planned, 2, 1) == 1
    planned = [Stage(0, (10, 10), 50, work=0.2), Stage(1, (20, 20), 18)]
    assert remaining(planned, 0, 10) == pytest.approx(40 + 4 / 0.2 * 18)
