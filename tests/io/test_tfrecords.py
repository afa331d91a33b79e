"""Pictures go into TFRecord files and come out as they were."""

import io
import struct

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from tfstyle.batch import sources
from tfstyle.io import tfrecords

from conftest import file_bytes, picture, turned, write_examples

NAMES = ["first.png", "größe-写真.png", "third"]
PICTURES = [picture(20, 30, 1), picture(31, 17, 2), picture(8, 8, 3)]


def read(paths):
    return [
        (each["filename"].decode(), each["image"])
        for each in tfrecords.read_records(paths).as_numpy_iterator()
    ]


def examples(path):
    """{feature: value} of each record of a file."""
    for record in tf.data.TFRecordDataset(str(path)).as_numpy_iterator():
        features = tf.train.Example.FromString(record).features.feature
        yield {name: [*each.bytes_list.value, *each.int64_list.value][0] for name, each in features.items()}


def stored(path):
    """What is in a file, decoded by Pillow."""
    return [
        (each["image/filename"].decode(), np.asarray(Image.open(io.BytesIO(each["image/encoded"]))))
        for each in examples(path)
    ]


def check(found, names, pictures):
    assert [name for name, _ in found] == names
    for (_, image), expected in zip(found, pictures, strict=True):
        assert image.dtype == np.uint8
        np.testing.assert_array_equal(image, expected)


def test_arrays_come_back_exactly_and_in_order(tmp_path):
    path = tmp_path / "pictures.tfrecord"
    assert tfrecords.write_records(path, zip(NAMES, PICTURES)) == 3
    check(read(path), NAMES, PICTURES)
    assert tfrecords.read_records(path).element_spec == {
        "filename": tf.TensorSpec([], tf.string),
        "image": tf.TensorSpec([None, None, 3], tf.uint8),
    }
    assert list(tmp_path.iterdir()) == [path]
    assert path.stat().st_mode & 0o600 == 0o600


def test_many_keep_their_order(tmp_path):
    # Of very different sizes, so that later ones are decoded sooner.
    pictures = [picture(*((300, 300) if index % 5 == 0 else (8, 8)), index) for index in range(40)]
    names = [str(index) for index in range(40)]
    tfrecords.write_records(tmp_path / "a", zip(names[:20], pictures[:20]))
    tfrecords.write_records(str(tmp_path / "b"), zip(names[20:], pictures[20:]))
    check(read([tmp_path / "a", str(tmp_path / "b")]), names, pictures)


def test_bytes_are_kept_and_described(tmp_path):
    jpeg = file_bytes(PICTURES[0], "JPEG", exif=turned())
    png = file_bytes(PICTURES[1], "PNG")
    path = tmp_path / "pictures.tfrecord"
    tfrecords.write_records(path, [("a", jpeg), ("b", png), ("c", PICTURES[2])])
    found = list(examples(path))
    assert [each["image/encoded"] for each in found[:2]] == [jpeg, png]
    assert [each["image/format"] for each in found] == [b"JPEG", b"PNG", b"PNG"]
    assert [each["image/filename"] for each in found] == [b"a", b"b", b"c"]
    sizes = [(each["image/height"], each["image/width"]) for each in found]
    assert sizes == [(30, 20), (31, 17), (8, 8)]  # the first one upright


def test_dataset_of_named_pictures(tmp_path):
    tfrecords.write_records(tmp_path / "a", zip(NAMES, PICTURES))
    named = tfrecords.read_records(tmp_path / "a")
    assert tfrecords.write_dataset(named, tmp_path / "b") == 3
    check(stored(tmp_path / "b"), NAMES, PICTURES)
    # A file may be made from itself.
    tfrecords.write_dataset(named.take(2), tmp_path / "a")
    check(stored(tmp_path / "a"), NAMES[:2], PICTURES[:2])


def test_dataset_of_pictures_alone(tmp_path):
    tfrecords.write_dataset(tf.data.Dataset.from_tensors(PICTURES[0]).repeat(2), tmp_path / "a")
    check(stored(tmp_path / "a"), ["000000", "000001"], [PICTURES[0]] * 2)


@pytest.mark.parametrize("kind", [tf.float32, tf.float64])
def test_floats_are_rounded(tmp_path, kind):
    values = np.linspace(0, 1, 4 * 256 * 3).reshape(4, 256, 3)
    dataset = tf.data.Dataset.from_tensors(tf.constant(values, kind))
    tfrecords.write_dataset(dataset, tmp_path / "a")
    check(stored(tmp_path / "a"), ["000000"], [np.round(values.astype(np.float32) * 255)])
    whole = tf.data.Dataset.from_tensors(tf.constant(PICTURES[0] / 255, kind))
    tfrecords.write_dataset(whole, tmp_path / "a")
    check(stored(tmp_path / "a"), ["000000"], [PICTURES[0]])


def claim(length, valid=True):
    """The head of a record that claims to have so many bytes, with a checksum that fits or does not."""
    head = struct.pack("<Q", length)
    return head + struct.pack("<I", tfrecords.masked_crc(head) ^ (not valid))


@pytest.fixture
def three(tmp_path):
    """A file of three records."""
    tfrecords.write_records(tmp_path / "x.tfrecord", zip(NAMES, PICTURES))
    return tmp_path / "x.tfrecord"


