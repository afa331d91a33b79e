"""Bytes made wrong: anywhere, or inside a format whose checksums are then made right again."""

import io
import json
import lzma
import random
import struct
import warnings
import zipfile
import zlib

from tfstyle.io.tfrecords import masked_crc

_NUMBERS = (
    0, 1, 2, 0x7F, 0x80, 0xFF, 0x7FFF, 0xFFFF, 1 << 20, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, (1 << 63) - 1,
)  # fmt: skip
_VALUES = (
    None, True, False, 0, -1, 1, 2, 10**9, 2**63, 10**30, 1e308, -1e-320, "", "x", "../../x", "/etc/passwd", "\0",
    "\ud800", "a" * 5000, [], {}, [[]], {"": {}}, float("nan"), float("inf"),
)  # fmt: skip


_NOT_OF_THE_FORMAT = (
    ValueError, TypeError, KeyError, IndexError, AttributeError, EOFError, NotImplementedError, RuntimeError, OSError,
    MemoryError, struct.error, zlib.error, lzma.LZMAError, zipfile.BadZipFile,
)  # fmt: skip


def mutated(data: bytes, seeds: list[bytes], kind: str, rng: random.Random) -> bytes:
    """Returns something near a seed; every second time, if the format is known, within its framing."""
    if kind in _AWARE and rng.random() < 0.5:
        try:
            return _AWARE[kind](data, rng)
        except _NOT_OF_THE_FORMAT:
            pass  # a seed of another format, or what was bred from one
    return scrambled(data, seeds, rng)


def scrambled(data: bytes, seeds: list[bytes], rng: random.Random) -> bytes:
    out = bytearray(data)
    for _ in range(rng.choice((1, 1, 2, 3, 6))):
        place, kind = rng.randrange(len(out) + 1), rng.randrange(8)
        if kind == 0 and place < len(out):
            out[place] ^= 1 << rng.randrange(8)
        elif kind == 1 and place < len(out):
            out[place] = rng.choice((0, 1, 0x7F, 0x80, 0xFE, 0xFF, rng.randrange(256)))
        elif kind == 2:  # a length
            width, order = rng.choice((2, 4, 8)), rng.choice("<>")
            number = rng.choice((*_NUMBERS, len(out), rng.getrandbits(64))) & ((1 << 8 * width) - 1)
            out[place : place + width] = number.to_bytes(width, "little" if order == "<" else "big")
        elif kind == 3:
            del out[place : place + rng.choice((1, 4, 16, 1 << 30))]
        elif kind == 4:
            part = out[place : place + rng.choice((1, 8, 64, 512))]
            out[place:place] = part * rng.choice((1, 1, 8))
        elif kind == 5:
            out[place:place] = rng.randbytes(rng.choice((1, 4, 32)))
        elif kind == 6 and seeds:
            other = rng.choice(seeds)
            start = rng.randrange(len(other) + 1)
            out[place:] = other[start:]
        else:
            end = place + rng.choice((4, 32))
            out[place:end] = bytes(len(out[place:end]))
    return bytes(out[: 1 << 20])


def _png(data: bytes, rng: random.Random) -> bytes:
    if not data.startswith(b"\x89PNG"):
        raise ValueError
    chunks, place = [], 8
    while place + 12 <= len(data):
        length, name = struct.unpack(">I4s", data[place : place + 8])
        chunks.append([name, data[place + 8 : place + 8 + length]])
        place += 12 + length
    chosen, kind = rng.randrange(len(chunks)), rng.randrange(7)
    name, payload = chunks[chosen]
    if kind == 0:
        chunks.insert(rng.randrange(len(chunks)), [name, payload])
    elif kind == 1:
        del chunks[chosen]
    elif kind == 2:  # the header's sizes, depth, colour
        header = bytearray(chunks[0][1])
        if rng.random() < 0.5:
            struct.pack_into(
                ">I", header, rng.choice((0, 4)), rng.choice((0, 1, 7, 60000, 0x7FFFFFFF, 0xFFFFFFFF))
            )
        else:
            header[rng.randrange(8, 13)] = rng.choice((0, 1, 2, 3, 4, 6, 8, 16, 255))
        chunks[0][1] = bytes(header)
    elif kind == 3:
        extra = rng.choice(
            (b"tEXt", b"zTXt", b"iTXt", b"iCCP", b"eXIf", b"tRNS", b"PLTE", b"gAMA", b"acTL", b"fcTL")
        )
        packed = zlib.compress(bytes(rng.choice((0, 100, 1 << 21))))
        text = rng.choice(
            (b"tfstyle\0", b"x\0\0", b"tfstyle\0\1\0\0\0", b"Exif\0\0", b"II*\0\x08\0\0\0\xff\xff", b"")
        )
        chunks.insert(1, [extra, text + rng.choice((packed, rng.randbytes(20), b""))])
    elif kind == 4 and name == b"IDAT":
        chunks[chosen][1] = zlib.compress(scrambled(zlib.decompress(payload), [], rng))
    else:
        chunks[chosen][1] = scrambled(payload, [], rng)
    parts = [
        struct.pack(">I", len(each)) + tag + each + struct.pack(">I", zlib.crc32(tag + each))
        for tag, each in chunks
    ]
    return data[:8] + b"".join(parts)


