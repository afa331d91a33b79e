"""The benchmark as users run it, and the numbers that it stands on."""

import importlib.util
import json
import math
import time

import numpy as np
import pytest
import tensorflow as tf
from benchmarks import looks, tables, tutorial_loops
from benchmarks.inputs import as_saved, common_objective, judge, load, prepare
from benchmarks.running import Announcer, Recorder, call, peak_memory
from benchmarks.summary import MARKS, marks, require_fair, seconds_per_evaluation, time_to
from PIL import Image

from tfstyle.config import TransferConfig
from tfstyle.vgg import feature_extractor

from conftest import ROOT, narrow_weights, one_line, run_script, well

HAS = {name: importlib.util.find_spec(name) is not None for name in ("torch", "matplotlib")}


@pytest.fixture
def inputs(files, narrow_file):
    """Flags of the small pictures and the narrow network."""
    return [
        f"--content={files / 'content.png'}",
        f"--style={files / 'style.png'}",
        f"--weights={narrow_file}",
    ]


@pytest.fixture(scope="module")
def prepared(files, narrow_file, tmp_path_factory):
    """What `inputs.prepare` says of the small pictures, the inputs, and the folder that it writes."""
    folder = str(tmp_path_factory.mktemp("prepared"))
    pictures = {name: str(files / f"{name}.png") for name in ("content", "style")}
    said = prepare(folder, **pictures, weights=narrow_file, image_size=40)
    return said, load(folder), folder


class Seen:
    """A recorder that keeps everything."""

    def __init__(self):
        self.losses, self.pictures = [], []

    def start(self):
        pass

    def due(self, evaluations):
        return True

    def record(self, evaluations, loss, picture):
        self.losses.append(float(loss))
        self.pictures.append(picture)


@pytest.mark.slow
def test_a_comparison_from_the_command_line(inputs, tmp_path):
    """Where PyTorch or matplotlib are not installed, as in CI, their part is left out, and that is said."""
    flags = [f"--earlier={ROOT}", "--only=tfstyle,tfstyle-earlier,torch-lbfgs"]
    flags += ["--iterations=60", "--reference_evaluations=7", "--output=out"]
    flags += ["--looks", "--image_size=48", "--repeats=1"]
    process = well(run_script("benchmark.py", *inputs, *flags, cwd=tmp_path))
    table = [line for line in process.stdout.splitlines() if line.startswith("|")]
    contestants = 2 + 2 + HAS["torch"]
    compared = contestants + HAS["torch"] * (2 + 3)
    assert [line for line in table[compared:] if "the end" in line.split("|")[2]]
    for part in (table[:contestants], table[contestants:compared]):
        assert len({line.count("|") for line in part}) <= 1
    ratios = [line for line in process.stdout.splitlines() if "_ratio=" in line and "_looks_" not in line]
    raw, saved, saved_to_raw, last = ["", "", "", *ratios][-4:]
    results = json.loads((tmp_path / "out" / "results.json").read_text())
    if HAS["torch"]:
        assert float(last.removeprefix("time_to_reference_ratio=")) > 0
        reference = results["runs"]["torch-lbfgs"][0]
        assert [row["evaluations"] for row in reference["rows"]][:5] == [1, 5, 7, 10, 15]
        assert results["reference_loss"] == reference["losses"][2]
        assert results["summary"]["torch-lbfgs"]["evaluations_to_reference"] <= 7
        mark = results["marks"]["60"]
        assert mark["raw"]["loss"] == mark["saved_to_raw"]["loss"] == reference["losses"][-1]
        assert mark["saved"]["loss"] == reference["saved_losses"][-1]
        for line, way in ((raw, "raw"), (saved, "saved"), (saved_to_raw, "saved_to_raw")):
            assert float(line.removeprefix(f"time_to_60_{way}_ratio=")) > 0
    else:
        assert last == "time_to_reference_ratio=nan"
        assert "torch-lbfgs: left out, needs PyTorch: pip install -e '.[benchmark]'." in process.stdout
        assert "time_to_reference_ratio cannot be computed: torch-lbfgs did not run." in process.stdout
    (looked,) = results["runs"].pop("tfstyle")
    assert looked["losses"][0] is None, "begins at half the size"
    assert looked["looks"][-1]["gram"] < looked["looks"][0]["gram"]
    assert (tmp_path / "out" / "1-tfstyle-end.png").exists()
    for name, (run,) in results["runs"].items():
        assert run["losses"][0] == pytest.approx(results["start_loss"], rel=1e-4), name
        assert run["saved_losses"][0] == pytest.approx(run["losses"][0], rel=1e-4), "8 bits from the start"
        assert run["peak_bytes"] > 1e8 and run["rows"][0]["seconds"] > 0
    page = (tmp_path / "out" / "benchmark.md").read_text()
    assert [line for line in page.splitlines() if line.startswith("|")][: len(table)] == table
    if HAS["matplotlib"]:
        assert (tmp_path / "out" / "curves.png").read_bytes().startswith(b"\x89PNG")
        assert "](curves.png)" in page
    else:
        assert "\ncurves.png: left out, needs matplotlib" in process.stdout


