"""The package as users install it: a wheel with all that it needs, far from any checkout."""

import importlib.metadata
import os
import pathlib
import shutil
import subprocess
import sys
import venv
import zipfile

import pytest
from PIL import Image

import tfstyle

from conftest import ROOT, small_inputs

pytestmark = pytest.mark.slow
PIP = (sys.executable, "-m", "pip")
ALONE = ("--no-deps", "--no-build-isolation", "--no-index")
SHIPPED = "saved_models/styles", "saved_models/any_style"


def run(*command, cwd):
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(
        [str(part) for part in command], cwd=cwd, env=environment, capture_output=True, text=True,
        timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    """A copy of the tree, with a network of the user's own beside the shipped one."""
    if int(importlib.metadata.version("setuptools").partition(".")[0]) < 77:
        pytest.skip("needs setuptools 77 or newer")
    tree = tmp_path_factory.mktemp("source")
    for name in ("tfstyle", *SHIPPED, "tests/api", "scripts"):
        shutil.copytree(ROOT / name, tree / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, tree)
    shutil.copytree(tree / SHIPPED[0], tree / "saved_models" / "own")
    return tree


@pytest.fixture(scope="module")
def wheel(source):
    run(*PIP, "wheel", *ALONE, "--wheel-dir", source, source, cwd=source)
    (path,) = source.glob("*.whl")
    return path


def environment(folder, *installed):
    """Returns a new environment's programs: what is installed, beside the packages of this one."""
    venv.create(folder, symlinks=os.name != "nt")
    programs = folder / ("Scripts" if os.name == "nt" else "bin")
    (packages,) = (path for path in folder.rglob("site-packages") if not path.parent.is_symlink())
    shared = [path for path in sys.path if path.endswith(("site-packages", "dist-packages"))]
    (packages / "shared.pth").write_text("\n".join(shared))  # of these, no .pth is read: no editable install
    run(*PIP, "--python", programs / "python", "install", *ALONE, *installed, cwd=folder)
    return programs


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory):
    return environment(tmp_path_factory.mktemp("installed"), wheel)


def test_what_is_in_it(wheel):
    def files(*folders):
        paths = [path for folder in folders for path in (ROOT / folder).rglob("*") if path.is_file()]
        return {path.relative_to(ROOT).as_posix() for path in paths if "__pycache__" not in path.parts}

    with zipfile.ZipFile(wheel) as archive:
        found = {name for name in archive.namelist() if ".dist-info/" not in name}
    assert found == files("tfstyle") | {f"tfstyle/{name}" for name in files(*SHIPPED)}


def test_the_commands(installed, tmp_path):
    folder = small_inputs(tmp_path)
    told = run(installed / "python", "-c", "import tfstyle; print(tfstyle.__file__)", cwd=folder)
    assert installed.parent in pathlib.Path(told).parents
    version = run(installed / "python", "-m", "tfstyle", "--version", cwd=folder)
    assert version == tfstyle.__version__
    assert "stylize" in run(installed / "tfstyle", "--help", cwd=folder)
    settings = ["--weights=mini", "--image_size=48", "--iterations=2", "--scales=1", "--optimizer=adam"]
    settings += ["--content_layers=conv1_1", "--style_layers=conv1_1"]
    pictures = ("--content=content.png", "--style=style.png")
    for command in (("transfer", *pictures, *settings), ("stylize", "--content=content.png")):
        made = run(installed / "tfstyle", *command, f"--output={command[0]}.png", cwd=folder)
        assert Image.open(folder / made).width == 48


def test_an_editable_install_finds_the_network(source, tmp_path):
    programs = environment(tmp_path / "editable", "--editable", source)
    code = "from tfstyle.feedforward import cards; print(cards.shipped())"
    assert run(programs / "python", "-c", code, cwd=tmp_path) == str(source / SHIPPED[0])
    assert "stylize" in run(programs / "tfstyle", "--help", cwd=tmp_path)
