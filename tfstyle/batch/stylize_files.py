"""Picture files, one or many, painted in one or several looks: what is read, where it goes, and the loop."""

from __future__ import annotations

import json
import pathlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf

from tfstyle.api.size_groups import Waiting
from tfstyle.batch.board import Board
from tfstyle.batch.orders import Outcome
from tfstyle.feedforward.painting import require_fit
from tfstyle.io import images
from tfstyle.io.files import check_outputs, make_writable_folder, reason, sha256, unused
from tfstyle.io.finding import find_pictures

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
    """

    name: str
    paint: Callable[[np.ndarray], np.ndarray]
    note: Mapping[str, Any]
    styles: Sequence[str] = ()
    needed_bytes: Callable[[int], float] = lambda pixels: 0.0


@dataclass(frozen=True)
class Job:
    """A picture file, and where it goes in each look."""

    content: pathlib.Path
    outputs: tuple[tuple[Look, pathlib.Path], ...]


def plan(content: str, looks: Sequence[Look], output: str | None = None) -> list[Job]:
    """Decides where pictures go, and finds out whether they can be written there.

    Args:
      content: a file, folder or glob.
      looks: at least one.
      output: for one picture in one look, its file, or a folder that is there;
        else a folder, made if it is not there. In a folder, a picture of several
        contents in one look keeps the content's name, ending in .png. Others,
        and all where None means the current folder, are CONTENT_LOOK.png; for
        None, a number follows where that is there already.

    Raises:
      ValueError: pictures would have the same file, or take the place of a content or style.
      OSError: there are no contents, or outputs cannot be written.
    """
    _, found = find_pictures(content, "content")
    paths, several = [pathlib.Path(path) for path in found], found != [content]
    if output is not None and not several and len(looks) == 1 and not pathlib.Path(output).is_dir():
        images.check_writable(output)
        jobs = [Job(paths[0], ((looks[0], pathlib.Path(output)),))]
    else:
        folder = make_writable_folder("." if output is None else output, "output")
        plain = output is not None and several and len(looks) == 1

        def output_of(path: pathlib.Path, look: Look) -> pathlib.Path:
            made = folder / (f"{path.stem}.png" if plain else f"{path.stem}_{look.name}.png")
            return unused(made) if output is None else made

        jobs = [Job(path, tuple((look, output_of(path, look)) for look in looks)) for path in paths]
    styles = [("style", style) for look in looks for style in look.styles]
    outputs = [output for job in jobs for _, output in job.outputs]
    check_outputs(outputs, [*(("content", path) for path in paths), *styles])
    _require_apart(jobs)
    return jobs


def paint_files(jobs: Sequence[Job], board: Board | None = None, batch_size: int = 1) -> int:
    """Paints pictures, and writes each with a note of how it was made (see `images.read_note`).

    One that cannot be read, or would not fit into memory, is told and left out, unless it is the only one.
    Transparent pictures stay transparent.

    Args:
      jobs: from `plan`.
      board: told of each picture written.
      batch_size: so many pictures of one size are painted at once.

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
                    require_fit(job.content, "content", look.needed_bytes)
                picture, alpha = images.load_with_alpha(job.content, "content")
                yield _Read(job, picture, alpha, sha256(job.content))
            except (ValueError, OSError) as error:
                if len(jobs) == 1:
                    raise
                failed += 1
                if board:
                    board.count(Outcome("failed", job.content.name, reason(error)))
                    board.counts["failed"] += len(job.outputs) - 1

    def groups() -> Iterator[list[_Read]]:
        waiting = Waiting(batch_size, _WAITING_GROUPS * batch_size)
        for each in read():
            yield from waiting.add(tuple(each.picture.shape), each)
        yield from waiting.rest()

    for batch in groups():
        pictures = np.concatenate([each.picture for each in batch])
        for index, (look, _) in enumerate(batch[0].job.outputs):
            for made, each in zip(look.paint(pictures), batch):
                output = each.job.outputs[index][1]
                images.save_image(output, made, json.dumps({**look.note, "inputs": each.origin}), each.alpha)
                if board:
                    board.count(Outcome("made", output.name))
    return failed


@dataclass(frozen=True, eq=False)
class _Read:
    """A picture in memory."""

    job: Job
    picture: tf.Tensor
    alpha: tf.Tensor | None
    sha256: str

    @property
    def origin(self) -> dict[str, dict[str, str]]:
        return {"content": {"path": str(self.job.content), "sha256": self.sha256}}


def _require_apart(jobs: Sequence[Job]) -> None:
    taken: dict[pathlib.Path, pathlib.Path] = {}
    for job in jobs:
        for _, output in job.outputs:
            if (other := taken.setdefault(output, job.content)) != job.content:
                raise ValueError(
                    f"content={str(job.content)!r}: would become {str(output)!r}, as {str(other)!r} would;"
                    " rename one of them"
                )
