"""The run on Apache Beam: the same steps, on whatever machines its runner has.

    sources -> contents -> look -> by size -> groups -> load, make and write
                             \\___ outcomes ___________________/

Until a picture is made, only its name travels (and the bytes of those from
TFRecords): pixels are loaded where they are used. Pictures, records and dead
letters are written by the workers as they come, so that a run that is killed
keeps all of them.
"""

from __future__ import annotations

import contextlib
import io
import logging
import os
import threading
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence

import apache_beam as beam
from apache_beam.metrics import Metrics, MetricsFilter
from apache_beam.options.pipeline_options import DirectOptions, PipelineOptions, TypeOptions, WorkerOptions
from apache_beam.utils.shared import Shared

from tfstyle.api.size_groups import Waiting
from tfstyle.batch import sources
from tfstyle.batch.inspection import Looker, Wanted, header_size
from tfstyle.batch.orders import KINDS, Content, Order, Outcome, renamed
from tfstyle.batch.sources import Shard
from tfstyle.runtime import determinism

_NAMESPACE = "tfstyle.batch"
_OUTCOMES = "outcomes"
# Contents of one size are spread over so many keys at most.
_MOST_SHARDS = 64
_POLL_SECONDS = 2.0


def run(
    order: Order,
    found: Sequence[Content] | Sequence[Shard],
    arguments: Sequence[str],
    poll: Callable[[], None] = lambda: None,
) -> dict[str, int]:
    """Makes all that is not finished.

    Args:
      order: what to make.
      found: of what, from `sources.find_contents`.
      arguments: Beam's own options, such as ``--runner=FlinkRunner``.
      poll: called now and then while the run goes.

    Returns:
      {kind of outcome: how many}.

    Raises:
      OSError: the run failed as a whole.
      ValueError: Beam does not know the runner, or an option has no such value.
    """
    options = _options(arguments)
    pipeline = beam.Pipeline(options=options)
    # The number of pictures in TFRecords is not known; each file may hold many.
    shards = len(found) // (4 * order.batch_size) if isinstance(found[0], Content) else _MOST_SHARDS
    sources_ = pipeline | "Sources" >> beam.Create(list(found))
    _paint(sources_, order, max(1, min(shards, _MOST_SHARDS)))
    finished = threading.Event()
    watcher = threading.Thread(target=_watch, args=(poll, finished), daemon=True)
    watcher.start()
    try:
        result = pipeline.run()
        result.wait_until_finish()
    except Exception as error:
        lines = [line for line in str(error).splitlines() if line.strip()] or [type(error).__name__]
        raise OSError(f"the Beam run failed: {lines[-1].strip()}") from error
    finally:
        finished.set()
        watcher.join()
    return _counts(result)


def _paint(sources_: beam.PCollection, order: Order, shards: int) -> None:
    """Makes all pictures of sources, and counts what became of them.

    Args:
      sources_: `Content` or `Shard` each.
      order: what to make.
      shards: keys that contents of one size are spread over, and with them the machines that group them.
    """
    looked = (
        sources_
        | "Spread sources" >> beam.Reshuffle()
        | "Contents" >> beam.FlatMap(sources.contents_of)
        | "Name" >> beam.Map(lambda content: (content.name, content))
        | "By name" >> beam.GroupByKey()
        | "Distinct" >> beam.FlatMap(_distinct)
        | "Look" >> beam.ParDo(_Look(order, shards)).with_outputs(_OUTCOMES, main="wanted")
    )
    # Not GroupIntoBatches: its timer would take the pipeline from the direct runner that has several
    # workers to the one that has none. What is grouped here is names, which any key can hold.
    made = (
        looked.wanted
        | "By size" >> beam.GroupByKey()
        | "Groups" >> beam.FlatMap(_groups, order.batch_size)
        | "Spread groups" >> beam.Reshuffle()
        | "Make" >> beam.ParDo(_Make(order))
    )
    (looked[_OUTCOMES], made) | beam.Flatten() | "Count" >> beam.Map(_count)


