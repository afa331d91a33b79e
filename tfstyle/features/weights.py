"""Weights from Keras' cache or from files: data only, each array checked by name and shape.

HDF5 files are read array by array rather than loaded as Keras models: nothing
in a file is ever run, dense layers are not even read, and a file of another
network is told by its names and shapes.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import pathlib
import sys
import zipfile
from collections.abc import Iterable, Mapping

import h5py
import numpy as np
import tensorflow as tf

from tfstyle.features.network import Weights
from tfstyle.files import require_writable_folder, sha256, write_atomically

_MINI = pathlib.Path(__file__).parent.parent / "data" / "mini.npz"
_MINI_SHA256 = (
    "5ef5c0cdf3d4e70cd69daf9fa3390522286e83828b83287087ebf3c2485d64d3"  # scripts/train_encoder.py prints it
)
_IMAGENET_FILE = "vgg19_weights_tf_dim_ordering_tf_kernels_notop.h5"


def load(source: str, layout: Mapping[str, tf.keras.layers.Layer]) -> Weights:
    """Returns `{layer: (kernel, bias)}` from ``imagenet``, ``mini`` or a file.

    Args:
      source: see `tfstyle.feature_extractor`.
      layout: VGG19's convolutions in network order. An HDF5 file must hold
        them all at VGG19's widths. An ``.npz`` must hold the first few of each
        block, at widths that fit one another.

    Raises:
      ValueError: the file holds something else.
      OSError: there is no such file, or no network to download it.
    """
    if source == "imagenet":
        return _imagenet(layout)
    if source == "mini":
        if not _MINI.exists() or sha256(_MINI) != _MINI_SHA256:
            raise ValueError(f"weights='mini': {_MINI} is missing or changed; install tfstyle again")
        return _checked(_read_npz(_MINI, source), layout, source, widths_fixed=False)
    path = pathlib.Path(source)
    if not path.exists():
        raise FileNotFoundError(f"weights={source!r}: must be imagenet, random, mini or an existing file")
    if path.suffix == ".npz":
        return _checked(_read_npz(path, source), layout, source, widths_fixed=False)
    if path.suffix == ".h5":
        return _checked(_read_h5(path, source, layout), layout, source, widths_fixed=True)
    raise ValueError(f"weights={source!r}: must end in .h5, .weights.h5 or .npz")


def _imagenet(layout) -> Weights:
    home = os.environ.get("KERAS_HOME") or os.path.join(os.path.expanduser("~"), ".keras")
    cached = os.path.join(home, "models", _IMAGENET_FILE)
    try:
        with contextlib.redirect_stdout(_UntilProgress()):
            model = tf.keras.applications.VGG19(include_top=False, weights="imagenet")
    except Exception as error:
        # Keras raises a bare Exception for every failed download.
        reason = " ".join(str(error).split())
        raise FileNotFoundError(
            f"weights='imagenet': {cached} is missing and could not be downloaded ({reason}); "
            "put the file there, name another with --weights=PATH, or run without it: --weights=mini"
        ) from None
    return {name: tuple(model.get_layer(name).get_weights()) for name in layout}


def save(path, weights: Weights, record: Mapping) -> int:
    """Writes weights as an ``.npz`` that `load` reads: float16 arrays, and how they came about as JSON.

    Args:
      path: ends in ``.npz``; an existing file is replaced, as a whole.
      weights: `{layer: (kernel, bias)}`.
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
    data = io.BytesIO()
    np.savez_compressed(data, **arrays)
    write_atomically(pathlib.Path(path), data.getvalue())
    return len(data.getvalue())


def check_writable(path: pathlib.Path, argument: str = "output") -> None:
    """Finds out before a training whether its weights can be written.

    Raises:
      ValueError: the suffix is not .npz.
      OSError: the folder is missing or no file can be made in it.
    """
    named = f"{argument}={str(path)!r}"
    if path.suffix != ".npz":
        raise ValueError(f"{named}: must end in .npz")
    require_writable_folder(path.parent, named)


