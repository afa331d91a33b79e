"""With --deterministic, every way of computing gives the same bits again in another process."""

import concurrent.futures
import json

import pytest
from PIL import Image

from conftest import Forks, forks, picture_folder, run_script, small_inputs, well

pytestmark = pytest.mark.slow

PICTURES = ["--content=../content.png", "--style=../style.png"]
# A shallow network, where the depth does not matter, takes a third of the time to compile.
LAYERS = ["--content_layers=conv2_1", "--style_layers=conv1_1,conv2_1"]
SMALL = ["--weights=../narrow.npz", "--padding=zeros", "--image_size=40", *LAYERS]

# {name of what is written: what is called}
RUNS = {
    # precision=auto, with the state saved as often as it may be.
    "lbfgs.png": [
        "style_transfer.py", *PICTURES, *SMALL, "--iterations=4", "--scales=1", "--checkpoint_dir=state",
        "--checkpoint_every=1",
    ],
    "batch": [
        "batch.py", "--contents=../photos", "--styles=../style.png", *SMALL, "--iterations=2",
        "--optimizer=adam", "--precision=bfloat16", "--batch_size=2",
    ],
    "network": [
        "train_stylizer.py", "--photos=../photos", "--styles=../style.png,../content.png", *SMALL, "--steps=3",
        "--batch_size=2", "--crop_size=32", "--validation=0", "--report_every=3", "--width=2", "--residual_blocks=0",
    ],
    "stylized.png": ["stylize.py", PICTURES[0], "--model=network", "--style=style:1,content:2"],
}  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = small_inputs(tmp_path_factory.mktemp("twice"))
    picture_folder(folder / "photos", 3, 48, 56)
    return folder


def run_all(folder, forks):
    """Runs the scripts one after the other, in a folder."""
    folder.mkdir()
    for output, (script, *flags) in RUNS.items():
        flags += [f"--output={output}", "--deterministic"]
        well(forks.start(script, flags, str(folder), {}).finished(600))
    return folder


@pytest.fixture(scope="module")
def twice(folder):
    """From two servers, in which strings have other hashes."""
    servers = forks(), Forks(PYTHONHASHSEED="0")
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        return list(pool.map(run_all, (folder / "one", folder / "two"), servers))


def made_in(folder, name):
    """{path: contents} of what a run wrote: what of it is computed, and no seconds."""
    root = folder / name
    paths = [path for path in root.rglob("*") if path.is_file()] if root.is_dir() else [root]
    found = {str(path.relative_to(folder)): computed(path) for path in paths}
    return {path: contents for path, contents in found.items() if contents is not None}


def computed(path):
    if path.name == "tfstyle.json":
        card = json.loads(path.read_text())
        return {
            key: card[key] for key in ("losses", "weights_of_terms", "curve", "style_hashes") if key in card
        }
    if path.suffix == ".jsonl":
        return [without_seconds(json.loads(line)) for line in path.read_text().splitlines()]
    if path.suffix == ".json":
        return without_seconds(json.loads(path.read_text()))
    # A graph is the same with its nodes in any order, and its fingerprint is one of the file.
    return path.read_bytes() if path.suffix in (".png", ".jpg") or "variables" in path.name else None


def without_seconds(record):
    if isinstance(record, dict):
        return {key: without_seconds(value) for key, value in record.items() if "second" not in key}
    return [without_seconds(each) for each in record] if isinstance(record, list) else record


@pytest.mark.parametrize("name", RUNS)
def test_the_same_to_the_last_bit(twice, name):
    one, two = (made_in(folder, name) for folder in twice)
    assert one.keys() == two.keys() and one
    assert [path for path in one if one[path] != two[path]] == []


def test_the_network_is_compared_with_the_optimisation(twice, folder):
    flags = ["--model=network", "--photos=../photos", "--limit=1", "--styles=../style.png,../content.png"]
    flags += ["--steps=1", "--size=32", "--output=compared"]
    process = well(run_script("evaluate_stylizer.py", *flags, cwd=folder / "one"))
    assert process.stdout == "compared\n"
    made = folder / "one" / "compared"
    page = (made / "comparisons.md").read_text()
    assert page.startswith("# network: 1 photographs, 32 px\n\n| value of the objective | the photograph |")
    (record,) = json.loads((made / "comparisons.json").read_text())["comparisons"]
    assert record["style"] == "style" and Image.open(made / "pictures.jpg").width > 3 * 32
