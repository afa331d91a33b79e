"""Outside bytes as plain data: .npz archives and JSON, read within bounds that the caller sets.

What a file says of itself decides nothing here before it has been compared with
its bytes: no pickle is read, no expression evaluated, nothing extracted, and no
memory taken for what is only claimed. `numpy.load` takes memory for as many values
as a header claims, and unpacks without a limit: hence a reader of our own.
"""

from __future__ import annotations

import errno
import io
import json
import math
import os
import re
import struct
import zipfile
import zlib
from collections.abc import Mapping
from typing import Any, BinaryIO

import numpy as np

from tfstyle.io.files import opened

_MOST_MEMBERS = 4096
# A directory is read in one: this many bytes are some 10,000 members.
_LARGEST_READ = 1 << 20
_ENCRYPTED = 0x1
_LONGEST_HEADER = 4096
_DEEPEST = 64
# NumPy evaluates a header as an expression; all that it writes for plain arrays is of this form.
_HEADER = re.compile(
    rb"\{'descr': '(?P<type>[<>|=](?:b1|[iu][1248]|f[248]|c8|c16))', 'fortran_order': (?P<turned>True|False),"
    rb" 'shape': \((?P<shape>|\d{1,19},|\d{1,19}(?:, \d{1,19}){1,31})\), \} *\n"
)


def read(path, *, limit: int) -> dict[str, np.ndarray]:
    """Reads an .npz of plain arrays: booleans, integers, floats or complex numbers.

    Args:
      path: the file.
      limit: the most bytes that all arrays together may come to; about as much
        memory is taken, whatever the file holds.

    Returns:
      {name: array} of this machine's byte order, in the file's order.

    Raises:
      ValueError: it is no such archive, is damaged or too large; the message says
        only what is wrong, not with what.
      OSError: the file cannot be opened or read.
    """
    with opened(path) as file:
        try:
            with zipfile.ZipFile(_Guarded(file)) as archive:
                return {_name(member): _array(archive, member) for member in _members(archive, limit)}
        except OSError as error:
            # Damaged offsets lead to places where no file can be.
            if error.errno not in (None, errno.EINVAL):
                raise
            raise ValueError(f"it is damaged: {error}") from None
        except NotImplementedError as error:
            raise ValueError(f"it is packed in a way that is not read here: {error}") from None
        except (zipfile.BadZipFile, zlib.error, struct.error, EOFError, RuntimeError, OverflowError) as error:
            raise ValueError(f"it is no archive, or damaged: {' '.join(str(error).split())}") from None


def encode(arrays: Mapping[str, np.ndarray], *, compressed: bool = False) -> bytes:
    """Returns the bytes of an .npz that `read` reads, and `numpy.load`.

    Args:
      arrays: plain ones, by name.
      compressed: make it smaller, which takes time.

    Raises:
      ValueError: an array is of another type, or there are too many.
    """
    if len(arrays) > _MOST_MEMBERS:
        raise ValueError(f"arrays: {len(arrays)} of them; must be at most {_MOST_MEMBERS}")
    for name, array in arrays.items():
        if np.asarray(array).dtype.kind not in "biufc":
            raise ValueError(f"arrays: {name} is of type {np.asarray(array).dtype}; must hold plain numbers")
    data = io.BytesIO()
    (np.savez_compressed if compressed else np.savez)(data, **arrays)
    return data.getvalue()


def parse_json(text: str | bytes, *, limit: int) -> Any:
    """Returns what JSON text stands for.

    Args:
      text: UTF-8 if bytes.
      limit: the most characters, or bytes, that it may have.

    Raises:
      ValueError: it is longer, is no JSON, is nested more than 64 deep, or holds
        a number that is none (NaN) or too large (1e999, integers of more than 64 bits).
    """
    if len(text) > limit:
        raise ValueError(f"it has {len(text)} characters; must have at most {limit}")
    try:
        found = json.loads(text, parse_constant=_finite, parse_float=_finite, parse_int=_short)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    level = [found]
    for _ in range(_DEEPEST):
        nested = [each for each in level if isinstance(each, (dict, list))]
        level = [item for each in nested for item in (each.values() if isinstance(each, dict) else each)]
        if not level:
            return found
    raise ValueError("it is nested too deeply")


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"it holds the number {text[:20]}; must be finite")
    return value


