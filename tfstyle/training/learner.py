"""A task in training: its weights measured, its step compiled, its network shown."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import tensorflow as tf

from tfstyle.config import TransferConfig
from tfstyle.config.units import UNITS
from tfstyle.training import distribution
from tfstyle.training.dataset import WHOLE, Share
from tfstyle.training.recipe import InstantRecipe
from tfstyle.training.tasks import Batch, Task
from tfstyle.training.training_loop import Account, sheet

_CALIBRATION_STEPS = 8  # batches over which a strength is measured
_COLUMNS = 4  # photographs on a sheet
_LEFT_OUT = "share of steps left out"  # because their gradients are not finite


class Learner:
    """A task with its optimiser, and the compiled functions on them; a `training_loop.Learner`.

    It is made in the scope of the strategy.

    Args:
      task: what to train.
      stream, config, recipe, validation, strategy: as in `training.training.train_task`.

    Attributes:
      network: the task's.
    """

    def __init__(
        self,
        task: Task,
        stream: Callable[[int, Share], tf.data.Dataset],
        config: TransferConfig,
        recipe: InstantRecipe,
        validation: Sequence[Batch],
        strategy: tf.distribute.Strategy,
    ):
        self._task, self._stream, self._config, self._recipe = task, stream, config, recipe
        self._validation, self._strategy = validation, strategy
        self._part = recipe.batch_size // strategy.num_replicas_in_sync
        self.network = task.network
        rate = tf.keras.optimizers.schedules.CosineDecay(recipe.training_rate, recipe.steps)
        self._optimizer = tf.keras.optimizers.Adam(rate)
        self._optimizer.build(self.network.trainable_variables)

    @property
    def variables(self) -> list:
        return [*self.network.variables, *self._optimizer.variables]

    def batches(self, first_step: int):
        """Returns what comes after so many steps, distributed."""
        # Without an end, for workers would ask one another at each step whether all have more.
        return self._strategy.distribute_datasets_from_function(
            lambda context: self._stream(first_step, distribution.share_of(context)).repeat()
        )

    def begin(self, kept: Mapping | None) -> str:
        note = ""
        if kept:
            self._weights = kept["weights"]
        else:
            self._weights = self._calibrated()
            if self._config.style_strength > 0:
                note = f"style_strength={self._config.style_strength:g} comes to " + ", ".join(
                    f"{name}={weight:.4g}" for name, weight in self._weights.items()
                )
        self._compile()
        return note

    def keep(self) -> dict:
        return {"weights": self._weights}

    def step(self, batch: Batch) -> dict[str, tf.Tensor]:
        self._last = batch
        return self._step(batch)

    def account(self, means: Mapping[str, float], pace: float | None) -> Account:
        metrics, shown = {}, self._validation
        means = dict(means)
        if (left_out := means.pop(_LEFT_OUT)) == 1:
            raise FloatingPointError("gradients are no longer finite; lower training_rate")
        if left_out:
            metrics[_LEFT_OUT] = left_out
        if shown:
            found = [self._painted(batch) for batch in shown]
            metrics["validation loss"] = float(np.mean([losses for losses, _ in found]))
        else:
            shown = [tuple(self._strategy.experimental_local_results(each)[0] for each in self._last)]
            found = [self._painted(tuple(each[:_COLUMNS] for each in shown[0]))]
        if pace is not None:
            metrics["pictures a second"] = pace * self._recipe.batch_size
        weights = self._weights | self._task.weights
        return Account(
            losses=means,
            unweighted={n: value / weights[n] if weights[n] else 0.0 for n, value in means.items()},
            metrics=metrics,
            picture=sheet([shown[0][0], *(made for _, made in found)], _COLUMNS),
        )

    def _calibrated(self) -> dict[str, float]:
        """Returns the terms' weights; those of a strength are its geometric means over some batches.

        Every worker measures for itself, on the same pictures. Pictures
        that have nothing to be measured are left out.
        """
        strength = self._config.style_strength
        fixed: dict[str, float] = {}

        @tf.function(autograph=False)
        def weights(batch):
            objective = self._task.objective(batch)
            fixed.update(objective.weights)
            found = objective.balanced() if strength > 0 else objective.weights
            return {name: tf.convert_to_tensor(value) for name, value in found.items()}

        stream = self._stream(0, WHOLE).take(_CALIBRATION_STEPS if strength > 0 else 1)
        found = [weights(part) for batch in stream for part in _parts(batch, self._part)]
        return {
            name: _geometric_mean([each[name].numpy() for each in found], name, strength) if weight else 0.0
            for name, weight in fixed.items()
        }

    def _compile(self) -> None:
        """Compiles the functions on an objective of the weights."""
        replicas = self._strategy.num_replicas_in_sync
        even = evens(self._config, self._recipe)

        def train_on(*batch: tf.Tensor) -> dict[str, tf.Tensor]:
            objective = self._task.objective(batch)
            losses, styles = objective.weighted(self._weights), objective.styles if even else ()
            with tf.GradientTape() as tape:
                made, own = self._task.learn(batch)
                values = losses(made) | {name: self._task.weights[name] * each for name, each in own.items()}
                learned = {
                    name: evened(each, self._weights[name]) if name in styles else each
                    for name, each in values.items()
                }
                # The replica's summand of the mean over the whole batch; Keras sums gradients over replicas.
                total = tf.add_n([tf.reduce_mean(each) for each in learned.values()]) / replicas
            shares = {name: tf.reduce_mean(each) / replicas for name, each in values.items()}
            variables = self.network.trainable_variables
            gradients = tape.gradient(total, variables)
            # A picture without a gradient, such as one of a single colour, must not end a training.
            sound = tf.math.is_finite(tf.linalg.global_norm(gradients))
            gradients = [tf.where(sound, each, tf.zeros_like(each)) for each in gradients]
            self._optimizer.apply_gradients(zip(gradients, variables))
            return {**shares, _LEFT_OUT: tf.where(sound, 0.0, 1.0) / replicas}

        @tf.function(autograph=False)
        def step(batch):
            shares = self._strategy.run(train_on, args=batch)
            return {name: self._strategy.reduce("SUM", each, axis=None) for name, each in shares.items()}

        @tf.function(autograph=False)
        def painted(batch):
            made = self._task.paint(batch)
            losses = self._task.objective(batch).weighted(self._weights)(made)
            return tf.add_n(list(losses.values())), made

        self._step, self._paint_part = step, painted

    def _painted(self, batch: Batch) -> tuple[np.ndarray, tf.Tensor]:
        """Returns losses `[B]` and pictures, of as many at a time as there are in training."""
        found = [self._paint_part(part) for part in _parts(batch, self._part)]
        return np.concatenate([losses for losses, _ in found]), tf.concat([made for _, made in found], 0)


def evens(config: TransferConfig, recipe: InstantRecipe) -> bool:
    """Returns whether styles are `evened`, which takes relative units."""
    return recipe.even_styles and UNITS[config.units].relative


def evened(losses: tf.Tensor, weight: float) -> tf.Tensor:
    """Returns a style's losses `[B]`, in relative units, with those far from 0 bounded.

    Cheng, Jaiswal, Wu, Natarajan & Natarajan, "Style-Aware Normalized Loss for Improving Arbitrary
    Style Transfer", CVPR 2021: a network over-paints some styles and under-paints others unless each
    |G - A|^2 is divided by |G|^2 + |A|^2, without a gradient. Relative units have divided it by
    |A|^2 already. Here |G|^2 is taken for |A|^2 near the style, and for |G - A|^2 far from it; so a
    loss x, before its weight, becomes x / (1 + x / 2): x near the style, and nowhere above 2.
    """
    return losses / tf.stop_gradient(1 + tf.math.divide_no_nan(losses, 2.0 * weight))


def _parts(batch: Batch, size: int) -> list[Batch]:
    count = batch[0].shape[0]
    return [tuple(each[start : start + size] for each in batch) for start in range(0, count, size)]


def _geometric_mean(values: Sequence[np.ndarray], name: str, strength: float) -> float:
    measured = [each[(each > 0) & np.isfinite(each)] for each in map(np.atleast_1d, values)]
    logarithms = [np.log(each).mean() for each in measured if each.size]
    if not logarithms:
        raise ValueError(
            f"style_strength={strength:g}: cannot be measured on these photographs, as {name} has no"
            " weight that would bring it there; use content_weight and style_weight"
        )
    return float(np.exp(np.mean(logarithms)))
