"""What type checkers see of the public names: `__init__.pyi`, as `typed_api.py` uses it."""

import os
import subprocess
import sys

import pytest

from conftest import ROOT


@pytest.mark.slow
def test_types_of_the_public_names(tmp_path):
    pytest.importorskip("mypy")
    options = (
        "--follow-imports=silent",
        "--ignore-missing-imports",
        "--warn-unused-ignores",
        "--config-file=",
    )
    files = (ROOT / "tests" / "typed_api.py", ROOT / "tfstyle" / "__init__.pyi")
    process = subprocess.run(
        [sys.executable, "-m", "mypy", *options, f"--cache-dir={tmp_path}", *map(str, files)],
        cwd=tmp_path,
        env={**os.environ, "MYPYPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )
    assert process.returncode == 0, process.stdout + process.stderr
