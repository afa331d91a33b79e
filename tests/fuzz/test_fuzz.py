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