def _zip(data: bytes, rng: random.Random) -> bytes:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        members = [[entry.filename, archive.read(entry)] for entry in archive.infolist()]
    chosen, kind = rng.randrange(len(members)), rng.randrange(8)
    name, payload = members[chosen]
    if kind == 0:
        del members[chosen]
    elif kind == 1:
        members.append([name, rng.choice(members)[1]])
    elif kind == 2:
        members[chosen][0] = rng.choice((members[0][0], "../x.npy", "x", ".npy", "-1|targets|a|gram|all.npy", scrambled(
            name.encode(), [], rng).decode("latin1")))  # fmt: skip
    elif kind == 3 and name == "json.npy":
        text = _json(payload[128:], rng)
        head = f"{{'descr': '|u1', 'fortran_order': False, 'shape': ({len(text)},), }}"
        members[chosen][1] = (
            b"\x93NUMPY\x01\0" + struct.pack("<H", len(head) + 1) + head.encode() + b"\n" + text
        )
    elif kind == 4:
        members[chosen][1], other = rng.choice(members)[1], payload
        members[rng.randrange(len(members))][1] = other
    elif kind == 5:
        head, rest = payload[:128], payload[128:]
        members[chosen][1] = scrambled(head, [], rng) + rest
    elif kind == 6:
        members[chosen][1] = payload + bytes(rng.choice((1, 1 << 22)))
    else:
        members[chosen][1] = scrambled(payload, [], rng)
    out = io.BytesIO()
    with (
        warnings.catch_warnings(action="ignore"),
        zipfile.ZipFile(
            out,
            "w",
            rng.choice((zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_DEFLATED, zipfile.ZIP_LZMA)),
        ) as archive,
    ):
        for name, payload in members:
            archive.writestr(name or "_", payload)
    return out.getvalue()


def _json(data: bytes, rng: random.Random) -> bytes:
    tree = json.loads(data)
    places = []

    def walk(node):
        items = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
        for key, child in items:
            places.append((node, key))
            walk(child)

    walk(tree)
    for _ in range(rng.choice((1, 1, 3))):
        node, key = rng.choice(places)
        kind = rng.randrange(5)
        if kind == 0 and isinstance(node, dict):
            node.pop(key, None)
        elif kind == 1 and isinstance(node, dict):
            node[rng.choice(("x", "", key * 2, "__class__"))] = rng.choice(_VALUES)
        elif kind == 2:
            deep = rng.choice(_VALUES)
            for _ in range(rng.choice((1, 70))):
                deep = [deep] if rng.random() < 0.5 else {"a": deep}
            node[key] = deep
        else:
            other, theirs = rng.choice(places)
            node[key] = rng.choice((rng.choice(_VALUES), json.loads(json.dumps(other.get(theirs)))
                                    if isinstance(other, dict) else 0))  # fmt: skip
    text = json.dumps(tree)
    if rng.random() < 0.1:
        text = text.replace(": 1", ": " + rng.choice(("1e400", "9" * 6000, "-0", "1E+2", "NaN")))
    if rng.random() < 0.05:
        text = rng.choice(("[", '{"a":')) * 50_000 + text
    return text.encode("utf-8", "replace")


def _records(data: bytes, rng: random.Random) -> bytes:
    payloads, place = [], 0
    while place < len(data):
        (length,) = struct.unpack("<Q", data[place : place + 8])
        payloads.append(data[place + 12 : place + 12 + length])
        place += 16 + length
    chosen = rng.randrange(len(payloads))
    if rng.random() < 0.3:  # a name of another length would need other lengths around it
        names = (
            b"../../../xx", b"/etc/passwd", b"a/../../b.p", b"..........x", b"a\\..\\..\\b",
            b"\xff\xfe\0abcdefg",
        )  # fmt: skip
        at = payloads[chosen].find(b"picture.png")
        if at >= 0:
            payloads[chosen] = (
                payloads[chosen][:at] + rng.choice(names)[:11].ljust(11, b"x") + payloads[chosen][at + 11 :]
            )
    else:
        payloads[chosen] = scrambled(payloads[chosen], payloads, rng)
    out = b""
    for payload in payloads:
        claimed = (
            len(payload) if rng.random() < 0.9 else rng.choice((0, 1 << 31, 1 << 40, (1 << 64) - 5, 1 << 20))
        )
        head = struct.pack("<Q", claimed)
        out += head + struct.pack("<I", masked_crc(head)) + payload + struct.pack("<I", masked_crc(payload))
    return out


_AWARE = {"png": _png, "picture": _png, "zip": _zip, "json": _json, "records": _records}
