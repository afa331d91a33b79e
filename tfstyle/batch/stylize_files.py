"""Picture files, one or many, painted in one or several looks: what is read, where it goes, and the loop."""

from __future__ import annotations

import json
import pathlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from PIL import Image

from tfstyle.api.size_groups import Waiting
from tfstyle.batch.board import Board
from tfstyle.batch.orders import Outcome
from tfstyle.io import decode, encode, sheets
from tfstyle.io.files import check_outputs, make_writable_folder, reason, sha256, unused
from tfstyle.io.pixels import LUMA, filled, in_unit_range, recolored, stacked
from tfstyle.io.store import find_pictures
from tfstyle.runtime.memory_model import require_paintable

COLORS = ("style", "content")
_WAITING_GROUPS = 4  # pictures of rare sizes wait for others of theirs; so many groups' worth of them


@dataclass(frozen=True)
class Look:
    """A way to paint pictures.

    Attributes:
      name: for file names.
      paint: from `[B, H, W, 3]` floats in [0, 1] to the same.
      note: what decides the picture besides the photograph, as JSON types.
      styles: files that it was made from.
      needed_bytes: from pixels to what painting them takes.
      on_gpu: as in `memory.Room.now`.
    """

    name: str
    paint: Callable[[np.ndarray], np.ndarray]
    note: Mapping[str, Any]
    styles: Sequence[str] = ()
    needed_bytes: Callable[[float], float] = lambda pixels: 0.0
    on_gpu: bool | None = None


@dataclass(frozen=True)
class Finish:
    """What is done to a painted picture before it is written.

    Attributes:
      color: ``style``, or ``content``: the photograph's colours, with the light of what was painted.
      mask: `[h, w]` in [0, 1], 1 where the style goes and 0 where the photograph stays; None: 1.
      note: what it is, as JSON types; nothing of what does nothing.
    """

    color: str = "style"
    mask: np.ndarray | None = None
    note: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, color: str, mask=None) -> Finish:
        """Returns that of a color and a mask's file: white, or where it is transparent opaque, is 1.

        Raises:
          ValueError, OSError: there is no such color, or the mask is no picture.
        """
        if color not in COLORS:
            raise ValueError(f"color={color!r}: must be one of {', '.join(COLORS)}")
        note: dict[str, Any] = {} if color == "style" else {"color": color}
        if mask is None:
            return cls(color, note=note)
        pixels, opacity = decode.decode(mask, "mask")
        note["mask"] = {"path": str(mask), "sha256": sha256(mask)}
        return cls(color, pixels @ np.float32(LUMA) if opacity is None else opacity, note)

    def __call__(self, painted: np.ndarray, picture: np.ndarray) -> np.ndarray:
        """Returns what becomes of a picture that was painted, all `[H, W, 3]` in [0, 1]."""
        if self.color == "content":
            painted = recolored(painted, picture)
        if self.mask is None:
            return painted
        share = Image.fromarray(self.mask).resize(picture.shape[1::-1], Image.Resampling.BILINEAR)
        return picture + np.asarray(share)[..., np.newaxis] * (painted - picture)


AS_PAINTED = Finish()


@dataclass(frozen=True)
class Job:
    """A picture file, and where it goes in each look; `name` is what the file is called to people."""

    content: pathlib.Path
    outputs: tuple[tuple[Look, pathlib.Path], ...]
    name: str


def plan(content: str, looks: Sequence[Look], output: str | None = None, name: str = "") -> list[Job]:
    """Decides where pictures go, and finds out whether they can be written there.

    Args:
      content: a file, folder or glob.
      looks: at least one.
      output: for one picture in one look, its file, or a folder that is there;
        else a folder, made if it is not there. In a folder, a picture of several
        contents in one look keeps the content's name, ending in .png. Others,
        and all where None means the current folder, are CONTENT_LOOK.png. A number
        follows where another content has that name and, for None, where it is there already.
      name: what the content is called to people; by default as its file is.

    Raises:
      ValueError: pictures would take the place of a content or style.
      OSError: there are no contents, or outputs cannot be written.
    """
    _, found = find_pictures(content, "content")
    paths, several = [pathlib.Path(path) for path in found], found != [content]
    if output is not None and not several and len(looks) == 1 and not pathlib.Path(output).is_dir():
        encode.check_writable(output)
        jobs = [Job(paths[0], ((looks[0], pathlib.Path(output)),), name or content)]
    else:
        folder = make_writable_folder("." if output is None else output, "output")
        plain = output is not None and several and len(looks) == 1
        taken: set[pathlib.Path] = set()

        def output_of(path: pathlib.Path, look: Look) -> pathlib.Path:
            made = folder / (f"{path.stem}.png" if plain else f"{path.stem}_{look.name}.png")
            made = unused(made, taken, on_disk=output is None)
            taken.add(made)
            return made

        jobs = [
            Job(path, tuple((look, output_of(path, look)) for look in looks), name or str(path))
            for path in paths
        ]
    styles = [("style", style) for look in looks for style in look.styles]
    outputs = [output for job in jobs for _, output in job.outputs]
    check_outputs(outputs, [*(("content", path) for path in paths), *styles])
    return jobs


