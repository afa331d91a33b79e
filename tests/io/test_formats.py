"""A folder of one of every kind of picture, read to what was drawn: by the formats' own rules, not by Pillow."""

import importlib.util
import struct
import zlib

import numpy as np
import pytest
from PIL import Image, ImageCms

from tfstyle.io import encode, formats, images

from conftest import chunk, file_bytes

# Flat areas of 16 x 16 pixels, which no lossy format mixes.
COLORS = np.array(
    [[[250, 20, 30], [10, 200, 40], [20, 40, 220]], [[128, 128, 128], [240, 220, 30], [5, 5, 5]]]
)
DRAWN = COLORS.repeat(16, 0).repeat(16, 1).astype(np.uint8)
GREY = DRAWN[..., 1]
HEIF = importlib.util.find_spec("pillow_heif") is not None
needs_heif = pytest.mark.skipif(not HEIF, reason="needs pillow-heif: pip install 'tfstyle[heif]'")


def grey(values):
    return np.repeat(np.asarray(values, float)[..., np.newaxis], 3, -1)


def png(kind, depth, rows, *chunks):
    """A PNG by its specification; `rows` are packed already."""
    head = struct.pack(">IIBBBBB", DRAWN.shape[1], DRAWN.shape[0], depth, kind, 0, 0, 0)
    data = zlib.compress(b"".join(b"\0" + row.tobytes() for row in rows))
    body = [
        chunk(b"IHDR", head),
        *(chunk(*each) for each in chunks),
        chunk(b"IDAT", data),
        chunk(b"IEND", b""),
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(body)


def packed(values, depth):
    """Rows of values below 2^depth, most significant first."""
    bits = values[..., np.newaxis] >> np.arange(depth - 1, -1, -1) & 1
    return np.packbits(bits.reshape(len(values), -1).astype(np.uint8), axis=1)


def saved(kind, pixels=DRAWN, **options):
    return file_bytes(pixels, kind, **options)


def several(kind, **options):
    """The drawn picture, and its negative behind it."""
    more = [Image.fromarray(255 - DRAWN)]
    return saved(kind, save_all=True, append_images=more, **options)


def swapped_profile():
    """A profile by which what is written as red is blue: sRGB's, its primaries under each other's names."""
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    return profile.replace(b"rXYZ", b"?XYZ").replace(b"bXYZ", b"rXYZ").replace(b"?XYZ", b"bXYZ")


def cmyk():
    """Inks as CMYK: each colour's complement, and a quarter of black."""
    return np.dstack([255 - DRAWN, np.full_like(GREY, 64)])


FADING = np.broadcast_to(np.arange(48, dtype=np.uint8) * 5, GREY.shape)
ON_WHITE = DRAWN * (FADING / 255)[..., np.newaxis] + 255 - FADING[..., np.newaxis].astype(float)
INDICES, PALETTE = (
    np.arange(6).reshape(2, 3).repeat(16, 0).repeat(16, 1),
    COLORS.reshape(6, 3).astype(np.uint8),
)
DEEP = np.linspace(0, 65535, GREY.size).astype(np.uint16).reshape(GREY.shape)
EXIF = b"Exif\0\0MM\0*" + struct.pack(
    ">IHHHIHHI", 8, 1, 0x0112, 3, 1, 6, 0, 0
)  # stored lying on its left side

# {file: (its bytes, what it shows of 255)}
FILES = {
    **{f"grey{d}.png": (png(0, d, packed(GREY >> 8 - d, d)), grey((GREY >> 8 - d) * (255 / (2**d - 1)))) for d in (1, 2, 4, 8)},
    "grey16.png": (png(0, 16, DEEP.astype(">u2")), grey(DEEP / 257)),
    "rgb8.png": (png(2, 8, DRAWN), DRAWN),
    "rgb16.png": (png(2, 16, (DRAWN.astype(np.uint16) * 257).astype(">u2")), DRAWN),
    "palette4.png": (png(3, 4, packed(INDICES, 4), (b"PLTE", PALETTE.tobytes())), DRAWN),
    "clear_palette.png": (
        png(3, 8, INDICES.astype(np.uint8), (b"PLTE", PALETTE.tobytes()), (b"tRNS", b"\0")),
        np.where((INDICES == 0)[..., np.newaxis], 255, DRAWN),
    ),
    "grey_alpha.png": (png(4, 8, np.dstack([GREY, FADING])), grey(GREY * (FADING / 255) + 255 - FADING)),
    "rgba16.png": (png(6, 16, (np.dstack([DRAWN, FADING]).astype(np.uint16) * 257).astype(">u2")), ON_WHITE),
    "animated.png": (several("PNG"), DRAWN),
    "colour.jpg": (saved("JPEG", quality=95, subsampling=0), DRAWN),
    "progressive.jpg": (saved("JPEG", quality=95, subsampling=0, progressive=True), DRAWN),
    "grey.jpg": (saved("JPEG", GREY, quality=95), grey(GREY)),
    "cmyk.jpg": (
        saved("JPEG", Image.fromarray(cmyk(), "CMYK"), quality=98, subsampling=0),
        DRAWN * (191 / 255),
    ),
    "mpo.jpg": (several("MPO", quality=95, subsampling=0), DRAWN),
    "profile.jpg": (saved("JPEG", quality=98, subsampling=0, icc_profile=swapped_profile()), DRAWN[..., ::-1]),
    "profile.png": (saved("PNG", icc_profile=swapped_profile()), DRAWN[..., ::-1]),
    "rgb.tif": (saved("TIFF"), DRAWN),
    "grey16.tif": (saved("TIFF", DEEP), grey(DEEP / 257)),
    "float.tif": (saved("TIFF", (GREY / 255).astype(np.float32)), grey(GREY)),
    "cmyk.tif": (saved("TIFF", Image.fromarray(cmyk(), "CMYK")), DRAWN * (191 / 255)),
    "packed.tif": (saved("TIFF", compression="tiff_lzw"), DRAWN),
    "a.gif": (saved("GIF"), DRAWN),
    "animated.gif": (several("GIF"), DRAWN),
    "lossless.webp": (saved("WEBP", np.dstack([DRAWN, FADING]), lossless=True), ON_WHITE),
    "animated.webp": (several("WEBP", lossless=True), DRAWN),
    "a.bmp": (saved("BMP"), DRAWN),
    "a.ppm": (b"P6 48 32 255\n" + DRAWN.tobytes(), DRAWN),
    "a.jp2": (saved("JPEG2000"), DRAWN),
    "turned.jpg": (saved("JPEG", quality=95, subsampling=0, exif=EXIF), np.rot90(DRAWN, -1)),
    "turned.tif": (saved("TIFF", exif=EXIF), np.rot90(DRAWN, -1)),
    "turned.webp": (saved("WEBP", lossless=True, exif=EXIF), np.rot90(DRAWN, -1)),
}  # fmt: skip
if "AVIF" in formats.formats():
    FILES["a.avif"] = (saved("AVIF", quality=95, subsampling="4:4:4"), DRAWN)
    FILES["turned.avif"] = (saved("AVIF", quality=95, subsampling="4:4:4", exif=EXIF), np.rot90(DRAWN, -1))
if HEIF:
    FILES["a.heic"] = (saved("HEIF", quality=95, chroma=444), DRAWN)
    FILES["turned.heic"] = (saved("HEIF", quality=95, chroma=444, exif=EXIF), np.rot90(DRAWN, -1))
    FILES["profile.heic"] = (
        saved("HEIF", quality=95, chroma=444, icc_profile=swapped_profile()),
        DRAWN[..., ::-1],
    )


@pytest.mark.parametrize("name", FILES)
def test_every_kind_is_read_right(tmp_path, name):
    data, shown = FILES[name]
    (tmp_path / name).write_bytes(data)
    found = images.load_image(tmp_path / name)[0].numpy() * 255
    assert found.shape == shown.shape
    # Blocks of lossy formats need not end where the areas do; their insides are flat.
    inside = np.s_[:] if name.endswith(("png", "tif", "gif", "bmp", "ppm", "jp2")) else np.s_[4::8]
    np.testing.assert_allclose(found[inside, inside], shown[inside, inside], atol=2)


@pytest.mark.parametrize("kind", ["PNG", "GIF", "WEBP", "TIFF"])
def test_of_an_animation_the_first_picture_is_taken_and_that_is_said_once(tmp_path, caplog, kind):
    path = tmp_path / f"a.{kind.lower()}"
    path.write_bytes(several(kind))
    with caplog.at_level("WARNING", "absl"):
        for _ in range(2):
            images.load_image(path, "content")
    assert [record.getMessage() for record in caplog.records] == [
        f"content={str(path)!r}: holds several pictures; the first is taken"
    ]


def test_what_is_not_installed_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr(formats, "formats", lambda: ("PNG",))
    for brand, what in (
        (b"heic", r"is HEIF, which needs pillow-heif: pip install 'tfstyle\[heif\]'"),
        (b"avif", "Pillow"),
    ):
        (tmp_path / "a.heic").write_bytes(b"\0\0\0\x18ftyp" + brand + bytes(4) + b"mif1" + brand)
        with pytest.raises(ValueError, match=f"^content='.*a.heic': .*{what}"):
            images.load_image(tmp_path / "a.heic", "content")


WRITTEN = [
    ".png", ".JPG", ".jpeg", ".webp", ".tif", ".tiff",
    pytest.param(".avif", marks=pytest.mark.skipif("AVIF" not in formats.formats(), reason="needs Pillow 11.3")),
    pytest.param(".heic", marks=needs_heif), pytest.param(".heif", marks=needs_heif),
]  # fmt: skip


@pytest.mark.parametrize(("suffix", "most"), [(".jpg", 65500), (".webp", 16383)])
def test_what_a_format_cannot_hold_is_refused_before_the_run(tmp_path, suffix, most):
    path = tmp_path / f"a{suffix}"
    encode.check_writable(path, side=most)
    with pytest.raises(
        ValueError, match=rf"a{suffix}': {suffix} holds at most {most} pixels a side, not {most + 1}"
    ):
        encode.check_writable(path, side=most + 1)
    with pytest.raises((ValueError, OSError)):
        Image.new("L", (most + 1, 1)).save(path)


@pytest.mark.parametrize("suffix", WRITTEN)
def test_what_is_written_is_read_again_with_its_note(tmp_path, suffix):
    path, note = tmp_path / f"a{suffix}", '{"ü": "→", "path": "' + 2000 * "x" + '"}'
    encode.check_writable(path)
    encode.save_image(path, DRAWN, note)
    np.testing.assert_allclose(images.load_image(path)[0, 4::8, 4::8] * 255, DRAWN[4::8, 4::8], atol=4)
    assert encode.read_note(path) == note
    encode.save_image(path, DRAWN, None, (FADING / 255)[..., np.newaxis])
    found, alpha = images.load_with_alpha(path)
    np.testing.assert_allclose(found[0, 4::8, 4::8] * 255, ON_WHITE[4::8, 4::8], atol=6)
    if suffix not in (".JPG", ".jpeg"):
        np.testing.assert_allclose(alpha[0, ..., 0], FADING / 255, atol=0.02)
    with pytest.raises(ValueError, match="carries no tfstyle settings"):
        encode.read_note(path)


@pytest.mark.skipif(HEIF, reason="pillow-heif is installed")
def test_heic_cannot_be_written_without_its_extra(tmp_path):
    with pytest.raises(ValueError, match=r"a.heic': .heic needs pillow-heif: pip install 'tfstyle\[heif\]'$"):
        encode.check_writable(tmp_path / "a.heic")
