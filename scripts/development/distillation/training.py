"""How the student learns: the loss, the step and the loop."""

from __future__ import annotations

import pathlib
import time
from collections.abc import Callable, Mapping

import numpy as np
import tensorflow as tf

from distillation.network import CONTENT_LAYER, LAYERS, STYLE_LAYERS, activations, gram
from distillation.optimizer import Muon
from distillation.pairs import Pool, stacked
from distillation.pictures import crop
from distillation.recipe import Recipe

_STYLE_WEIGHT = 30.0  # of the default settings


class Training:
    """One training: weights, their mean, Adam's state, and what half-painted pictures there are.

    Args:
      teacher, start: weights in hundreds; see `network`.
      photographs, paintings: uint8 pictures.
      recipe: see there.
    """

    def __init__(self, teacher: Mapping, start: Mapping, photographs: list, paintings: list, recipe: Recipe):
        self.recipe, self.step = recipe, tf.Variable(0, dtype=tf.int64, trainable=False)
        self._teacher = {name: tuple(map(tf.constant, pair)) for name, pair in teacher.items()}
        self._frozen = LAYERS[0]  # is VGG19's own
        self._student = {
            name: tuple(tf.Variable(array, trainable=name != self._frozen) for array in pair)
            for name, pair in start.items()
        }
        self._trained = [
            variable for pair in self._student.values() for variable in pair if variable.trainable
        ]
        self._mean = [tf.Variable(variable, trainable=False) for variable in self._trained]
        self._optimizer = Muon(self._trained)
        self._generator = np.random.default_rng(recipe.seed)
        self._kinds = photographs, paintings
        self._pool = Pool(self._draw, recipe.pool, recipe.visits, self._generator)
        self._spread = self._measured_spread()
        self.checkpoint = tf.train.Checkpoint(
            step=self.step, trained=self._trained, mean=self._mean, optimizer=self._optimizer
        )

    def weights(self) -> dict[str, tuple[np.ndarray, np.ndarray]]:
        """Returns the running mean of the student's weights."""
        means = {id(variable): mean for variable, mean in zip(self._trained, self._mean)}
        return {
            name: tuple(means.get(id(variable), variable).numpy() for variable in pair)
            for name, pair in self._student.items()
        }

    def _draw(self, kind: int) -> np.ndarray:
        return crop(self._kinds[kind], self.recipe.crop_size, self._generator)

    def _measured_spread(self) -> dict[str, float]:
        """Returns the variance of VGG19's activations about their filter's mean, a number a layer."""
        pictures = np.stack([self._draw(index % 2) for index in range(24)])
        found = activations(self._teacher, tf.constant(pictures))
        return {
            name: float(tf.reduce_mean(tf.math.reduce_variance(values, [0, 1, 2])))
            for name, values in found.items()
        }

    def advance(self) -> dict[str, float]:
        """Makes one step; returns its losses."""
        recipe = self.recipe
        self._optimizer.learning_rate.assign(recipe.learning_rate * _share(int(self.step), recipe))
        members = self._pool.chosen(recipe.pairs)
        for member in members:
            if "told" not in member:
                style, content = (tf.constant(member[name][np.newaxis]) for name in ("style", "content"))
                member["told"] = [matrix[0].numpy() for matrix in self._told(style)]
                member["kept"] = self._kept(content)[0].numpy()
        crops = tf.constant(np.stack([self._draw(index % 2) for index in range(recipe.crops)]))
        grams = self._targets(stacked(members, "style"))
        content, weights = stacked(members, "kept"), stacked(members, "content_weight")
        told = [
            tf.constant(np.stack([member["told"][index] for member in members]))
            for index in range(len(STYLE_LAYERS))
        ]
        losses, slopes = self._learn(crops, stacked(members, "picture"), grams, told, content, weights)
        self._pool.paint(members, slopes.numpy())
        for _ in range(recipe.strokes - 1):
            slopes = self._slope(stacked(members, "picture"), grams, content, weights)
            self._pool.paint(members, slopes.numpy())
        self.step.assign_add(1)
        return {name: float(value) for name, value in losses.items()}

    @tf.function
    def _told(self, pictures):
        """Returns VGG19's Gram matrices of the style layers."""
        return [gram(values) for values in activations(self._teacher, pictures, STYLE_LAYERS).values()]

    @tf.function
    def _targets(self, pictures):
        """Returns the student's Gram matrices of the style layers."""
        return [gram(values) for values in activations(self._student, pictures, STYLE_LAYERS).values()]

    @tf.function
    def _kept(self, pictures):
        return activations(self._student, pictures, (CONTENT_LAYER,))[CONTENT_LAYER]

    @tf.function
    def _slope(self, pictures, grams, content, weights):
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(pictures)
            found = activations(self._student, pictures, (*STYLE_LAYERS, CONTENT_LAYER))
            loss = _painting_loss(found, grams, content, weights)
        return tape.gradient(loss, pictures)

    @tf.function
    def _learn(self, crops, pictures, grams, told, content, weights):
        """One step on the weights; returns the losses, and the pictures' gradients."""
        count = self.recipe.crops
        real = activations(self._teacher, tf.concat([crops, pictures], 0))
        with tf.GradientTape(persistent=True) as tape:
            tape.watch(pictures)
            of_crops = activations(self._student, crops)
            found = activations(self._student, pictures)
            fit, match, change = [], [], []
            for name in LAYERS[1:]:
                both = tf.concat([of_crops[name], found[name]], 0)
                fit.append(_misfit(both, real[name], self._spread[name]))
                match.append(_misfit_of_grams(gram(of_crops[name]), gram(real[name][:count])))
            for name, own, theirs in zip(STYLE_LAYERS[1:], grams[1:], told[1:]):
                moved, should = gram(found[name]) - own, gram(real[name][count:]) - theirs
                change.append(
                    tf.reduce_mean(_squares(moved - should) / (_squares(theirs) + _squares(should)))
                )
            fit, match, change = (tf.add_n(losses) / len(losses) for losses in (fit, match, change))
            loss = fit + self.recipe.gram_weight * match + self.recipe.change_weight * change
            painting = _painting_loss(found, grams, content, weights)
        slopes = tape.gradient(painting, pictures)
        self._optimizer.apply(tape.gradient(loss, self._trained))
        decay = self.recipe.averaging
        for mean, variable in zip(self._mean, self._trained):
            mean.assign(decay * mean + (1 - decay) * variable)
        return {"loss": loss, "activations": fit, "grams": match, "changes": change}, slopes


