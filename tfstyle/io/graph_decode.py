"""Pictures as bytes inside a TensorFlow graph: for `tf.data`, and for models saved with their input.

`decode` gives what `images.load_image` gives of a file, but with nothing except
TensorFlow's operations. Its decoders, which do the decoding, know neither EXIF's
orientation nor what lies behind transparent pixels: hence the code here. What they
cannot do is left out: colour profiles (ICC) are not applied, a PNG of 16 bits is
rounded to 8, and an orientation is found in EXIF alone, not in XMP.

TensorFlow takes the memory for as many pixels as a file speaks of, up to 2^29.
So that a small file cannot take many gigabytes, what is larger than Pillow's own
limit is refused by its header.
"""

from __future__ import annotations

import tensorflow as tf

_JPEG, _PNG = b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n"  # what files begin with
_GIF, _RIFF, _BMP = b"GIF8", b"RIFF", b"BM"
LARGEST = 178_956_970  # pixels; what Pillow takes at most, unless it is told otherwise
_STEPS = 1 << 14  # segments or chunks of a file that are looked at
_LONGEST_EXIF = 1 << 16
_GIF_STEPS = 1 << 15  # blocks, of which a GIF has one every 255 bytes


@tf.function(input_signature=[tf.TensorSpec([], tf.string)], autograph=False)
def decode(encoded: tf.Tensor) -> tf.Tensor:
    """Decodes a picture: upright (EXIF), laid on white where it is transparent, in colour.

    Args:
      encoded: scalar string, the bytes of a JPEG or PNG. Of GIF (its first
        picture), BMP without a palette and WebP, what `tf.io.decode_image`
        gives in three channels comes as it is. Whatever else that may read is
        refused, for its header is not looked at here.

    Returns:
      `[H, W, 3]` uint8, RGB.

    Raises:
      tf.errors.InvalidArgumentError: these are not the bytes of a picture, or
        damaged ones, or of more than `LARGEST` pixels (in all pictures of a
        GIF), or a GIF has more than 32,768 blocks, which are some 8 MB.
    """
    named = tf.debugging.Assert(is_known(encoded), ["the bytes are no JPEG, PNG, GIF, BMP or WebP"])
    with tf.control_dependencies([named]), tf.control_dependencies([_require_size(encoded)]):
        encoded = tf.identity(encoded)
    pixels = tf.case(
        [
            (_begins(encoded, _JPEG), lambda: _decode_jpeg(encoded)),
            (_begins(encoded, _PNG), lambda: _decode_png(encoded)),
        ],
        default=lambda: tf.io.decode_image(encoded, channels=3, expand_animations=False),
    )
    return tf.ensure_shape(pixels, [None, None, 3])


def is_known(encoded: tf.Tensor) -> tf.Tensor:
    """Returns whether bytes begin as a file does that `decode` takes."""
    return tf.reduce_any([_begins(encoded, start) for start in (_JPEG, _PNG, _GIF, _RIFF, _BMP)])


def encode_png(pixels: tf.Tensor) -> tf.Tensor:
    """Returns the bytes of a PNG, a scalar string, of `[H, W, 3]` uint8."""
    return tf.io.encode_png(tf.ensure_shape(tf.convert_to_tensor(pixels, tf.uint8), [None, None, 3]))


def _require_size(encoded: tf.Tensor) -> tf.Operation | None:
    pixels = tf.case(
        [
            (_begins(encoded, _JPEG), lambda: _area(*tf.unstack(tf.io.extract_jpeg_shape(encoded)[:2]))),
            (_begins(encoded, _PNG), lambda: _area(*_numbers(encoded, (16, 20), 4, little=False))),
            (_begins(encoded, _GIF), lambda: _pixels_of_gif(encoded)),
            (_begins(encoded, _RIFF), lambda: _pixels_of_webp(encoded)),
        ],
        # A BMP must have its pixels in it.
        default=lambda: tf.constant(0, tf.int64),
    )
    message = f"the picture has more than {LARGEST / 1e6:.0f} million pixels; scale it down first"
    return tf.debugging.assert_less_equal(pixels, tf.constant(LARGEST, tf.int64), message)


