"""In a graph, bytes become the pixels that Pillow gives."""

import io
import struct
import zlib

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from tfstyle.io import graph_decode, images

from conftest import chunk, file_bytes, picture, png_with

PIXELS = picture(20, 30)
ALPHA = np.tile(np.linspace(0, 255, 30).astype(np.uint8), (20, 1))
JFIF = b"\xff\xe0" + struct.pack(">H", 16) + b"JFIF\0\1\1\0\0\1\0\1\0\0"


def by_pillow(data, tmp_path):
    """What `load_image` gives, in levels of 255."""
    (tmp_path / "picture").write_bytes(data)
    return images.load_image(tmp_path / "picture").numpy()[0] * 255


def check(data, tmp_path, within=0.501):
    found = graph_decode.decode(data)
    assert found.dtype == tf.uint8
    expected = by_pillow(data, tmp_path)
    assert found.shape == expected.shape
    np.testing.assert_allclose(found, expected, atol=within)


def exif_block(entries, order=">", first=8, count=None):
    """A TIFF header and one directory of (tag, type, number of values, the value's four bytes)."""
    head = (b"MM" if order == ">" else b"II") + struct.pack(order + "HI", 42, first)
    directory = struct.pack(order + "H", len(entries) if count is None else count)
    for tag, kind, number, value in entries:
        directory += struct.pack(order + "HHI", tag, kind, number) + value
    return head + b"\0" * (first - 8) + directory + b"\0\0\0\0"


def oriented(orientation, order=">", **options):
    """An EXIF block with an orientation among other entries."""
    maker = (0x010F, 2, 4, b"abc\0")
    resolution = (0x011A, 5, 1, struct.pack(order + "I", 8))
    value = (0x0112, 3, 1, struct.pack(order + "HH", orientation, 0))
    return exif_block([maker, value, resolution], order, **options)


def segment(marker, payload):
    return bytes([0xFF, marker]) + struct.pack(">H", len(payload) + 2) + payload


def jpeg(*segments):
    """A JPEG with these segments after its first marker."""
    plain = file_bytes(PIXELS, "JPEG", quality=95)
    return plain[:2] + b"".join(segments) + plain[2:]


def orientation_of(data):
    """Which of the orientations of `PIXELS` a picture is."""
    found = graph_decode.decode(data).numpy().astype(int)
    plain = graph_decode.decode(jpeg() if data.startswith(b"\xff\xd8") else png_with()).numpy().astype(int)
    ways = [plain, plain[:, ::-1], plain[::-1, ::-1], plain[::-1]]
    ways += [each.transpose(1, 0, 2) for each in (ways[0], ways[3], ways[2], ways[1])]
    return 1 + next(index for index, way in enumerate(ways) if np.array_equal(way, found))


