"""Lengths of the records in a TFRecord file, looked at before TensorFlow believes them.

A record is its length (8 bytes), a checksum of that, the data, and a checksum of
those. TensorFlow takes the memory for the data before it looks for them: a file
of 15 bytes that speaks of 2^40 ends the process, and no option of its reader limits
that: hence this look of our own.
"""

from __future__ import annotations

import os
import struct

from tfstyle.io.files import opened

LARGEST = 1 << 30  # bytes of one record
_HEAD, _TAIL = 12, 4
_POLYNOMIAL = 0x82F63B78  # of CRC-32C, the lowest bit first


def require_possible(path) -> None:
    """Checks that no record of a file claims more than `LARGEST` bytes.

    What else is wrong with a file is left to TensorFlow, which tells it when it
    comes to the place: checksums that do not fit, and an end that is cut off.

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
            if length > LARGEST:
                # With a wrong checksum no one believes the length.
                if checksum == masked_crc(head[:8]):
                    raise ValueError(
                        f"its record at byte {position} claims to have {length} bytes;"
                        f" must have at most {LARGEST}"
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
