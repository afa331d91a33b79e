"""A clip painted from beginning to end, also in several runs.

What is done lies in a folder beside the output until all is: encoded pieces of two seconds or so, and
the state that the next frame depends on, in float32. So a run that was ended, whenever, goes on after
the last piece, to the same frames, and memory does not depend on how long a clip is.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import pathlib
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from fractions import Fraction
from typing import Any

import numpy as np

from tfstyle.io.files import make_folder, replacing
from tfstyle.io.pixels import in_unit_range
from tfstyle.video.clips import Clip, Frame
from tfstyle.video.parts import encode_part, join
from tfstyle.video.steadiness import Painted, Shown, Step

_FORMAT = 3  # of the state, and of how frames come to be


def paint_clip(
    clip: Clip,
    step: Step,
    output: pathlib.Path,
    note: Mapping[str, Any],
    *,
    finish: Callable[[np.ndarray, np.ndarray], np.ndarray] = lambda painted, frame: painted,
    preview: float = 0.0,
    frames_a_piece: int = 48,
    tell: Callable[[int, Painted | None], None] = lambda done, painted: None,
) -> int:
    """Paints a clip.

    Args:
      clip: what to paint.
      step: what is done to each frame.
      output: where to; see `parts.require_clip_output`.
      note: all else that decides the frames, as JSON types; a run of another note begins again.
      finish: from what is shown and the frame, `[H, W, 3]` in [0, 1], to what is written.
      preview: seconds of the clip's beginning that are painted; 0: all.
      frames_a_piece: so many are lost, at most, when a run is ended.
      tell: told how many frames are done, after each, and what became of the last one, finished; at the
        beginning, None.

    Returns:
      How many frames there are in the output.

    Raises:
      ValueError, OSError: a frame cannot be read, or the output not be written.
    """
    work = _Work(output, {**note, "format": _FORMAT, "preview": preview, "clip": clip.identity()})
    shown, pending = work.shown, []
    done = len(work.times)
    tell(done, None)
    for frame in itertools.islice(_until(clip, preview), done, None):
        painted = step(frame.pixels, shown)
        picture, shown = finish(painted.picture, in_unit_range(frame.pixels)), painted.shown
        pending.append((frame.time, picture))
        tell(done + len(pending), painted._replace(picture=picture))
        if len(pending) == frames_a_piece:
            work.add(pending, shown, clip)
            done, pending = done + len(pending), []
    if pending:
        work.add(pending, shown, clip)
    if not work.times:
        raise ValueError(f"content={str(clip.path)!r}: has no frame that can be read")
    join(work.parts, work.times, output, clip, whole=not preview)
    work.remove()
    return len(work.times)


class _Work:
    """What is done of a clip, in a folder beside the output.

    Attributes:
      times: of the frames that are done.
      shown: what the next one depends on.
    """

    def __init__(self, output: pathlib.Path, note: Mapping[str, Any]):
        make_folder(output.absolute().parent, "output")
        self._output, self._folder = output, output.with_name(f".{output.name}.parts")
        self._key = hashlib.sha256(json.dumps(note, sort_keys=True, default=str).encode()).hexdigest()
        self.times: list[Fraction] = []
        self.shown: Sequence[Shown] = ()
        self._count = 0
        state = self._folder / "state.npz"
        if state.is_file():
            with np.load(state, allow_pickle=False) as kept:
                if str(kept["key"]) == self._key:
                    self.times = [Fraction(str(time)) for time in kept["times"]]
                    self.shown = [Shown(*each) for each in zip(kept["frames"], kept["painted"])]
                    self._count = int(kept["parts"])
        if not self.times:
            shutil.rmtree(self._folder, ignore_errors=True)
        self._folder.mkdir(exist_ok=True)

    @property
    def parts(self) -> list[pathlib.Path]:
        """The pieces, in order."""
        return [self._folder / f"{number:06}.mkv" for number in range(self._count)]

    def add(self, pictures: list[tuple[Fraction, np.ndarray]], shown: Sequence[Shown], clip: Clip) -> None:
        """Keeps frames, with their times, as a piece more; and then that it is there."""
        times, values = zip(*pictures)
        encode_part(self._folder / f"{self._count:06}.mkv", values, self._output, clip)
        self.times += times
        self._count += 1
        self.shown = shown

        names = [str(time) for time in self.times]
        frames, painted = zip(*shown)
        with replacing(self._folder / "state.npz") as file:
            np.savez(file, key=self._key, times=names, parts=self._count, frames=frames, painted=painted)

    def remove(self) -> None:
        """Leaves the output alone."""
        shutil.rmtree(self._folder)


def _until(clip: Clip, seconds: float) -> Iterator[Frame]:
    """Gives the frames of a clip's beginning, or all."""
    first: Fraction | None = None
    for frame in clip.frames():
        first = frame.time if first is None else first
        if seconds and frame.time - first >= seconds:
            return
        yield frame
