"""What people type: each means what is meant, or ends in one line that says what to write."""

import os
import re
import subprocess
import sys

import pytest
from absl import flags

from tfstyle import cli
from tfstyle.cli import transfer
from tfstyle.cli.arguments import spelled
from tfstyle.cli.process import manual

from conftest import run_script

PLACES = transfer.PLACES


@pytest.fixture
def known():
    """Flags of each kind."""
    values = flags.FlagValues()
    for name in ("content", "init", "optimizer"):
        flags.DEFINE_string(name, None, "", flag_values=values)
    for name in ("style", "content_layers"):
        flags.DEFINE_list(name, None, "", flag_values=values)
    flags.DEFINE_integer("iterations", None, "", flag_values=values)
    flags.DEFINE_float("style_weight", None, "", flag_values=values)
    flags.DEFINE_bool("dry_run", None, "", flag_values=values)
    return values


def parsed(known, *words):
    """{flag: value} of those given, and what is left."""
    rest = known(["tfstyle", *spelled(words, known, PLACES)])[1:]
    given = {name: value for name, value in known.flag_values_dict().items() if value is not None}
    return given if not rest else {**given, "rest": rest}


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("--style a --style b", {"style": ["a", "b"]}),
        ("--style=a,b --style=c", {"style": ["a", "b", "c"]}),
        ("--style=a,", {"style": ["a"]}),
        ("--style=a --style= --style=b", {"style": ["b"]}),
        ("--content_layers=a --content_layers=b,c", {"content_layers": ["b", "c"]}),
        ("--content a --content=b", {"content": "b"}),
        ("-content a -style b", {"content": "a", "style": ["b"]}),
        ("\u2013content=a \u2014dry_run", {"content": "a", "dry_run": True}),
        ("--style-weight=1e3", {"style_weight": 1000.0}),
        ("--style_weight -1", {"style_weight": -1.0}),
        ("--iterations=1e3", {"iterations": 1000}),
        ("--iterations 1_000", {"iterations": 1000}),
        ("--dry-run", {"dry_run": True}),
        ("--dry_run --nodry-run", {"dry_run": False}),
        ("photo.jpg painting.jpg", {"content": "photo.jpg", "style": ["painting.jpg"]}),
        ("photo.jpg a.jpg b.jpg --dry_run", {"content": "photo.jpg", "style": ["a.jpg", "b.jpg"], "dry_run": True}),
        ("a.jpg --content=b.jpg", {"content": "b.jpg", "style": ["a.jpg"]}),
        ("--content=c -- -a.jpg", {"content": "c", "style": ["-a.jpg"]}),
        ("--content my-photo.jpg", {"content": "my-photo.jpg"}),
    ],
)  # fmt: skip
def test_is_taken_as_meant(known, words, expected):
    assert parsed(known, *words.split()) == expected


def test_a_comma_in_the_name_of_a_file(known, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "girl, with pearl.jpg").touch()
    assert parsed(known, "--style=girl, with pearl.jpg", "--style=b.jpg")["style"] == [
        "girl, with pearl.jpg",
        "b.jpg",
    ]
    assert parsed(known, "photo.jpg", "girl, with pearl.jpg")["style"] == ["girl, with pearl.jpg"]


def test_a_flagfile_is_overridden(known, tmp_path):
    (tmp_path / "flags").write_text("--style=a\n--iterations=5\n")
    given = parsed(known, f"--flagfile={tmp_path / 'flags'}", "--style=b")
    assert given["style"] == ["b"] and given["iterations"] == 5


@pytest.mark.parametrize(
    ("words", "line"),
    [
        ("--content", "--content: needs a value, as in --content=…"),
        ("--iterations=512px", "iterations='512px': must be a whole number, such as 512"),
        ("--iterations=0.5", "iterations='0.5': must be a whole number, such as 0"),
        ("--iterations=nan", "iterations='nan': must be a whole number"),
        ("--content=https://a.org/b.jpg", "content='https://a.org/b.jpg': is an address; name a file"),
        ("--style_wieght=3", "--style_wieght: is no flag of this command; did you mean --style_weight?"),
        ("--xyzzy", "--xyzzy: is no flag of this command, see --help"),
        ("--init=image", "init=image: is called --init=content here"),
    ],
)  # fmt: skip
def test_or_is_told(known, words, line):
    with pytest.raises(ValueError, match=re.escape(line)):
        spelled(words.split(), known, PLACES)


@pytest.fixture(scope="module")
def tfstyle(tmp_path_factory):
    """Runs the command in a process of its own."""
    folder = tmp_path_factory.mktemp("command")
    (folder / "start.py").write_text("from tfstyle.cli import main; main()")
    return lambda *words: run_script(folder / "start.py", *words, cwd=folder)


@pytest.mark.parametrize("command", cli.COMMANDS)
def test_help_begins_with_what_a_command_does_and_an_example(tfstyle, command):
    process = tfstyle(command, "--help")
    assert (process.returncode, process.stderr) == (0, "")
    first, _, example, *_ = process.stdout.splitlines()
    assert first.endswith(".")
    assert f"tfstyle {command}" in example


@pytest.mark.parametrize("words", [["--help"], ["transfer", "-h"], ["--version"]])
def test_what_reads_it_may_close(words):
    reader, writer = os.pipe()
    os.close(reader)
    process = subprocess.run(
        [sys.executable, "-m", "tfstyle", *words], stdout=writer, stderr=subprocess.PIPE, text=True
    )
    os.close(writer)
    assert (process.returncode, process.stderr) == (0, "")


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["transfr"], "did you mean tfstyle transfer?"),
        (["photo.jpg", "a b.jpg"], "did you mean tfstyle transfer photo.jpg 'a b.jpg'?"),
        (["--content=a.jpg"], "did you mean tfstyle transfer --content=a.jpg?"),
        (["transfer"], "are missing: --content (a picture file), --style (a picture file)"),
        (["stylize", "a.jpg", "b.jpg"], "'b.jpg': is not a flag"),
    ],
)
def test_one_line(tfstyle, words, line):
    process = tfstyle(*words)
    assert (process.returncode, process.stdout) == (1, "")
    assert process.stderr.count("\n") == 1 and line in process.stderr


def test_help_lists_first_what_is_needed_first(known):
    lines = manual("Does it.\n\n    tfstyle it\n", [known[name] for name in known]).splitlines()
    listed = [line.split(":")[0].strip() for line in lines if line.startswith("  --")]
    assert listed[:3] == ["--content", "--style", "--iterations"]
    assert sorted(listed[3:]) == [
        "--[no]dry_run",
        "--content_layers",
        "--init",
        "--optimizer",
        "--style_weight",
    ]
    assert lines[:3] == ["Does it.", "", "    tfstyle it"]
