"""What a worker does with pictures that are to be made: makes and writes them, several at once."""

from __future__ import annotations

import dataclasses
import functools
import json
import logging
import pathlib
import tempfile
import threading
from collections.abc import Iterator, Sequence

import numpy as np
import tensorflow as tf

from tfstyle.api import provenance
from tfstyle.api.batch import transfer_batch
from tfstyle.api.transfer import transfer
from tfstyle.batch import sources
from tfstyle.batch.graph_worker import Painter
from tfstyle.batch.inspection import Looker, Wanted, fitted_pixels
from tfstyle.batch.manifest import Ledger
from tfstyle.batch.orders import Failure, Order, Outcome, Style, attempt
from tfstyle.io import decode, encode, store
from tfstyle.io.files import sha256
from tfstyle.losses.targets import StyleTargets
from tfstyle.synthesis.loop import Result
from tfstyle.synthesis.plan import foresee
from tfstyle.synthesis.scales import Sizes
from tfstyle.synthesis.starts import initial_image
from tfstyle.synthesis.term_options import extractor_of

TASK = "style_transfer"  # as records call the command that makes the same picture again, with --from


class Maker:
    """Holds the network, the styles and what is compiled, and makes pictures with them.

    One a process is enough: it makes one group at a time.

    Args:
      order: what to make.

    Raises:
      ValueError, OSError: a style or the weights are not what they should be.
    """

    def __init__(self, order: Order):
        self._order, self._ledger, self._looker = order, Ledger(order), Looker(order)
        self._styles = [_load_style(style) for style in order.styles]
        self._painter = Painter(order.config, self._styles)
        self._sizes = [Sizes.of(None, style) for style in self._styles]
        self._require_fit = functools.cache(self._require_fit)  # for each size, once
        self._note = json.loads(provenance.describe(TASK, order.config, {}))
        self._busy = threading.Lock()
        tf.get_logger().addFilter(_is_news)

    def load(self, wanted: Wanted) -> np.ndarray | list[Outcome]:
        """Returns a content's pixels at the size of the run, or what became of it if it is no picture."""
        side, retries = self._order.config.image_size, self._order.retries

        def require_fit(content: tuple[int, int]) -> None:
            for sizes in set(self._sizes):
                self._require_fit(dataclasses.replace(sizes, content=content))

        pixels = attempt(lambda: fitted_pixels(wanted, side, require_fit), retries)
        if isinstance(pixels, Failure):
            return [self._failed(wanted, number, pixels) for number in wanted.styles]
        return pixels

    def _require_fit(self, sizes: Sizes) -> None:
        foresee(sizes, self._order.config).require_fit()

    def make(self, group: Sequence[tuple[Wanted, np.ndarray]]) -> Iterator[Outcome]:
        """Makes contents in the styles that each is wanted in, and writes them.

        They are made at once; if that fails, each picture alone, so that one
        costs no other. What another worker has finished meanwhile is not made.

        Args:
          group: contents and their pixels; all are wanted in the same styles.

        Yields:
          What became of each picture, as soon as it is written.
        """
        with self._busy:
            missing: dict[int, list[int]] = {}  # {number in the group: numbers of styles}
            for index, (wanted, _) in enumerate(group):
                for number in wanted.styles:
                    content, style = wanted.content, self._order.styles[number]
                    if self._ledger.is_finished(content, wanted.sha256, style):
                        yield Outcome("finished", self._order.output_of(content.name, style))
                    else:
                        missing.setdefault(index, []).append(number)
            # Where some were finished meanwhile, those left may differ in their styles.
            for numbers in sorted(set(map(tuple, missing.values()))):
                members = [group[index] for index, styles in missing.items() if tuple(styles) == numbers]
                yield from self._make_at_once(members, numbers)

    def _make_at_once(self, group: Sequence[tuple[Wanted, np.ndarray]], numbers: Sequence[int]):
        """Makes few contents in several styles at once, and many in one after the other."""
        step = max(1, self._order.batch_size // len(group))
        for first in range(0, len(numbers), step):
            some = numbers[first : first + step]
            rows = attempt(lambda some=some: self._transferred(group, some), retries=0)
            if isinstance(rows, Failure):
                yield from self._make_one_by_one(group, some)
                continue
            for (wanted, _), row in zip(group, rows):
                for number, result in zip(some, row):
                    yield self._write(wanted, number, result)

    def _make_one_by_one(self, group: Sequence[tuple[Wanted, np.ndarray]], numbers: Sequence[int]):
        for one in group:
            for number in numbers:
                made = attempt(
                    lambda one=one, number=number: self._transferred([one], [number]), self._order.retries
                )
                if isinstance(made, Failure):
                    yield self._failed(one[0], number, made)
                else:
                    yield self._write(one[0], number, made[0][0])

    def _transferred(
        self, group: Sequence[tuple[Wanted, np.ndarray]], numbers: Sequence[int]
    ) -> list[list[Result]]:
        """Returns a row of results for each content."""
        contents, styles = [pixels for _, pixels in group], [self._styles[number] for number in numbers]
        config = self._order.config
        if self._painter.suits(contents):
            made = [self._painter.paint(contents, number) for number in numbers]
            return [list(row) for row in zip(*made)]
        if len(contents) == len(styles) == 1:  # as every optimiser can
            return [[transfer(contents[0], styles[0], config)]]
        return transfer_batch(contents, styles, config, batch_size=len(contents) * len(styles))

    def _write(self, wanted: Wanted, number: int, result: Result) -> Outcome:
        style = self._order.styles[number]
        figures = {
            "losses": result.losses,
            "evaluations": result.evaluations,
            "seconds": round(result.seconds, 3),
        }

        def write() -> str:
            picture = _encoded(result, self._note_of(wanted, style), self._order.suffix)
            return self._ledger.write_made(wanted.content, wanted.sha256, style, picture, figures)

        output = attempt(write, self._order.retries)
        if isinstance(output, Failure):
            return self._failed(wanted, number, output)
        return Outcome("made", output)

    def _failed(self, wanted: Wanted, number: int, failure: Failure) -> Outcome:
        return self._looker.fail(wanted.content, wanted.sha256, self._order.styles[number], failure)

    def _note_of(self, wanted: Wanted, style: Style) -> str:
        """Returns what `provenance.describe` does, of inputs whose hashes are known."""
        pictures = {
            "content": {"path": wanted.content.source, "sha256": wanted.sha256},
            "style": {"path": style.path, "sha256": style.sha256},
        }
        return json.dumps(self._note | {"inputs": pictures | self._note["inputs"]}, ensure_ascii=False)


def check(order: Order) -> None:
    """Finds what would make every picture fail: settings, styles, weights or start.

    Raises:
      ValueError, OSError: there is something; the message names it.
    """
    config = order.config
    if len(config.style_blend) > 1:
        raise ValueError("style_blend: must be empty; each picture is made in one style")
    styles = [_load_style(style) for style in order.styles]
    blank = tf.zeros([1, 64, 64, 3])
    initial_image(config.init, (64, 64), content=blank, style=blank)
    network = extractor_of(config)
    for style, loaded in zip(order.styles, styles):
        if isinstance(loaded, StyleTargets):
            loaded.require_for(config, f"styles={style.path!r}")
            loaded.require_network(network)


def _is_news(record: logging.LogRecord) -> bool:
    """Returns False for what TensorFlow says of each group that is compiled: that is how it is meant."""
    return "triggered tf.function retracing" not in record.getMessage()


def _load_style(style: Style):
    with store.local_copy(style.path) as path:
        if sha256(path) != style.sha256:  # on another machine, perhaps
            raise ValueError(f"styles={style.path!r}: is not the file that the run was started with")
        if pathlib.PurePath(style.path).suffix == sources.TARGETS:
            return StyleTargets.load(path, "styles")
        return decode.open_picture(pathlib.Path(path), f"styles={style.path!r}")


def _encoded(result: Result, note: str, suffix: str) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / f"picture{suffix}"
        encode.save_image(path, result.image, note, result.alpha)
        return path.read_bytes()
