import dataclasses
import logging
import re

import pytest
import tensorflow as tf

from tfstyle.config import TransferConfig
from tfstyle.runtime import determinism, memory
from tfstyle.runtime.memory_model import PROCESS
from tfstyle.synthesis import plan as planning
from tfstyle.synthesis.memory_model import needed_bytes
from tfstyle.synthesis.plan import make_plan
from tfstyle.synthesis.scales import Sizes
from tfstyle.vgg import feature_extractor

LAYERS = ("block1_conv1", "block2_conv1", "block3_conv1", "block4_conv1", "block5_conv1")


@pytest.fixture(scope="module")
def extractor(narrow_file):
    return feature_extractor([*LAYERS, "conv4_2"], weights=narrow_file)


@pytest.fixture(autouse=True)
def machine(monkeypatch):
    monkeypatch.setattr(planning, "rate", {"float32": 1e9, "bfloat16": 2e9}.get)
    monkeypatch.setattr(memory, "resident_bytes", lambda: 10**9)
    monkeypatch.setattr(memory, "free_bytes", lambda: 10**12)


def settings(**options):
    return TransferConfig(**{"coarsest_size": 512, "finer_share": 0.4, "lbfgs_history": 10, **options})


def plan(extractor, size, precision="float32", **options):
    config = settings(image_size=0, **options)
    return make_plan((extractor, extractor), LAYERS, Sizes(size), config, precision, read=True)


def fitting(extractor, config, size=(3000, 4000), styles=(), **options):
    """A plan for pictures of these sizes, brought to the config's, that are there already."""
    sizes, options = Sizes(size, styles), {"read": True, **options}
    return make_plan((extractor, extractor), LAYERS, sizes, config, "float32", **options)


def test_the_first_way_that_fits(extractor):
    size = (3000, 4000)
    needs = needed_bytes(extractor, LAYERS, size, settings(), "float32")
    assert needs["plain"] > needs["recompute"] > needs["tiled"]
    for way in ("plain", "recompute", "tiled"):
        limit = (10**9 + needs[way] + 10**6) / 1e9
        made = plan(extractor, size, scales=1, memory_limit=limit)
        assert list(made.evaluations.values()) == [way]
        assert made.peak_bytes == 10**9 + needs[way] <= made.limit_bytes
        assert list(plan(extractor, (96, 128), evaluation=way).evaluations.values()) == [way]
    assert list(plan(extractor, size, scales=1, memory_limit=0.5).evaluations.values()) == ["tiled"]
    unlimited = plan(extractor, (384, 512))
    assert unlimited.evaluations == {((384, 512), "float32"): "plain"}
    assert unlimited.limit_bytes == 10**9 + 0.8 * 10**12


def test_each_scale_has_its_own_way(extractor):
    full = needed_bytes(extractor, LAYERS, (3000, 4000), settings(), "float32")
    made = plan(extractor, (3000, 4000), memory_limit=1 + full["tiled"] / 1e9 + 1e-3)
    assert made.evaluations[(375, 500), "float32"] == "plain"
    assert made.evaluations[(3000, 4000), "float32"] == "tiled"


def test_what_options_take_a_pixel(extractor):
    def steady(**options):
        return needed_bytes(extractor, LAYERS, (1000, 2000), settings(**options), "float32")["tiled"]

    assert steady() - steady(lbfgs_history=1) == pytest.approx(9 * 24 * 1000 * 2000, abs=2)
    assert steady(photorealistic=True) - steady() == pytest.approx(310 * 1000 * 2000, abs=2)
    adam, sgd = steady(optimizer="adam"), steady(optimizer="sgd")
    # Adam keeps two pictures of float32, SGD none.
    assert steady() > adam > sgd + 2 * 12 * 1000 * 2000 - 10
    for name, alone in (("adam", adam), ("sgd", sgd)):
        assert steady(optimizer=name, averaging=0.99) >= alone + 12 * 1000 * 2000 - 10
    assert steady(averaging=0.99) == steady()  # L-BFGS takes no mean


