"""Every kind of picture is read to the colours that a viewer shows."""

import contextlib
import os
import tracemalloc
import zlib

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image, ImageCms

from tfstyle.io import decode, encode, formats, images

from conftest import chunk, file_bytes, picture, png_with, turned

PIXELS = picture(20, 30)


def read(path):
    return images.load_image(path).numpy()[0] * 255


def test_sizes_are_those_of_the_pictures_read(tmp_path):
    for path in (tmp_path / "a.png", tmp_path / "a.jpg"):
        Image.fromarray(PIXELS).save(path, exif=turned())
        assert decode.size_of(path) == images.load_image(path).shape[1:3] == (30, 20)
    Image.fromarray(PIXELS).save(tmp_path / "a.tiff", tiffinfo={0x0112: 6})
    assert (
        decode.size_of(tmp_path / "a.tiff") == images.load_image(tmp_path / "a.tiff").shape[1:3] == (30, 20)
    )
    for source in (PIXELS, PIXELS[..., 0], PIXELS[np.newaxis], tf.constant(PIXELS), Image.fromarray(PIXELS)):
        assert decode.size_of(source) == (20, 30)
    with pytest.raises(ValueError, match=r"must be \[H, W\]"):
        decode.size_of(np.zeros(3))


def test_opacity_of_files(tmp_path):
    alpha = PIXELS[..., 1]
    for name, color in (("rgba", PIXELS), ("la", PIXELS[..., :1])):
        stored = Image.fromarray(np.dstack([color, alpha]))
        stored.save(tmp_path / f"{name}.png")
        for source in (tmp_path / f"{name}.png", stored):
            found = images.load_with_alpha(source)[1]
            assert found.shape == (1, 20, 30, 1) and found.dtype == tf.float32
            np.testing.assert_allclose(found[0, ..., 0], alpha / 255, atol=1e-6)
    indexed = Image.new("P", (2, 1))
    indexed.putpalette([10, 20, 30, 200, 100, 50])
    indexed.putdata([0, 1])
    indexed.save(tmp_path / "indexed.png", transparency=0)
    np.testing.assert_array_equal(images.load_with_alpha(tmp_path / "indexed.png")[1][0, ..., 0], [[0, 1]])


def test_what_is_opaque_has_no_opacity(tmp_path):
    for name, mode in (("rgb.png", "RGB"), ("rgba.png", "RGBA"), ("grey.png", "L"), ("a.jpg", "RGB")):
        Image.fromarray(PIXELS).convert(mode).save(tmp_path / name)
        assert images.load_with_alpha(tmp_path / name)[1] is None
    Image.fromarray(np.full((4, 4), 60000, np.uint16)).save(tmp_path / "deep.png")
    assert images.load_with_alpha(tmp_path / "deep.png")[1] is None
    for array in (PIXELS, PIXELS[..., 0], np.dstack([PIXELS, np.full((20, 30), 255, np.uint8)])):
        assert images.load_with_alpha(array)[1] is None


@pytest.mark.parametrize("kind", [np.uint8, np.uint16, np.float32])
@pytest.mark.parametrize("batch", [False, True])
def test_opacity_of_arrays(kind, batch):
    full = 1 if kind is np.float32 else np.iinfo(kind).max
    array = np.zeros((4, 5, 4), kind)
    array[1:, :, 3], array[2:, :, 3] = full, full // 5 if kind is not np.float32 else 0.2
    found = images.load_with_alpha(array[np.newaxis] if batch else array)[1]
    assert found.shape == (1, 4, 5, 1) and found.dtype == tf.float32
    np.testing.assert_allclose(found[0, :, 2, 0], [0, 1, 0.2, 0.2], atol=1e-6)


def test_colour_profile_is_brought_to_srgb(tmp_path):
    # CIELAB has a profile of its own in littleCMS: L=50, a=b=0 is mid grey, 119 in sRGB.
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()
    Image.new("LAB", (4, 4), (128, 128, 128)).save(tmp_path / "a.tif", icc_profile=profile)
    np.testing.assert_allclose(read(tmp_path / "a.tif"), 119, atol=2)


def test_a_broken_profile_is_told_and_passed_over(tmp_path, caplog):
    Image.fromarray(PIXELS).save(tmp_path / "a.png", icc_profile=b"nonsense")
    with caplog.at_level("WARNING", "absl"):
        loaded = read(tmp_path / "a.png")
    np.testing.assert_allclose(loaded, PIXELS, atol=1e-4)
    assert "colour profile cannot be used" in caplog.text


@pytest.mark.parametrize(
    "source",
    [
        PIXELS,
        PIXELS[np.newaxis],
        PIXELS / 255.0,
        PIXELS.astype(np.uint16) * 257,
        Image.fromarray(PIXELS),
        tf.constant(PIXELS),
        tf.constant(PIXELS, tf.float32)[tf.newaxis] / 255,
    ],
    ids=["uint8", "batch", "float64", "uint16", "pil", "tensor", "float tensor"],
)
def test_arrays(source):
    np.testing.assert_allclose(images.load_image(source)[0], PIXELS / 255, atol=1e-6)


