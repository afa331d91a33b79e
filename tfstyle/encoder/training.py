"""The training loop of the encoder: AdamW on the two tasks, checkpointed, reported."""

from __future__ import annotations

import dataclasses
import hashlib
import time
from collections.abc import Sequence

import numpy as np
import tensorflow as tf

from tfstyle.checkpoint import Checkpoint
from tfstyle.encoder.crops import batches
from tfstyle.encoder.recipe import EncoderRecipe
from tfstyle.encoder.tasks import ExemplarTask, GramTask
from tfstyle.encoder.trunk import calibrate, folded, trunk
from tfstyle.features.network import Weights
from tfstyle.reporting import Progress, Reporter

_CHECKPOINT_SECONDS = 60.0
_LARGEST_GRADIENT = 1.0  # Euclidean norm over all variables, clipped above
# Scales, shifts and temperatures are not shrunk; only kernels are.
_UNDECAYED = ["bias", "gain", "gamma", "beta", "log_sharpness"]


def train(
    photographs: Sequence[np.ndarray],
    recipe: EncoderRecipe,
    *,
    reporters: Sequence[Reporter] = (),
    checkpoint_dir=None,
) -> tuple[Weights, list[Progress]]:
    """Trains an encoder to tell photographs apart.

    Args:
      photographs: `[H, W, 3]` uint8, of any sizes, two or more.
      recipe: how.
      reporters: told of the progress, with some of the batch's views.
      checkpoint_dir: folder to save the state in, every minute and at the end;
        the same training goes on from there, to the same weights.

    Returns:
      `{layer: (kernel, bias)}` for `tfstyle.feature_extractor`, and one record
      every `log_every` steps, whose losses are means since the one before.

    Raises:
      ValueError: there are too few photographs, or the checkpoint is of another run.
      FloatingPointError: the loss stopped being finite.
      OSError: the checkpoint cannot be written.
    """
    if len(photographs) < 2:
        raise ValueError(f"photos: {len(photographs)} to train on; telling them apart needs at least 2")
    checkpoint = checkpoint_dir and Checkpoint(checkpoint_dir, _identity(photographs, recipe))
    run = _Run(photographs, recipe)
    began = saved = time.monotonic()
    history: list[Progress] = []
    first_step, note = 0, ""
    if checkpoint and (loaded := checkpoint.load()):
        record, arrays = loaded
        run.restore(arrays)
        first_step = record["step"]
        began -= record["seconds"]
        history = [Progress(**progress) for progress in record["history"]]
        note = f"goes on from the checkpoint after {first_step} steps"
    measured: list[dict] = []
    for step, (views, labels) in enumerate(batches(photographs, recipe, first_step), first_step + 1):
        measured.append(run.step(views, labels))
        if step % recipe.log_every and step not in (1, recipe.steps):
            continue
        means = {name: float(np.mean([values[name] for values in measured])) for name in measured[0]}
        measured = []
        progress = _progress(step, means, recipe, time.monotonic() - began, note)
        history.append(progress)
        for reporter in reporters:
            reporter.report(progress, _sheet(views))
        if not np.isfinite(progress.total):
            raise FloatingPointError(f"the loss is {progress.total} after step {step}; lower learning_rate")
        note = ""
        if checkpoint and (step == recipe.steps or time.monotonic() - saved >= _CHECKPOINT_SECONDS):
            record = {
                "step": step,
                "seconds": time.monotonic() - began,
                "history": [dataclasses.asdict(progress) for progress in history],
            }
            checkpoint.save(record, run.state())
            saved = time.monotonic()
    return folded(run.trunk), history


