"""A run of another version of tfstyle, from its checkout, in an interpreter that finds that version first.

Of tfstyle it uses what versions have in common: `tfstyle.transfer`, `tfstyle.PRESETS` and how reporters
are called.
"""

import dataclasses
import json
import os
import pathlib
import subprocess
import sys

import numpy as np

from benchmarks.running import ProcessDied, Recorder, peak_memory

_SCRIPTS = pathlib.Path(__file__).parents[1]


def run_apart(checkout: str, inputs_folder: str, run_folder: str, every: int, settings: dict) -> dict:
    """Returns what `contestants.run` returns, of the preset gatys_code of another version.

    Args:
      checkout: folder that has the other version's ``tfstyle``.
      inputs_folder, run_folder, every, settings: as in `contestants.run`.

    Raises:
      ProcessDied: it failed; its traceback is on standard error.
    """
    given = json.dumps([inputs_folder, run_folder, every, settings])
    found_first = os.pathsep.join([str(pathlib.Path(checkout).resolve()), str(_SCRIPTS)])
    quiet = {"CUDA_VISIBLE_DEVICES": "-1", "TF_CPP_MIN_LOG_LEVEL": "3"}
    environment = {**os.environ, "PYTHONPATH": found_first, **quiet}
    command = [sys.executable, "-m", "benchmarks.earlier", given]
    # Elsewhere than in a checkout, which Python would find before all others.
    done = subprocess.run(command, env=environment, cwd=run_folder, stdout=subprocess.PIPE, text=True)
    if done.returncode:
        raise ProcessDied(f"earlier={checkout!r}: its process ended with exit status {done.returncode}")
    return json.loads(done.stdout.splitlines()[-1])


def _run(inputs_folder: str, run_folder: str, every: int, settings: dict) -> dict:
    import tensorflow as tf

    import tfstyle

    tf.keras.Model  # noqa: B018
    pictures = np.load(pathlib.Path(inputs_folder, "pictures.npz"))
    content, style = pictures["content"], pictures["style"]
    config = dataclasses.replace(
        tfstyle.PRESETS["gatys_code"],
        weights=str(pathlib.Path(inputs_folder, "weights.npz")),
        image_size=0,
        log_every=every,
        **settings,
    )
    recorder = Recorder(run_folder, every, [])
    tfstyle.transfer(content, style, config, reporters=[recorder])
    peak = peak_memory()
    pathlib.Path(run_folder, "rows.json").write_text(json.dumps(recorder.rows))
    return {"rows": recorder.rows, "peak_bytes": peak, "diverged": "", "precision": config.precision}


if __name__ == "__main__":
    print(json.dumps(_run(*json.loads(sys.argv[1]))))