def test_grey_and_transparent_arrays():
    np.testing.assert_allclose(images.load_image(np.full((4, 5), 51, np.uint8)), 0.2, atol=1e-6)
    rgba = np.zeros((4, 5, 4))
    rgba[..., 3] = 0.25
    np.testing.assert_allclose(images.load_image(rgba), 0.75, atol=1e-6)


@pytest.mark.parametrize(
    ("array", "problem"),
    [
        (np.full((4, 4, 3), 200.0), r"in \[0, 1\]"),
        (np.full((4, 4, 3), np.nan), r"in \[0, 1\], not from nan"),
        (np.zeros((4, 4, 3), np.int32), "must be uint8"),
        (np.zeros((4, 4, 2)), "must be"),
        (np.zeros((2, 4, 4, 3)), r"must be \[H, W\]"),
        (np.zeros((0, 4, 3)), "must be"),
    ],
)
def test_bad_arrays(array, problem):
    with pytest.raises(ValueError, match=rf"^style: an array.*{problem}"):
        images.load_image(array, "style")


@pytest.mark.parametrize("kind", ["PNG", "WEBP", "JPEG"])
def test_with_broken_exif_a_picture_is_as_it_is(tmp_path, kind):
    path = tmp_path / f"a.{kind.lower()}"
    Image.fromarray(PIXELS).save(path, kind, exif=b"Exif\0\0II*\0")
    for source in (path, Image.open(path)):
        assert images.load_image(source).shape == (1, 20, 30, 3) and decode.size_of(source) == (20, 30)
    with pytest.raises(ValueError, match="carries no tfstyle settings"):
        encode.read_note(path)