def _pixels_of_gif(encoded: tf.Tensor) -> tf.Tensor:
    """Returns how many pixels TensorFlow makes room for: in all pictures, or one as wide and high as any."""

    def step(position, inside, pixels, sides):
        ahead = _bytes(encoded, position, 10)
        picture, extension = ahead[0] == 0x2C, ahead[0] == 0x21
        own = tf.stack([_number(ahead[5:7], True), _number(ahead[7:9], True)])
        # Behind a picture's head, or an extension's, are parts of up to 255 bytes each, and an empty one.
        head = tf.where(picture, 11 + _table(ahead[9]), 2)
        following = tf.where(picture | extension, position + head, -1)
        begun = picture & ~inside
        return (
            tf.where(inside, position + 1 + ahead[0], following),
            tf.where(inside, ahead[0] > 0, True),
            tf.where(begun, pixels + own[0] * own[1], pixels),
            tf.where(begun, tf.maximum(sides, own), sides),
        )

    def unfinished(position, *_):
        return (position >= 0) & (position < _size(encoded))

    screen = tf.stack(_numbers(encoded, (6, 8), 2, little=True))
    first = 13 + _table(_bytes(encoded, 10, 1)[0])
    start = first, tf.constant(False), tf.constant(0, tf.int64), screen
    found = tf.while_loop(unfinished, step, start, maximum_iterations=_GIF_STEPS)
    pixels = tf.maximum(found[2], _area(*tf.unstack(found[3])))
    return tf.where(unfinished(found[0]), tf.int64.max, pixels)


def _table(flags: tf.Tensor) -> tf.Tensor:
    """Returns how many bytes a GIF's table of colours has."""
    return tf.where(flags & 0x80 != 0, 3 * tf.bitwise.left_shift(tf.constant(2, tf.int64), flags & 7), 0)


