import dataclasses
import json

import pytest

from tfstyle.api import provenance
from tfstyle.config import PRESETS, TransferConfig


@pytest.fixture
def pictures(tmp_path):
    for name in ("content.png", "style.png"):
        (tmp_path / name).write_bytes(name.encode())
    return {name: str(tmp_path / f"{name}.png") for name in ("content", "style")}


def recorded(config, pictures):
    return provenance.parse(provenance.describe("style_transfer", config, pictures), "from='x.png'")


def test_round_trip(pictures):
    made = recorded(PRESETS["paper"], pictures)
    assert made.task == "style_transfer"
    # precision=auto is recorded as what it came to on this machine.
    assert made.config.precision in ("float32", "bfloat16")
    assert dataclasses.replace(made.config, precision="auto") == PRESETS["paper"]
    assert {"tfstyle", "python", "tensorflow", "keras", "tensorflow-probability"} <= set(made.versions)
    for argument, path in pictures.items():
        assert provenance.unchanged_input(made, argument, "from='x.png'") == path
    assert provenance.changed_versions(made) == []


def test_same_run_same_text(pictures):
    one, other = (provenance.describe("style_transfer", TransferConfig(), pictures) for _ in range(2))
    assert one == other


def test_files_among_the_options_are_inputs_too(pictures, tmp_path):
    (tmp_path / "w.npz").write_bytes(b"weights")
    config = TransferConfig(weights=str(tmp_path / "w.npz"), init=pictures["content"])
    made = recorded(config, pictures)
    assert set(made.inputs) == {"content", "style", "weights", "init"}
    config = TransferConfig(init=f"0.5*{pictures['style']}+0.3*noise+0.2*{pictures['content']}")
    made = recorded(config, pictures)
    assert {name: entry["path"] for name, entry in made.inputs.items() if name.startswith("init")} == {
        "init": pictures["style"], "init 3": pictures["content"],
    }  # fmt: skip


def test_inputs_that_are_not_there(pictures):
    with pytest.raises(OSError, match=r"^content='none.png': no such file"):
        provenance.describe("style_transfer", TransferConfig(), {**pictures, "content": "none.png"})


def test_changed_and_missing_inputs_are_named(pictures, tmp_path):
    made = recorded(TransferConfig(), pictures)
    (tmp_path / "style.png").write_bytes(b"another")
    with pytest.raises(ValueError, match=r"^from='x.png': its style '.*style.png' has changed since"):
        provenance.unchanged_input(made, "style", "from='x.png'")
    (tmp_path / "content.png").unlink()
    with pytest.raises(OSError, match=r"its content .* is not there; say where with --content"):
        provenance.unchanged_input(made, "content", "from='x.png'")


def test_the_embedded_network_is_a_version_of_what_it_made(pictures):
    for config, counts in ((TransferConfig(), True), (PRESETS["mini"], True), (PRESETS["paper"], False)):
        made = recorded(config, pictures)
        assert ("mini" in made.versions) == counts
        assert provenance.changed_versions(made) == []


def test_other_versions_are_told(pictures):
    record = json.loads(provenance.describe("style_transfer", TransferConfig(), pictures))
    record["versions"]["keras"] = "1.0"
    (told,) = provenance.changed_versions(provenance.parse(json.dumps(record), ""))
    assert told.startswith("keras 1.0 (now 3.")


@pytest.mark.parametrize("config", [{"colour": 1}, {"iterations": -1}, {"style_layers": 7}])
def test_configs_that_are_not_valid(config):
    text = json.dumps({"task": "t", "config": config, "inputs": {}, "versions": {}})
    with pytest.raises(ValueError, match="settings of another version"):
        provenance.parse(text, "from='x.png'")


@pytest.mark.parametrize(
    "text",
    [
        "[" * 100_000,
        '{"a":' * 100_000,
        '{"task": "x", "inputs": {}, "versions": {}, "config": {"iterations": 1e999}}',
        '{"task": "x", "inputs": {}, "versions": {}, "config": {"iterations": ' + "9" * 4000 + "}}",
        '{"task": "x", "inputs": {"a": {"path": 3, "sha256": "0"}}, "versions": {}, "config": {}}',
        '{"task": "x", "inputs": [], "versions": {}, "config": {}}',
        '{"task": "x", "inputs": {}, "versions": [], "config": {}}',
        '{"task": "x", "inputs": {}, "versions": {}, "config": [1]}',
        '{"task": "x", "inputs": {}, "versions": {}, "config": {"layers": {}}}',
        '{"task": "x", "inputs": {}, "versions": {}, "config": {"content_weight": [[]]}}',
        " " * (1 << 21),
        "null",
        '"text"',
        "{",
        "{}",
        "",
    ],
)
def test_hostile_records_are_one_line(text):
    with pytest.raises(ValueError, match=r"^from='x.png': carries ") as caught:
        provenance.parse(text, "from='x.png'")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("path", ["/dev/zero", "\0", "x" * 5000, "\ud800", ""])
def test_inputs_are_files(path):
    made = provenance.parse(
        json.dumps(
            {"task": "x", "inputs": {"content": {"path": path, "sha256": "0"}}, "versions": {}, "config": {}}
        ),
        "from='x.png'",
    )
    with pytest.raises(OSError, match="is not there"):
        provenance.unchanged_input(made, "content", "from='x.png'")