def test_bfloat16_has_an_exact_finish_and_takes_half_the_time(extractor):
    exact = plan(extractor, (384, 512), iterations=100)
    half = plan(extractor, (384, 512), "bfloat16", iterations=100)
    assert half.evaluations.keys() == {((384, 512), "bfloat16"), ((384, 512), "float32")}
    assert half.seconds == pytest.approx(exact.seconds * (0.9 / 2 + 0.1))


def test_description(extractor):
    text = plan(extractor, (768, 1024), "bfloat16", iterations=100).describe()
    lines = text.splitlines()
    assert lines[:3] == [
        "512 x 384: 100 iterations in bfloat16, plain",
        "1024 x 768: 36 iterations in bfloat16, plain",
        "1024 x 768: 4 iterations in float32, plain",
    ]
    assert re.fullmatch(r"memory: \d+\.\d\d GB of 801\.00 GB", lines[3])
    assert re.fullmatch(r"time: about \d+ min \d+ s", lines[4])


def test_a_network_of_the_users_own():
    def network(image):
        return {"block1_conv1": image}

    made = plan(network, (64, 64))
    assert list(made.evaluations.values()) == ["plain"] and made.seconds == 0
    with pytest.raises(ValueError, match=r"^extractor: "):
        plan(network, (64, 64), evaluation="tiled")


def refusal(made):
    with pytest.raises(ValueError) as caught:
        made.require_fit()
    return str(caught.value)


def test_what_cannot_fit_is_refused_with_what_would(extractor):
    config = settings(image_size=4000, evaluation="plain", memory_limit=6.0)

    def made(**changes):
        return fitting(extractor, dataclasses.replace(config, **changes))

    message = refusal(made())
    begins = re.fullmatch(
        r"image_size=4000: needs (\d+\.\d\d) GB of memory, and 6\.00 GB are there; what would fit: (.+);"
        r" memory_limit=GB says otherwise how much may be used",
        message,
    )
    assert float(begins[1]) == pytest.approx(made().peak_bytes / 1e9, abs=0.01)
    remedies = dict(remedy.split("=") for remedy in begins[2].split(" or "))
    assert list(remedies) == ["image_size", "evaluation", "lbfgs_history", "optimizer"]
    side = int(remedies["image_size"])

    made(image_size=side).require_fit()
    refusal(made(image_size=side + 1))
    made(evaluation=remedies["evaluation"]).require_fit()


@pytest.mark.parametrize(
    ("limit", "named"),
    [
        (2.9, ["image_size", "lbfgs_history", "optimizer"]),
        (2.5, ["image_size", "optimizer"]),
        (2.0, ["image_size"]),
    ],
)
def test_each_remedy_named_is_one(extractor, limit, named):
    """Tiled, so that what is left to save is the optimiser's."""
    config = settings(image_size=4000, evaluation="tiled", memory_limit=limit)
    made = fitting(extractor, config)
    assert not made.fits
    remedies = dict(remedy.split("=") for remedy in made.remedies)
    assert list(remedies) == named
    kinds = {"image_size": int, "lbfgs_history": int, "optimizer": str}
    for name, value in remedies.items():
        changed = dataclasses.replace(config, **{name: kinds[name](value)})
        fitting(extractor, changed).require_fit()


def test_fewer_pictures_at_once(extractor):
    config = settings(image_size=1000, evaluation="tiled", memory_limit=2.0)
    made = fitting(extractor, config, (1000, 1000), pictures=8)
    (fewer,) = (int(remedy.removeprefix("batch_size=")) for remedy in made.remedies if "batch" in remedy)
    assert 1 <= fewer < 8
    fitting(extractor, config, (1000, 1000), pictures=fewer).require_fit()
    refusal(fitting(extractor, config, (1000, 1000), pictures=fewer + 1))


