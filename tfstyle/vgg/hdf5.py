"""Arrays of VGG19's layers out of HDF5 files, of which nothing else is read.

An HDF5 file may say that its values are in other files or behind links, are
computed by a plug-in, or are more than any memory holds. h5py, which does the
reading, follows and takes all that unasked; here it is looked at before a value
is read, and refused. And damaged files exist of which the library never comes
back, or that end its process: so a file is first read in a process of its own,
which may. That one imports nothing of this package.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from typing import Any

import h5py
import numpy as np

_MOST_ITEMS = 16  # in one layer's group
_DEEPEST = 4
_LONGEST_NAME = 512
_PATIENCE = 30.0  # seconds; it takes less than one

Shapes = tuple[tuple[int, ...], tuple[int, ...]]  # of a kernel and a bias


def read(path, shapes: Mapping[str, Shapes]) -> dict[str, list[np.ndarray]]:
    """Reads kernels and biases.

    Files of Keras 2, and models saved as ``.h5``, have a group a layer, by name.
    Those of Keras 3 number the convolutions and say beside each what the layer
    is called, which decides. Some of Keras 3's first versions do not say it, nor
    do models with names of their own: there the numbers are taken in VGG19's
    order. That order is then what is believed; only shapes could contradict, and
    those of, say, block3_conv2 to block3_conv4 are the same.

    Args:
      path: a regular file.
      shapes: {layer: (kernel's, bias's)} in VGG19's order.

    Returns:
      {layer: [kernel, bias]} of those layers that the file has, as it has them.

    Raises:
      ValueError: it is no HDF5 file, is damaged, or a layer is not as `shapes`
        has it; the message says what is wrong and not with what.
    """
    _rehearse(path, shapes)
    return _read(path, shapes)


def _rehearse(path, shapes: Mapping[str, Shapes]) -> None:
    """Reads a file in another process; if that does not come to its end, this one must not try."""
    command = [sys.executable, "-I", __file__, str(path), json.dumps(shapes)]
    try:
        code = subprocess.run(command, timeout=_PATIENCE, capture_output=True, check=False).returncode
    except subprocess.TimeoutExpired:
        code = None
    # Errors it may leave to this process, where they are raised once more.
    if code not in (0, 1):
        raise ValueError("is not an HDF5 file, or is damaged (the library does not get over reading it)")


def _read(path, shapes: Mapping[str, Shapes]) -> dict[str, list[np.ndarray]]:
    try:
        with h5py.File(path, "r") as file:
            groups = _groups(file, list(shapes))
            datasets = {name: _datasets(group) for name, group in groups.items()}
            for name, found in datasets.items():
                _require(name, found, shapes[name])
            return {name: [each[()] for each in found] for name, found in datasets.items()}
    except _Refused as error:
        raise ValueError(str(error)) from None
    except (
        # The library raises any of these where a file is damaged.
        OSError,
        KeyError,
        RuntimeError,
        ValueError,
        TypeError,
        AttributeError,
        OverflowError,
        MemoryError,
        NotImplementedError,
    ) as error:
        reason = " ".join(str(error).split())
        raise ValueError(f"is not an HDF5 file, or is damaged ({reason:.200})") from None


class _Refused(Exception):
    """What is wrong with a file that can be read."""


def _groups(file: h5py.File, layers: list[str]) -> dict[str, h5py.Group]:
    """Returns the groups that are of these layers."""
    if (numbered := _item(file, "layers")) is None:
        # Keras 2 weights, or a whole model around them.
        root = file if (model := _item(file, "model_weights")) is None else model
        found = {name: _item(root, name) for name in layers}
        return {name: group for name, group in found.items() if isinstance(group, h5py.Group)}
    inside = {
        name: _item(numbered, "conv2d" + (f"_{number}" if number else ""), "vars")
        for number, name in enumerate(layers)
    }
    found = {name: group for name, group in inside.items() if isinstance(group, h5py.Group)}
    told = [_told_name(group) for group in found.values()]
    if not any(name in layers for name in told):
        return found
    for number, name in enumerate(told):
        if name not in layers or name in told[:number]:
            raise _Refused(
                f"calls its convolution number {number} {name!r}, which is none of the layers left"
            )
    return dict(zip(told, found.values()))


def _item(group: Any, *names: str) -> Any:
    """Returns what is in a group under a path of names, None where nothing is; links are not followed."""
    for name in names:
        link = group.get(name, getlink=True) if isinstance(group, h5py.Group) else None
        if link is None:
            return None
        if not isinstance(link, h5py.HardLink):
            raise _Refused(f"has a link to elsewhere, {name}")
        group = group[name]
    return group


def _told_name(group: h5py.Group) -> str | None:
    if "name" not in group.attrs:
        return None
    attribute = group.attrs.get_id("name")
    if attribute.shape != () or attribute.get_storage_size() > _LONGEST_NAME:
        return None
    name = group.attrs["name"]
    return name.decode("utf-8", "replace") if isinstance(name, bytes) else str(name)[:_LONGEST_NAME]


def _datasets(group: h5py.Group) -> list[h5py.Dataset]:
    """Returns the floating-point datasets below a group, the one of most axes first: kernel, then bias."""
    found = [item for item in _below(group, 0) if item.dtype.kind == "f"]
    return sorted(found, key=lambda dataset: len(dataset.shape or ()), reverse=True)


def _below(group: h5py.Group, depth: int) -> Iterator[h5py.Dataset]:
    if len(group) > _MOST_ITEMS or depth > _DEEPEST:
        raise _Refused("holds more in a layer than a kernel and a bias")
    for name in list(group):
        item = _item(group, name)
        if isinstance(item, h5py.Group):
            yield from _below(item, depth + 1)
        elif isinstance(item, h5py.Dataset):
            yield item


def _require(name: str, datasets: list[h5py.Dataset], shapes: Shapes) -> None:
    found = [dataset.shape for dataset in datasets]
    if found != [tuple(shape) for shape in shapes]:
        raise _Refused(
            f"holds another network than VGG19's layout: {name} has shapes {found!s:.200}, not {list(shapes)}"
        )
    for dataset in datasets:
        if dataset.is_virtual or dataset.external:
            raise _Refused(f"has the values of {name} in another file")
        # Unpacking has no bound, and a filter that the library lacks would be looked for as a plug-in.
        if dataset.id.get_create_plist().get_nfilters():
            raise _Refused(f"has {name} compressed; must be stored as Keras does, without filters")
        if dataset.chunks and np.prod(dataset.chunks, dtype=float) > dataset.size:
            raise _Refused(f"has {name} in blocks larger than itself")


if __name__ == "__main__":
    _read(sys.argv[1], json.loads(sys.argv[2]))
