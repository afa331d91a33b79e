"""The script as users run it: a folder with a model that works without tfstyle."""

import json

import pytest
import tensorflow as tf

from tfstyle.config import TransferConfig
from tfstyle.synthesis.style_targets import style_targets

from conftest import picture, run_script

LAYERS = ["--content_layers=conv2_1", "--style_layers=conv1_1,conv2_1"]
FEW = [
    "--padding=zeros",
    "--optimizer=adam",
    "--precision=float32",
    "--iterations=2",
    "--image_size=40",
    "--scales=1",
]


@pytest.fixture(scope="module")
def folder(files, narrow_file, tmp_path_factory):
    """Where the scripts run, with a style's targets, and a file that is none."""
    folder = tmp_path_factory.mktemp("export")
    config = TransferConfig(
        weights=narrow_file, content_layers=("conv2_1",), style_layers=("conv1_1", "conv2_1"),
        image_size=40, scales=1, padding="zeros",
    )  # fmt: skip
    style_targets(str(files / "style.png"), config).save(folder / "targets.npz")
    (folder / "text.png").write_text("not a picture")
    return folder


RUNS = {
    "extractor": ["--model=extractor", "--layers=conv2_2,conv1_1"],
    "transfer": ["--style_scale=0.5"],
    "targets": ["--style=targets.npz", "--output=models/style/1", "--noverify"],
}


@pytest.fixture(scope="module")
def runs(narrow_file, folder):
    done = {
        name: run_script("export.py", f"--weights={narrow_file}", *LAYERS, *FEW, *more, cwd=folder)
        for name, more in RUNS.items()
    }
    for process in done.values():
        assert process.returncode == 0, process.stderr
    return done


@pytest.mark.slow
def test_prints_the_folder(runs):
    assert {name: process.stdout for name, process in runs.items()} == {
        "extractor": "saved_models/extractor\n",
        "transfer": "saved_models/transfer\n",
        "targets": "models/style/1\n",
    }


@pytest.mark.slow
def test_says_what_it_does(runs):
    making, saved, works = runs["transfer"].stderr.splitlines()
    assert making == "transfer: making the graph, which may take a minute …"
    assert saved.startswith("saved: ") and " MB, " in saved
    assert works.startswith("works without tfstyle: 4 x 4 pixels, ")
    assert len(runs["targets"].stderr.splitlines()) == 2


@pytest.mark.slow
def test_what_is_saved(runs, folder, narrow_file):
    extractor = json.loads((folder / "saved_models" / "extractor" / "tfstyle.json").read_text())
    assert extractor["layers"] == ["block1_conv1", "block2_conv2"]
    assert (extractor["weights"], extractor["pooling"]) == (narrow_file, "max")
    transfer = json.loads((folder / "saved_models" / "transfer" / "tfstyle.json").read_text())
    assert transfer["config"]["iterations"] == 2 and transfer["style"] is None
    model = tf.saved_model.load(folder / "models" / "style" / "1")
    image = tf.constant(picture(30, 50)[tf.newaxis])
    assert model.signatures["serving_default"](image=image)["picture"].shape == [1, 24, 40, 3]


# name: (flags, what the line says)
MISTAKES = {
    "style of an extractor": (["--model=extractor", "--style=a.png"], "style='a.png': an extractor has none"),
    "layers of a transfer": (["--layers=conv1_1"], "layers='conv1_1': are an extractor's; give content_layers"),
    "unknown model": (["--model=style"], "flag --model=style: value should be one of"),
    "no style": (["--style=none.png"], "style='none.png': no such file"),
    "no targets": (["--style=none.npz"], "style='none.npz': no such file"),
    "a folder of something else": (["--output=."], "output='.': holds something that is no export"),
    "a file": (["--output=text.png"], "output='text.png': is a file"),
    "picture too small": (["--image_size=1"], "image_size=1: too small; these layers need 2 or"),
}  # fmt: skip


@pytest.fixture(scope="module")
def outcomes(narrow_file, folder):
    """A flag given twice counts as given last."""
    usual = [f"--weights={narrow_file}", *LAYERS, *FEW, "--output=bad"]
    return {name: run_script("export.py", *usual, *more, cwd=folder) for name, (more, _) in MISTAKES.items()}


@pytest.mark.slow
@pytest.mark.parametrize("name", MISTAKES)
def test_mistakes_are_one_line(outcomes, name):
    process = outcomes[name]
    assert (process.returncode, process.stdout) == (1, "")
    line = process.stderr.splitlines()[-1]
    assert line.startswith("export.py: error: ")
    assert MISTAKES[name][1] in line
    # Before it, at most what is being made.
    assert len(process.stderr.splitlines()) - 1 == process.stderr.count("making the graph")


@pytest.mark.slow
def test_mistakes_leave_nothing(outcomes, folder):
    assert not (folder / "bad").exists()
    assert not list(folder.glob(".*"))
