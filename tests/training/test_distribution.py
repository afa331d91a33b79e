"""One training on two devices of a process, and on two processes, against one device."""

import dataclasses
import json
import pathlib
import shutil
import signal
import socket
import time

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from tfstyle import style_targets
from tfstyle.config.presets import preset
from tfstyle.io.images import load_fitted
from tfstyle.reporting import Progress
from tfstyle.runtime import checkpoints
from tfstyle.runtime.stopping import Supervision
from tfstyle.training import distribution
from tfstyle.training.recipe import InstantRecipe
from tfstyle.training.training import train

from conftest import ROOT, picture, run_script, start_script, well

RECIPE = InstantRecipe(
    steps=16, batch_size=4, crop_size=24, width=2, residual_blocks=0, report_every=4, training_rate=0.001,
    validation=1, steadiness_weight=0,
)  # fmt: skip
OBJECTIVE = {"image_size": 40, "content_layers": "conv1_2", "style_layers": "conv1_1,conv2_1"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory, narrow_file):
    """Photographs, two styles and weights."""
    folder = tmp_path_factory.mktemp("shared")
    (folder / "photos").mkdir()
    for seed in range(5):
        Image.fromarray(picture(40, 50, seed)).save(folder / "photos" / f"{seed}.png")
    for name, seed in (("a", 6), ("b", 7)):
        Image.fromarray(picture(40, 40, seed)).save(folder / f"{name}.png")
    (folder / "narrow.npz").write_bytes(pathlib.Path(narrow_file).read_bytes())
    return folder


def trained(folder, strategy=None, **options):
    """Trains on the pictures of a folder; returns the losses of each report."""
    folder = pathlib.Path(folder)
    config = dataclasses.replace(
        preset("gatys_code"), weights=str(folder / "narrow.npz"), scales=1, style_strength=0.5, **OBJECTIVE
    )
    styles = [style_targets(folder / name, config) for name in ("a.png", "b.png")]
    photographs = sorted((folder / "photos").iterdir())
    pictures = [load_fitted(folder / name, "styles", 40) for name in ("a.png", "b.png")]
    _, history = train(photographs, styles, config, RECIPE, pictures=pictures, strategy=strategy, **options)
    return [losses_of(progress) for progress in history]


def losses_of(progress):
    return [*progress.losses.values(), progress.metrics["validation loss"]]


@pytest.fixture(scope="module")
def alone(folder):
    """The losses on one device; in the folder "stopped", its checkpoint of step 8."""

    class Keep:
        def report(self, progress, image):
            if progress.step == 12:
                shutil.copytree(folder / "state", folder / "stopped")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(checkpoints, "_SHARE", 1.0)
        return trained(folder, reporters=[Keep()], supervision=Supervision(folder / "state", 4))


@pytest.mark.slow
def test_two_devices(folder, alone, tmp_path):
    (tmp_path / "two.py").write_text(f"""if True:
    import json, sys
    import tensorflow as tf
    sys.path[:0] = {[str(ROOT), str(ROOT / "tests"), str(pathlib.Path(__file__).parent)]}
    (cpu,) = tf.config.list_physical_devices("CPU")
    tf.config.set_logical_device_configuration(cpu, 2 * [tf.config.LogicalDeviceConfiguration()])
    from test_distribution import trained
    strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
    assert strategy.num_replicas_in_sync == 2
    print(json.dumps(trained(sys.argv[1], strategy)))
    """)
    process = well(run_script(tmp_path / "two.py", folder, cwd=tmp_path))
    np.testing.assert_allclose(json.loads(process.stdout.splitlines()[-1]), alone, rtol=1e-4)


@pytest.mark.slow
def test_two_processes_go_on_where_one_was_stopped(folder, alone, tmp_path):
    """Through the script: both read the checkpoint, and the chief alone writes and tells."""
    processes = two_workers(folder, tmp_path, RECIPE, folder / "stopped")
    ended = [process.finished() for process in processes]
    assert [process.returncode for process in ended] == [0, 0], ended
    assert [process.stdout for process in ended] == ["model\n", ""]
    assert "goes on from the checkpoint after 8 steps" in ended[0].stderr
    assert "contains input name" not in ended[0].stderr and "loss" not in ended[1].stderr
    assert not list((tmp_path / "1").iterdir())
    assert tf.saved_model.contains_saved_model(tmp_path / "0" / "model")
    with np.load(folder / "stopped" / "checkpoint.npz") as saved:
        record = json.loads(saved["json"].tobytes())["record"]
    found = [losses_of(Progress(**progress)) for progress in record["history"]]
    assert record["step"] == 16 and found[:3] == alone[:3]
    np.testing.assert_allclose(found, alone, rtol=1e-4)
    card = json.loads((tmp_path / "0" / "model" / "tfstyle.json").read_text())
    assert card["styles"] == ["a.png", "b.png"] and card["photographs"] == 4
    assert card["metrics"]["validation loss"] == found[-1][-1]


