"""Pictures in TFRecord files, under the names that TensorFlow's own image data sets use.

Every record is a `tf.train.Example` with ``image/encoded`` (a file's bytes),
``image/filename``, ``image/format`` (``JPEG`` or ``PNG``), ``image/height`` and
``image/width``, both of the upright picture.
"""

from __future__ import annotations

import contextlib
import os
import pathlib
import struct
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence

import numpy as np
import tensorflow as tf

from tfstyle.io import encode, graph_decode, images
from tfstyle.io.files import opened, require_file, require_writable_folder

_ENCODED, _FILENAME = "image/encoded", "image/filename"
_FORMATS = {b"\xff\xd8\xff": "JPEG", b"\x89PNG\r\n\x1a\n": "PNG"}  # by what files begin with
_LARGEST = 1 << 30  # bytes of one record
# A record is its length (8 bytes), a checksum of that, the data, and a checksum of those.
_HEAD, _TAIL = 12, 4
_POLYNOMIAL = 0x82F63B78  # of CRC-32C, the lowest bit first


def write_records(path, pictures: Iterable[tuple[str, bytes | np.ndarray]]) -> int:
    """Writes pictures to a TFRecord file, one at a time; the file is whole or unchanged.

    Args:
      path: an existing file is replaced.
      pictures: (name, picture) each: the bytes of a JPEG or PNG, which are kept
        as they are, or an array `[H, W, 3]` uint8, which becomes a PNG.

    Returns:
      How many there were.

    Raises:
      ValueError: one of them is no such picture, is damaged, or there are none.
      OSError: the file cannot be written; what stood there before is intact.
    """
    return _write(path, pictures, "pictures")


def write_dataset(dataset: tf.data.Dataset, path) -> int:
    """Writes a dataset of pictures to a TFRecord file, as PNG; the file is whole or unchanged.

    Args:
      dataset: of dicts with ``image`` and ``filename``, as `read_records` gives,
        or of pictures alone, which are named by their numbers from ``000000``
        on. A picture is `[H, W, 3]`: uint8, or float in [0, 1], which is rounded.
      path: an existing file is replaced.

    Returns:
      How many there were.

    Raises:
      ValueError: it holds something else, holds nothing, or never ends.
      OSError: as for `write_records`.
    """
    if dataset.cardinality() == tf.data.INFINITE_CARDINALITY:
        raise ValueError("dataset: never ends; take a number of its pictures")
    spec = dataset.element_spec
    if isinstance(spec, Mapping) and not {"filename", "image"} <= set(spec):
        raise ValueError(f"dataset: has {', '.join(map(str, spec))}; must have filename and image")
    if not isinstance(spec, (Mapping, tf.TensorSpec)):
        raise ValueError(f"dataset: holds {spec}; must hold dicts or pictures alone")
    return _write(path, _named(dataset), "dataset")


def read_records(paths) -> tf.data.Dataset:
    """Returns the pictures of TFRecord files, in their order.

    Args:
      paths: one file or several, such as `write_records` makes. Of other
        origin, all they need is ``image/encoded`` and ``image/filename``.

    Returns:
      A dataset of {``filename``: scalar string, ``image``: `[H, W, 3]` uint8},
      decoded by `graph_decode.decode`. Reading it raises what TensorFlow does:
      `tf.errors.DataLossError` where a file is damaged (it tells the place, not
      the file), `tf.errors.InvalidArgumentError` where a record lacks one of
      the two, which it names, or has no picture there.

    Raises:
      ValueError: there are no paths, or a record claims more than 1 GiB.
      OSError: one of the files is missing, or a folder.
    """
    given = [paths] if isinstance(paths, (str, os.PathLike)) else list(paths)
    if not given:
        raise ValueError("paths=[]: must name at least one file")
    for path in given:
        named = f"paths={str(path)!r}"
        require_file(pathlib.Path(path), named)
        try:
            require_possible(path)
        except ValueError as error:
            raise ValueError(f"{named}: is damaged ({error})") from None
    records = tf.data.TFRecordDataset([os.fspath(path) for path in given])
    return records.map(_picture, num_parallel_calls=tf.data.AUTOTUNE, deterministic=True)


def require_possible(path) -> None:
    """Checks that no record of a file claims more than 1 GiB.

    TensorFlow takes the memory for the data before it looks for them: a file of 15 bytes that
    speaks of 2^40 ends the process, and no option of its reader limits that. What else is wrong
    with a file is left to TensorFlow, which tells it when it comes to the place.

    Raises:
      ValueError: one does; the message says only what is wrong, not with what.
      OSError: the file cannot be read.
    """
    with opened(path) as file:
        size, position = os.fstat(file.fileno()).st_size, 0
        while position + _HEAD <= size:
            file.seek(position)
            head = file.read(_HEAD)
            length, checksum = struct.unpack("<QI", head)
            if length > _LARGEST:
                # With a wrong checksum no one believes the length.
                if checksum == masked_crc(head[:8]):
                    raise ValueError(
                        f"its record at byte {position} claims to have {length} bytes;"
                        f" must have at most {_LARGEST}"
                    )
                return
            position += _HEAD + length + _TAIL


