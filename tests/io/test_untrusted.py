"""Archives and JSON of hostile making: refused with one line, and without taking memory for claims."""

import io
import os
import pickle
import struct
import tracemalloc
import zipfile

import numpy as np
import pytest

from tfstyle.io import untrusted

LIMIT = 1 << 20


def npy(array):
    data = io.BytesIO()
    np.lib.format.write_array(data, np.asarray(array))
    return data.getvalue()


def header(text, version=1):
    """An .npy's beginning with a header of any text."""
    text = text.encode() + b"\n"
    return b"\x93NUMPY" + bytes([version, 0]) + struct.pack("<H" if version == 1 else "<I", len(text)) + text


def archive(path, members, compression=zipfile.ZIP_STORED):
    with zipfile.ZipFile(path, "w", compression) as file:
        for name, data in members:
            file.writestr(name, data)
    return path


def refused(path, limit=LIMIT):
    """The one line that a file is refused with; it takes little more memory than the limit."""
    tracemalloc.start()
    with pytest.raises(ValueError) as caught:
        untrusted.read(path, limit=limit)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < limit + (4 << 20), f"{peak} bytes"
    assert type(caught.value) is ValueError or isinstance(caught.value, UnicodeError)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("compressed", [False, True])
def test_plain_arrays_come_back(tmp_path, compressed):
    generator = np.random.default_rng(0)
    arrays = {
        "a/kernel": generator.standard_normal((3, 4)).astype(np.float32),
        "half": generator.standard_normal(5).astype(np.float16),
        "turned": np.asfortranarray(generator.standard_normal((2, 3, 4))),
        "foreign": np.arange(6, dtype=">i4").reshape(2, 3),
        "scalar": np.array(7, np.int64),
        "empty": np.zeros((0, 3), np.uint8),
        "yes": np.array([True, False]),
        "complex": np.array([1 + 2j], np.complex64),
    }
    path = tmp_path / "x.npz"
    path.write_bytes(untrusted.encode(arrays, compressed=compressed))
    found = untrusted.read(path, limit=LIMIT)
    assert list(found) == list(arrays)
    for name, array in arrays.items():
        np.testing.assert_array_equal(found[name], array)
        assert found[name].dtype == array.dtype.newbyteorder("=")
    with np.load(path) as theirs:
        assert sorted(theirs.files) == sorted(arrays)


def test_the_limit_counts_all_arrays_with_their_headers(tmp_path):
    path = archive(tmp_path / "x.npz", [("a.npy", npy(np.zeros(100, np.uint8))), ("b.npy", npy([1.0]))])
    size = 128 + 100 + 128 + 8  # NumPy pads headers to 128 bytes in all
    assert set(untrusted.read(path, limit=size)) == {"a", "b"}
    assert f"holds {size} bytes" in refused(path, size - 1)


def test_no_pickle_is_read(tmp_path):
    class Trap:
        def __reduce__(self):
            return os.mkdir, (str(tmp_path / "sprung"),)

    pickled = io.BytesIO()
    np.save(pickled, np.array([Trap()], object), allow_pickle=True)
    assert "plain numbers" in refused(archive(tmp_path / "x.npz", [("a.npy", pickled.getvalue())]))
    assert "no array" in refused(archive(tmp_path / "y.npz", [("a.npy", pickle.dumps(Trap()))]))
    assert not (tmp_path / "sprung").exists()


@pytest.fixture
def bomb(tmp_path):
    """A small file of 16 MB of zeros."""
    return archive(tmp_path / "x.npz", [("a.npy", npy(np.zeros(1 << 24, np.uint8)))], zipfile.ZIP_DEFLATED)


def test_a_bomb_is_not_unpacked(bomb):
    assert bomb.stat().st_size < 1 << 17
    assert "must hold at most" in refused(bomb)


@pytest.mark.parametrize("claimed", [0, 128, 228])
def test_a_bomb_that_declares_less_is_not_unpacked(bomb, claimed):
    data = bytearray(bomb.read_bytes())
    size = struct.pack("<I", 128 + (1 << 24))
    assert data.count(size) == 2  # in the member's own header and in the directory
    bomb.write_bytes(data.replace(size, struct.pack("<I", claimed)))
    refused(bomb)


@pytest.mark.parametrize(
    "shape",
    ["(1000000000000,)", "(4611686018427387904, 4)", "(0, 9999999999999999999)", "(-1,)", "(3, 2,)", "3"],
)
def test_a_shape_beyond_the_bytes_takes_no_memory(tmp_path, shape):
    text = f"{{'descr': '<f4', 'fortran_order': False, 'shape': {shape}, }}"
    refused(archive(tmp_path / "x.npz", [("a.npy", header(text) + bytes(8))]))


