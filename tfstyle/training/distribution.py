"""A training on several devices or machines: who reads what, and who tells of it."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import tensorflow as tf

from tfstyle.runtime.stopping import Stop
from tfstyle.training.dataset import Share

STRATEGIES = ("none", "mirrored", "multi_worker")


def strategy_of(name: str) -> tf.distribute.Strategy | None:
    """Returns a strategy by the name that flags have for it.

    Args:
      name: none; mirrored, for all GPUs of this machine; or multi_worker, for
        the processes of the cluster that the environment's TF_CONFIG describes.
        The last has to be made before TensorFlow meets its devices, and waits
        for the other workers.

    Raises:
      ValueError: the name is another, or TF_CONFIG is missing or incomplete.
    """
    if name not in STRATEGIES:
        raise ValueError(f"distribute={name!r}: must be one of {', '.join(STRATEGIES)}")
    if name == "multi_worker":
        worker_of_environment()
        return tf.distribute.MultiWorkerMirroredStrategy()
    return tf.distribute.MirroredStrategy() if name == "mirrored" else None


def worker_of_environment() -> tuple[int, int]:
    """Returns the index of this process among the workers of TF_CONFIG, and how many there are.

    Index 0 is the chief.

    Raises:
      ValueError: there is none, or it does not tell.
    """
    try:
        told = json.loads(os.environ["TF_CONFIG"])
        workers = _in_order(told["cluster"])
        return workers.index((told["task"]["type"], int(told["task"]["index"]))), len(workers)
    except (KeyError, ValueError, TypeError, AttributeError):
        raise ValueError(
            "distribute=multi_worker: needs TF_CONFIG in the environment, such as"
            ' {"cluster": {"worker": ["host1:2222", "host2:2222"]}, "task": {"type": "worker", "index": 0}}'
        ) from None


def is_chief(strategy: tf.distribute.Strategy | None) -> bool:
    """Returns whether this process is the one that reports, saves and exports."""
    return _position(strategy)[0] == 0


def _position(strategy: tf.distribute.Strategy | None) -> tuple[int, int]:
    """Returns the index of this process among the workers, the chief's being 0, and how many there are."""
    resolver = strategy and strategy.cluster_resolver
    if not resolver or not resolver.task_type:
        return 0, 1
    workers = _in_order(resolver.cluster_spec().as_dict())
    return workers.index((resolver.task_type, resolver.task_id)), len(workers)


def _in_order(cluster: Mapping[str, Sequence[str]]) -> list[tuple[str, int]]:
    return [(kind, index) for kind in ("chief", "worker") for index in range(len(cluster.get(kind, ())))]


def share_of(context: tf.distribute.InputContext) -> Share:
    """Returns what an input pipeline of a strategy is to read."""
    return Share(context.input_pipeline_id, context.num_input_pipelines, context.num_replicas_in_sync)


def require_divisible(batch_size: int, strategy: tf.distribute.Strategy) -> None:
    """Checks that all replicas get as much of a batch.

    Raises:
      ValueError: they do not.
    """
    if batch_size % strategy.num_replicas_in_sync:
        raise ValueError(
            f"batch_size={batch_size}: must be a multiple of {strategy.num_replicas_in_sync},"
            " the number of replicas that share it"
        )


def require_agreement(strategy: tf.distribute.Strategy, value: int, message: str) -> None:
    """Checks that all workers have the same number.

    Raises:
      ValueError: they have not; all workers raise it.
    """
    each = strategy.experimental_distribute_values_from_function(lambda _: tf.constant([value]))
    values = strategy.gather(each, axis=0).numpy()
    if (values != value).any() or (values != values[0]).any():
        raise ValueError(f"{message}: {', '.join(str(value) for value in values)}")


def together(strategy: tf.distribute.Strategy, stop: Stop) -> Stop:
    """Returns what ends a training of several workers for all of them, after the same step.

    Who ended alone would leave the others waiting for its gradients.

    Args:
      strategy: of the training; with one worker, `stop` itself is returned.
      stop: whether this worker is to end. Every worker asks as often as the others.
    """
    own, workers = _position(strategy)
    if workers < 2:
        return stop

    @tf.function(autograph=False)
    def summed(asked):
        return strategy.reduce("SUM", strategy.run(tf.identity, args=(asked,)), axis=None)

    def ending() -> str:
        reason = stop()
        asked = np.zeros(workers, np.float32)
        asked[own] = bool(reason)
        told = np.flatnonzero(summed(tf.constant(asked)))
        return reason or (f"worker {told[0]}" if told.size else "")

    return ending


def wait_for_all(strategy: tf.distribute.Strategy | None) -> None:
    """Returns once every worker has come here: who ends early is taken for crashed.

    Raises:
      ConnectionError: a worker was lost.
    """
    if strategy is not None:
        with losses_told():
            require_agreement(strategy, 0, "")


@contextlib.contextmanager
def losses_told() -> Iterator[None]:
    """Has what TensorFlow raises where another worker was lost say so.

    Raises:
      ConnectionError: one was.
    """
    try:
        yield
    except (tf.errors.UnavailableError, tf.errors.AbortedError, tf.errors.CancelledError) as error:
        raise ConnectionError(
            f"distribute: a worker was lost ({type(error).__name__}); start all of them again, and with"
            " --checkpoint_dir they go on from there"
        ) from error
