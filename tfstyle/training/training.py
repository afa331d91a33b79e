"""The training of feed-forward networks: Adam on the objective of a transfer, on one device or several."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace

import tensorflow as tf

from tfstyle.config import TransferConfig
from tfstyle.feedforward.networks import fingerprint
from tfstyle.feedforward.style_network import StyleNetwork
from tfstyle.io.files import sha256
from tfstyle.losses.targets import StyleTargets
from tfstyle.reporting import Books, Progress, Reporter
from tfstyle.runtime.checkpoints import tensor_hash
from tfstyle.runtime.stopping import UNSUPERVISED, Supervision
from tfstyle.training import distribution, memory_model
from tfstyle.training.arbitrary_training import ArbitraryTask, pairs, shown_at
from tfstyle.training.dataset import Share, batches, centers, held_out, require_readable
from tfstyle.training.learner import Learner
from tfstyle.training.own_losses import palette
from tfstyle.training.recipe import InstantRecipe
from tfstyle.training.tasks import Batch, ConditionalTask, Task, in_turn
from tfstyle.training.training_loop import fit


def train(
    photographs: Sequence,
    styles: Sequence[StyleTargets],
    config: TransferConfig,
    recipe: InstantRecipe,
    *,
    start: tf.keras.Model | None = None,
    pictures: Sequence[tf.Tensor] = (),
    **options,
) -> tuple[tf.keras.Model, list[Progress]]:
    """Trains a network to make in one pass what an optimisation would make of a picture in each style.

    Johnson, Alahi & Fei-Fei 2016, eq. (5), on the terms of this package: any
    layers, weights, units, style statistic and total variation.

    Args:
      photographs: picture files. Of these, `recipe.validation` are kept from training.
      styles: measured with the config (see `style_targets`).
      config: the objective, at one scale.
      recipe: how to train.
      start, pictures: see `ConditionalTask`.
      **options: `strategy`, `reporters` and `supervision` of `train_task`. On sheets, the
        photographs are in up to three styles.

    Returns:
      As `train_task`.

    Raises:
      ValueError: the objective is not possible in a graph, styles or the start do not suit
        it, there are too few photographs or one is no picture; and as `train_task`.
      FloatingPointError, OSError: as `train_task`.
    """
    trained_on, kept, identity = _divided(photographs, styles, recipe, start)
    identity["styles"] = [targets.hash for targets in styles]
    if pictures:
        identity["palettes"] = tensor_hash(tf.concat([palette(each) for each in pictures], axis=0))
    with _naming(photographs):
        return train_task(
            lambda: ConditionalTask(styles, config, recipe, start, pictures),
            lambda first_step, share: batches(trained_on, len(styles), recipe, first_step, share),
            config,
            recipe,
            identity=identity,
            validation=in_turn(centers(kept, recipe.crop_size), len(styles)) if kept else (),
            **options,
        )


def train_arbitrary(
    photographs: Sequence,
    styles: Sequence,
    config: TransferConfig,
    recipe: InstantRecipe,
    *,
    start: StyleNetwork | tf.keras.Model | None = None,
    **options,
) -> tuple[StyleNetwork, list[Progress]]:
    """Trains a network to paint in the style of any picture; see `ArbitraryTask`.

    Args:
      photographs: as in `train`.
      styles: files, JPEG or PNG, of pictures to learn styles from: the more, the better it
        does with others.
      config, recipe, **options: as in `train`.
      start: see `ArbitraryTask`.

    Returns:
      As `train_task`.

    Raises:
      ValueError, FloatingPointError, OSError: as in `train`.
    """
    trained_on, kept, identity = _divided(photographs, styles, recipe, start)
    with _naming([*photographs, *styles]):
        validation = ()
        if kept:
            contents = centers(kept, recipe.crop_size)
            shown = centers(styles[:3], recipe.style_crop_size, shown_at(config.image_size, recipe))
            validation = [(contents, tf.repeat(style[tf.newaxis], len(kept), 0)) for style in shown]
        return train_task(
            lambda: ArbitraryTask(styles, config, recipe, start),
            lambda first_step, share: pairs(trained_on, styles, recipe, config.image_size, first_step, share),
            config,
            recipe,
            identity={**identity, "styles": _hashes(styles)},
            validation=validation,
            **options,
        )


def train_task(
    task: Callable[[], Task],
    stream: Callable[[int, Share], tf.data.Dataset],
    config: TransferConfig,
    recipe: InstantRecipe,
    *,
    identity: Mapping[str, object],
    validation: Sequence[Batch] = (),
    strategy: tf.distribute.Strategy | None = None,
    reporters: Sequence[Reporter] = (),
    supervision: Supervision = UNSUPERVISED,
) -> tuple[tf.keras.Model, list[Progress]]:
    """Trains the network of a task.

    On several replicas, each gets its part of a batch, gradients are summed,
    and losses are those of one device, but for rounding.

    Args:
      task: makes the task, and with it all variables.
      stream: gives the batches that follow so many steps, and of these the share asked for.
      config: the objective.
      recipe: how to train; its batch is that of all replicas together.
      identity: what a checkpoint has to agree in besides config and recipe, as JSON types.
      validation: batches to be painted at each report; the photographs are the same in all.
      strategy: where to train; None: on one device. Each worker calls this, with
        the same arguments.
      reporters: told of the progress, by the chief alone, with photographs above
        and what became of them below: those of `validation` or, without it, of the batch.
      supervision: where the state is saved; the same training goes on from
        there, to the same losses. One folder for all workers: the chief writes,
        and all read. And what ends the training early, with the network as it
        is then; what ends it for one worker ends it for all, after the same step.

    Returns:
      The network, and one record every `report_every` steps, whose losses are
      means since the one before. Its metrics are the mean "validation loss" of
      that moment, and "pictures a second" since the last record.

    Raises:
      ValueError: the batch cannot be divided among the replicas or does not fit
        into memory, a strength cannot be measured, or the checkpoint is of another run, or of another
        step for another worker.
      FloatingPointError: the loss stopped being finite.
      OSError: a file cannot be read, or the checkpoint not be written; or a worker was lost.
    """
    distributed, strategy = strategy is not None, strategy or tf.distribute.get_strategy()
    distribution.require_divisible(recipe.batch_size, strategy)
    own, chief = {**_identity(config, recipe), **identity}, distribution.is_chief(strategy)
    supervision = replace(supervision, stop=distribution.together(strategy, supervision.stop))
    with Books(supervision, own, reporters=reporters, chief=chief) as books, distribution.losses_told():
        with strategy.scope():
            made = task()
            memory_model.require_fit(made, config, recipe, strategy.num_replicas_in_sync)
            learner = Learner(made, stream, config, recipe, validation, strategy)
        history = fit(
            learner,
            learner.batches,
            books,
            steps=recipe.steps,
            report_every=recipe.report_every,
            remedy="training_rate",
            agree=lambda step: distribution.require_agreement(
                strategy, step, "checkpoint_dir: must be one folder for all workers; they go on from steps"
            ),
        )
    if not distributed:
        return learner.network, history
    plain = task().network  # without the strategy, which would follow it into files
    plain.set_weights(learner.network.get_weights())
    return plain, history


def _divided(
    photographs: Sequence, styles: Sequence, recipe: InstantRecipe, start
) -> tuple[list, list, dict]:
    """Returns the photographs to train on, those that are kept, and what a checkpoint has to agree in."""
    if not photographs or not styles:
        raise ValueError("photographs, styles: must be at least one of each")
    trained_on, kept = held_out(photographs, recipe.validation)
    identity = {"photographs": _hashes(trained_on)}
    if start is not None:
        identity["start"] = fingerprint(start)
    return trained_on, kept, identity


@contextlib.contextmanager
def _naming(paths: Sequence) -> Iterator[None]:
    """Says which file it was that TensorFlow could not read."""
    try:
        yield
    except (tf.errors.InvalidArgumentError, tf.errors.NotFoundError):
        require_readable(paths)
        raise


def _hashes(paths: Sequence) -> list[str]:
    return [sha256(path)[:16] for path in paths]


def _identity(config: TransferConfig, recipe: InstantRecipe) -> dict:
    fields = recipe.to_dict()
    # What is kept from training shows in the photographs that it leaves.
    for name in ("report_every", "validation"):
        del fields[name]
    return {**config.to_dict(), **fields, "tensorflow": tf.__version__}
