"""The training loop of feed-forward networks: Adam on the objective of a transfer, checkpointed, reported."""

from __future__ import annotations

import dataclasses
import math
import time
from collections.abc import Sequence

import numpy as np
import tensorflow as tf

from tfstyle.checkpoint import Checkpoint
from tfstyle.composition import Composition, layers_of
from tfstyle.config import TransferConfig
from tfstyle.features import feature_extractor
from tfstyle.files import sha256
from tfstyle.instant.networks import transformation_network
from tfstyle.instant.photographs import batches
from tfstyle.instant.recipe import InstantRecipe
from tfstyle.program import Program
from tfstyle.reporting import Progress, Reporter
from tfstyle.stacking import stacked
from tfstyle.targets import StyleTargets

_CHECKPOINT_SECONDS = 60.0
_CALIBRATION_STEPS = 8  # batches over which a strength is measured


def train(
    photographs: Sequence,
    styles: Sequence[StyleTargets],
    config: TransferConfig,
    recipe: InstantRecipe,
    *,
    reporters: Sequence[Reporter] = (),
    checkpoint_dir=None,
) -> tuple[tf.keras.Model, list[Progress]]:
    """Trains a network to make in one pass what an optimisation would make of a picture in each style.

    Johnson, Alahi & Fei-Fei 2016, eq. (5), on the terms of this package: any
    layers, weights, units, style statistic and total variation.

    Args:
      photographs: files, JPEG or PNG.
      styles: measured with the config (see `style_targets`).
      config: the objective, at one scale.
      recipe: how to train.
      reporters: told of the progress, with some of the batch and what became of it below.
      checkpoint_dir: folder to save the state in, every minute and at the end;
        the same training goes on from there, to the same losses.

    Returns:
      The network, and one record every `report_every` steps, whose losses are
      means since the one before.

    Raises:
      ValueError: the objective is not possible in a graph, styles do not suit
        it, or the checkpoint is of another run.
      FloatingPointError: the loss stopped being finite.
      OSError: a file cannot be read, or the checkpoint not be written.
    """
    if not photographs or not styles:
        raise ValueError("photographs, styles: must be at least one of each")
    checkpoint = checkpoint_dir and Checkpoint(checkpoint_dir, _identity(photographs, styles, config, recipe))
    run = _Run(styles, config, recipe)
    began = saved = time.monotonic()
    history: list[Progress] = []
    first_step, note = 0, ""
    loaded = checkpoint.load() if checkpoint else None
    if loaded:
        record, arrays = loaded
        first_step, weights = record["step"], record["weights"]
        began -= record["seconds"]
        history = [Progress(**progress) for progress in record["history"]]
        note = f"goes on from the checkpoint after {first_step} steps"
    else:
        weights = run.calibrated(batches(photographs, len(styles), recipe))
        if config.style_strength > 0:
            note = f"style_strength={config.style_strength:g} comes to " + ", ".join(
                f"{name}={weight:.4g}" for name, weight in weights.items()
            )
    run.prepare(weights)
    if loaded:
        run.restore(arrays)
    measured: list[dict[str, float]] = []
    stream = batches(photographs, len(styles), recipe, first_step)
    for step, (contents, numbers) in enumerate(stream, first_step + 1):
        losses, made = run.step(contents, numbers)
        measured.append({name: float(value) for name, value in losses.items()})
        if step % recipe.report_every and step not in (1, recipe.steps):
            continue
        means = {name: float(np.mean([values[name] for values in measured])) for name in measured[0]}
        seconds = time.monotonic() - began
        progress = _progress(step, means, weights, recipe, seconds, note)
        measured, note = [], ""
        history.append(progress)
        for reporter in reporters:
            reporter.report(progress, _sheet(contents, made))
        if not math.isfinite(progress.total):
            raise FloatingPointError(f"the loss is {progress.total} after step {step}; lower training_rate")
        if checkpoint and (step == recipe.steps or time.monotonic() - saved >= _CHECKPOINT_SECONDS):
            books = {
                "step": step,
                "seconds": seconds,
                "weights": weights,
                "history": [dataclasses.asdict(each) for each in history],
            }
            checkpoint.save(books, run.state())
            saved = time.monotonic()
    return run.network, history