@pytest.mark.slow
def test_growth_with_the_size(inputs, tmp_path):
    flags = ["--sizes=48", "--repeats=1", "--only=tfstyle-float32,torch-lbfgs", "--output=out"]
    process = well(run_script("benchmark.py", *inputs, *flags, cwd=tmp_path))
    headers = [line for line in process.stdout.splitlines() if "megapixels" in line]
    assert [header.split()[1] for header in headers] == ["48"]
    sizes = json.loads((tmp_path / "out" / "sizes.json").read_text())["sizes"]
    assert sizes["48"]["pixels"] == 48 * 36
    for at_size in sizes.values():
        assert len(at_size["contestants"]) == 1 + HAS["torch"]
        assert all(values["seconds"] > 0 for values in at_size["contestants"].values())


@pytest.mark.slow
def test_several_pictures_in_every_way(inputs, tmp_path):
    flags = ["--batches=32", "--batch_pictures=2", "--repeats=1", "--iterations=1", "--output=out"]
    process = well(run_script("benchmark.py", *inputs, *flags, cwd=tmp_path))
    measured = json.loads((tmp_path / "out" / "batches.json").read_text())["batches"]["32"]
    assert len(measured) == 5 and min(measured.values()) > 0
    rows = [line.split("|") for line in process.stdout.splitlines() if line.startswith("| `stylizer`")]
    assert [float(row[2]) for row in rows] == pytest.approx(
        [measured["stylizer"], measured["stylizer_batch"]], abs=0.006
    )


def test_mistakes_are_one_line(inputs, tmp_path):
    for arguments, message in (
        (["--only=pytorch"], "only='pytorch': must be among torch-lbfgs, tfstyle"),
        (["--sizes=256,large"], "sizes=large: must be a whole number, 32 or above"),
        (["--repeats=0"], "repeats=0: must be a whole number, 1 or above"),
        (["--iterations=20"], "reference_evaluations=300: must be at most --iterations=20"),
        (["--earlier=nowhere"], "earlier='nowhere': must be a checkout of another version"),
        (["--content=none.png"], "content='none.png': no such file"),
        (["--only=tfstyle", "--image_size=15", "--repeats=1"], "image_size=15: makes content 15 x 11 pixels; these layers need at least 16"),
    ):  # fmt: skip
        process = run_script("benchmark.py", *inputs, *arguments, cwd=tmp_path)
        assert message in one_line(process)


def test_pytorch_has_our_objective(prepared):
    pytest.importorskip("torch")
    from benchmarks.torch_peer import TorchObjective, caffe

    said, shared, _ = prepared
    picture = (0.7 * shared.content + 0.3 * np.random.default_rng(0).random(shared.content.shape)).astype(
        np.float32
    )
    theirs = TorchObjective(shared.weights, shared.config())
    content, style, start = map(caffe, (shared.content, shared.style, picture))
    theirs.set_targets(content, style)
    assert theirs(content).item() == pytest.approx(said["start_loss"], rel=1e-5)
    theirs(start.requires_grad_(True)).backward()
    _, _, gradient = common_objective(shared).value_and_gradient(tf.constant(picture))
    ours = gradient.numpy()[..., ::-1].transpose(0, 3, 1, 2) / 255
    np.testing.assert_allclose(start.grad.numpy(), ours, rtol=1e-3, atol=1e-4 * np.abs(ours).max())


