"""Where contents and styles come from: folders, globs, lists of files, TFRecords."""

from __future__ import annotations

import hashlib
import pathlib
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from tfstyle.batch.orders import Content, Style, fallback_name, renamed, safe_stem, stem
from tfstyle.io import store
from tfstyle.io.store import find_pictures

_TFRECORD = re.compile(r"\.tfrecords?(-\d+-of-\d+)?$")
_DATA, _NAME = "image/encoded", "image/filename"
TARGETS = ".npz"


@dataclass(frozen=True)
class Shard:
    """A TFRecord file of contents: examples with image/encoded and, where it is known, image/filename."""

    path: str


def find_contents(where: str, output: str = "") -> list[Content] | list[Shard]:
    """Returns the contents of a folder, at any depth, or of a glob; of TFRecords, the files that hold them.

    Args:
      where: the folder or glob.
      output: folder whose pictures are none of the contents, if it lies below those.

    Raises:
      ValueError, OSError: there are none.
    """
    base, paths = find_pictures(where, "contents", deep=True)
    made, above = pathlib.Path(output).resolve(), pathlib.Path(base).resolve()
    if output and made == above == pathlib.Path(where).resolve():
        raise ValueError(f"output={output!r}: is the folder of the contents; name another")
    if output and above in made.parents:
        paths = [path for path in paths if made not in pathlib.Path(path).resolve().parents]
    records = [path for path in paths if _TFRECORD.search(path)]
    if records and len(records) < len(paths):
        other = next(path for path in paths if path not in records)
        raise ValueError(f"contents={where!r}: must match TFRecord files or pictures, not both ({other!r})")
    if records:
        return [Shard(path) for path in records]
    return [Content(stem(path[len(base) :].lstrip("/")), path) for path in paths]


def find_styles(values: Iterable[str]) -> list[Style]:
    """Returns the styles of files, folders and globs, in that order.

    Raises:
      ValueError, OSError: one names none, or cannot be read.
    """
    styles = []
    for value in values:
        for path in find_pictures(value, "styles", deep=True, also=[TARGETS])[1]:
            name = pathlib.PurePath(path).stem
            styles.append(Style(name, path, hashlib.sha256(store.read(path)).hexdigest()))
    return styles


def contents_of(source: Content | Shard) -> Iterator[Content]:
    """Gives what a source holds; a damaged TFRecord file ends with a content that says so."""
    if isinstance(source, Content):
        yield source
    else:
        yield from _records(source.path)


def distinct(contents: Iterable[Content]) -> Iterator[Content]:
    """Gives contents with names of their own; of several with one name, the first keeps it."""
    taken: dict[str, str] = {}
    for content in contents:
        other = taken.setdefault(content.name, content.source)
        yield content if other == content.source else renamed(content, other)


def _records(path: str) -> Iterator[Content]:
    import tensorflow as tf

    from tfstyle.io.tfrecords import require_possible

    index = 0
    try:
        with store.local_copy(path) as copy:
            require_possible(copy)
            for record in tf.data.TFRecordDataset(copy):
                yield _content(path, index, record)
                index += 1
    except (OSError, ValueError, tf.errors.OpError) as error:
        problem = f"the TFRecord file cannot be read on from here ({str(error).splitlines()[0]})"
        yield Content(fallback_name(path, index), path, index, problem=problem)


def _content(path: str, index: int, record) -> Content:
    import tensorflow as tf

    features = {name: tf.io.FixedLenFeature([], tf.string, "") for name in (_DATA, _NAME)}
    name = fallback_name(path, index)
    try:
        example = tf.io.parse_single_example(record, features)
    except tf.errors.InvalidArgumentError:
        return Content(name, path, index, problem=f"is no example with {_DATA} and {_NAME} as bytes")
    data, filename = example[_DATA].numpy(), example[_NAME].numpy()
    problem = "" if data else f"has no {_DATA}"
    if filename:
        try:
            name = safe_stem(filename)
        except ValueError as error:
            problem = str(error)
    return Content(name, path, index, data, problem)