def masked_crc(data: bytes) -> int:
    """Returns the checksum that TFRecord files have of few bytes."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (_POLYNOMIAL if crc & 1 else 0)
    crc ^= 0xFFFFFFFF
    return ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF


def _picture(record: tf.Tensor) -> dict[str, tf.Tensor]:
    text = tf.io.FixedLenFeature([], tf.string)
    found = tf.io.parse_single_example(record, {_ENCODED: text, _FILENAME: text})
    return {"filename": found[_FILENAME], "image": graph_decode.decode(found[_ENCODED])}


def _named(dataset: tf.data.Dataset) -> Iterator[tuple[str | bytes, np.ndarray]]:
    """Returns a dataset's pictures as uint8, with their names."""
    for number, element in enumerate(dataset.as_numpy_iterator()):
        alone = not isinstance(element, Mapping)
        name, picture = (f"{number:06d}", element) if alone else (element["filename"], element["image"])
        if picture.dtype != np.uint8:
            picture = encode.to_uint8(images.load_image(picture, f"dataset: picture {number}"))
        yield name, picture


def _write(path, pictures: Iterable[tuple[str | bytes, bytes | np.ndarray]], argument: str) -> int:
    count = 0
    with _whole(pathlib.Path(path)) as temporary, tf.io.TFRecordWriter(temporary) as writer:
        for name, picture in pictures:
            writer.write(_example(name, picture, f"{argument}: picture {count}"))
            count += 1
        if not count:
            # An empty file would be read without an error, as if all were well.
            raise ValueError(f"{argument}: there are no pictures in it")
    return count


@contextlib.contextmanager
def _whole(path: pathlib.Path) -> Iterator[str]:
    """Gives a file beside another to write to; unless there was an error, it then takes the other's place."""
    named = f"path={str(path)!r}"
    if path.is_dir():
        raise IsADirectoryError(f"{named}: is a folder; name a file")
    require_writable_folder(path.parent, named)
    # In a folder of its own, a file has the usual permissions.
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=f".{path.name}.", suffix=".part") as folder:
        temporary = pathlib.Path(folder) / path.name
        try:
            yield str(temporary)
        except tf.errors.ResourceExhaustedError as error:  # what TensorFlow makes of a full disk
            raise OSError(f"{named}: cannot be written ({error.message})") from None
        os.replace(temporary, path)


def _example(name: str | bytes, picture: bytes | np.ndarray, named: str) -> bytes:
    """Returns a picture's record."""
    name = name.encode("utf-8", "surrogateescape") if isinstance(name, str) else name
    named = f"{named} ({name.decode('utf-8', 'replace')!r})"
    if isinstance(picture, bytes):
        data, (height, width) = picture, _size(picture, named)
    else:
        data, (height, width) = _png(picture, named), picture.shape[:2]
    example = tf.train.Example()
    feature = example.features.feature
    feature[_ENCODED].bytes_list.value.append(data)
    feature[_FILENAME].bytes_list.value.append(name)
    feature["image/format"].bytes_list.value.append(_format(data, named).encode())
    feature["image/height"].int64_list.value.append(height)
    feature["image/width"].int64_list.value.append(width)
    return example.SerializeToString()


def _format(data: bytes, named: str) -> str:
    for start, kind in _FORMATS.items():
        if data.startswith(start):
            return kind
    raise ValueError(f"{named}: begins with {data[:8]!r}; must be a JPEG or PNG")


def _size(data: bytes, named: str) -> Sequence[int]:
    """Returns height and width of an encoded picture, which is found here to be whole, not by readers."""
    _format(data, named)
    try:
        return graph_decode.decode(data).shape[:2]
    except tf.errors.InvalidArgumentError as error:
        raise ValueError(f"{named}: is damaged or cut short ({error.message})") from None


def _png(picture: np.ndarray, named: str) -> bytes:
    picture = np.asarray(picture)
    if picture.dtype != np.uint8 or picture.ndim != 3 or picture.shape[-1] != 3 or 0 in picture.shape:
        given = f"an array of shape {list(picture.shape)} and type {picture.dtype}"
        raise ValueError(f"{named}: {given}; must be bytes or [H, W, 3] uint8")
    return graph_decode.encode_png(picture).numpy()