class _Run:
    """The networks, the optimiser and the compiled step on them."""

    def __init__(self, styles: Sequence[StyleTargets], config: TransferConfig, recipe: InstantRecipe):
        Program.require_possible(config)
        content_layers, style_layers = layers_of(config)
        self._config, self._recipe = config, recipe
        options = {name: getattr(config, name) for name in ("weights", "pooling", "padding")}
        layers = dict.fromkeys((*content_layers, *style_layers))
        self._extractor = feature_extractor(layers, dtype=recipe.computed_in, **options)
        for targets in styles:
            targets.require_for(config, "styles")
            targets.require_network(self._extractor)
        # Of several styles, `[1, S, ...]`: the finest scale of each.
        self._styles = tf.nest.map_structure(
            lambda *values: tf.stack([value[0, 0] for value in values])[tf.newaxis], *map(stacked, styles)
        )
        self._count = len(styles)
        policy = "mixed_bfloat16" if recipe.computed_in == "bfloat16" else "float32"
        self.network = transformation_network(
            self._count,
            width=recipe.width,
            residual_blocks=recipe.residual_blocks,
            seed=recipe.shuffle,
            dtype=policy,
        )
        rate = tf.keras.optimizers.schedules.CosineDecay(recipe.training_rate, recipe.steps)
        self._optimizer = tf.keras.optimizers.Adam(rate)
        self._optimizer.build(self.network.trainable_variables)

    def _composition(self, contents: tf.Tensor, numbers: tf.Tensor) -> Composition:
        style = tf.nest.map_structure(lambda values: tf.gather(values, numbers, axis=1), self._styles)
        return Composition(self._config, self._extractor, contents, style, tf.constant(0))

    def calibrated(self, stream: tf.data.Dataset) -> dict[str, float]:
        """Returns the terms' weights; those of a strength are its geometric means over some batches."""

        @tf.function
        def weights(contents, numbers):
            composition = self._composition(contents, numbers)
            found = composition.balanced() if self._config.style_strength > 0 else composition.weights
            return {name: tf.convert_to_tensor(value) for name, value in found.items()}

        steps = _CALIBRATION_STEPS if self._config.style_strength > 0 else 1
        found = [weights(*batch) for batch in stream.take(steps)]
        return {
            name: float(np.exp(np.mean([np.log(np.maximum(each[name], 1e-30)).mean() for each in found])))
            for name in found[0]
        }

    def prepare(self, weights: dict[str, float]) -> None:
        """Compiles the step on an objective of these weights."""

        @tf.function
        def step(contents, numbers):
            losses = self._composition(contents, numbers).weighted(weights)
            with tf.GradientTape() as tape:
                made = self.network(
                    {"image": contents, "style": tf.one_hot(numbers, self._count)}, training=True
                )
                means = {name: tf.reduce_mean(values) for name, values in losses(made).items()}
                total = tf.add_n(list(means.values()))
            variables = self.network.trainable_variables
            self._optimizer.apply_gradients(zip(tape.gradient(total, variables), variables))
            return means, made

        self.step = step

    def _variables(self) -> list:
        return [*self.network.variables, *self._optimizer.variables]

    def state(self) -> dict[str, np.ndarray]:
        return {f"variable_{index:03}": v.numpy() for index, v in enumerate(self._variables())}

    def restore(self, arrays: dict[str, np.ndarray]) -> None:
        for index, variable in enumerate(self._variables()):
            variable.assign(arrays[f"variable_{index:03}"])


def _identity(photographs, styles: Sequence[StyleTargets], config: TransferConfig, recipe: InstantRecipe):
    fields = recipe.to_dict()
    del fields["report_every"]
    return {
        **config.to_dict(),
        **fields,
        "tensorflow": tf.__version__,
        "styles": [targets.hash for targets in styles],
        "photographs": [sha256(path)[:16] for path in photographs],
    }


def _progress(step: int, means, weights, recipe: InstantRecipe, seconds: float, note: str) -> Progress:
    return Progress(
        step=step,
        total_steps=recipe.steps,
        scale=0,
        scales=1,
        losses=means,
        unweighted={name: value / weights[name] if weights[name] else 0.0 for name, value in means.items()},
        total=sum(means.values()),
        seconds=seconds,
        evaluations=step,
        note=note,
        metrics={"pictures a second": step * recipe.batch_size / max(seconds, 1e-9)},
    )


def _sheet(contents: tf.Tensor, made: tf.Tensor, columns: int = 4) -> tf.Tensor:
    """Returns some photographs, and below what became of them, `[1, H, W, 3]`."""
    rows = [tf.concat(tf.unstack(tf.cast(batch[:columns], tf.float32)), 1) for batch in (contents, made)]
    return tf.concat(rows, 0)[tf.newaxis]
