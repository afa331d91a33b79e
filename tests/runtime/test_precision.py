import concurrent.futures
import itertools

import pytest

from tfstyle.config import TransferConfig
from tfstyle.runtime import determinism, precision

AUTO = TransferConfig(precision="auto", image_size=100)


@pytest.fixture(autouse=True)
def fresh(tmp_path, monkeypatch):
    monkeypatch.setattr(precision, "own_folders", lambda: [tmp_path])
    forget()
    yield
    forget()


def forget():
    precision._measured.cache_clear()
    precision._known_speedup.cache_clear()


def times(monkeypatch, float32, bfloat16):
    """Has these seconds measured, over and over; returns what sizes of layers they were measured at."""
    seconds, layers = {"float32": itertools.cycle(float32), "bfloat16": itertools.cycle(bfloat16)}, []

    def compiled(dtype, of):
        layers.append(of)
        return dtype

    monkeypatch.setattr(precision, "_compiled", compiled)
    monkeypatch.setattr(precision, "_seconds", lambda dtype: next(seconds[dtype]))
    return layers


def nothing_is_measured(monkeypatch):
    monkeypatch.delattr(precision, "_compiled")


def test_what_is_asked_for_is_not_measured(monkeypatch):
    nothing_is_measured(monkeypatch)
    for asked in ("float32", "bfloat16"):
        assert precision.resolved(TransferConfig(precision=asked)) == asked


@pytest.mark.parametrize(
    ("float32", "bfloat16", "chosen", "ratio"),
    [
        ([2.0], [1.0], "bfloat16", "2.00"),
        ([1.1], [1.0], "float32", "1.10"),
        ([0.2], [1.0], "float32", "0.20"),
        # Twice as fast, and slower where the machine had something else to do.
        ([2.0] * 5, [1.0, 8.0, 1.0, 1.0, 1.0], "bfloat16", "2.00"),
        ([2.0, 9.0, 2.0, 2.0, 2.0], [1.9] * 5, "float32", "1.05"),
        # A load that lasts is that of both of a pair.
        ([2.0, 6.0], [1.0, 3.0], "bfloat16", "2.00"),
    ],
)
def test_auto_takes_bfloat16_where_it_is_clearly_faster(monkeypatch, float32, bfloat16, chosen, ratio):
    times(monkeypatch, float32, bfloat16)
    assert precision.resolved(AUTO) == chosen
    assert f"{ratio} times as fast" in precision.choice(AUTO)


def test_it_is_tried_at_about_the_size_of_the_run(monkeypatch):
    layers = times(monkeypatch, [2.0], [1.0])
    for size in (100, 128, 64, 1000, 0):
        precision.resolved(TransferConfig(precision="auto", image_size=size))
    assert [of[0] for of in layers[::2]] == [(128, 64), (64, 64), (256, 64)]  # each once


def test_what_was_found_is_kept_for_other_processes_on_such_a_machine(monkeypatch, tmp_path):
    times(monkeypatch, [2.0], [1.0])
    assert precision.resolved(AUTO) == "bfloat16"
    forget()
    with monkeypatch.context() as patch:
        nothing_is_measured(patch)
        assert precision.resolved(AUTO) == "bfloat16" and "2.00 times" in precision.choice(AUTO)
    times(monkeypatch, [1.0], [1.0])
    with monkeypatch.context() as patch:
        patch.setattr(precision, "_processor", lambda: "another")
        forget()
        assert precision.resolved(AUTO) == "float32"
    for path in tmp_path.iterdir():
        path.write_text("{")
    forget()
    assert precision.resolved(AUTO) == "float32"


def test_a_folder_that_cannot_be_written_stops_nothing(monkeypatch):
    times(monkeypatch, [2.0], [1.0])
    monkeypatch.setattr(precision, "own_folders", list)
    monkeypatch.setattr(precision, "writable", lambda folders: (_ for _ in ()).throw(PermissionError("no")))
    assert precision.resolved(AUTO) == "bfloat16"


def test_auto_without_bfloat16_kernels(monkeypatch):
    def compiled(dtype, layers):
        if dtype == "bfloat16":
            raise precision.tf.errors.UnimplementedError(None, None, "no kernel")

    monkeypatch.setattr(precision, "_compiled", compiled)
    assert precision.resolved(AUTO) == "float32"


def test_rates_are_measured():
    assert 1e8 < precision.rate("float32") < 1e16
    assert precision.rate("float32") == precision.rate("float32")  # once
    assert 0 <= precision.speedup(64) < 1e3


def test_auto_measures_nothing_where_runs_are_deterministic(monkeypatch):
    monkeypatch.setattr(determinism, "enabled", lambda: True)
    nothing_is_measured(monkeypatch)
    assert precision.resolved(AUTO) == "float32" and "deterministic" in precision.choice(AUTO)
    assert precision.resolved(TransferConfig(precision="bfloat16")) == "bfloat16"


def test_threads_measure_once_and_agree():
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        found = [found.result() for found in [pool.submit(precision.speedup, 64) for _ in range(4)]]
    assert len(set(found)) == 1
    assert precision._known_speedup.cache_info().misses == 1