def test_the_checksum_is_tensorflows(three):
    data = three.read_bytes()
    (length,) = struct.unpack("<Q", data[:8])
    for part, place in ((data[:8], 8), (data[12 : 12 + length], 12 + length)):
        assert struct.unpack("<I", data[place : place + 4])[0] == tfrecords.masked_crc(part)


@pytest.mark.parametrize("length", [(1 << 30) + 1, 1 << 40, (1 << 63) - 1, (1 << 64) - 1])
def test_no_memory_is_taken_for_a_claim(three, length):
    # TensorFlow itself ends the process at some of these.
    three.write_bytes(three.read_bytes() + claim(length) + b"abc")
    told = rf"^paths='.*': is damaged \(its record at byte \d+ claims to have {length}"
    with pytest.raises(ValueError, match=told):
        tfrecords.read_records(three)
    (content,) = sources.contents_of(sources.Shard(str(three)))
    assert "cannot be read on from here" in content.problem


@pytest.mark.parametrize(
    ("damaged", "sound"),
    [
        (lambda whole: whole[:-7], 2),
        (lambda whole: whole[:200] + b"?" + whole[201:], 0),
        (lambda whole: whole + claim(1 << 50, valid=False) + b"abc", 3),
    ],
)
def test_other_damage_is_for_tensorflow_to_tell(three, damaged, sound):
    three.write_bytes(damaged(three.read_bytes()))
    found = iter(tfrecords.read_records(three))
    assert [next(found)["filename"].numpy().decode() for _ in range(sound)] == NAMES[:sound]
    with pytest.raises(tf.errors.DataLossError, match="record at"):
        next(found)


@pytest.mark.parametrize(
    ("record", "says"),
    [
        ({"filename": b"a"}, "image/encoded.*is required"),
        ({"encoded": file_bytes(PICTURES[0])}, "image/filename.*is required"),
        ({"encoded": b"no picture", "filename": b"a"}, "no JPEG, PNG"),
    ],
)
def test_records_without_what_is_needed(tmp_path, record, says):
    with pytest.raises(tf.errors.InvalidArgumentError, match=says):
        read(write_examples(tmp_path / "a", record))


def test_files_that_are_not_there(tmp_path):
    tfrecords.write_records(tmp_path / "a", zip(NAMES, PICTURES))
    with pytest.raises(FileNotFoundError, match=r"^paths='.*none': no such file"):
        tfrecords.read_records([tmp_path / "a", tmp_path / "none"])
    with pytest.raises(IsADirectoryError, match=r"^paths='.*': is a folder"):
        tfrecords.read_records(tmp_path)
    with pytest.raises(ValueError, match=r"^paths=\[\]: must name"):
        tfrecords.read_records([])


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        (b"not a picture", r"begins with b'not a pi'; must be a JPEG or PNG"),
        (file_bytes(PICTURES[0], "PNG")[:200], "is damaged or cut short"),
        (PICTURES[0] / 255, r"shape \[20, 30, 3\] and type float64; must be"),
        (PICTURES[0][..., :1], "must be bytes or"),
        (np.zeros((0, 4, 3), np.uint8), "must be bytes or"),
    ],
)
def test_what_is_no_picture_leaves_the_file_as_it_was(tmp_path, given, problem):
    path = tmp_path / "pictures.tfrecord"
    path.write_text("before")
    with pytest.raises(ValueError, match=rf"^pictures: picture 1 \('größe'\): .*{problem}"):
        tfrecords.write_records(path, [("a", PICTURES[0]), ("größe", given)])
    assert path.read_text() == "before"
    assert list(tmp_path.iterdir()) == [path]


def test_no_pictures(tmp_path):
    with pytest.raises(ValueError, match=r"^pictures: there are no pictures"):
        tfrecords.write_records(tmp_path / "a", [])
    with pytest.raises(ValueError, match=r"^dataset: there are no pictures"):
        tfrecords.write_dataset(tf.data.Dataset.from_tensors(PICTURES[0]).take(0), tmp_path / "a")
    assert not list(tmp_path.iterdir())


def test_datasets_of_something_else(tmp_path):
    alone = tf.data.Dataset.from_tensors(PICTURES[0])
    for dataset, problem in (
        (alone.repeat(), "never ends"),
        (alone.map(lambda image: {"image": image}), "has image; must have filename and image"),
        (alone.map(lambda image: (image, 1)), "must hold dicts or pictures alone"),
        (alone.map(lambda image: tf.cast(image, tf.float32)), r"picture 0: an array.*in \[0, 1\]"),
        (alone.batch(1), r"picture 0 \('000000'\): an array of shape \[1, 20, 30, 3\]"),
    ):
        with pytest.raises(ValueError, match=rf"^dataset: .*{problem}"):
            tfrecords.write_dataset(dataset, tmp_path / "a")
    assert not list(tmp_path.iterdir())


def test_places_that_cannot_be_written(tmp_path):
    with pytest.raises(OSError, match=r"^path='.*': is a folder"):
        tfrecords.write_records(tmp_path, zip(NAMES, PICTURES))
    with pytest.raises(OSError, match=r"^path='.*': there is no folder"):
        tfrecords.write_records(tmp_path / "none" / "a", zip(NAMES, PICTURES))
