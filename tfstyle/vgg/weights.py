"""Weights from files: data only, each array checked by name and shape.

Files are read array by array (`io.untrusted`, `hdf5`) rather than loaded as Keras
models: nothing in a file is ever run, dense layers are not even read, and a file
of another network is told by its names and shapes. Files that Keras publishes
are known by their hashes; `sources` finds those of ImageNet.
"""

from __future__ import annotations

import json
import pathlib
from collections.abc import Mapping

import numpy as np
import tensorflow as tf

from tfstyle.io import untrusted
from tfstyle.io.files import require_file, sha256, write_atomically
from tfstyle.vgg import coded_weights, hdf5, sources
from tfstyle.vgg.network import Weights, head

_MINI = pathlib.Path(__file__).parents[1] / "data" / "mini.npz"
# As scripts/development/distil_mini.py prints it.
_MINI_SHA256 = "8809282f55ebab8c74e2805785ada27072879f81f7d9b01e31d965d0b6574225"
# The MD5 that keras.applications.vgg19 has, and checks after a download, of the files that it offers.
_PUBLISHED = {
    sources.KERAS_FILE: sources.KERAS_MD5,
    "vgg19_weights_tf_dim_ordering_tf_kernels.h5": "cbe5617147190e668d6c5d5026f83318",
}
_LARGEST_NPZ = 1 << 29  # bytes; VGG19's convolutions are 80 million in float32


def load(source: str, layout: Mapping[str, tf.keras.layers.Layer]) -> Weights:
    """Returns `{layer: (kernel, bias)}` from ``imagenet``, ``mini`` or a file, in network order.

    Args:
      source: see `tfstyle.feature_extractor`.
      layout: VGG19's convolutions in network order. An HDF5 file must hold
        them all at VGG19's widths, and one that has the name of a file of
        Keras' must be that file. An ``.npz`` must hold the first few of each
        block, at widths that fit one another, and may hold heads of these, each
        behind its layer in the result. What names cannot tell of an
        HDF5 file is said at `hdf5.read`.

    Raises:
      ValueError: the file holds something else, or is not the one that its name says.
      OSError: there is no such file, or no network to download it.
    """
    if source == "imagenet":
        return _read(sources.fetch().path, source, layout)
    if source == "mini":
        if not _MINI.exists() or sha256(_MINI) != _MINI_SHA256:
            raise ValueError(f"weights='mini': {_MINI} is missing or changed; install tfstyle again")
        return _read(_MINI, source, layout)
    path = pathlib.Path(source)
    if not path.exists():
        raise FileNotFoundError(f"weights={source!r}: must be imagenet, random, mini or an existing file")
    require_file(path, f"weights={source!r}")
    if path.name in _PUBLISHED:
        sources.require_published(path, _PUBLISHED[path.name], f"weights={source!r}")
    return _read(path, source, layout)


def _read(path: pathlib.Path, source: str, layout: Mapping) -> Weights:
    if path.suffix == ".npz":
        return _checked(_read_npz(path, source), layout, source, widths_fixed=False)
    if path.suffix == ".h5":
        return _checked(_read_h5(path, source, layout), layout, source, widths_fixed=True)
    if path.name == sources.CODED_FILE:
        return _checked(coded_weights.read(sources.coded_bytes(path)), layout, source, widths_fixed=True)
    raise ValueError(f"weights={source!r}: must end in .h5, .weights.h5 or .npz, or be {sources.CODED_FILE}")


def describe(source: str) -> str:
    """Returns in words which weights these are, by the hash of their file, which is fetched if need be.

    Raises:
      ValueError, OSError: see `load`.
    """
    if source == "random":
        return "random"
    if source == "imagenet":
        return f"imagenet ({sources.fetch().describe()})"
    path = _MINI if source == "mini" else pathlib.Path(source)
    require_file(path, f"weights={source!r}")
    return f"{source} (SHA-256 {sha256(path)})"


def version(source: str) -> str | tuple[int, ...] | None:
    """Returns what tells a file of weights from another of its name, read or not; None where there is none.

    Raises:
      ValueError, OSError: see `load`.
    """
    if source == "imagenet":
        return describe(source)
    try:
        found = pathlib.Path(source).stat()
    except OSError:
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns


def save(path, weights: Weights, record: Mapping) -> int:
    """Writes weights as an ``.npz`` that `load` reads: float16 arrays, and how they came about as JSON.

    Args:
      path: ends in ``.npz``; an existing file is replaced, as a whole.
      weights: `{layer: (kernel, bias)}`, heads among them.
      record: JSON-able; goes into the file as ``record``.

    Returns:
      The file's size in bytes.

    Raises:
      ValueError: a value is too large for float16.
      OSError: the file cannot be written.
    """
    arrays = {"record": np.frombuffer(json.dumps(record).encode(), np.uint8)}
    for name, (kernel, bias) in weights.items():
        for part, array in (("kernel", kernel), ("bias", bias)):
            with np.errstate(over="ignore"):
                arrays[f"{name}/{part}"] = np.asarray(array, np.float16)
            if not np.isfinite(arrays[f"{name}/{part}"]).all():
                raise ValueError(f"weights: {name}/{part} holds values that are too large for float16")
    data = untrusted.encode(arrays, compressed=True)
    write_atomically(pathlib.Path(path), data)
    return len(data)


def _read_npz(path: pathlib.Path, source: str) -> dict[str, list[np.ndarray]]:
    try:
        arrays = untrusted.read(path, limit=_LARGEST_NPZ)
        names = dict.fromkeys(key.rpartition("/")[0] for key in arrays if key.endswith("/kernel"))
        return {name: [arrays[f"{name}/kernel"], arrays[f"{name}/bias"]] for name in names}
    except (OSError, ValueError, KeyError) as error:
        raise ValueError(f"weights={source!r}: is not an .npz of kernels and biases ({error})") from None


def _read_h5(path: pathlib.Path, source: str, layout: Mapping) -> dict[str, list[np.ndarray]]:
    shapes, channels = {}, 3
    for name, layer in layout.items():
        shapes[name], channels = ((3, 3, channels, layer.filters), (layer.filters,)), layer.filters
    try:
        return hdf5.read(path, shapes)
    except ValueError as error:
        raise ValueError(f"weights={source!r}: {error}") from None


def _checked(arrays: Mapping, layout: Mapping, source: str, *, widths_fixed: bool) -> Weights:
    """Returns the arrays in network order, or says in what they are not VGG19's."""

    def wrong(what: str) -> ValueError:
        return ValueError(f"weights={source!r}: holds another network than VGG19's layout: {what}")

    if not arrays:
        raise wrong("none of its layers, such as block1_conv1, is there")

    def take(name: str, size: int, channels: int, filters: int) -> None:
        """Notes a layer's kernel of a size and its bias, once they are found to be such."""
        expected = [(size, size, channels, filters), (filters,)]
        shapes = [array.shape for array in arrays[name]]
        if shapes != expected:
            raise wrong(f"{name} has shapes {shapes}, not {expected}")
        if any(array.dtype.kind != "f" for array in arrays[name]):
            raise wrong(f"{name} holds values that are no floating-point numbers")
        with np.errstate(over="ignore"):  # what float32 cannot hold becomes infinite
            kernel, bias = (np.asarray(array, np.float32) for array in arrays[name])
        if not (np.isfinite(kernel).all() and np.isfinite(bias).all()):
            raise wrong(f"{name} holds values that are not finite")
        checked[name] = kernel, bias

    heads = {} if widths_fixed else {head(name): name for name in layout}
    if unknown := [name for name in arrays if name not in layout and name not in heads]:
        raise wrong(f"{unknown[0]} is none of its layers")
    if loose := [name for name in arrays if name in heads and heads[name] not in arrays]:
        raise wrong(f"it has {loose[0]} but not {heads[loose[0]]}")
    checked: dict[str, tuple[np.ndarray, np.ndarray]] = {}
    channels, skipped = 3, ""
    for name, layer in layout.items():
        if name not in arrays:
            skipped = name
            if widths_fixed:
                raise wrong(f"{name} is missing")
            continue
        if skipped.split("_")[0] == name.split("_")[0]:
            raise wrong(f"it has {name} but not {skipped}")
        filters = layer.filters if widths_fixed else max(1, arrays[name][1].size)
        take(name, 3, channels, filters)
        if not widths_fixed and head(name) in arrays:
            take(head(name), 1, filters, max(1, arrays[head(name)][1].size))
        channels = filters
    return checked
