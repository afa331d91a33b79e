"""Lengths in TFRecord files that TensorFlow would take the memory for."""

import struct

import numpy as np
import pytest
import tensorflow as tf

from tfstyle.batch import sources
from tfstyle.io.tfrecords import masked_crc, read_records, require_possible, write_records

from conftest import picture


def claim(length, valid=True):
    head = struct.pack("<Q", length)
    return head + struct.pack("<I", masked_crc(head) ^ (not valid))


@pytest.fixture
def path(tmp_path):
    write_records(tmp_path / "x.tfrecord", [("a.png", picture(8, 9)), ("b.png", picture(8, 9, seed=1))])
    return tmp_path / "x.tfrecord"


def test_the_checksum_is_tensorflows(path):
    data = path.read_bytes()
    (length,) = struct.unpack("<Q", data[:8])
    assert struct.unpack("<I", data[8:12])[0] == masked_crc(data[:8])
    assert struct.unpack("<I", data[12 + length : 16 + length])[0] == masked_crc(data[12 : 12 + length])


@pytest.mark.parametrize("length", [(1 << 30) + 1, 1 << 40, (1 << 63) - 1, (1 << 64) - 1])
def test_no_memory_is_taken_for_a_claim(path, length):
    # TensorFlow itself ends the process at some of these.
    path.write_bytes(path.read_bytes() + claim(length) + b"abc")
    with pytest.raises(
        ValueError, match=rf"^paths='.*': is damaged \(its record at byte \d+ claims to have {length}"
    ):
        read_records(path)
    (content,) = sources.contents_of(sources.Shard(str(path)))
    assert "cannot be read on from here" in content.problem


@pytest.mark.parametrize("end", [b"x" * 20, claim(1 << 50, valid=False) + b"abc", claim(1000) + b"abc"])
def test_other_damage_is_for_tensorflow_to_tell(path, end):
    path.write_bytes(path.read_bytes() + end)
    read = iter(read_records(path))
    assert [next(read)["filename"].numpy() for _ in range(2)] == [b"a.png", b"b.png"]
    with pytest.raises(tf.errors.DataLossError):
        next(read)


def test_whole_files_are_possible(path):
    require_possible(path)
    assert [np.asarray(each["image"]).shape for each in read_records(path)] == [(8, 9, 3)] * 2