_LOOKED_AT = 512  # longer side in pixels at which a look is painted before it is shown small


def draw_looks(content, looks: Sequence[Look], longer_side: int = 360, columns: int = 4) -> Image.Image:
    """Draws a small copy of a picture in each look, with their names, as one picture.

    Args:
      content: the picture's file.
      looks: one or more.
      longer_side: of each copy, in pixels.
      columns: copies side by side.

    Raises:
      ValueError, OSError: the content is no picture, too large, or cannot be read.
    """
    require_paintable(content, "content", lambda pixels: 0.0, on_gpu=looks[0].on_gpu)
    whole = Image.fromarray(encode.to_uint8(_read(content)[0]))
    seen = in_unit_range(sheets.fitted(whole, max(longer_side, _LOOKED_AT)))[np.newaxis]
    painted = [Image.fromarray(encode.to_uint8(look.paint(seen))) for look in looks]
    panels = [
        sheets.Panel(sheets.fitted(picture, longer_side), above=look.name)
        for picture, look in zip(painted, looks)
    ]
    width = panels[0].picture.width
    rows = [panels[start : start + columns] for start in range(0, len(panels), columns)]
    return sheets.stacked([sheets.row(row, width) for row in rows])


def paint_files(
    jobs: Sequence[Job],
    board: Board | None = None,
    batch_size: int = 1,
    finish: Finish = AS_PAINTED,
    tell: Callable[[Mapping[str, Any]], None] = lambda record: None,
) -> int:
    """Paints pictures, and writes each with a note of how it was made (see `encode.read_note`).

    One that cannot be read, or would not fit into memory, is told and left out, unless it is the only one.
    Transparent pictures stay transparent, and are painted as if what is around went on there.

    Args:
      jobs: from `plan`.
      board: told of each picture written.
      batch_size: so many pictures of one size are painted at once.
      finish: what is done to each picture.
      tell: called with what was made, or why not, of each picture, as JSON types.

    Returns:
      How many contents could not be read.

    Raises:
      ValueError: the only one is no picture, or does not fit into memory.
      OSError: a picture cannot be written.
    """
    failed = 0

    def read() -> Iterator[_Read]:
        nonlocal failed
        for job in jobs:
            try:
                for look, _ in job.outputs:
                    require_paintable(job.content, "content", look.needed_bytes, on_gpu=look.on_gpu)
                yield _Read(job, *_read(job.content), sha256(job.content))
            except (ValueError, OSError) as error:
                problem = reason(error).replace(str(job.content), job.name)
                tell({"content": job.name, "error": problem})
                if len(jobs) == 1:
                    raise (OSError if isinstance(error, OSError) else ValueError)(problem) from error
                failed += 1
                if board:
                    board.count(Outcome("failed", job.content.name, problem))
                    board.counts["failed"] += len(job.outputs) - 1

    def groups() -> Iterator[list[_Read]]:
        waiting = Waiting(batch_size, _WAITING_GROUPS * batch_size)
        for each in read():
            yield from waiting.add(tuple(each.picture.shape), each)
        yield from waiting.rest()

    for batch in groups():
        pictures = stacked([each.picture for each in batch])
        for index, (look, _) in enumerate(batch[0].job.outputs):
            for made, each in zip(look.paint(pictures), batch):
                output = each.job.outputs[index][1]
                made = finish(made, each.picture)
                inputs = {"content": {"path": each.job.name, "sha256": each.sha256}}
                note = {**look.note, **finish.note, "inputs": inputs}
                encode.save_image(output, made, json.dumps(note), each.alpha)
                height, width, _ = made.shape
                size = {"width": width, "height": height}
                tell({"content": each.job.name, "look": look.name, "output": str(output), **size})
                if board:
                    board.count(Outcome("made", output.name))
    return failed


def _read(content) -> tuple[np.ndarray, np.ndarray | None]:
    """Returns what of a content is painted, `[H, W, 3]`, and its opacity, `[H, W, 1]` or None."""
    pixels, opacity = decode.decode(content, "content")
    return (pixels, None) if opacity is None else (filled(pixels, opacity), opacity[..., np.newaxis])


@dataclass(frozen=True, eq=False)
class _Read:
    """A picture in memory."""

    job: Job
    picture: np.ndarray
    alpha: np.ndarray | None
    sha256: str