class _UntilProgress:
    """Standard output to standard error, from the first sign of progress on.

    Keras announces a download before it knows whether there is a network; where
    there is none, the one line about that says all.
    """

    def __init__(self):
        self._held = ""

    def write(self, text: str) -> None:
        if self._held is not None and text.strip() and "Downloading data" not in text:
            text, self._held = self._held + text, None
        if self._held is None:
            sys.stderr.write(text)
        else:
            self._held += text

    def flush(self) -> None: ...

    def isatty(self) -> bool:
        return False


def _read_npz(path: pathlib.Path, source: str) -> dict[str, list[np.ndarray]]:
    try:
        with np.load(path, allow_pickle=False) as file:
            names = dict.fromkeys(key.rpartition("/")[0] for key in file.files if key.endswith("/kernel"))
            return {name: [file[f"{name}/kernel"], file[f"{name}/bias"]] for name in names}
    except (OSError, ValueError, KeyError, EOFError, TypeError, zipfile.BadZipFile) as error:
        raise ValueError(f"weights={source!r}: is not an .npz of kernels and biases ({error})") from None


def _read_h5(path: pathlib.Path, source: str, layout: Iterable[str]) -> dict[str, list[np.ndarray]]:
    try:
        with h5py.File(path) as file:
            if "layers" in file:  # Keras 3 weights: convolutions are numbered, not named
                numbered = ["conv2d" + (f"_{i}" if i else "") for i in range(len(list(layout)))]
                groups = {name: f"layers/{number}/vars" for name, number in zip(layout, numbered)}
            else:  # Keras 2 weights, or a whole model around them
                root = "model_weights/" if "model_weights" in file else ""
                groups = {name: root + name for name in layout}
            return {name: _arrays(file[group]) for name, group in groups.items() if group in file}
    except OSError as error:
        raise ValueError(f"weights={source!r}: is not an HDF5 file, or is damaged ({error})") from None


def _arrays(group: h5py.Group) -> list[np.ndarray]:
    """Returns the float arrays below a group, the one of most axes first: kernel, then bias."""
    found: list[np.ndarray] = []

    def collect(_, item):
        if isinstance(item, h5py.Dataset) and item.dtype.kind == "f":
            found.append(item[()])

    group.visititems(collect)
    return sorted(found, key=np.ndim, reverse=True)


def _checked(arrays: Mapping, layout: Mapping, source: str, *, widths_fixed: bool) -> Weights:
    """Returns the arrays in network order, or says in what they are not VGG19's."""

    def wrong(what: str) -> ValueError:
        return ValueError(f"weights={source!r}: holds another network than VGG19's layout: {what}")

    if not arrays:
        raise wrong("none of its layers, such as block1_conv1, is there")
    if unknown := [name for name in arrays if name not in layout]:
        raise wrong(f"{unknown[0]} is none of its layers")
    checked, channels, skipped = {}, 3, ""
    for name, layer in layout.items():
        if name not in arrays:
            skipped = name
            if widths_fixed:
                raise wrong(f"{name} is missing")
            continue
        if skipped.split("_")[0] == name.split("_")[0]:
            raise wrong(f"it has {name} but not {skipped}")
        filters = layer.filters if widths_fixed else np.shape(arrays[name][0])[-1]
        expected = [(3, 3, channels, filters), (filters,)]
        shapes = [array.shape for array in arrays[name]]
        if shapes != expected:
            raise wrong(f"{name} has shapes {shapes}, not {expected}")
        kernel, bias = (np.asarray(array, np.float32) for array in arrays[name])
        if not (np.isfinite(kernel).all() and np.isfinite(bias).all()):
            raise wrong(f"{name} holds values that are not finite")
        checked[name], channels = (kernel, bias), filters
    return checked
