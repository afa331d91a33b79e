"""The house: packages lie on one another, and imports point down or stay inside a package."""

import ast
import pathlib

import tfstyle

ROOT = pathlib.Path(tfstyle.__file__).parent
# From the ground up; none imports one that is named after it.
FLOORS = [
    *("config", "io", "runtime"),
    *("vgg", "optimizers", "reporting"),
    *("losses", "evaluation"),
    *("synthesis",),
    *("api", "feedforward", "training", "export"),
    *("batch", "figures", "video", "studio"),
    *("cli",),
]


def imported_packages(path):
    """Each package of tfstyle that a module imports, wherever in it, with the line."""
    for node in ast.walk(ast.parse(path.read_text())):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno}: relative import"
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        for name in names:
            root, *rest = name.split(".")
            if root == "tfstyle" and rest and rest[0] != "__version__":
                yield rest[0], node.lineno


def test_every_module_has_a_floor():
    assert sorted(path.name for path in ROOT.glob("*.py")) == ["__init__.py", "__main__.py"]
    packages = {path.parent.relative_to(ROOT).parts[0] for path in ROOT.rglob("*.py") if path.parent != ROOT}
    assert packages == set(FLOORS)


def test_imports_point_down():
    upward = [
        f"{path.relative_to(ROOT)}:{line} imports {package}"
        for path in ROOT.rglob("*.py")
        if path.parent != ROOT
        for package, line in imported_packages(path)
        if package not in FLOORS or FLOORS.index(package) > FLOORS.index(path.relative_to(ROOT).parts[0])
    ]
    assert not upward


def test_packages_say_what_is_in_them():
    for package in FLOORS:
        about = ast.get_docstring(ast.parse((ROOT / package / "__init__.py").read_text()))
        modules = {path.name for path in (ROOT / package).glob("*.py")} - {"__init__.py"}
        assert not [name for name in modules if name not in about], package