def _pixels_of_webp(encoded: tf.Tensor) -> tf.Tensor:
    kind = _substring(encoded, 12, 4)
    width, height = _numbers(encoded, (24, 27), 3, little=True)
    packed, low, high = _numbers(encoded, (21,), 4, little=True) + _numbers(encoded, (26, 28), 2, little=True)
    return tf.case(
        [
            (kind == b"VP8X", lambda: _area(width + 1, height + 1)),
            (kind == b"VP8L", lambda: _area((packed & 0x3FFF) + 1, (packed // 0x4000 & 0x3FFF) + 1)),
        ],
        default=lambda: _area(low & 0x3FFF, high & 0x3FFF),
    )


def _area(height, width) -> tf.Tensor:
    """Returns the product of sides, of which none is larger than 32 bits."""
    return tf.minimum(tf.cast(height, tf.int64), 1 << 31) * tf.minimum(tf.cast(width, tf.int64), 1 << 31)


def _decode_jpeg(encoded: tf.Tensor) -> tf.Tensor:
    # The default method is a faster one, which is off by several levels.
    pixels = tf.io.decode_jpeg(encoded, channels=3, dct_method="INTEGER_ACCURATE")
    return _upright(pixels, _orientation(_exif_of_jpeg(encoded)))


def _decode_png(encoded: tf.Tensor) -> tf.Tensor:
    transparent, exif = _notes_of_png(encoded)
    # As uint8, 16 bits would be cut off, not rounded. Fewer are spread over the whole range.
    values = tf.cast(tf.io.decode_png(encoded, channels=4, dtype=tf.uint16), tf.float32)
    # Where a file has no opacity, TensorFlow invents one, which is not always the full one.
    opacity = tf.where(transparent, values[..., 3:] / 65535.0, 1.0)
    laid = values[..., :3] / 257.0 * opacity + 255.0 * (1.0 - opacity)
    return _upright(tf.cast(tf.round(laid), tf.uint8), _orientation(exif))


def _upright(pixels: tf.Tensor, orientation: tf.Tensor) -> tf.Tensor:
    """Turns a picture stored in one of EXIF's orientations, 1 to 8."""
    transposed = tf.cond(orientation >= 5, lambda: tf.transpose(pixels, [1, 0, 2]), lambda: pixels)
    down = tf.where(tf.reduce_any(orientation == [3, 4, 7, 8]), -1, 1)
    right = tf.where(tf.reduce_any(orientation == [2, 3, 6, 7]), -1, 1)
    return transposed[::down, ::right]


def _exif_of_jpeg(encoded: tf.Tensor) -> tf.Tensor:
    """Returns the EXIF block of a JPEG, without its name; empty where there is none."""

    def step(position, exif):
        # 0xFF, what segment, its length with these two bytes, what EXIF's begins with.
        ahead = _bytes(encoded, position, 10)
        kind, length = ahead[1], _number(ahead[2:4])
        named = tf.reduce_all(ahead[4:] == list(b"Exif\0\0"))
        block = _substring(encoded, position + 10, tf.where((kind == 0xE1) & named, length - 8, 0))
        filler = kind == 0xFF
        # From 0xDA (the scan) on come coded pixels, below 0xC0 are no segments.
        segment = (kind >= 0xC0) & (kind != 0xD9) & (kind != 0xDA) & (length >= 2)
        following = tf.where(filler, position + 1, tf.where(segment, position + 2 + length, -1))
        return tf.where(ahead[0] == 0xFF, following, -1), block

    def unfinished(position, exif):
        return (position >= 0) & (tf.strings.length(exif) == 0)

    start = tf.constant(2, tf.int64), tf.constant("")
    return tf.while_loop(unfinished, step, start, maximum_iterations=_STEPS)[1]


def _notes_of_png(encoded: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Returns whether a PNG has opacity, and its EXIF block, empty where there is none."""

    def step(position, transparent, exif):
        length, kind = _number(_bytes(encoded, position, 4)), _substring(encoded, position + 4, 4)
        block = _substring(encoded, position + 8, tf.minimum(length, _LONGEST_EXIF))
        exif = tf.where(kind == b"eXIf", block, exif)
        return position + 12 + length, transparent | (kind == b"tRNS"), exif

    def unfinished(position, transparent, exif):
        return position < _size(encoded)

    color_type = _bytes(encoded, tf.constant(25, tf.int64), 1)[0]
    start = tf.constant(len(_PNG), tf.int64), color_type & 4 != 0, tf.constant("")
    return tf.while_loop(unfinished, step, start, maximum_iterations=_STEPS)[1:]


def _orientation(exif: tf.Tensor) -> tf.Tensor:
    """Returns the orientation, 1 to 8, that an EXIF block's first directory tells; 1 where it tells none."""
    head = _bytes(exif, 0, 8)
    little = head[0] == ord("I")
    known = tf.reduce_any([tf.reduce_all(head[:4] == list(order)) for order in (b"II*\0", b"MM\0*")])
    first = _number(head[4:], little)
    # Entries that would go beyond the block are not there, however many there are said to be.
    room = tf.maximum(_size(exif) - first - 2, 0) // 12
    count = tf.minimum(_number(_bytes(exif, first, 2), little), room)
    table = tf.io.decode_raw(_substring(exif, first + 2, 12 * count), tf.uint8)
    entries = tf.cast(tf.reshape(table, [-1, 12]), tf.int64)
    # An entry: its tag, the type and number of its values, and the value itself if it fits.
    tag, kind, values = (_number(entries[:, begin:end], little) for begin, end in ((0, 2), (2, 4), (4, 8)))
    short, long = _number(entries[:, 8:10], little), _number(entries[:, 8:], little)
    value = tf.where(kind == 3, short, tf.where(kind == 4, long, 0))
    meant = known & (tag == 0x0112) & (values == 1) & (value <= 8)
    return tf.maximum(tf.reduce_max(tf.where(meant, value, 1)), 1)


def _begins(string: tf.Tensor, with_bytes: bytes) -> tf.Tensor:
    return _substring(string, 0, len(with_bytes)) == with_bytes


def _numbers(string: tf.Tensor, starts: tuple[int, ...], size: int, *, little: bool) -> list[tf.Tensor]:
    return [_number(_bytes(string, start, size), little) for start in starts]


def _size(string: tf.Tensor) -> tf.Tensor:
    return tf.cast(tf.strings.length(string), tf.int64)


def _substring(string: tf.Tensor, start, size) -> tf.Tensor:
    """Returns as much of a part of a string as there is; nothing where `size` is negative."""
    start, size = tf.cast(start, tf.int64), tf.maximum(tf.cast(size, tf.int64), 0)
    return tf.strings.substr(string, tf.minimum(start, _size(string)), size)


def _bytes(string: tf.Tensor, start, size: int) -> tf.Tensor:
    """Returns bytes as `[size]` int64; those behind the end are 0."""
    part = _substring(string, start, size)
    return tf.cast(tf.io.decode_raw(part, tf.uint8, fixed_length=size), tf.int64)


def _number(digits: tf.Tensor, little: tf.Tensor | bool = False) -> tf.Tensor:
    """Returns the numbers that bytes `[..., n]` stand for, the most significant first unless `little`."""
    powers = tf.constant([256**place for place in range(digits.shape[-1])], tf.int64)
    return tf.reduce_sum(tf.where(little, digits, tf.reverse(digits, [-1])) * powers, axis=-1)