def test_pytorch_has_heads(tmp_path):
    pytest.importorskip("torch")
    from benchmarks.torch_peer import TorchObjective, caffe

    arrays = narrow_weights()
    arrays |= {"block2_conv1_head/kernel": np.ones((1, 1, 6, 5), np.float32) * [-1, 0, 1, 2, 3]}
    arrays |= {"block2_conv1_head/bias": np.arange(5, dtype=np.float32)}
    np.savez(tmp_path / "headed.npz", **{name: array.astype(np.float32) for name, array in arrays.items()})
    layers = ("block2_conv1", "block3_conv1")
    config = TransferConfig(content_layers=layers[:1], style_layers=layers[1:])
    picture = np.random.default_rng(0).random((1, 20, 24, 3), np.float32)
    theirs = TorchObjective(str(tmp_path / "headed.npz"), config)._features(caffe(picture))
    for layer, ours in feature_extractor(layers, weights=str(tmp_path / "headed.npz"))(picture).items():
        np.testing.assert_allclose(theirs[layer].permute(0, 2, 3, 1), ours, rtol=1e-4, atol=1e-3)


def test_pytorchs_first_step_has_a_length_of_one_in_caffes_units(prepared):
    pytest.importorskip("torch")
    from benchmarks.torch_peer import lbfgs

    seen = Seen()
    lbfgs(prepared[1], 2, seen)
    first, second = (255 * picture.numpy() for picture in seen.pictures)
    assert np.abs(second - first).sum() == pytest.approx(1, rel=0.05)


@pytest.mark.parametrize("loop", ["tensorflow_tutorial", "keras_example"])
def test_loops_of_tutorials_start_where_all_do_and_go_down(prepared, loop):
    seen = Seen()
    getattr(tutorial_loops, loop)(prepared[1], 6, seen)
    assert seen.losses[0] == pytest.approx(prepared[0]["start_loss"], rel=1e-4)
    assert seen.losses[-1] < seen.losses[0]


def test_a_step_of_keras_example_is_that_of_its_own_objective():
    for block in range(1, 5):
        filters, share_of_pixels = 64 * 2 ** (block - 1), 0.25 ** (block - 1)
        published, common = 1e-6 / 5 / 36, 1000 / filters**4 / share_of_pixels**2
        assert pytest.approx(published / common) == tutorial_loops._KERAS_SCALE


def test_pictures_are_resized_as_neural_style_pt_does(prepared, files):
    for name, size in (("content", (40, 30)), ("style", (40, 40))):
        expected = Image.open(files / f"{name}.png").resize(size, Image.Resampling.BILINEAR)
        np.testing.assert_array_equal(np.round(255 * getattr(prepared[1], name)[0]), np.asarray(expected))


def test_a_picture_is_judged_as_it_is_and_as_saved(prepared, tmp_path):
    pixels = np.array([-0.1, 0.501, 1.2], np.float32).reshape(1, 1, 1, 3)
    assert (255 * as_saved(pixels)).numpy().ravel().tolist() == pytest.approx([0, 128, 255])
    content = prepared[1].content
    for index, picture in enumerate((content[:, ::2], content + 0.001, 3 * content - 1)):
        np.save(tmp_path / f"{index}.npy", picture)
    (tmp_path / "rows.json").write_text("[{}, {}, {}]")
    judged = judge(prepared[2], str(tmp_path))
    coarse, near, wild = zip(judged["losses"], judged["saved_losses"])
    assert coarse == (None, None)
    # 0.001 is a quarter of a step of 8 bits, and rounds off.
    assert near[1] == pytest.approx(prepared[0]["start_loss"], rel=1e-5) and near[0] != near[1]
    assert wild[1] < 0.9 * wild[0]


def test_a_run_of_pytorch_does_not_import_tensorflow(prepared, tmp_path, monkeypatch):
    pytest.importorskip("torch")
    code = "import sys\nfrom benchmarks import contestants\ndef run(**arguments):\n    contestants.run(**arguments)\n"
    (tmp_path / "spy.py").write_text(code + "    return 'tensorflow' in sys.modules\n")
    arguments = {"evaluations": 2, "every": 1, "always": [], "settings": {}}
    folders = {"inputs_folder": prepared[2], "run_folder": str(tmp_path)}
    monkeypatch.syspath_prepend(tmp_path)
    assert call("spy:run", name="torch-adam", **folders, **arguments) is False