def _distinct(named: tuple[str, Sequence[Content]]) -> Iterator[Content]:
    """Gives the contents of one name: the first as it is, others as failures."""
    first, *others = sorted(named[1], key=lambda content: (content.path, content.index or 0))
    yield first
    for content in others:
        yield renamed(content, first.source)


def _groups(keyed: tuple[str, Sequence[Wanted]], size: int) -> Iterator[list[Wanted]]:
    waiting, (key, found) = Waiting(size), keyed
    if determinism.enabled():  # pictures made together round together; otherwise they are not held in memory
        found = sorted(found, key=lambda wanted: wanted.content.name)
    for wanted in found:
        yield from waiting.add(key, wanted)
    yield from waiting.rest()


class _Look(beam.DoFn):
    """Keys what is to be made by its size, styles and shard; the rest goes to the outcomes."""

    def __init__(self, order: Order, shards: int):
        self._order, self._shards = order, shards

    def setup(self):
        self._looker = Looker(self._order)

    def process(self, content: Content):
        wanted, outcomes = self._looker.look(content)
        for outcome in outcomes:
            yield beam.pvalue.TaggedOutput(_OUTCOMES, outcome)
        if wanted is None:
            return
        size = header_size(wanted.content.data)
        shard = zlib.crc32(content.name.encode()) % self._shards
        # A file is read again where it is made.
        yield f"{size} {wanted.styles} {shard}", wanted if content.data else wanted.without_data()


class _Make(beam.DoFn):
    """Makes groups, with one network in each process."""

    def __init__(self, order: Order):
        self._order, self._shared = order, Shared()

    def setup(self):
        from tfstyle.batch.worker import Maker

        self._maker = self._shared.acquire(lambda: Maker(self._order))

    def process(self, group: list[Wanted]):
        loaded = []
        for wanted in group:
            pixels = self._maker.load(wanted)
            if isinstance(pixels, list):
                yield from pixels
            else:
                loaded.append((wanted, pixels))
        yield from self._maker.make(loaded)


def _count(outcome: Outcome) -> None:
    Metrics.counter(_NAMESPACE, outcome.kind).inc()


def _options(arguments: Sequence[str]) -> PipelineOptions:
    with contextlib.redirect_stderr(io.StringIO()) as said:
        try:
            options = PipelineOptions(list(arguments))
            options.get_all_options()
        except SystemExit:
            raise ValueError(f"beam_args: {said.getvalue().strip().splitlines()[-1]}") from None
    # Worker processes have a lot to say for themselves, between the lines that tell how far they are.
    worker = options.view_as(WorkerOptions)
    worker.default_sdk_harness_log_level = worker.default_sdk_harness_log_level or "WARNING"
    logging.getLogger("apache_beam").setLevel(logging.WARNING)
    # It repeats what they have printed themselves.
    logging.getLogger("apache_beam.runners.portability.local_job_service").setLevel(logging.ERROR)
    # Says nothing of this pipeline, which has no triggers; but without it DirectRunner first tries Prism,
    # a program that it downloads, and which has no worker processes of its own.
    options.view_as(TypeOptions).allow_unsafe_triggers = True
    direct = options.view_as(DirectOptions)
    if direct.direct_running_mode == "multi_processing":
        # Each process would take all processors for itself. Workers inherit the environment.
        processors = os.cpu_count() or 1
        workers = direct.direct_num_workers or processors
        os.environ.setdefault("TF_NUM_INTRAOP_THREADS", str(max(1, processors // workers)))
    return options


def _watch(poll: Callable[[], None], finished: threading.Event) -> None:
    while not finished.wait(_POLL_SECONDS):
        poll()


def _counts(result) -> Mapping[str, int]:
    counters = result.metrics().query(MetricsFilter().with_namespace(_NAMESPACE))["counters"]
    counts = dict.fromkeys(KINDS, 0)
    for counter in counters:
        counts[counter.key.metric.name] += counter.result or 0
    return counts
