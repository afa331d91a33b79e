"""What is to be made, what outputs are called, and what came of trying, once or again.

Nothing here imports TensorFlow or touches a file.
"""

from __future__ import annotations

import dataclasses
import pathlib
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from tfstyle.config import TransferConfig
from tfstyle.io.files import reason

Value = TypeVar("Value")

# With style, suffix and what a temporary file adds, a name must fit into 255 bytes.
_LONGEST_NAME = 120
_LONGEST_PATH = 1024
_FIRST_PAUSE = 0.5  # seconds before something is tried again


@dataclass(frozen=True)
class Style:
    """A style: what outputs call it, its file (a picture, or targets as .npz), and that file's SHA-256."""

    name: str
    path: str
    sha256: str


@dataclass(frozen=True)
class Content:
    """A picture to be painted.

    Attributes:
      name: what its outputs begin with, with forward slashes.
      path: its file, or the TFRecord file that it is in.
      index: its number in that TFRecord file; None for a file of its own.
      data: its encoded bytes where they have been read; files are read when they are needed.
      problem: why it cannot be made, where that is known already.
    """

    name: str
    path: str
    index: int | None = None
    data: bytes | None = field(default=None, repr=False)
    problem: str = ""

    @property
    def source(self) -> str:
        """How people and records call it."""
        return self.path if self.index is None else f"{self.path}#{self.index}"


@dataclass(frozen=True)
class Order:
    """All that a run's outputs depend on but the contents, and how to go about it.

    Attributes:
      config: the settings.
      styles: each content is made in every one.
      output: folder, or URL of one, for the pictures, records and manifest.
      suffix: of the pictures, such as ``.png``; see `formats.written`.
      batch_size: pictures of one size that are made at once.
      retries: times that a picture is tried again after an error that may pass.
      retry_failures: try those again, too, that failed before and have not changed.
      files: {argument: {"path", "sha256"}} of the files that the config names.
    """

    config: TransferConfig
    styles: Sequence[Style]
    output: str
    suffix: str = ".png"
    batch_size: int = 8
    retries: int = 2
    retry_failures: bool = False
    files: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    def output_of(self, content: str, style: Style) -> str:
        """Returns what the picture of a content, by name, in a style is called within the output folder."""
        return f"{content}__{style.name}{self.suffix}"


@dataclass(frozen=True)
class Outcome:
    """What became of one picture.

    Attributes:
      kind: ``made``; ``finished`` (before this run); ``failed``; or
        ``failed before``, and not tried again.
      output: the picture, within the output folder.
      reason: why it failed.
    """

    kind: str
    output: str
    reason: str = ""


KINDS = ("made", "finished", "failed", "failed before")


def stem(relative: str) -> str:
    """Returns a relative path without the suffix, with forward slashes."""
    return pathlib.PurePath(relative).with_suffix("").as_posix()


def safe_stem(filename: bytes) -> str:
    """Returns the stem of a name that came with a picture, once it is known to stay in its folder.

    Raises:
      ValueError: it could leave it, or no file can be called so.
    """
    try:
        name = filename.decode()
    except UnicodeDecodeError:
        raise ValueError(f"image/filename={filename!r}: is not UTF-8") from None
    named = f"image/filename={name!r}"
    if any(ord(character) < 32 or ord(character) == 127 for character in name):
        raise ValueError(f"{named}: must not hold control characters")
    parts = name.split("/")
    if "\\" in name or ":" in parts[0] or any(part in ("", ".", "..") for part in parts):
        raise ValueError(f"{named}: must be a relative path that stays in its folder")
    if max(len(part.encode()) for part in parts) > _LONGEST_NAME:
        raise ValueError(f"{named}: must be at most {_LONGEST_NAME} bytes long between slashes")
    if len(name.encode()) > _LONGEST_PATH:
        raise ValueError(f"{named:.200}...: must be at most {_LONGEST_PATH} bytes long")
    return stem(name)


def require_distinct(styles: Iterable[Style], contents: Iterable[Content]) -> None:
    """Checks that no two pictures would have one name.

    Raises:
      ValueError: two would; the message names them.
    """
    styles = list(styles)
    for number, one in enumerate(styles):
        for other in styles[:number]:
            longer, shorter = sorted((f"__{one.name}", f"__{other.name}"), key=len, reverse=True)
            if longer.endswith(shorter):
                raise ValueError(
                    f"styles: outputs in {other.path!r} and {one.path!r} could have the same name; rename one"
                )
    taken: dict[str, str] = {}
    for content in contents:
        if (other := taken.setdefault(content.name, content.source)) != content.source:
            raise ValueError(
                f"contents: outputs of {other!r} and {content.source!r} would have the same name;"
                " rename one, or run them into two folders"
            )


def renamed(content: Content, taken_by: str) -> Content:
    """Returns a content whose name another has already, as one that fails and says so."""
    problem = f"image/filename: outputs would be called {content.name!r}, as those of {taken_by!r}"
    return dataclasses.replace(content, name=fallback_name(content.path, content.index), problem=problem)


def fallback_name(path: str, index: int) -> str:
    """Returns what a record without a usable name is called: after its file and number."""
    return f"{pathlib.PurePath(path).name}-{index:06}"


def told(source: str, reason: str) -> str:
    """Returns why a content could not be made, with its name in it."""
    return reason if source in reason else f"{source}: {reason}"


@dataclass(frozen=True)
class Failure:
    """Why something could not be done.

    Attributes:
      reason: in one line.
      tries: how often it was tried.
      transient: whether another run may fare better with the same picture.
    """

    reason: str
    tries: int = 1
    transient: bool = False


def attempt(function: Callable[[], Value], retries: int) -> Value | Failure:
    """Calls a function, and again after errors that may pass, with a longer pause each time.

    Such errors are those of the system: a picture that is none, or is damaged, is a `ValueError`.

    Args:
      function: what to do.
      retries: how often to try again.

    Returns:
      What the function returned, or why it did not.
    """
    tries = 0
    while True:
        tries += 1
        try:
            return function()
        except OSError as error:
            if tries > retries:
                return Failure(reason(error), tries, transient=True)
        except (ValueError, FloatingPointError) as error:
            return Failure(reason(error), tries)
        except Exception as error:  # nobody knows of what kind; it must not cost other pictures
            return Failure(f"{type(error).__name__}: {reason(error)}", tries, transient=True)
        time.sleep(_FIRST_PAUSE * 2 ** (tries - 1))
