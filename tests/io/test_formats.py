"""A folder of one of every kind of picture, read to what was drawn: by the formats' own rules, not by Pillow."""

import importlib.util
import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from tfstyle.io import encode, formats, images

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

    def chunk(name, data):
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

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


def saved(kind, pixels=DRAWN, mode=None, **options):
    stream = io.BytesIO()
    drawn = Image.fromarray(pixels) if isinstance(pixels, np.ndarray) else pixels
    (drawn.convert(mode) if mode else drawn).save(stream, kind, **options)
    return stream.getvalue()


def several(kind, **options):
    """The drawn picture, and its negative behind it."""
    more = [Image.fromarray(255 - DRAWN)]
    return saved(kind, save_all=True, append_images=more, **options)


def display_p3():
    """The profile of Display P3: sRGB's curve, about 2.2, and primaries adapted to D50 (Bradford)."""
    primaries = np.array(
        [[0.515102, 0.291965, 0.157153], [0.241182, 0.692236, 0.066582], [-0.001050, 0.041882, 0.784378]]
    )

    def fixed(values):
        return struct.pack(f">{len(values)}i", *(round(value * 65536) for value in values))

    def xyz(values):
        return b"XYZ \0\0\0\0" + fixed(values)

    steps = np.arange(1024) / 1023
    curve = np.round(
        65535 * np.where(steps <= 0.04045, steps / 12.92, ((steps + 0.055) / 1.055) ** 2.4)
    ).astype(">u2")
    tags = {b"wtpt": xyz([0.9642, 1, 0.8249]), b"desc": b"desc\0\0\0\0\0\0\0\3P3\0" + bytes(78)}
    tags |= {name + b"XYZ": xyz(column) for name, column in zip((b"r", b"g", b"b"), primaries.T)}
    tags |= {
        name + b"TRC": b"curv\0\0\0\0" + struct.pack(">I", 1024) + curve.tobytes()
        for name in (b"r", b"g", b"b")
    }
    table, data, start = b"", b"", 128 + 4 + 12 * len(tags)
    for name, content in tags.items():
        table += struct.pack(">4sII", name, start + len(data), len(content))
        data += content + bytes(-len(content) % 4)
    size = start + len(data)
    head = struct.pack(
        ">I4sI4s4s4s12s4s", size, b"\0\0\0\0", 0x02400000, b"mntr", b"RGB ", b"XYZ ", bytes(12), b"acsp"
    )
    head += bytes(28) + fixed([0.9642, 1, 0.8249]) + bytes(48)
    return head[:128] + struct.pack(">I", len(tags)) + table + data


def of_p3(pixels):
    """Display P3 in sRGB: linear light through CIE XYZ under D65 (SMPTE EG 432-1; IEC 61966-2-1), clipped."""
    to_xyz = [[0.486571, 0.265668, 0.198217], [0.228975, 0.691739, 0.079287], [0, 0.045113, 1.043944]]
    to_srgb = [
        [3.240970, -1.537383, -0.498611],
        [-0.969244, 1.875968, 0.041555],
        [0.055630, -0.203977, 1.056972],
    ]
    encoded = pixels / 255
    light = np.where(encoded <= 0.04045, encoded / 12.92, ((encoded + 0.055) / 1.055) ** 2.4)
    light = np.clip(light @ np.transpose(to_xyz) @ np.transpose(to_srgb), 0, 1)
    return 255 * np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)


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
    "p3.jpg": (saved("JPEG", quality=98, subsampling=0, icc_profile=display_p3()), of_p3(DRAWN)),
    "p3.png": (saved("PNG", icc_profile=display_p3()), of_p3(DRAWN)),
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
    FILES["p3.heic"] = (saved("HEIF", quality=95, chroma=444, icc_profile=display_p3()), of_p3(DRAWN))


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
