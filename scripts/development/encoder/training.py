"""The training of the encoder: AdamW on the two tasks."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence

import numpy as np
import tensorflow as tf

from encoder import footprint
from encoder.crops import batches
from encoder.recipe import EncoderRecipe
from encoder.tasks import ExemplarTask, GramTask
from encoder.trunk import calibrate, folded, trunk
from tfstyle.reporting import Books, Progress, Reporter
from tfstyle.runtime.stopping import UNSUPERVISED, Supervision
from tfstyle.training.training_loop import Account, fit, sheet
from tfstyle.vgg.network import Weights

_LARGEST_GRADIENT = 1.0  # Euclidean norm over all variables, clipped above
_COLUMNS = 8  # photographs on a sheet
# Scales, shifts and temperatures are not shrunk; only kernels are.
_UNDECAYED = ["bias", "gain", "gamma", "beta", "log_sharpness"]


def train(
    photographs: Sequence[np.ndarray],
    recipe: EncoderRecipe,
    *,
    reporters: Sequence[Reporter] = (),
    supervision: Supervision = UNSUPERVISED,
) -> tuple[Weights, list[Progress]]:
    """Trains an encoder to tell photographs apart.

    Args:
      photographs: `[H, W, 3]` uint8, of any sizes, two or more.
      recipe: how.
      reporters: told of the progress, with some of the batch's views.
      supervision: where the state is saved; the same training goes on from
        there, to the same weights. And what ends it early.

    Returns:
      `{layer: (kernel, bias)}` for `tfstyle.feature_extractor`, and one record
      every `log_every` steps, whose losses are means since the one before.

    Raises:
      ValueError: there are too few photographs, the training does not fit into memory, or the checkpoint
        is of another run.
      FloatingPointError: the loss stopped being finite.
      OSError: the checkpoint cannot be written.
    """
    if len(photographs) < 2:
        raise ValueError(f"photos: {len(photographs)} to train on; telling them apart needs at least 2")
    footprint.require_fit(recipe, photographs)
    with Books(supervision, _identity(photographs, recipe), reporters=reporters) as books:
        learner = _Learner(photographs, recipe)
        history = fit(
            learner,
            lambda first_step: batches(photographs, recipe, first_step),
            books,
            steps=recipe.steps,
            report_every=recipe.log_every,
            remedy="learning_rate",
        )
    return folded(learner.trunk), history


class _Learner:
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
        self._step = tf.function(self._train_step, autograph=False)

    @property
    def variables(self) -> list:
        parts = (self.trunk, self._exemplar, self._gram)
        return [*(v for part in parts for v in part.variables), *self._optimizer.variables]

    def begin(self, kept) -> str:
        return ""

    def keep(self) -> dict:
        return {}

    def step(self, batch: tuple[tf.Tensor, tf.Tensor]) -> dict[str, tf.Tensor]:
        """Trains on one batch and returns its losses and accuracies."""
        self._views = batch[0]
        return self._step(*batch)

    def account(self, means: Mapping[str, float], pace: float | None) -> Account:
        weights = {"exemplar": self._recipe.exemplar_weight, "gram": self._recipe.gram_weight}
        return Account(
            losses={name: weight * means[name] for name, weight in weights.items()},
            unweighted={name: means[name] for name in weights},
            metrics={name: value for name, value in means.items() if name not in weights},
            # Two rows, the second view of each photograph below the first.
            picture=sheet(tf.split(self._views, 2), _COLUMNS),
        )

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


def _identity(photographs: Sequence[np.ndarray], recipe: EncoderRecipe) -> dict:
    fields = recipe.to_dict()
    del fields["log_every"]
    digest = hashlib.sha256()
    for photograph in photographs:
        digest.update(photograph.tobytes())
    return {**fields, "tensorflow": tf.__version__, "photographs": digest.hexdigest()[:16]}