def test_styles_are_counted_at_the_size_that_they_are_measured_at(extractor):
    """In float32, 9.2 bytes for each value of block1_conv1, which has 4 filters here and no stride."""

    def made(**changes):
        options = {"image_size": 256, "evaluation": "plain", "scales": 1, "style_scale": 8.0, **changes}
        return fitting(extractor, settings(**options), (256, 256), styles=((500, 1000),))

    assert made().peak_bytes == pytest.approx(1e9 + 60e6 + 9.2 * 4 * 1024 * 2048, abs=2)
    alone = fitting(extractor, settings(image_size=256, scales=1), (256, 256))
    assert made(style_scale=1.0).peak_bytes == alone.peak_bytes
    assert made(evaluation="tiled").peak_bytes < made().peak_bytes
    remedies = made(memory_limit=(made().peak_bytes - 2e5) / 1e9).remedies
    assert {"image_size=255", "style_scale=7.9", "evaluation=tiled"} <= set(remedies)


def test_reading_is_counted_where_it_is_to_come(extractor):
    """A content of 40 megapixels made small: 31 bytes a pixel, 24 a pixel of its new size, and 12 that stay."""
    made, read = (
        fitting(extractor, settings(image_size=100), (5000, 8000), read=is_read) for is_read in (False, True)
    )
    assert made.peak_bytes == 1e9 + 31 * 40e6 + (24 + 12) * 62 * 100
    assert read.peak_bytes < made.peak_bytes


def test_where_the_process_alone_takes_all(extractor):
    made = plan(extractor, (384, 512), memory_limit=0.5)
    assert made.remedies == () and "nothing smaller would fit" in refusal(made)
    assert "it does not fit: nothing smaller would fit" in made.describe()


def test_what_fits_is_not_refused_and_what_is_close_is_told(extractor, monkeypatch, caplog):
    size, config = (3000, 4000), settings(evaluation="tiled")
    needs = needed_bytes(extractor, LAYERS, size, config, "float32")["tiled"]

    def with_free(free):
        monkeypatch.setattr(memory, "free_bytes", lambda: int(free))
        return plan(extractor, size, evaluation="tiled", scales=1)

    # Without a limit, a fifth of what is free is left alone where there is a choice, but not kept from a run.
    with caplog.at_level(logging.WARNING):
        with_free(1.3 * needs).warn()
        assert not caplog.records
        with_free(1.1 * needs).warn()
        assert "can be used without fear" in caplog.text
    with_free(1.1 * needs).require_fit()
    refusal(with_free(0.99 * needs))


def test_nothing_is_refused_on_a_gpu_but_by_a_limit(extractor, monkeypatch):
    monkeypatch.setattr(memory, "free_bytes", lambda: 10**6)
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: ["one"])
    plan(extractor, (384, 512)).require_fit()
    refusal(plan(extractor, (384, 512), memory_limit=1.0))


def test_a_deterministic_plan_does_not_see_the_moment(extractor, monkeypatch):
    monkeypatch.setattr(determinism, "enabled", lambda: True)
    size = (3000, 4000)

    def ways(resident, free, **options):
        monkeypatch.setattr(memory, "resident_bytes", lambda: int(resident))
        monkeypatch.setattr(memory, "free_bytes", lambda: int(free))
        return plan(extractor, size, scales=1, **options)

    assert list(ways(1e9, 1e6).evaluations.values()) == ["plain"]
    adam = needed_bytes(extractor, LAYERS, size, settings(optimizer="adam"), "float32")
    assert "evaluation=tiled" in refusal(ways(1e9, 0.95 * adam["plain"], optimizer="adam"))
    needs = needed_bytes(extractor, LAYERS, size, settings(), "float32")
    for way in ("plain", "recompute", "tiled"):
        limit = (PROCESS + needs[way] + 1e6) / 1e9
        for resident, free in ((1e8, 1e12), (1e10, 1e6)):
            assert list(ways(resident, free, memory_limit=limit).evaluations.values()) == [way]


def test_coarse_scales_have_the_costs_of_their_network(extractor):
    vgg19 = feature_extractor([*LAYERS, "conv4_2"], weights="random")
    config = settings(image_size=0, scales=2, coarse_weights="mini")
    arguments = LAYERS, Sizes((384, 512)), config, "float32"
    one, two = (make_plan((coarse, vgg19), *arguments, read=True) for coarse in (vgg19, extractor))
    assert two.peak_bytes == one.peak_bytes
    assert two.seconds < one.seconds
    assert [line.count("with mini") for line in two.describe().splitlines()[:2]] == [1, 0]
    assert "mini" not in one.describe()