def test_bad_files(tmp_path, monkeypatch):
    with pytest.raises(FileNotFoundError, match=r"content='.*none.png': no such file"):
        images.load_image(tmp_path / "none.png", "content")
    with pytest.raises(OSError, match="is a folder"):
        images.load_image(tmp_path)
    (tmp_path / "text.png").write_text("not a picture")
    with pytest.raises(ValueError, match="is not a picture"):
        images.load_image(tmp_path / "text.png")
    (tmp_path / "empty.jpg").touch()
    with pytest.raises(ValueError, match=r"^image='.*empty.jpg': is empty$"):
        images.load_image(tmp_path / "empty.jpg")
    for kind in ("PNG", "JPEG"):
        whole = file_bytes(picture(90, 90), kind)
        (tmp_path / f"short.{kind}").write_bytes(whole[: len(whole) // 2])
        with pytest.raises(ValueError, match="damaged or cut short"):
            images.load_image(tmp_path / f"short.{kind}")
    Image.fromarray(PIXELS).save(tmp_path / "big.png")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)
    with pytest.raises(ValueError, match="million pixels"):
        images.load_image(tmp_path / "big.png")


def test_fitted_size_keeps_the_aspect():
    assert images.fitted_size(300, 400, 256) == (192, 256)
    assert images.fitted_size(400, 300, 256) == (256, 192)
    assert images.fitted_size(300, 400, 0) == (300, 400)
    assert images.fitted_size(1, 1000, 10) == (1, 10)


def test_resize_averages_when_it_shrinks():
    stripes = np.zeros((1, 64, 64, 3), np.float32)
    stripes[:, :, ::2] = 1
    shrunk = images.resize(tf.constant(stripes), (16, 16)).numpy()
    np.testing.assert_allclose(shrunk[:, 2:-2, 2:-2], 0.5, atol=0.02)  # not the aliased 0 or 1
    again = images.resize(tf.constant(shrunk), (64, 48))
    assert again.shape == (1, 64, 48, 3)
    assert again.numpy().min() >= 0 and again.numpy().max() <= 1


def test_cover_keeps_the_aspect_and_cuts():
    circle = np.hypot(*np.mgrid[-20:20, -20:20])[np.newaxis, ..., np.newaxis] < 10
    covered = images.cover(tf.constant(np.repeat(circle, 3, -1), tf.float32), (30, 60)).numpy()[0, ..., 0]
    assert covered.shape == (30, 60)
    inside = covered > 0.5
    assert abs(inside.any(0).sum() - inside.any(1).sum()) <= 1  # still round


def test_rounding_to_bytes():
    values = np.array([[[-0.2, 0.0, 0.4999 / 255], [0.5001 / 255, 254.6 / 255, 1.7]]])
    np.testing.assert_array_equal(encode.to_uint8(values), [[[0, 0, 0], [1, 255, 255]]])


@pytest.mark.parametrize("kind", [np.uint8, np.uint16, np.float64])
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_pictures_of_all_types_are_saved_as_they_are(tmp_path, kind, channels):
    shown = np.dstack([PIXELS, PIXELS])[..., :channels]
    full = 1 if kind is np.float64 else np.iinfo(kind).max
    encode.save_image(tmp_path / "a.png", tf.constant((shown / 255 * full).round(9).astype(kind))[tf.newaxis])
    stored = np.asarray(Image.open(tmp_path / "a.png"))
    np.testing.assert_array_equal(stored, np.repeat(shown, 3, -1) if channels == 1 else shown)


def test_what_is_no_picture_is_not_saved(tmp_path):
    says = r"^image: an array .*floats must be in \[0, 1\], not from 200 to 200; divide 0..255 by 255"
    with pytest.raises(ValueError, match=says):
        encode.save_image(tmp_path / "a.png", np.full((4, 4, 3), 200.0))
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("batch", [False, True])
def test_opacity_is_saved(tmp_path, batch):
    """Colours are kept even where nothing shows."""
    values, alpha = PIXELS / np.float32(255), (PIXELS[..., 2:] / np.float32(255)).copy()
    alpha[:5] = 0
    given = [each[np.newaxis] if batch else each for each in (values, alpha)]
    encode.save_image(tmp_path / "a.png", given[0], note="told", alpha=tf.constant(given[1]))
    stored = np.asarray(Image.open(tmp_path / "a.png"))
    np.testing.assert_array_equal(stored, np.dstack([PIXELS, np.round(alpha * 255).astype(np.uint8)]))
    np.testing.assert_allclose(images.load_with_alpha(tmp_path / "a.png")[1][0], alpha, atol=1e-6)
    assert encode.read_note(tmp_path / "a.png") == "told"
    encode.save_image(tmp_path / "b.png", values)
    assert Image.open(tmp_path / "b.png").mode == "RGB"


def test_outputs_that_cannot_be_written(tmp_path):
    with pytest.raises(ValueError, match=r"must end in .png, .jpg, .jpeg, .webp, .tif, .tiff"):
        encode.check_writable(tmp_path / "a.bmp")
    encode.check_writable(tmp_path / "new" / "deep" / "a.png")
    assert (tmp_path / "new" / "deep").is_dir()
    (tmp_path / "folder.png").mkdir()
    with pytest.raises(OSError, match="is a folder"):
        encode.check_writable(tmp_path / "folder.png")
    encode.check_writable(tmp_path / "a.png")
    assert not (tmp_path / "a.png").exists()


def test_one_transparent_grey_of_sixteen_bits(tmp_path):
    values = np.full((4, 6), 20_000, np.uint16)
    values[1:3, 2:4] = 40_000
    Image.fromarray(values).save(tmp_path / "deep.png", transparency=40_000)
    image, alpha = images.load_with_alpha(tmp_path / "deep.png")
    np.testing.assert_array_equal(alpha[0, ..., 0], values == 20_000)
    np.testing.assert_allclose(image[0, ..., 1], np.where(values == 40_000, 1, 20_000 / 65_535), rtol=1e-6)


def test_formats_that_start_programs_are_not_opened(tmp_path):
    path = tmp_path / "picture.png"
    for data in (
        b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n%%EOF\n",
        b"\xd7\xcd\xc6\x9a" + bytes(99),
    ):
        path.write_bytes(data)
        with pytest.raises(ValueError, match="is not a picture that Pillow can read"):
            images.load_image(path)
    assert not {"EPS", "WMF", "FPX", "MIC", "IPTC"} & set(formats.formats())
    assert {".png", ".jpg", ".jpeg", ".webp", ".tif", ".gif", ".bmp", ".mpo"} <= formats.suffixes()


def test_pipes_and_devices_are_no_pictures(tmp_path):
    os.mkfifo(tmp_path / "pipe.png")
    for path in (tmp_path / "pipe.png", "/dev/zero"):
        with pytest.raises(OSError, match="is a device or pipe"):
            images.load_image(path)


@pytest.mark.parametrize(
    "chunks",
    [
        [chunk(b"zTXt", b"tfstyle\0\0" + zlib.compress(bytes(1 << 26)))],
        [chunk(b"iTXt", b"tfstyle\0\1\0\0\0" + zlib.compress(bytes(1 << 26)))],
        [chunk(b"iCCP", b"x\0\0" + zlib.compress(bytes(1 << 26)))],
        [chunk(b"zTXt", b"%d\0\0" % number + zlib.compress(bytes(1 << 20))) for number in range(99)],
    ],
)
def test_packed_texts_take_no_memory(tmp_path, chunks):
    path = tmp_path / "picture.png"
    path.write_bytes(png_with(*chunks))
    tracemalloc.start()
    with contextlib.suppress(ValueError):
        images.load_image(path)
    with pytest.raises(ValueError, match="from="):
        encode.read_note(path)
    assert tracemalloc.get_traced_memory()[1] < 1 << 28
    tracemalloc.stop()


def test_odd_tags_make_no_noise(tmp_path, recwarn):
    path = tmp_path / "picture.png"
    path.write_bytes(png_with(chunk(b"eXIf", b"II*\0\x08\0\0\0\xff\xff\x12\x01\x03\0\x01\0\0\0\x63\0\0\0")))
    with contextlib.suppress(ValueError):
        images.load_image(path)
    assert not recwarn.list
