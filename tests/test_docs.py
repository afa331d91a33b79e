"""README.md and docs/*.md: commands are parsed by the commands, Python blocks run, links and names looked for."""

import functools
import json
import os
import re
import shlex
import subprocess
import sys
from typing import NamedTuple

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

import tfstyle
from tfstyle.cli import COMMANDS

from conftest import ROOT, picture, run_script, well

PAGES = ["README.md", *sorted(f"docs/{path.name}" for path in (ROOT / "docs").glob("*.md"))]
TEXTS = {page: (ROOT / page).read_text() for page in PAGES}
FENCE = re.compile(r"^```(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)
every_page = pytest.mark.parametrize("page", PAGES)


class Command(NamedTuple):
    """A program of the project with its arguments: a command of `tfstyle`, or a script's path."""

    program: str
    arguments: list[str]


def lines(block):
    return [line.removeprefix("$ ") for line in block.replace("\\\n", " ").splitlines()]


def prose(page):
    return FENCE.sub("", TEXTS[page])


def commands(text):
    """Those in blocks, and those in the text, of the project's own programs."""
    shown = [line for _, block in FENCE.findall(text) for line in lines(block)]
    shown += re.findall(r"`(tfstyle [a-z][^`]*)`", FENCE.sub("", text))
    found = []
    for line in shown:
        if line.startswith("tfstyle ") or re.match(r"(\S*/)?python scripts/", line):
            _, program, *arguments = shlex.split(line, comments=True)
            found.append(Command(program, [each for each in arguments if each not in ("--help", "…")]))
    return found


ALL = {page: commands(text) for page, text in TEXTS.items()}

# Each command in a fork: flags are global. A list of commands comes in; {"error", "flags"} of each goes out.
CHECKER = """
import importlib, json, os, runpy, sys
from absl import flags
from tfstyle.cli import common
from tfstyle.cli.arguments import spelled
from tfstyle.training.recipe import InstantRecipe

def check(program, arguments):
    if program.endswith(".py"):
        sys.path.insert(0, os.path.dirname(program))
        module = runpy.run_path(program, run_name="flags")
    else:
        module = vars(importlib.import_module(f"tfstyle.cli.{program}"))
        module["define_flags"]()
    words = spelled(arguments, flags.FLAGS, module.get("PLACES", ()))
    rest = [word for word in flags.FLAGS([program, *words])[1:] if word not in module.get("WORDS", ())]
    if rest:
        raise ValueError(f"{rest}: must be flags")
    if "checkpoint_every" in flags.FLAGS:
        common.supervision()
    if "training_rate" in flags.FLAGS:
        InstantRecipe(**common.given_options(InstantRecipe))
    if "preset" in flags.FLAGS:
        common.settings()
    elif program == "evaluate":
        module["settings"]()

for program, arguments in json.load(sys.stdin):
    if os.fork():
        os.wait()
        continue
    error = ""
    try:
        check(program, arguments)
        if "tensorflow" in sys.modules and not program.endswith(".py"):
            error = "imports TensorFlow to parse its flags"
    except (flags.Error, ValueError) as raised:
        error = str(raised)
    print(json.dumps({"error": error, "flags": list(flags.FLAGS)}), flush=True)
    os._exit(0)
"""


def checked(asked):
    done = subprocess.run(
        [sys.executable, "-c", CHECKER], cwd=ROOT, input=json.dumps(asked), capture_output=True, text=True,
        timeout=300,
    )  # fmt: skip
    found = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(found) == len(asked), done.stderr
    return found


def test_commands_have_flags_that_they_know():
    asked = [command for page in PAGES for command in ALL[page]]
    assert len(asked) > 50 and {program for program, _ in asked} >= set(COMMANDS)
    wrong = [(*command, each["error"]) for command, each in zip(asked, checked(asked)) if each["error"]]
    assert not wrong


def test_mistakes_in_commands_would_be_seen():
    mistakes = [
        ("transfer", ["--styel_strength=0.5"]), ("transfer", ["--style_strength=2"]),
        ("transfer", ["--color=none"]), ("weights", ["photo.jpg"]), ("transfer", ["--deadline=soon"]),
        ("train", ["--steps=0"]), ("evaluate", ["--content_layers="]), ("scripts/benchmark.py", ["--size=3"]),
    ]  # fmt: skip
    assert all(each["error"] for each in checked(mistakes))


def test_flags_in_the_text_exist():
    scripts = sorted(
        {command.program for page in PAGES for command in ALL[page] if command.program.endswith(".py")}
    )
    known = {
        flag
        for each in checked([(program, []) for program in (*COMMANDS, *scripts)])
        for flag in each["flags"]
    }
    others = {"help", "no-deps"}  # absl's and pip's
    shown = {flag for page in PAGES for flag in re.findall(r"--([a-z][\w-]*)", prose(page))}
    assert not {flag for flag in shown - known - others if flag.removeprefix("no") not in known}


@every_page
def test_links_and_names_lead_somewhere(page):
    text, folder = prose(page), (ROOT / page).parent
    for link in re.findall(r"\]\(([^)]+)\)", text) + re.findall(r'src="([^"]+)"', text):
        if link.startswith(("http:", "https:")):
            continue
        path, _, anchor = link.partition("#")
        target = folder / path if path else ROOT / page
        assert target.exists(), link
        assert not anchor or anchor in anchors(target.read_text()), link
    for name in re.findall(r"`((?:tfstyle|scripts|tests|docs|\.ci)/[\w./*-]+)`", text):
        assert list(ROOT.glob(name.rstrip("/"))), name
    for name, path in re.findall(r"`([\w.]+)` in `(tfstyle/[\w/]+\.py)`", text):
        assert re.search(rf"\b{name.rpartition('.')[2]}\b", (ROOT / path).read_text()), (name, path)
    for command in ALL[page]:
        assert command.program in COMMANDS or (ROOT / command.program).is_file(), command.program


def anchors(text):
    """Those that GitHub gives headings."""
    headings = re.findall(r"^#+ (.*)$", FENCE.sub("", text), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_make_has_what_is_shown():
    targets = set(re.findall(r"^make (\w+)", "\n".join(TEXTS.values()), re.MULTILINE))
    assert targets >= {"demo", "test"}
    assert targets <= set(re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(), re.MULTILINE))


def test_every_public_name_has_a_place_in_the_reference():
    listed = re.findall(r"^::: tfstyle\.[\w.]*?(\w+)$", TEXTS["docs/reference.md"], re.MULTILINE)
    assert sorted(listed) == sorted(set(tfstyle.__all__) - {"PRESETS"})


def test_the_site_is_built_without_a_warning(tmp_path):
    """All pages are in its menu, and it asks for nothing from elsewhere."""
    site = tmp_path / "site"
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(site)], cwd=ROOT,
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1"}, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    built = (site / "index.html").read_text()
    for page in PAGES[1:]:
        assert f'href="{page.removeprefix("docs/").replace(".md", ".html")}"' in built
    assert not re.findall(r'<(?:script|link|img)[^>]*(?:src|href)="https?://(?!127)[^"]*"', built)
    assert 'id="tfstyle.api.transfer.transfer"' in (site / "reference.html").read_text()


