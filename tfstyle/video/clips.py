"""Clips as frames: video files, animated pictures and folders of pictures, read one frame at a time.

PyAV, of the extra ``video``, reads what FFmpeg does; it is imported when a clip is opened.
"""

from __future__ import annotations

import contextlib
import pathlib
from collections.abc import Iterator
from fractions import Fraction
from typing import Any, NamedTuple, Protocol

import numpy as np

from tfstyle.io import decode, encode
from tfstyle.io.files import require_file, sha256
from tfstyle.io.store import find_pictures
from tfstyle.video.extra import imported

_RATE = Fraction(25)  # frames a second of a folder of pictures
_HD = 720  # height from which untold YUV is BT.709, as players take it
_BT709, _BT601, _UNTOLD = 1, 5, (0, 2)  # AVCOL_SPC_BT709, _BT470BG, and _RGB, _UNSPECIFIED


class Frame(NamedTuple):
    """A picture of a clip.

    Attributes:
      pixels: `[H, W, 3]` uint8, sRGB-encoded RGB.
      time: at which it is shown, in seconds, as the file has it.
    """

    pixels: np.ndarray
    time: Fraction


class Clip(Protocol):
    """A clip that can be read again and again.

    Attributes:
      path: where it is.
      size: (height, width) in pixels, upright.
      count: frames, as far as the file says; None: it does not.
      time_base: the unit of times, in seconds.
      matrix: how its YUV is to be read, FFmpeg's AVColorSpace.
      has_audio: whether there is sound.
    """

    path: pathlib.Path
    size: tuple[int, int]
    count: int | None
    time_base: Fraction
    matrix: int
    has_audio: bool

    def frames(self) -> Iterator[Frame]:
        """Gives the frames in the order in which they are shown."""

    def identity(self) -> Any:
        """Returns what tells it from other clips, as JSON types."""


def open_clip(content, argument: str = "content") -> Clip:
    """Opens a video file, an animated picture, or a folder or glob of pictures.

    Args:
      content: its path. Pictures are in the order of their names, 25 a second.
      argument: what to call it in errors.

    Raises:
      ValueError: it is no video that FFmpeg reads, or the extra ``video`` is not installed.
      OSError: it cannot be read.
    """
    path = pathlib.Path(content)
    if path.is_file():
        return VideoFile(path, argument)
    return Pictures(content, argument)


def library():
    """Returns PyAV, quiet; see `extra.imported`."""
    av = imported("av")
    av.logging.restore_default_callback()  # PyAV's own waits for Python, in threads that Python waits for
    av.logging.set_libav_level(av.logging.PANIC)
    return av


class VideoFile:
    """A `Clip` of a file.

    Args:
      path, argument: as in `open_clip`, also for errors.
    """

    def __init__(self, path: pathlib.Path, argument: str):
        self.path, self._named = path, f"{argument}={str(path)!r}"
        require_file(path, self._named)
        with self._opened() as container:
            stream = container.streams.video[0]
            first = next(self._decoded(container), None)
            if first is None:
                raise ValueError(f"{self._named}: has no frame that can be read")
            self.size = upright(np.empty([first.height, first.width, 0]), first.rotation).shape[:2]
            self.count = stream.frames or None
            self.time_base = stream.time_base
            told = int(first.colorspace)
            self.matrix = _usual_matrix(first.height) if told in _UNTOLD else told
            self.has_audio = bool(container.streams.audio)

    def identity(self) -> str:
        return sha256(self.path)

    def frames(self) -> Iterator[Frame]:
        with self._opened() as container:
            for frame in self._decoded(container):
                pixels = frame.to_ndarray(format="rgb24", src_colorspace=self.matrix)
                yield Frame(upright(pixels, frame.rotation), frame.pts * self.time_base)

    @contextlib.contextmanager
    def _opened(self):
        av = library()
        try:
            with av.open(str(self.path)) as container:
                if not container.streams.video:
                    raise ValueError(f"{self._named}: has no pictures in it")
                yield container
        except av.error.FFmpegError as error:
            raise ValueError(f"{self._named}: is no video, or a damaged one ({error.strerror})") from None

    def _decoded(self, container) -> Iterator:
        """Gives the frames that can be decoded; damaged ones are left out."""
        av, last = library(), None
        for packet in container.demux(video=0):
            try:
                decoded = packet.decode()
            except av.error.InvalidDataError:
                continue
            for frame in decoded:
                if frame.pts is not None and (last is None or frame.pts > last):
                    last = frame.pts
                    yield frame


class Pictures:
    """A `Clip` of picture files, 25 a second.

    Args:
      where: folder or glob.
      argument: as in `open_clip`, also for errors.
    """

    def __init__(self, where, argument: str):
        folder, self._paths = find_pictures(where, argument)
        self.path, self._named = pathlib.Path(folder), argument
        self.size = decode.size_of(self._paths[0], argument)
        self.count, self.time_base = len(self._paths), 1 / _RATE
        self.matrix, self.has_audio = _usual_matrix(self.size[0]), False

    def identity(self) -> list:
        # Of very many pictures, hashes would take long.
        files = [(path, pathlib.Path(path).stat()) for path in self._paths]
        return [[str(path), stat.st_size, stat.st_mtime_ns] for path, stat in files]

    def frames(self) -> Iterator[Frame]:
        for index, path in enumerate(self._paths):
            pixels = encode.to_uint8(decode.decode(path, self._named)[0])
            if pixels.shape[:2] != self.size:
                height, width = self.size
                raise ValueError(
                    f"{self._named}={str(path)!r}: has {pixels.shape[1]} x {pixels.shape[0]} pixels, and"
                    f" the first picture {width} x {height}"
                )
            yield Frame(pixels, index * self.time_base)


def upright(pixels: np.ndarray, rotation: int) -> np.ndarray:
    """Turns a frame as its file says, by degrees against the clock."""
    return np.ascontiguousarray(np.rot90(pixels, round(rotation / 90)))


def _usual_matrix(height: int) -> int:
    """Returns how players read YUV of which a file does not say how."""
    return _BT709 if height >= _HD else _BT601
