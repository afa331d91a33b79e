"""The switch, in a process of its own: it cannot be taken back."""

import json

import numpy as np
import pytest

from tfstyle import TransferConfig, transfer
from tfstyle.batch.inspection import Wanted
from tfstyle.batch.orders import Content
from tfstyle.runtime import determinism
from tfstyle.synthesis import session

from conftest import ROOT, picture, run_script, well

# What a program tells that makes a switch; numbers are drawn after each of some seeds.
_TOLD = """
import json, random, subprocess, sys
sys.path.insert(0, {root!r})
import numpy as np
import tensorflow as tf
from tfstyle.config import TransferConfig
from tfstyle.runtime import determinism, precision
told = {{"before": determinism.enabled(), "drawn": []}}
{switch}
for seed in {seeds}:
    determinism.enable(seed)
    told["drawn"].append([random.random(), np.random.uniform(), float(tf.random.uniform([]))])
told |= {{"after": determinism.enabled(), "precision": precision.resolved(TransferConfig())}}
if {seeds}:
    child = "import sys; sys.path.insert(0, {root!r}); from tfstyle.runtime import determinism; print(determinism.enabled())"
    told["child"] = subprocess.run([sys.executable, "-c", child], capture_output=True, text=True).stdout.strip()
print(json.dumps(told))
"""


@pytest.fixture
def told(tmp_path, monkeypatch):
    """What such a program tells."""

    def run(switch="", seeds=()):
        program = tmp_path / "program.py"
        program.write_text(_TOLD.format(switch=switch, seeds=seeds, root=str(ROOT)))
        process = well(run_script(program, cwd=tmp_path))
        return json.loads(process.stdout)

    monkeypatch.delenv("TF_DETERMINISTIC_OPS", raising=False)
    return run


def test_off_unless_it_is_asked_for():
    assert not determinism.enabled()


@pytest.mark.slow
def test_enabled_here_and_in_what_is_started_from_here(told):
    found = told(seeds=(3, 4, 3))
    assert (found["before"], found["after"], found["child"]) == (False, True, "True")
    assert found["precision"] == "float32"
    first, other, again = found["drawn"]
    assert again == first and all(a != b for a, b in zip(first, other))


@pytest.mark.slow
def test_tensorflows_own_switch_is_the_same(told):
    found = told("tf.config.experimental.enable_op_determinism()")
    assert found["after"] and found["precision"] == "float32"


@pytest.mark.slow
@pytest.mark.parametrize(
    "options", [{"optimizer": "adam"}, {"optimizer": "lbfgs"}, {"line_search": "hager_zhang"}]
)
def test_how_often_a_run_looks_up_does_not_show(narrow_file, monkeypatch, options):
    """A run that may be stopped is made in pieces, as long as the machine is fast."""
    config = TransferConfig(
        weights=narrow_file, image_size=32, iterations=12, precision="float32",
        content_layers=("conv2_1",), style_layers=("conv1_1", "conv2_1"), **options,
    )  # fmt: skip
    pictures = picture(24, 32, 1), picture(32, 32, 2)
    whole = transfer(*pictures, config)
    monkeypatch.setattr(session, "_PIECE_SECONDS", 1e-12)
    looks = []
    pieces = transfer(*pictures, config, stop=lambda: looks.append(0) or "")
    assert len(looks) >= 12
    np.testing.assert_array_equal(pieces.image, whole.image)
    assert pieces.losses == whole.losses


def test_beam_groups_pictures_alike_in_whatever_order_they_come(monkeypatch):
    beam_pipeline = pytest.importorskip("tfstyle.batch.beam")
    found = [Wanted(Content(name, name), "", (0,)) for name in "abcde"]

    def groups(found):
        return [[each.content.name for each in group] for group in beam_pipeline._groups(("key", found), 2)]

    monkeypatch.setattr(determinism, "enabled", lambda: True)
    assert groups(found) == groups(found[::-1]) == [["a", "b"], ["c", "d"], ["e"]]