def test_the_readme_is_short_and_leads_to_every_page():
    assert len(TEXTS["README.md"].splitlines()) <= 150
    assert all(f"({page})" in TEXTS["README.md"] for page in PAGES[1:])


def test_the_table_of_modules():
    """docs/contributing.md lists the modules of each package."""
    _, _, table = TEXTS["docs/contributing.md"].partition("| package | modules |\n")
    rows = re.findall(r"^\| `(\w+)` \| (.*) \|$", table, re.MULTILINE)
    listed = {package: names.split() for package, names in rows}
    there = {
        folder.parent.name: sorted(
            path.stem for path in folder.parent.glob("*.py") if path.stem != "__init__"
        )
        for folder in (ROOT / "tfstyle").glob("*/__init__.py")
    }
    assert listed == there


@every_page
def test_python_can_be_read(page):
    for kind, block in FENCE.findall(TEXTS[page]):
        if kind == "python":
            compile(block, page, "exec")


@pytest.fixture
def pictures(tmp_path, monkeypatch):
    """The small pictures that the pages name, in the folder where their blocks are run."""
    monkeypatch.chdir(tmp_path)
    os.mkdir("photos")
    for name, size, seed in (
        ("photo.jpg", (72, 96), 1),
        ("other.jpg", (80, 64), 2),
        ("painting.jpg", (96, 96), 3),
        ("waves.jpg", (90, 96), 4),
        ("any_painting.jpg", (60, 48), 7),
        ("another.jpg", (48, 60), 8),
        ("photos/a.jpg", (48, 64), 5),
        ("photos/b.png", (48, 64), 6),
    ):
        Image.fromarray(picture(*size, seed)).save(name)


# Transfers that would otherwise take minutes, or the weights of VGG19.
QUICK = {
    "scales": 1, "iterations": 1, "content_layers": ("conv2_1",), "style_layers": ("conv1_1", "conv2_1"),
    "optimizer": "adam", "image_size": 64, "precision": "float32",
}  # fmt: skip


def run(command):
    """Runs a command with those of `QUICK` that it does not set itself."""
    is_extractor = "--model=extractor" in command.arguments
    flags = [
        f"--{name}={','.join(value) if isinstance(value, tuple) else value}"
        for name, value in QUICK.items()
        if not any(argument.startswith(f"--{name}=") for argument in command.arguments)
        and not (is_extractor and name.endswith("layers"))
    ]
    # That an export is called where tfstyle is not importable, and Beam's processes, are seen in their own tests.
    flags += ["--noverify"] * (command.program == "export")
    flags += ["--beam_args=--runner=DirectRunner"] * ("--runner=beam" in command.arguments)
    return well(run_script(f"{command.program}.py", *command.arguments, *flags, cwd=os.getcwd()))


