import concurrent.futures

import pytest

from tfstyle.runtime import determinism, precision


@pytest.fixture(autouse=True)
def fresh():
    precision._measured.cache_clear()
    yield
    precision._measured.cache_clear()


def rates(monkeypatch, float32, bfloat16):
    monkeypatch.setattr(precision, "rate", {"float32": float32, "bfloat16": bfloat16}.get)


def test_what_is_asked_for_is_not_measured(monkeypatch):
    monkeypatch.delattr(precision, "rate")
    assert precision.resolved("float32") == "float32"
    assert precision.resolved("bfloat16") == "bfloat16"


@pytest.mark.parametrize(("bfloat16", "chosen"), [(2e9, "bfloat16"), (1.1e9, "float32"), (0.2e9, "float32")])
def test_auto_takes_bfloat16_where_it_is_clearly_faster(monkeypatch, bfloat16, chosen):
    rates(monkeypatch, 1e9, bfloat16)
    assert precision.resolved("auto") == chosen
    assert f"{bfloat16 / 1e9:.2f} times" in precision.choice()


def test_auto_without_bfloat16_kernels(monkeypatch):
    def rate(dtype):
        if dtype == "bfloat16":
            raise precision.tf.errors.UnimplementedError(None, None, "no kernel")
        return 1e9

    monkeypatch.setattr(precision, "rate", rate)
    assert precision.resolved("auto") == "float32"


def test_rates_are_measured():
    assert 1e8 < precision.rate("float32") < 1e16
    assert precision.rate("float32") == precision.rate("float32")  # once


def test_auto_measures_nothing_where_runs_are_deterministic(monkeypatch):
    monkeypatch.setattr(determinism, "enabled", lambda: True)
    monkeypatch.delattr(precision, "rate")
    assert precision.resolved("auto") == "float32" and precision.resolved("bfloat16") == "bfloat16"
    assert "deterministic" in precision.choice()


def test_threads_measure_once_and_agree():
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        found = [found.result() for found in [pool.submit(precision.rate, "float32") for _ in range(4)]]
    assert len(set(found)) == 1
    assert precision._measured.cache_info().misses == 1