def _short(text: str) -> int:
    if len(text) > 20 or not -(1 << 63) <= (value := int(text)) < 1 << 64:
        raise ValueError(f"it holds the number {text[:20]}...; must have at most 64 bits")
    return value


class _Guarded(io.RawIOBase):
    """A file of which nobody reads more at once than an archive's directory may have."""

    def __init__(self, file: BinaryIO):
        self._file = file

    def read(self, size: int = -1) -> bytes:
        if size > _LARGEST_READ:
            raise zipfile.BadZipFile(f"its directory has {size} bytes")
        return self._file.read(_LARGEST_READ if size < 0 else size)

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        return self._file.tell()

    def seekable(self) -> bool:
        return True

    def readable(self) -> bool:
        return True


def _members(archive: zipfile.ZipFile, limit: int) -> list[zipfile.ZipInfo]:
    """Returns what is in an archive, once its directory promises nothing unusual."""
    members = archive.infolist()
    if len(members) > _MOST_MEMBERS:
        raise ValueError(f"it has {len(members)} members; must have at most {_MOST_MEMBERS}")
    if len({_name(member) for member in members}) < len(members):
        raise ValueError("it has two members of one name")
    for member in members:
        if member.flag_bits & _ENCRYPTED:
            raise ValueError(f"{_shown(member)} is encrypted")
        if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise ValueError(f"{_shown(member)} is compressed in a way that NumPy does not")
    if (total := sum(member.file_size for member in members)) > limit:
        raise ValueError(f"it holds {total} bytes; must hold at most {limit}")
    return members


def _name(member: zipfile.ZipInfo) -> str:
    if not member.filename.endswith(".npy"):
        raise ValueError(f"{_shown(member)} is no array")
    return member.filename.removesuffix(".npy")


def _shown(member: zipfile.ZipInfo) -> str:
    return f"{member.filename[:80]!r}"


def _array(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> np.ndarray:
    with archive.open(member) as file:
        kind, shape, turned, header = _described(file, _shown(member))
        # Python's numbers do not overflow, whatever the shape says.
        size = math.prod(shape) * kind.itemsize
        if header + size != member.file_size:
            raise ValueError(
                f"{_shown(member)} is of shape {shape} and type {kind}, and has {member.file_size} bytes"
            )
        flat = np.empty(size, np.uint8)
        view, filled = memoryview(flat), 0
        while filled < size:
            part = file.read(min(_LARGEST_READ, size - filled))
            if not part:
                raise ValueError(f"{_shown(member)} is cut short")
            view[filled : filled + len(part)] = part
            filled += len(part)
        # At its end the member's checksum is compared.
        if file.read(1):
            raise ValueError(f"{_shown(member)} is longer than it says")
    if kind.kind == "b" and size and flat.max() > 1:
        raise ValueError(f"{_shown(member)} has booleans that are neither true nor false")
    values = flat.view(kind)
    if not kind.isnative:
        values = values.byteswap(inplace=True).view(kind.newbyteorder("="))
    return values.reshape(shape[::-1]).T if turned else values.reshape(shape)


def _described(file, named: str) -> tuple[np.dtype, tuple[int, ...], bool, int]:
    """Returns an array's type, shape, whether its first axis runs fastest, and its header's length."""
    start = file.read(8)
    if start[:6] != b"\x93NUMPY":
        raise ValueError(f"{named} is no array")
    width = 2 if start[6:7] == b"\x01" else 4
    length = int.from_bytes(file.read(width), "little")
    if length > _LONGEST_HEADER:
        raise ValueError(f"{named} has a header of {length} bytes")
    found = _HEADER.fullmatch(file.read(length))
    if not found:
        raise ValueError(f"{named} is no array of plain numbers")
    shape = tuple(int(number) for number in found["shape"].replace(b",", b" ").split())
    return np.dtype(found["type"].decode()), shape, found["turned"] == b"True", 8 + width + length
