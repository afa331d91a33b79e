"""The studio's folder: uploaded pictures under random ids, and a folder for each painting."""

from __future__ import annotations

import json
import pathlib
import re
import secrets
import shutil
import threading
import time
from typing import Any

import numpy as np
from PIL import Image

from tfstyle.io import decode, encode, untrusted
from tfstyle.io.files import make_folder, make_writable_folder, reason, write_atomically
from tfstyle.io.pixels import fitted
from tfstyle.runtime.locks import FolderLock

KINDS = ("photograph", "style", "mask")
MOST_PIXELS = 40_000_000
LONGEST_SIDE = 4096  # pixels; larger pictures are kept in this size
_SMALL = 512  # longer side of what the page shows of a picture
_MOST_PICTURES = 2000
_UNUSED_DAYS = 30  # after so many, pictures of no painting are removed
_LONGEST_RECORD = 1 << 22  # bytes
_ID = re.compile(r"[0-9a-f]{32}")
_PNG = b"\x89PNG\r\n\x1a\n"


class Missing(LookupError):
    """There is nothing of an id."""


class Store:
    """What lies in the folder; one process holds it at a time.

    Args:
      folder: made if it is not there.

    Raises:
      OSError: it cannot be made or written, or another studio works in it.
    """

    def __init__(self, folder):
        self.folder = make_writable_folder(folder, "folder").resolve()
        self._lock = FolderLock(self.folder, f"folder={str(folder)!r}")
        self._pictures = make_folder(self.folder / "pictures", "folder")
        self.paintings = make_folder(self.folder / "paintings", "folder")
        self._decoding = threading.Lock()  # decoded pictures are large: one at a time

    def close(self) -> None:
        """Lets the folder go."""
        self._lock.release()

    def add_picture(self, data: bytes, name: str, kind: str = "photograph") -> dict[str, Any]:
        """Decodes an uploaded picture, and keeps what was decoded, not what was uploaded.

        JPEG and the like become JPEG, PNG and what is transparent or a mask PNG; all upright and in sRGB.

        Args:
          data: the bytes of a file of any format that is read.
          name: what people call it.
          kind: what it is for, one of `KINDS`.

        Returns:
          Its record: ``id``, ``name``, ``kind``, ``file``, ``width``, ``height``.

        Raises:
          ValueError: it is no picture or one of too many pixels, or there are too many pictures.
        """
        identity, name = secrets.token_hex(16), _named(name)
        if kind not in KINDS:
            raise ValueError(f"kind={kind[:80]!r}: must be one of {', '.join(KINDS)}")
        if sum(1 for _ in self._pictures.glob("*.json")) >= _MOST_PICTURES:
            raise ValueError(f"{name}: the studio keeps at most {_MOST_PICTURES} pictures")
        uploaded = self._pictures / f".{identity}.upload"
        try:
            uploaded.write_bytes(data)
            with self._decoding:
                height, width = decode.size_of(uploaded, "picture")
                if height * width > MOST_PIXELS:
                    raise ValueError(
                        f"{name}: has {height * width / 1e6:.0f} million pixels; must have at most"
                        f" {MOST_PIXELS / 1e6:.0f} million"
                    )
                pixels, opacity = decode.decode(uploaded, "picture")
                lossless = kind == "mask" or opacity is not None or data.startswith(_PNG)
                return self._keep(identity, name, pixels, opacity, kind, ".png" if lossless else ".jpg")
        except (ValueError, OSError) as error:
            message = reason(error).replace(f"picture={str(uploaded)!r}", name)
            raise ValueError(message.replace(str(uploaded), name)) from None
        finally:
            uploaded.unlink(missing_ok=True)

    def _keep(self, identity: str, name: str, pixels, opacity, kind: str, suffix: str) -> dict[str, Any]:
        size = min(LONGEST_SIDE, max(pixels.shape[:2]))
        picture = Image.fromarray(encode.to_uint8(fitted(pixels, size)))
        small = picture.copy()
        small.thumbnail((_SMALL, _SMALL))
        encode.write_drawing(self.small(identity), small, quality=88)
        if opacity is not None:
            alpha = encode.to_uint8(fitted(opacity[..., np.newaxis], size))
            picture.putalpha(Image.fromarray(alpha[..., 0]))
        file = f"{identity}{suffix}"
        options = {"quality": 95, "subsampling": 0} if suffix == ".jpg" else {}
        encode.write_drawing(self._pictures / file, picture, **options)
        width, height = picture.size
        known = {"id": identity, "name": name, "kind": kind, "file": file, "width": width, "height": height}
        write_atomically(self._pictures / f"{identity}.json", json.dumps(known).encode())
        return known

    def picture(self, identity: str) -> dict[str, Any]:
        """Returns the record of a picture.

        Raises:
          Missing: there is none of this id.
        """
        try:
            return self._read(self._pictures / f"{_checked(identity)}.json")
        except (OSError, ValueError):
            raise Missing(f"{identity}: there is no such picture") from None

    def path(self, identity: str) -> pathlib.Path:
        """Returns the file of a picture; errors as in `picture`."""
        return self._pictures / self.picture(identity)["file"]

    def small(self, identity: str, look: str = "") -> pathlib.Path:
        """Returns where a small copy of a picture lies, or is to lie, as it is or in a named look."""
        return self._pictures / f"{_checked(identity)}{look and '.' + look}.small.jpg"

    def pictures(self) -> list[dict[str, Any]]:
        """Returns the records of all pictures, the newest first."""
        paths = sorted(self._pictures.glob("*.json"), key=lambda path: path.stat().st_mtime, reverse=True)
        return [self.picture(path.stem) for path in paths]

    def remove_unused(self, used: set[str]) -> None:
        """Removes old pictures that are none of the ids given, and what a killed studio had but begun."""
        for folder in self.paintings.iterdir():
            if folder.is_dir() and not (folder / "painting.json").exists():
                shutil.rmtree(folder, ignore_errors=True)
        oldest = time.time() - _UNUSED_DAYS * 86400
        for path in self._pictures.iterdir():
            if path.name.lstrip(".").partition(".")[0] not in used and path.stat().st_mtime < oldest:
                path.unlink()

    def painting_folder(self, identity: str) -> pathlib.Path:
        """Returns the folder of a painting.

        Raises:
          Missing: the id is none.
        """
        return self.paintings / _checked(identity)

    def save_painting(self, record: dict[str, Any]) -> None:
        """Writes what is known of a painting into its folder, which is made if it is not there."""
        folder = make_folder(self.painting_folder(record["id"]), "folder")
        write_atomically(folder / "painting.json", json.dumps(record).encode())

    def load_paintings(self) -> list[dict[str, Any]]:
        """Returns what was saved of each painting, the oldest first; a folder without is left out."""
        records = [self._read(path) for path in self.paintings.glob("*/painting.json")]
        return sorted(records, key=lambda record: record["created"])

    def remove_painting(self, identity: str) -> None:
        """Removes a painting's folder."""
        shutil.rmtree(self.painting_folder(identity))

    def _read(self, path: pathlib.Path) -> dict[str, Any]:
        try:
            return untrusted.parse_json(path.read_bytes(), limit=_LONGEST_RECORD)
        except ValueError as error:
            raise ValueError(f"{str(path)!r}: {error}; remove it") from None


def _checked(identity) -> str:
    if not isinstance(identity, str) or not _ID.fullmatch(identity):
        raise Missing(f"{str(identity)[:80]!r}: is not the id of anything here")
    return identity


def _named(name: str) -> str:
    """Returns a name for people: one line without folders, of a length that fits a page."""
    stem = re.split(r"[/\\]", name)[-1]
    return "".join(each for each in stem if each.isprintable()).strip()[:80] or "picture"
