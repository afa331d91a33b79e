"""The run on one machine: tf.data reads and decodes ahead while pictures are made."""

from __future__ import annotations

import pickle
from collections.abc import Iterable, Iterator, Sequence

import numpy as np
import tensorflow as tf

from tfstyle.api.size_groups import Waiting
from tfstyle.batch import sources
from tfstyle.batch.inspection import Looker, Wanted
from tfstyle.batch.orders import Content, Order, Outcome
from tfstyle.batch.sources import Shard
from tfstyle.batch.worker import Maker

_READERS = 4
# Pictures of sizes that are rare wait for others of theirs; so many groups' worth of them.
_WAITING_GROUPS = 4


def run(order: Order, found: Sequence[Content] | Sequence[Shard]) -> Iterator[Outcome]:
    """Makes all that is not finished.

    Args:
      order: what to make.
      found: of what, from `sources.find_contents`.

    Yields:
      What became of each picture, as it happens.

    Raises:
      ValueError, OSError: the order cannot be made at all, or nothing be written.
    """
    maker, looker = Maker(order), Looker(order)
    waiting = Waiting(order.batch_size, _WAITING_GROUPS * order.batch_size)
    for wanted, pixels, known in _ahead(order, maker, looker, found):
        yield from known
        if wanted is not None:
            for group in waiting.add((pixels.shape, wanted.styles), (wanted, pixels)):
                yield from maker.make(group)
    for group in waiting.rest():
        yield from maker.make(group)


def _ahead(
    order: Order, maker: Maker, looker: Looker, found: Iterable[Content | Shard]
) -> Iterator[tuple[Wanted | None, np.ndarray | None, list[Outcome]]]:
    """Gives for each content what is wanted of it, its pixels, and what became of the rest."""

    def read():
        for content in sources.distinct(content for one in found for content in sources.contents_of(one)):
            yield pickle.dumps(content)

    def look(content: Content) -> tuple[Wanted | None, np.ndarray | None, list[Outcome]]:
        wanted, outcomes = looker.look(content)
        if wanted is None:
            return None, None, outcomes
        pixels = maker.load(wanted)
        if isinstance(pixels, list):
            return None, None, outcomes + pixels
        return wanted.without_data(), pixels, outcomes

    def look_pickled(pickled: bytes) -> bytes:
        try:
            return pickle.dumps(look(pickle.loads(pickled)))
        except OSError as error:  # no record can be written; tf.data would make another error of it
            return pickle.dumps(error)

    # Tensors of strings carry what is no tensor, names and reasons among it.
    dataset = tf.data.Dataset.from_generator(read, output_signature=tf.TensorSpec([], tf.string))
    dataset = dataset.map(
        lambda pickled: tf.numpy_function(look_pickled, [pickled], tf.string, stateful=True),
        num_parallel_calls=_READERS,
    )
    for pickled in dataset.prefetch(order.batch_size):
        looked = pickle.loads(pickled.numpy())
        if isinstance(looked, OSError):
            raise looked
        yield looked