def run_of(*rows, precision="float32", diverged=""):
    """A run of (seconds, evaluations, loss) on the common objective; as saved, losses are twice as large.

    It should begin at a loss of 100.
    """
    own = [{"seconds": s, "evaluations": e, "own_loss": loss if loss else 1.0} for s, e, loss in rows]
    return {
        "rows": own,
        "losses": [loss for _, _, loss in rows],
        "saved_losses": [loss and 2 * loss for _, _, loss in rows],
        "diverged": diverged,
        "precision": precision,
        "start_loss": 100.0,
    }


def test_when_a_loss_is_reached():
    run = run_of((1.0, 1, None), (2.0, 3, 1000.0), (4.0, 5, 10.0), (5.0, 6, 20.0))
    assert time_to(run, 10.0) == (4.0, 5)
    assert time_to(run, 100.0) == (pytest.approx(3.0), 4)
    assert time_to(run, 2000.0) == (2.0, 3)
    assert time_to(run, 9.0) == (math.inf, math.inf)
    assert seconds_per_evaluation([(1.0, 1), (9.0, 2), (10.0, 4), (11.0, 6)]) == 0.5


def test_marks_are_what_pytorch_has_on_its_way():
    reference = run_of((0.5, 1, 800.0), (6.0, 60, 100.0), (15.0, 150, 50.0))
    ours = run_of((0.5, 1, 800.0), (2.0, 30, 400.0), (3.0, 50, 100.0), (9.0, 140, 50.0), (9.5, 145, 25.0))
    found = marks({"torch-lbfgs": [reference], "tfstyle": [ours]}, MARKS)
    assert {evaluations: {way: values["ratio"] for way, values in ways.items()} for evaluations, ways in found.items()} == {
        60: {"raw": 3.0 / 6.0, "saved": 3.0 / 6.0, "saved_to_raw": 9.0 / 6.0},
        150: {"raw": 9.0 / 15.0, "saved": 9.0 / 15.0, "saved_to_raw": 9.5 / 15.0},
    }  # fmt: skip
    assert found[60]["saved"]["loss"] == 200 and found[60]["saved_to_raw"]["loss"] == 100
    cells = [[cell.strip() for cell in line.split("|")[1:-1]] for line in tables.marks(found).splitlines()]
    assert cells[4] == ["60", "tfstyle's as saved, PyTorch's as it is", "100", "6.0", "9.0", "1.50"]
    assert (
        marks({"torch-lbfgs": [reference], "tfstyle": [run_of((0.5, 1, 800.0))]}, MARKS)[60]["raw"]["ratio"]
        == math.inf
    )
    assert marks({"torch-lbfgs": [reference]}, MARKS) == marks({"tfstyle": [ours]}, MARKS) == {}
    slow = run_of((0.5, 1, 800.0), (30.0, 60, 100.0), (90.0, 150, 50.0))
    of_two = marks({"torch-lbfgs": [reference, slow], "tfstyle": [ours, ours]}, MARKS)[60]["raw"]
    assert of_two["ratios"] == [0.5, 0.1] and of_two["ratio"] == 0.3
    assert of_two["seconds"] == {"tfstyle": 3.0, "torch-lbfgs": 18.0}
    assert tables.race(of_two, "tfstyle") == ["18.0", "3.0", "0.30 (0.10 to 0.50)"]
    reference["diverged"] = "diverged"
    assert marks({"torch-lbfgs": [reference], "tfstyle": [ours]}, MARKS) == {}


def test_an_unfair_start_or_objective_is_an_error():
    require_fair("x", run_of((1.0, 1, 100.05)))
    with pytest.raises(ValueError, match="x: starts from a loss of 101, the others from 100"):
        require_fair("x", run_of((1.0, 1, 101.0)))
    other = run_of((1.0, 1, 100.0))
    other["rows"][0]["own_loss"] = 102.0
    with pytest.raises(ValueError, match="x: has another objective"):
        require_fair("x", other)
    require_fair("x", other | {"precision": "bfloat16"})
    # A coarse scale's picture is another; the first of full size must be on the common objective.
    require_fair("x", run_of((1.0, 1, None), (2.0, 9, 50.0)))


def test_what_is_left_is_told(capsys):
    announcer = Announcer(2)
    announcer.begin("one")
    announcer.begin("other")
    assert capsys.readouterr().err == "[1/2] one\n[2/2] other; about 0 s left\n"


def test_a_mistake_comes_back_from_its_process():
    with pytest.raises(ValueError, match="below zero"):
        call("tfstyle.config.options:number", argument="x", value="below zero", least=0)
    with pytest.raises(OSError, match="without an answer"):
        call("os:abort")
    assert call("benchmarks.running:peak_memory") < peak_memory()


