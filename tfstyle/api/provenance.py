"""Where a picture comes from: the text inside it from which it can be made again.

The record holds what decides the picture and nothing else (no date, no output
path), so that the same run writes the same bytes.
"""

from __future__ import annotations

import importlib.metadata
import json
import os
import pathlib
import platform
from collections.abc import Mapping
from dataclasses import dataclass

from tfstyle import __version__
from tfstyle.config import TransferConfig
from tfstyle.config.options import numbered
from tfstyle.io import untrusted
from tfstyle.io.files import require_file, sha256
from tfstyle.runtime.precision import resolved
from tfstyle.synthesis.starts import parse as parse_start
from tfstyle.vgg import sources, weights

_VGG19, _MINI = "VGG19", "mini"  # which file of their weights, where they are a version of the run's
_LONGEST = 1 << 20  # characters of a record
_COMMANDS = {"style_transfer": "transfer"}  # where a record has another word than the command line
_PACKAGES = ("tensorflow", "keras", "tensorflow-probability", "numpy", "pillow")


@dataclass(frozen=True)
class Provenance:
    """How a picture was made.

    Attributes:
      task: what was done, such as ``style_transfer``; see `command_of`.
      config: its whole config.
      inputs: {argument: {"path": as given, "sha256": of the file}}.
      versions: {package: version}, and which file of ImageNet weights.
    """

    task: str
    config: TransferConfig
    inputs: dict[str, dict[str, str]]
    versions: dict[str, str]


def describe(task: str, config: TransferConfig, pictures: Mapping[str, str]) -> str:
    """Returns the record of a run as JSON text.

    Args:
      task: what is done, as in `Provenance`.
      config: the run's config.
      pictures: {argument: path} of its input pictures. Weights and start are
        added by themselves where they are files.

    Raises:
      OSError: an input cannot be read, or the weights not be had.
    """
    paths = dict(pictures)
    settings = [(name, getattr(config, name)) for name in ("weights", "coarse_weights")]
    settings += [(numbered("init", at), start) for at, (_, start) in enumerate(parse_start(config.init))]
    paths |= {name: path for name, path in settings if os.path.isfile(path)}
    inputs = {}
    for argument, path in paths.items():
        require_file(pathlib.Path(path), f"{argument}={path!r}")
        inputs[argument] = {"path": path, "sha256": sha256(path)}
    # What this machine makes of precision=auto, another may not.
    settings = config.to_dict() | {"precision": resolved(config)}
    versions = _versions()
    if config.weights == "imagenet":
        versions[_VGG19] = sources.fetch().describe()
    if "mini" in (config.weights, config.coarse_network):
        versions[_MINI] = weights.describe("mini")
    record = {"task": task, "config": settings, "inputs": inputs, "versions": versions}
    return json.dumps(record, ensure_ascii=False)


def command_of(task: str) -> str:
    """Returns the command that does a task."""
    return f"tfstyle {_COMMANDS.get(task, task)}"


def unfinished(text: str, made: int, planned: int) -> str:
    """Returns a record that tells that the picture is of a run that was ended early."""
    return json.dumps(json.loads(text) | {"iterations": [made, planned]}, ensure_ascii=False)


def _versions() -> dict[str, str]:
    installed = {name: importlib.metadata.version(name) for name in _PACKAGES}
    return {"tfstyle": __version__, "python": platform.python_version(), **installed}


def parse(text: str, source: str) -> Provenance:
    """Reads a record back.

    Args:
      text: from `encode.read_note`.
      source: how errors name the picture, such as ``from='out.png'``.

    Raises:
      ValueError: the text is no record, or its config is not valid.
    """
    try:
        record = untrusted.parse_json(text, limit=_LONGEST)
        config, inputs = record["config"], record["inputs"]
        paths = [(entry["path"], entry["sha256"]) for entry in inputs.values()]
        texts = [record["task"], *(item for pair in paths for item in pair), *record["versions"].values()]
        if not all(isinstance(item, str) for item in texts):
            raise TypeError("a path, hash or version is not text")
    except (ValueError, KeyError, TypeError, AttributeError):
        raise ValueError(f"{source}: carries no tfstyle settings that can be read") from None
    try:
        config = TransferConfig(**config)
    except (TypeError, ValueError, AttributeError, OverflowError) as error:
        raise ValueError(
            f"{source}: carries settings of another version of tfstyle ({error!s:.300})"
        ) from None
    return Provenance(record["task"], config, inputs, record["versions"])


def unchanged_input(provenance: Provenance, argument: str, source: str) -> str:
    """Returns the path of an input, once its bytes are known to be those of the run.

    Raises:
      ValueError: the file has other bytes now.
      OSError: it is not there any more.
    """
    entry = provenance.inputs[argument]
    path = entry["path"]
    if not os.path.isfile(path):
        raise FileNotFoundError(
            f"{source}: its {argument} {path!r} is not there; say where with --{argument}"
        )
    if sha256(path) != entry["sha256"]:
        raise ValueError(
            f"{source}: its {argument} {path!r} has changed since; to use it all the same, give --{argument}"
        )
    return path


def changed_versions(provenance: Provenance) -> list[str]:
    """Returns one text for each package whose version differs from the run's."""
    now = {**_versions(), _MINI: weights.describe("mini")}
    if found := sources.find():
        now[_VGG19] = found.describe()
    changed = {name: version for name, version in provenance.versions.items() if now.get(name) != version}
    return [f"{name} {version} (now {now.get(name, 'absent')})" for name, version in changed.items()]