@pytest.fixture
def quick(narrow_file, monkeypatch):
    """Has what the pages ask for made with `QUICK`, by a narrow network."""
    config, given = tfstyle.TransferConfig, {**QUICK, "weights": narrow_file}
    monkeypatch.setattr(tfstyle, "TransferConfig", lambda **options: config(**{**options, **given}))


@pytest.mark.slow
@pytest.mark.parametrize("page", ["README.md", "docs/instant_styles.md"])
def test_python_runs(page, pictures, quick):
    blocks = [block for kind, block in FENCE.findall(TEXTS[page]) if kind == "python"]
    names = {}
    for block in blocks:
        exec(compile(block, page, "exec"), names)
    if page == "README.md":
        assert Image.open("out.png").size == (64, 48) and len(names["result"].history) == 2
    else:
        assert names["whole"].shape == (1, 72, 96, 3)
        assert next(iter(names["dataset"].map(names["stylize"]))).dtype == tf.uint8


NOTEBOOK = json.loads((ROOT / "docs" / "tutorial.ipynb").read_text())


@pytest.mark.slow
def test_the_notebook_runs(tmp_path, narrow_file, quick, monkeypatch):
    """With fewer steps and a narrow network; IPython is not needed to run its cells."""
    monkeypatch.chdir(tmp_path)
    reporter, pages = tfstyle.NotebookReporter, []
    monkeypatch.setattr(tfstyle, "NotebookReporter", lambda: reporter(show=lambda page: pages.append(page)))
    extractor = functools.partial(tfstyle.feature_extractor, weights=narrow_file)
    monkeypatch.setattr(tfstyle, "feature_extractor", extractor)
    names = {}
    for number, cell in enumerate(NOTEBOOK["cells"]):
        if cell["cell_type"] == "code":
            text = (
                "".join(cell["source"]).replace("steps = 200", "steps = 3").replace("size = 192", "size = 64")
            )
            exec(compile(text, f"cell {number}", "exec"), names)
    assert pages and np.all(np.isfinite(names["losses"]))
    assert np.abs(names["image"] - names["content"]).max() > 0.01
    assert names["result"].image.shape == [1, 48, 64, 3]
    assert names["show"](names["content"], names["image"]).size == (128, 48)


def test_the_notebook_has_its_pictures():
    """As it was run with VGG19: without errors, and with nothing of the machine that it was run on."""
    outputs = [output for cell in NOTEBOOK["cells"] for output in cell.get("outputs", ())]
    assert sum(not {"image/png", "image/jpeg"}.isdisjoint(output.get("data", {})) for output in outputs) == 5
    assert any(
        "data:image/jpeg;base64" in "".join(output.get("data", {}).get("text/html", ())) for output in outputs
    )
    assert not [
        output for output in outputs if output["output_type"] == "error" or output.get("name") == "stderr"
    ]
    size = (ROOT / "docs" / "tutorial.ipynb").stat().st_size
    assert size < 400_000 and str(ROOT) not in json.dumps(NOTEBOOK)


@pytest.mark.slow
def test_pipelines_and_batches_run(pictures, quick):
    names, exported = {}, 0
    page = TEXTS["docs/pipelines_and_serving.md"]
    for kind, block in FENCE.findall(page):
        if kind == "python":
            exec(compile(block, "docs/pipelines_and_serving.md", "exec"), names)
        elif kind == "sh":
            exported += len([run(command) for command in commands(f"```sh\n{block}```")])
    assert exported == 3
    made, again = [
        run(command)
        for command in ALL["docs/batches_and_clusters.md"]
        if command.arguments and command.program == "batch"
    ]
    # What came of it.
    assert names["gram"].shape == [1, 64, 64] and len(names["result"].losses) == 2
    assert np.asarray(Image.open("photo_waves.png")).shape == (48, 64, 3)
    painted = list(tfstyle.read_records("painted.tfrecord"))
    assert [element["filename"].numpy() for element in painted] == [b"photo.jpg", b"other.jpg"]
    assert [element["image"].shape.as_list() for element in painted] == [[48, 64, 3], [64, 51, 3]]
    assert names["picture"].shape == [1, 72, 96, 3] and names["picture"].dtype == tf.uint8
    assert tf.io.decode_png(names["png"][0]).shape == [72, 96, 3]
    assert sorted(os.listdir("saved_models")) == ["extractor", "painting", "transfer"]
    assert "4 made" in made.stderr and "4 finished" in again.stderr
