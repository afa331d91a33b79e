"""Writes files of 8-bit coded weights in PyTorch's old format, as the reader must understand them."""

import collections
import io
import pickle
import struct
from typing import ClassVar

import numpy as np


class _Global:
    """Something that pickles as the global module.name."""

    def __init__(self, module, name):
        self.module, self.name = module, name


class _Pickler(pickle._Pickler):
    """A pickler of globals that need not be importable, and of storages by their ids."""

    dispatch: ClassVar = dict(pickle._Pickler.dispatch)

    def persistent_id(self, thing):
        return thing.pid if isinstance(thing, _Storage) else None

    def save_global_name(self, thing):
        self.write(pickle.GLOBAL + f"{thing.module}\n{thing.name}\n".encode())

    dispatch[_Global] = save_global_name


class _Storage:
    def __init__(self, key, array):
        kind = {"float32": "FloatStorage", "uint8": "ByteStorage"}[array.dtype.name]
        self.pid = ("storage", _Global("torch", kind), key, "cpu", array.size, None)


class _Tensor:
    def __init__(self, key, array):
        self.key, self.array = key, array

    def __reduce__(self):
        strides = tuple(stride // self.array.itemsize for stride in self.array.strides)
        arguments = (_Storage(self.key, self.array), 0, self.array.shape, strides, False, {})
        return _rebuild, arguments


def _rebuild(*_): ...


def _save_function(pickler, _):
    pickler.save_global_name(_Global("torch._utils", "_rebuild_tensor_v2"))


_Pickler.dispatch[type(_rebuild)] = _save_function


def coded_file(arrays, magic=0x1950A86A20F9469CFC6C) -> bytes:
    """Returns the bytes of a file of named arrays."""
    file = io.BytesIO()
    keys = {name: str(1000 + index) for index, name in enumerate(arrays)}
    tensors = collections.OrderedDict((name, _Tensor(keys[name], array)) for name, array in arrays.items())
    for part in (magic, 1001, {"little_endian": True}, tensors, list(keys.values())):
        _Pickler(file, 2).dump(part)
    for array in arrays.values():
        file.write(struct.pack("<q", array.size) + array.tobytes())
    return file.getvalue()


def random_layers(shapes, seed=0):
    """Returns coded arrays of layers, {name: (C_in, C_out)}."""
    generator, arrays = np.random.default_rng(seed), {}
    for name, (inputs, outputs) in shapes.items():
        arrays[f"{name}_W_q"] = generator.integers(0, 256, (outputs, inputs, 3, 3), np.uint8)
        arrays[f"{name}_W_table"] = generator.standard_normal(256).astype(np.float32)
        arrays[f"{name}_b"] = generator.standard_normal(outputs).astype(np.float32)
    return arrays
