"""A small campaign a reader, with a fixed seed; the long one is `campaign.py`."""

import sys

import pytest

from conftest import ROOT, run_script

sys.path.insert(0, str(ROOT / "tests" / "fuzz"))

import campaign
import readers

INPUTS = 3_000  # over all readers


def start(arguments, log):
    """Runs the worker where TensorFlow has been imported already."""
    done = run_script(str(ROOT / "tests" / "fuzz" / "worker.py"), *arguments, cwd=log.parent)
    log.write_text(done.stdout + done.stderr)
    return done.returncode


@pytest.mark.slow
@pytest.mark.parametrize("name", readers.READERS)
def test_every_input_ends_in_a_value_or_a_documented_error(name, tmp_path):
    inputs = INPUTS * readers.SHARES[name] // sum(readers.SHARES.values())
    found = campaign.run(name, inputs, 7, tmp_path, most_deaths=0, start=start)
    kept = "\n".join(path.read_text() for path in sorted(tmp_path.glob("findings/*.txt")))
    assert not found["findings"], kept
    assert found["inputs"] == inputs == found["accepted"] + found["refused"]


@pytest.mark.slow
def test_inputs_are_bred_from_those_that_reached_new_code(tmp_path):
    pytest.importorskip("atheris")
    found = campaign.run("archive", 400, 7, tmp_path, "guided", most_deaths=0)
    kept = "\n".join(path.read_text() for path in sorted(tmp_path.glob("findings/*.txt")))
    assert not found["findings"], kept
    assert found["inputs"] == 400 == found["accepted"] + found["refused"]
    given = len(list(tmp_path.glob("corpus/seed*")))
    assert given == 2 and len(list(tmp_path.glob("corpus/*"))) > given