@pytest.mark.slow
def test_a_worker_that_is_told_to_end_ends_both_after_the_same_step(folder, tmp_path):
    endless = dataclasses.replace(RECIPE, steps=100_000, validation=0)
    processes = two_workers(folder, tmp_path, endless, tmp_path / "state")
    until = time.monotonic() + 300
    while not (tmp_path / "state" / "checkpoint.npz").exists() and time.monotonic() < until:
        time.sleep(0.1)
    processes[1].send_signal(signal.SIGTERM)
    ended = [process.finished() for process in processes]
    assert [process.returncode for process in ended] == [1, 128 + signal.SIGTERM], ended
    with np.load(tmp_path / "state" / "checkpoint.npz") as saved:
        step = json.loads(saved["json"].tobytes())["record"]["step"]
    stopped = f"stopped by worker 1 after {step} steps; the same command goes on from there"
    assert stopped in ended[0].stderr
    assert f"another worker was told to end after step {step};" in ended[0].stderr
    assert json.loads((tmp_path / "0" / "model" / "tfstyle.json").read_text())["steps"] == step
    assert ended[1].stdout == ""


def two_workers(folder, where, recipe, state):
    """Starts both workers of a training, each in a folder of its own."""
    flags = [f"--{name}={value}" for name, value in {**OBJECTIVE, **recipe.to_dict()}.items()]
    flags += [f"--photos={folder / 'photos'}", f"--styles={folder / 'a.png'},{folder / 'b.png'}"]
    flags += [f"--weights={folder / 'narrow.npz'}", "--preset=gatys_code", "--style_strength=0.5"]
    flags += ["--distribute=multi_worker", f"--checkpoint_dir={state}", "--checkpoint_every=4"]
    cluster = {"worker": [f"localhost:{port}" for port in free_ports(2)]}
    processes = []
    for index in range(2):
        own = where / str(index)
        own.mkdir()
        told = json.dumps({"cluster": cluster, "task": {"type": "worker", "index": index}})
        processes.append(start_script("train_stylizer.py", *flags, "--output=model", cwd=own, TF_CONFIG=told))
    return processes


def free_ports(count):
    sockets = [socket.create_server(("localhost", 0)) for _ in range(count)]
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


def test_the_environment_tells_who_a_worker_is(monkeypatch):
    cluster = {"chief": ["a:1"], "worker": ["b:1", "c:1"]}
    for kind, index, expected in (("chief", 0, 0), ("worker", 0, 1), ("worker", 1, 2)):
        told = {"cluster": cluster, "task": {"type": kind, "index": index}}
        monkeypatch.setenv("TF_CONFIG", json.dumps(told))
        assert distribution.worker_of_environment() == (expected, 3)
    told["task"]["index"] = 2
    for wrong in (json.dumps(told), "{", "{}", "[]"):
        monkeypatch.setenv("TF_CONFIG", wrong)
        with pytest.raises(ValueError, match=r"^distribute=multi_worker: needs TF_CONFIG in the environment"):
            distribution.strategy_of("multi_worker")
    monkeypatch.delenv("TF_CONFIG")
    with pytest.raises(ValueError, match=r"^distribute=multi_worker: needs TF_CONFIG"):
        distribution.strategy_of("multi_worker")
    with pytest.raises(ValueError, match=r"^distribute='all': must be one of none, mirrored, multi_worker"):
        distribution.strategy_of("all")
    assert distribution.strategy_of("none") is None and distribution.is_chief(None)


def test_a_batch_is_divided_evenly():
    strategy = tf.distribute.get_strategy()
    distribution.require_divisible(3, strategy)

    class Two:
        num_replicas_in_sync = 2

    with pytest.raises(ValueError, match=r"^batch_size=3: must be a multiple of 2, the number of replicas"):
        distribution.require_divisible(3, Two())


def test_workers_that_do_not_agree(monkeypatch):
    strategy = tf.distribute.get_strategy()
    distribution.require_agreement(strategy, 4, "steps")
    monkeypatch.setattr(strategy.__class__, "gather", lambda self, value, axis: tf.constant([4, 6]))
    with pytest.raises(ValueError, match=r"^steps: 4, 6$"):
        distribution.require_agreement(strategy, 4, "steps")