@pytest.mark.parametrize("orientation", range(1, 9))
def test_orientation_of_jpeg(tmp_path, orientation):
    exif = segment(0xE1, b"Exif\0\0" + oriented(orientation, "<>"[orientation % 2]))
    for data in (
        jpeg(exif),
        jpeg(JFIF, exif, segment(0xE2, b"something else" * 9)),
        jpeg(segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0<x/>"), b"\xff\xff", exif),
    ):
        assert orientation_of(data) == orientation
        check(data, tmp_path, within=1)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_orientation_of_png(tmp_path, orientation):
    data = png_with(chunk(b"tEXt", b"a\0b"), chunk(b"eXIf", oriented(orientation, "<")))
    assert orientation_of(data) == orientation
    check(data, tmp_path)
    # It may come after the pixels, too.
    data = png_with(chunk(b"eXIf", oriented(orientation)), at=-12)
    assert orientation_of(data) == orientation
    check(data, tmp_path)
    found = images.load_image(Image.open(io.BytesIO(data)))[0] * 255
    np.testing.assert_allclose(found, graph_decode.decode(data), atol=0.501)


def test_orientation_in_another_place_or_type():
    for block in (
        oriented(6, "<", first=200),
        exif_block([(0x0112, 4, 1, struct.pack(">I", 6))]),
        oriented(6, count=60000)[:-20] + oriented(6)[-20:],  # more entries are told of than there are
    ):
        assert orientation_of(jpeg(segment(0xE1, b"Exif\0\0" + block))) == 6


@pytest.mark.parametrize(
    "block",
    [
        b"",
        b"MM",
        b"XX" + oriented(6)[2:],
        b"IM" + oriented(6)[2:],
        b"MM\0\x2b" + oriented(6)[4:],
        oriented(6)[:8],
        oriented(6)[:9],
        oriented(6)[:20],
        oriented(6)[:30],
        oriented(6)[:4] + b"\xff\xff\xff\xff" + oriented(6)[8:],
        oriented(6)[:4] + b"\x00\x00\x10\x00" + oriented(6)[8:],
        oriented(6, count=0),
        oriented(0),
        oriented(9),
        oriented(65535),
        exif_block([(0x0112, 3, 0, b"\0\6\0\0")]),
        exif_block([(0x0112, 3, 2**32 - 1, b"\0\6\0\0")]),
        exif_block([(0x0112, 2, 1, b"\0\6\0\0")]),
        exif_block([(0x0112, 4, 1, b"\xff\xff\xff\xff")]),
        exif_block([(0x0113, 3, 1, b"\0\6\0\0")]),
    ],
)
def test_broken_exif_means_upright(block):
    assert orientation_of(jpeg(segment(0xE1, b"Exif\0\0" + block))) == 1
    assert orientation_of(png_with(chunk(b"eXIf", block))) == 1


def test_exif_counts_only_where_it_belongs():
    exif = b"Exif\0\0" + oriented(6)
    for data in (
        jpeg(),
        jpeg(segment(0xE2, exif)),
        jpeg(segment(0xFE, b"Exif" + exif)),
        jpeg(segment(0xE0, segment(0xE1, exif))),
        jpeg() + segment(0xE1, exif),
        jpeg(segment(0xE1, b"x" + exif)),
    ):
        assert orientation_of(data) == 1
    assert orientation_of(png_with(chunk(b"tEXt", b"a\0" + chunk(b"eXIf", oriented(6))))) == 1


@pytest.mark.parametrize(("subsampling", "progressive"), [(0, True), (1, False), (2, True)])
def test_jpeg(tmp_path, subsampling, progressive):
    options = {"quality": 80, "subsampling": subsampling, "progressive": progressive}
    check(file_bytes(Image.fromarray(picture(91, 77)), "JPEG", **options), tmp_path, within=2)


def test_jpeg_of_other_colours(tmp_path):
    check(file_bytes(Image.fromarray(PIXELS[..., 0]), "JPEG"), tmp_path, within=2)
    check(file_bytes(Image.fromarray(PIXELS).convert("CMYK"), "JPEG", quality=95), tmp_path, within=4)


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L", "LA", "1", "P"])
def test_png(tmp_path, mode):
    image = Image.fromarray(np.dstack([PIXELS, ALPHA]))
    image = image.convert("RGB").quantize(16) if mode == "P" else image.convert(mode)
    check(file_bytes(image), tmp_path, within=1)
    if mode not in ("RGBA", "LA"):
        np.testing.assert_array_equal(graph_decode.decode(file_bytes(image)), image.convert("RGB"))


def test_png_with_transparent_colours(tmp_path):
    colors = Image.fromarray(PIXELS // 128 * 128)
    grey = Image.fromarray(PIXELS[..., 0] // 64 * 64)
    palette = colors.quantize(8)
    for image, transparency in (
        (colors, (0, 128, 0)),
        (grey, 64),
        (palette, 1),
        (palette, bytes([0, 90, 180])),
    ):
        data = file_bytes(image, transparency=transparency)
        assert Image.open(io.BytesIO(data)).info["transparency"] is not None
        check(data, tmp_path, within=1)
        assert (graph_decode.decode(data).numpy() == 255).all(-1).any()


def test_sixteen_bits_are_rounded_not_cut(tmp_path):
    ramp = np.linspace(0, 65535, 600).astype(np.uint16).reshape(20, 30)
    found = graph_decode.decode(file_bytes(ramp)).numpy()
    np.testing.assert_array_equal(found[..., 1], np.round(ramp / 257))
    check(file_bytes(ramp), tmp_path)
    deep = np.stack([ramp, ramp[::-1], ramp // 2, ramp], -1)
    data = tf.io.encode_png(deep).numpy()
    opacity = ramp[..., np.newaxis] / 65535
    expected = (deep[..., :3] / 257) * opacity + 255 * (1 - opacity)
    np.testing.assert_allclose(graph_decode.decode(data), expected, atol=0.501)
    check(data, tmp_path, within=2)  # Pillow has cut it to 8 bits


def test_png_goes_and_comes():
    data = tf.function(graph_decode.encode_png)(tf.constant(PIXELS))
    assert data.shape == [] and data.dtype == tf.string
    np.testing.assert_array_equal(Image.open(io.BytesIO(data.numpy())), PIXELS)
    np.testing.assert_array_equal(graph_decode.decode(data), PIXELS)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"x",
        b"not a picture",
        b"\xff\xd8\xff",
        b"\x89PNG\r\n\x1a\n",
        jpeg()[:400],
        png_with()[:300],
        png_with()[:30],
    ],
    ids=["empty", "short", "text", "jpeg start", "png start", "cut jpeg", "cut png", "cut header"],
)
def test_what_is_no_picture(data):
    with pytest.raises(tf.errors.InvalidArgumentError):
        graph_decode.decode(data)


def with_size(data, place, order, *sides):
    return data[:place] + struct.pack(order, *sides) + data[place + struct.calcsize(order) :]


def two_frames(first, second):
    """A GIF of two pictures of these sizes, each with the data of a small one."""
    small = file_bytes(Image.new("P", (2, 2)), "GIF")
    start = 13 + 3 * 2 ** ((small[10] & 7) + 1)
    head, frame = small[:start], small[small.index(b",", start) : -1]
    return head + b"".join(with_size(frame, 5, "<HH", *sides) for sides in (first, second)) + b";"


LARGE_PNG = chunk(b"IHDR", struct.pack(">IIBBBBB", 60000, 60000, 1, 0, 0, 0, 0))
JPEG_SIZE = file_bytes(PIXELS, "JPEG").index(b"\xff\xc0") + 5


@pytest.mark.parametrize(
    "data",
    [
        b"\x89PNG\r\n\x1a\n" + LARGE_PNG + chunk(b"IDAT", zlib.compress(b"")),
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 2**32 - 1, 2**32 - 1, 8, 6, 0, 0, 0)),
        with_size(file_bytes(PIXELS, "JPEG"), JPEG_SIZE, ">HH", 60000, 60000),
        with_size(file_bytes(Image.new("P", (2, 2)), "GIF"), 6, "<HH", 60000, 60000),
        two_frames((60000, 1), (1, 60000)),  # room is made for 60000 x 60000
        two_frames((10000, 10000), (10000, 10000)),  # and for all pictures at once
        b"RIFF\x1a\0\0\0WEBPVP8L\x0e\0\0\0\x2f\xfe\xbf\xff\x0f\x07\x10\x11\xfd\x0fDD\xff\x03",  # 16383 x 16383
        b"RIFF\x20\0\0\0WEBPVP8X\x0a\0\0\0\0\0\0\0\xff\xff\xff\xff\xff\xff",
        b"RIFF\x20\0\0\0WEBPVP8 \x14\0\0\0\0\0\0\x9d\x01\x2a\xff\x3f\xff\x3f\0\0\0\0",
    ],
)
def test_what_claims_to_be_enormous_is_refused_by_its_header(data):
    with pytest.raises(tf.errors.InvalidArgumentError, match="more than 179 million pixels"):
        graph_decode.decode(data)


def test_the_limit_is_pillows_and_gifs_have_one_of_blocks():
    assert 2 * Image.MAX_IMAGE_PIXELS == graph_decode.LARGEST
    small = file_bytes(Image.new("P", (2, 2)), "GIF")
    comment = b"!\xfe" + b"\x01x" * 40_000 + b"\0"
    start = 13 + 3 * 2 ** ((small[10] & 7) + 1)
    with pytest.raises(tf.errors.InvalidArgumentError, match="million pixels"):
        graph_decode.decode(small[:start] + comment + small[start:])


def test_other_kinds(tmp_path):
    check(file_bytes(PIXELS, "BMP"), tmp_path)
    frames = [Image.fromarray(picture(20, 30, seed)).quantize(16) for seed in range(3)]
    check(file_bytes(frames[0], "GIF", save_all=True, append_images=frames[1:]), tmp_path)
    for options in ({"lossless": True}, {"quality": 90}):
        check(file_bytes(PIXELS, "WEBP", **options), tmp_path, within=1)
    odd = file_bytes(PIXELS, "WEBP", exif=b"Exif\0\0II*\0")
    assert graph_decode.decode(odd).shape == (20, 30, 3)


@pytest.mark.parametrize(
    "data", [b"\xff\x0a" + bytes(20), b"\0\0\0\x0cJXL \r\n\x87\n" + bytes(20), b"P6 1 1 255\n\0\0\0"]
)
def test_other_formats_are_refused(data):
    with pytest.raises(tf.errors.InvalidArgumentError, match="no JPEG, PNG, GIF, BMP or WebP"):
        graph_decode.decode(data)
