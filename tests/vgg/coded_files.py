"""Writes files of 8-bit coded weights in PyTorch's old format, as the reader must understand them."""

import collections
import io
import pickle
import struct
import sys
import types
from unittest import mock

import numpy as np


def _rebuild_tensor_v2(*_): ...


# What a pickler looks up of PyTorch.
_TORCH = {name: types.ModuleType(name) for name in ("torch", "torch._utils")}
_KINDS = {"float32": type("FloatStorage", (), {}), "uint8": type("ByteStorage", (), {})}
for thing in (*_KINDS.values(), _rebuild_tensor_v2):
    thing.__module__ = "torch._utils" if thing is _rebuild_tensor_v2 else "torch"
    setattr(_TORCH[thing.__module__], thing.__name__, thing)


class _Storage(collections.namedtuple("_Storage", "key array")): ...


class _Tensor(collections.namedtuple("_Tensor", "key array")):
    def __reduce__(self):
        strides = tuple(stride // self.array.itemsize for stride in self.array.strides)
        return _rebuild_tensor_v2, (_Storage(*self), 0, self.array.shape, strides, False, {})


class _Pickler(pickle.Pickler):
    def persistent_id(self, thing):
        if not isinstance(thing, _Storage):
            return None
        return "storage", _KINDS[thing.array.dtype.name], thing.key, "cpu", thing.array.size, None


def coded_file(arrays, magic=0x1950A86A20F9469CFC6C) -> bytes:
    """Returns the bytes of a file of named arrays."""
    file = io.BytesIO()
    tensors = collections.OrderedDict(
        (name, _Tensor(str(1000 + index), array)) for index, (name, array) in enumerate(arrays.items())
    )
    keys = [tensor.key for tensor in tensors.values()]
    with mock.patch.dict(sys.modules, _TORCH):
        for part in (magic, 1001, {"little_endian": True}, tensors, keys):
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