def test_what_recording_costs_is_not_counted(tmp_path):
    class Slow:
        def __array__(self, dtype=None, copy=None):
            time.sleep(0.5)
            return np.zeros((1, 2, 2, 3), np.float32)

    recorder = Recorder(tmp_path, 5, [7])
    assert [count for count in range(1, 12) if recorder.due(count)] == [1, 5, 7, 10]
    for evaluations in (1, 5):
        recorder.record(evaluations, 1.0, Slow())
    assert recorder.rows[1]["seconds"] < 0.5
    with pytest.raises(FloatingPointError, match="diverged: the loss is nan after 7 evaluations"):
        recorder.record(7, math.nan, np.zeros((1, 2, 2, 3)))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["0.npy", "1.npy", "2.npy"]


def test_looks_are_measured_against_style_and_photograph(prepared, tmp_path):
    """The photograph itself has no content error, and all of the distance; the style none of it."""
    _, inputs, folder = prepared
    np.save(tmp_path / "0.npy", inputs.content)
    np.save(tmp_path / "1.npy", 0.5 * inputs.content)
    np.save(tmp_path / "2.npy", inputs.content)
    rows = [{"seconds": second, "evaluations": at} for at, second in ((1, 1.0), (5, 30.0), (7, 30.1))]
    (tmp_path / "rows.json").write_text(json.dumps(rows))
    judged = {"inputs_folder": folder, "run_folder": str(tmp_path), "keep": str(tmp_path / "1-tfstyle")}
    first, last = looks.judge("tfstyle", **judged, always=[])
    assert last == {**first, "seconds": 30.1, "evaluations": 7}
    assert len(looks.judge("tfstyle-default", **judged, always=[])) == 3
    first, second, _ = looks.judge("tfstyle", **judged, always=[5])
    assert first["content"] == pytest.approx(0, abs=1e-4) and first["sliced"] == pytest.approx(1, rel=1e-2)
    assert second["content"] > 0.01 and first["gram"] > 0
    assert {path.name for path in tmp_path.glob("*.png")} == {
        f"1-tfstyle-{moment}.png" for moment in ("20s", "40s", "80s", "end")
    }
    assert looks.seconds_until([first, second], second) == 30.0
    assert looks.seconds_until([first], {**first, "gram": 0.0}) == math.inf


def test_how_soon_looks_are_as_good():
    def run(*rows, diverged=""):
        names = ("seconds", "evaluations", *looks.SCORES)
        return {"looks": [dict(zip(names, row)) for row in rows], "diverged": diverged}

    theirs = [run((10.0, 5, 9, 9, 9), (50.0, 60, 2, 3, 4)), run((30.0, 5, 9, 9, 9), (90.0, 60, 1, 2, 3))]
    ours = [run((5.0, 1, 9, 9, 9), (10.0, 6, 2, 3, 3)), run((6.0, 1, 0, 0, 9), (18.0, 6, 1, 2, 3))]
    runs = {"torch-lbfgs": theirs, "tfstyle-default": ours}
    found = looks.summarise(runs, [60, 150])
    assert found["marks"].keys() == {60}
    assert found["marks"][60]["ratios"] == [0.2, 0.2] and found["marks"][60]["scores"]["sliced"] == 2.5
    assert found["course"]["torch-lbfgs"].keys() == {40, "end"}, "of one run, nothing was kept by 20 s"
    assert found["course"]["tfstyle-default"]["end"]["seconds"] == 14.0
    assert "0.20 (0.20 to 0.20)" in looks.markdown(found)
    theirs[1]["diverged"] = "diverged"
    assert looks.summarise({"torch-lbfgs": theirs}, [60]) == {"course": {"torch-lbfgs": {}}, "marks": {}}


def test_sliced_distance_of_a_shift_is_its_mean_square_along_the_directions():
    one = np.random.default_rng(0).normal(size=(1, 8, 9, 4)).astype(np.float32)
    directions = np.random.default_rng(4).normal(size=(4, 64))
    along = directions.T @ [1, 2, 3, 4] / np.linalg.norm(directions, axis=0)
    found = looks.distance(looks.quantiles(one), looks.quantiles(one + np.float32([1, 2, 3, 4])))
    assert found == pytest.approx(np.sqrt(np.mean(along**2)), rel=1e-4)
