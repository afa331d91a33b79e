"""How commands run: TensorFlow is quiet unless asked or in trouble, and Keras computes with TensorFlow."""

import os
import subprocess
import sys

import pytest

# A TensorFlow that says what the real one says where it is imported.
FAKE = """
import os, types
os.write(2, b"I0000 native noise\\n")
config = types.SimpleNamespace(list_logical_devices=lambda: None)
errors = types.SimpleNamespace(OpError=MemoryError)
"""


def outcome(tmp_path, body, **environment):
    """Standard error, and exit status, of a command with this main."""
    (tmp_path / "tensorflow.py").write_text(FAKE)
    program = f"""
import os, sys
sys.path.insert(0, {str(tmp_path)!r})
from tfstyle.cli import process
def main():
    with process.quiet_tensorflow():
        print("progress", file=sys.stderr)
        {body}
process.run(main)
"""
    own = {name: value for name, value in os.environ.items() if name != "TF_CPP_MIN_LOG_LEVEL"}
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={**own, **environment},
        capture_output=True,
        text=True,
        timeout=60,
    )
    return done.stderr, done.returncode


def test_tensorflow_is_quiet_and_a_mistake_is_one_line(tmp_path):
    assert outcome(tmp_path, "pass") == ("progress\n", 0)
    told, status = outcome(tmp_path, "raise ValueError('size=0: is too small')")
    assert (told, status) == ("progress\n-c: error: size=0: is too small\n", 1)


def test_what_native_code_says_is_seen_where_it_is_asked_for(tmp_path):
    told, _ = outcome(tmp_path, "pass", TF_CPP_MIN_LOG_LEVEL="0")
    assert "native noise" in told


@pytest.mark.parametrize("body", ["raise ImportError('no kernels')", "raise RuntimeError('no device')"])
def test_or_where_tensorflow_fails(tmp_path, body):
    told, status = outcome(tmp_path, body)
    assert "native noise" in told and body.split("'")[1] in told and status == 1


def test_a_crash_says_where(tmp_path):
    told, status = outcome(tmp_path, "os.abort()")
    assert "Fatal Python error: Aborted" in told and status < 0


@pytest.mark.parametrize("variable", [{"KERAS_BACKEND": "jax"}, {"TF_USE_LEGACY_KERAS": "1"}])
def test_keras_computes_with_tensorflow_whatever_other_programs_use(tmp_path, variable):
    found = "raise ValueError(os.environ['KERAS_BACKEND'] + os.environ.get('TF_USE_LEGACY_KERAS', ''))"
    assert outcome(tmp_path, found, **variable)[0] == "progress\n-c: error: tensorflow\n"