def _share(step: int, recipe: Recipe) -> float:
    """Returns the share of the learning rate at a step: a ramp up, level, then a ramp down."""
    left = (recipe.steps - step) / max(1.0, recipe.cooldown * recipe.steps)
    return min(1.0, (step + 1) / max(1, recipe.warmup), max(left, 0.0))


def _squares(values: tf.Tensor) -> tf.Tensor:
    return tf.reduce_sum(tf.square(values), [1, 2])


def _misfit(found: tf.Tensor, real: tf.Tensor, spread: float) -> tf.Tensor:
    """Returns 1 - R^2, roughly: errors over variance, half of each picture's own, half of all pictures'."""
    error = tf.reduce_mean(tf.math.squared_difference(found, real), [1, 2, 3])
    own = tf.reduce_mean(tf.math.reduce_variance(real, [1, 2]), 1)
    return tf.reduce_mean(error / (0.5 * own + 0.5 * spread))


def _misfit_of_grams(found: tf.Tensor, real: tf.Tensor) -> tf.Tensor:
    scale = _squares(real)
    return tf.reduce_mean(_squares(found - real) / (0.9 * scale + 0.1 * tf.reduce_mean(scale)))


def _painting_loss(found: Mapping, grams: list, content: tf.Tensor, weights: tf.Tensor) -> tf.Tensor:
    """Returns the sum of the pictures' losses, as the default settings have them."""
    style = [
        _squares(gram(found[name]) - target) / _squares(target) for name, target in zip(STYLE_LAYERS, grams)
    ]
    error = tf.reduce_sum(tf.math.squared_difference(found[CONTENT_LAYER], content), [1, 2, 3])
    error /= tf.reduce_sum(tf.square(content), [1, 2, 3])
    return _STYLE_WEIGHT * tf.reduce_sum(weights * error + tf.add_n(style) / len(style))


def train(training: Training, folder: pathlib.Path, log: Callable[[str], None], until: float) -> None:
    """Goes on from what `folder` holds, to the recipe's last step or to the time `until`; keeps a curve there."""
    manager = tf.train.CheckpointManager(training.checkpoint, str(folder / "state"), max_to_keep=2)
    training.checkpoint.restore(manager.latest_checkpoint)
    begun, recent = time.monotonic(), []
    while int(training.step) < training.recipe.steps and time.time() < until:
        recent.append(training.advance())
        step = int(training.step)
        if step % 20 == 0:
            means = {name: np.mean([losses[name] for losses in recent]) for name in recent[0]}
            seconds = (time.monotonic() - begun) / len(recent)
            begun, recent = time.monotonic(), []
            line = ",".join([str(step), *(f"{value:.4f}" for value in means.values()), f"{seconds:.2f}"])
            with (folder / "curve.csv").open("a") as file:
                file.write(line + "\n")
            log(line)
        if step % 100 == 0:
            manager.save()
    manager.save()
