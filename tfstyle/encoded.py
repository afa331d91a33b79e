"""Pictures as bytes inside a TensorFlow graph: for `tf.data`, and for models saved with their input.

`decode` gives what `images.load_image` gives of a file, but with nothing except
TensorFlow's operations. What those cannot do is left out: colour profiles (ICC)
are not applied, a PNG of 16 bits is rounded to 8, and an orientation is found in
EXIF alone, not in XMP.
"""

from __future__ import annotations

import tensorflow as tf

_JPEG, _PNG = b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n"  # what files begin with
_STEPS = 1 << 14  # segments or chunks of a file that are looked at
_LONGEST_EXIF = 1 << 16


def decode(encoded: tf.Tensor) -> tf.Tensor:
    """Decodes a picture: upright (EXIF), laid on white where it is transparent, in colour.

    Args:
      encoded: scalar string, the bytes of a JPEG or PNG. What else
        `tf.io.decode_image` reads in three channels comes as it gives it: so the
        first picture of a GIF and a BMP without a palette.

    Returns:
      `[H, W, 3]` uint8, RGB.

    Raises:
      tf.errors.InvalidArgumentError: these are not the bytes of a picture, or damaged ones.
    """
    encoded = tf.ensure_shape(tf.convert_to_tensor(encoded, tf.string), [])
    pixels = tf.case(
        [
            (_substring(encoded, 0, len(_JPEG)) == _JPEG, lambda: _decode_jpeg(encoded)),
            (_substring(encoded, 0, len(_PNG)) == _PNG, lambda: _decode_png(encoded)),
        ],
        default=lambda: tf.io.decode_image(encoded, channels=3, expand_animations=False),
    )
    return tf.ensure_shape(pixels, [None, None, 3])


def encode_png(pixels: tf.Tensor) -> tf.Tensor:
    """Returns the bytes of a PNG, a scalar string, of `[H, W, 3]` uint8."""
    return tf.io.encode_png(tf.ensure_shape(tf.convert_to_tensor(pixels, tf.uint8), [None, None, 3]))


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