@pytest.mark.parametrize(
    "text",
    [
        "{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (2,), }",  # fields
        "{'descr': '|O', 'fortran_order': False, 'shape': (1,), }",
        "{'descr': '<U2', 'fortran_order': False, 'shape': (1,), }",
        "{'descr': '|V8', 'fortran_order': False, 'shape': (1,), }",
        "{'descr': '<M8[s]', 'fortran_order': False, 'shape': (1,), }",
        "{'descr': '<f3', 'fortran_order': False, 'shape': (1,), }",
        "{'descr': '<f8', 'fortran_order': 0, 'shape': (1,), }",
        "__import__('os')",
        "(" * 3000,
        "-" * 4000 + "1",
        "",
    ],
)
@pytest.mark.parametrize("version", [1, 2])
def test_other_headers_are_not_evaluated(tmp_path, text, version):
    assert "plain numbers" in refused(
        archive(tmp_path / "x.npz", [("a.npy", header(text, version) + bytes(8))])
    )


def test_a_long_header_is_not_read(tmp_path):
    text = b"\x93NUMPY\x02\0" + struct.pack("<I", 0xFFFFFFF0)
    assert "header" in refused(archive(tmp_path / "x.npz", [("a.npy", text + bytes(9000))]))


def test_two_members_of_one_name_and_thousands_are_refused(tmp_path):
    with pytest.warns(UserWarning, match="Duplicate"):
        path = archive(tmp_path / "x.npz", [("a.npy", npy([1.0])), ("a.npy", npy([2.0]))])
    assert "one name" in refused(path)
    some = archive(tmp_path / "x.npz", [(f"{i}.npy", b"") for i in range(4097)])
    assert "4097 members" in refused(some)
    many = archive(tmp_path / "y.npz", [(f"{i:0300}.npy", b"") for i in range(4000)])
    assert "directory" in refused(many)


@pytest.mark.parametrize("compression", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_other_compressions_are_refused(tmp_path, compression):
    assert "compressed" in refused(archive(tmp_path / "x.npz", [("a.npy", npy([1.0]))], compression))


def test_encrypted_members_odd_booleans_and_other_members_are_refused(tmp_path):
    path = archive(tmp_path / "x.npz", [("a.npy", npy([1.0]))])
    data = bytearray(path.read_bytes())
    data[6] |= 1  # flags of the member's header, and of the directory
    data[data.index(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(data)
    assert "encrypted" in refused(path)
    data = npy(np.array([True]))[:-1] + b"\x02"
    assert "booleans" in refused(archive(tmp_path / "x.npz", [("a.npy", data)]))
    assert "'x.pkl' is no array" in refused(archive(tmp_path / "x.npz", [("x.pkl", b"")]))


def test_wherever_a_file_is_cut_or_changed_it_is_refused_or_the_same(tmp_path):
    path, arrays = tmp_path / "x.npz", {"a": np.arange(5.0), "b": np.arange(3, dtype=np.int32)}
    whole = untrusted.encode(arrays, compressed=True)
    for cut in range(len(whole)):
        path.write_bytes(whole[:cut])
        with pytest.raises(ValueError):
            untrusted.read(path, limit=LIMIT)
    for place in range(len(whole)):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 0x41]) + whole[place + 1 :])
        try:
            found = untrusted.read(path, limit=LIMIT)
        except ValueError:
            continue
        # Names, dates and the like have no checksum; what the arrays hold has one.
        for name, array in zip(arrays, found.values()):
            np.testing.assert_array_equal(array, arrays[name])


def test_what_cannot_be_opened_is_another_error_and_pipes_do_not_make_it_wait(tmp_path):
    with pytest.raises(FileNotFoundError):
        untrusted.read(tmp_path / "absent.npz", limit=LIMIT)
    with pytest.raises(IsADirectoryError):
        untrusted.read(tmp_path, limit=LIMIT)
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", "/dev/zero"):
        with pytest.raises(OSError, match="device or pipe"):
            untrusted.read(path, limit=LIMIT)


@pytest.mark.parametrize(
    "array", [np.array([None]), np.array(["text"]), np.zeros(1, "V2"), np.zeros(1, "f4,f4")]
)
def test_what_could_not_be_read_is_not_written(array):
    with pytest.raises(ValueError, match="arrays: a is of type"):
        untrusted.encode({"a": array})


@pytest.mark.parametrize(
    "text",
    [
        "[" * 65 + "]" * 65,
        "[" * 100_000,
        '{"a":' * 100_000,
        "1" * 30,
        "1" * 5000,
        str(1 << 64),
        "-9223372036854775809",
        "[NaN]",
        "[-Infinity]",
        "1e999",
        "{}}",
        "",
        b"\xff\xff",
    ],
)
def test_hostile_json_is_a_value_error(text):
    with pytest.raises(ValueError):
        untrusted.parse_json(text, limit=1 << 20)


def test_json_is_read_within_its_limit():
    text = '{"a": [1, -2.5, 1e300, null, true, "\\u00e9"], "b": 18446744073709551615}'
    expected = {"a": [1, -2.5, 1e300, None, True, "é"], "b": 2**64 - 1}
    assert untrusted.parse_json(text, limit=len(text)) == expected
    assert untrusted.parse_json(text.encode(), limit=len(text)) == expected
    assert untrusted.parse_json("[" * 63 + "]" * 63, limit=200) is not None
    with pytest.raises(ValueError, match="must have at most"):
        untrusted.parse_json(text, limit=len(text) - 1)