class _Run:
    """The network, its tasks and its optimiser, and the compiled step on them."""

    def __init__(self, photographs: Sequence[np.ndarray], recipe: EncoderRecipe):
        tf.keras.utils.set_random_seed(recipe.seed)
        self._recipe = recipe
        self.trunk = trunk(recipe)
        views, labels = next(iter(batches(photographs, recipe)))
        if recipe.normalization == "weight":
            calibrate(self.trunk, views)
        self._exemplar = ExemplarTask(recipe.deepest_layer, len(photographs))
        self._gram = GramTask(recipe.style_layers)
        self._losses(views[:4], labels[:4])  # makes the tasks' variables
        self._trained = [
            variable
            for part in (self.trunk, self._exemplar, self._gram)
            for variable in part.trainable_variables
        ]
        schedule = tf.keras.optimizers.schedules.CosineDecay(
            0.0,
            max(1, recipe.steps - recipe.warmup),
            warmup_target=recipe.learning_rate,
            warmup_steps=recipe.warmup,
        )
        self._optimizer = tf.keras.optimizers.AdamW(
            schedule, weight_decay=recipe.weight_decay, global_clipnorm=_LARGEST_GRADIENT
        )
        self._optimizer.exclude_from_weight_decay(var_names=_UNDECAYED)
        self._optimizer.build(self._trained)
        self._step = tf.function(self._train_step)

    def step(self, views: tf.Tensor, labels: tf.Tensor) -> dict[str, float]:
        """Trains on one batch and returns its losses and accuracies."""
        return {name: float(value) for name, value in self._step(views, labels).items()}

    def _losses(self, views: tf.Tensor, labels: tf.Tensor) -> tuple[tf.Tensor, dict[str, tf.Tensor]]:
        activations = self.trunk(views, training=True)
        exemplar, exemplar_right = self._exemplar(activations, labels)
        gram, gram_right = self._gram(activations)
        total = self._recipe.exemplar_weight * exemplar + self._recipe.gram_weight * gram
        return total, {
            "exemplar": exemplar,
            "gram": gram,
            "exemplar_top1": exemplar_right,
            "gram_top1": gram_right,
        }

    def _train_step(self, views: tf.Tensor, labels: tf.Tensor) -> dict[str, tf.Tensor]:
        if self._recipe.adversarial:
            views = self._worst_case(views, labels)
        with tf.GradientTape() as tape:
            total, measured = self._losses(views, labels)
        gradients = tape.gradient(total, self._trained)
        pairs = zip(gradients, self._trained)
        self._optimizer.apply_gradients((g, v) for g, v in pairs if g is not None)
        return measured

    def _worst_case(self, views: tf.Tensor, labels: tf.Tensor) -> tf.Tensor:
        """Moves each view uphill on the loss, by up to the recipe's length (Goodfellow et al. 2015).

        One step, in the Euclidean norm, and by a random share of the length,
        so that unchanged views are seen too.
        """
        with tf.GradientTape() as tape:
            tape.watch(views)
            total, _ = self._losses(views, labels)
        gradient = tape.gradient(total, views)
        length = tf.sqrt(tf.reduce_sum(tf.square(gradient), [1, 2, 3], keepdims=True)) + 1e-12
        share = tf.random.stateless_uniform(
            tf.shape(length), tf.stack([self._recipe.seed, tf.cast(self._optimizer.iterations, tf.int32)])
        )
        return views + self._recipe.adversarial * share * gradient / length

    def _variables(self) -> list[tf.Variable]:
        parts = (self.trunk, self._exemplar, self._gram)
        return [*(v for part in parts for v in part.variables), *self._optimizer.variables]

    def state(self) -> dict[str, np.ndarray]:
        return {f"variable_{index:03}": v.numpy() for index, v in enumerate(self._variables())}

    def restore(self, arrays: dict[str, np.ndarray]) -> None:
        for index, variable in enumerate(self._variables()):
            variable.assign(arrays[f"variable_{index:03}"])


def _identity(photographs: Sequence[np.ndarray], recipe: EncoderRecipe) -> dict:
    fields = recipe.to_dict()
    del fields["log_every"]
    digest = hashlib.sha256()
    for photograph in photographs:
        digest.update(photograph.tobytes())
    return {**fields, "tensorflow": tf.__version__, "photographs": digest.hexdigest()[:16]}


def _progress(
    step: int, means: dict[str, float], recipe: EncoderRecipe, seconds: float, note: str
) -> Progress:
    weights = {"exemplar": recipe.exemplar_weight, "gram": recipe.gram_weight}
    losses = {name: weight * means[name] for name, weight in weights.items()}
    return Progress(
        step=step,
        total_steps=recipe.steps,
        scale=0,
        scales=1,
        losses=losses,
        unweighted={name: means[name] for name in weights},
        total=sum(losses.values()),
        seconds=seconds,
        evaluations=step,
        note=note,
        metrics={name: value for name, value in means.items() if name not in weights},
    )


def _sheet(views: tf.Tensor, columns: int = 8) -> tf.Tensor:
    """Returns the first two rows of views, with the second view of each photograph below."""
    half = views.shape[0] // 2
    columns = min(columns, half)
    rows = [tf.concat(tf.unstack(views[start : start + columns]), 1) for start in (0, half)]
    return tf.concat(rows, 0)[tf.newaxis]
