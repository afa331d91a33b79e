"""How the student learns: the loss and the step; the loop is that of every training here."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import tensorflow as tf

from distillation.network import CONTENT_LAYER, DEFAULTS, LAYERS, STYLE_LAYERS, activations, gram
from distillation.optimizer import Muon
from distillation.pairs import Pool, stacked
from distillation.pictures import crop
from distillation.recipe import Recipe
from tfstyle.reporting import Books, Progress, Reporter
from tfstyle.runtime.stopping import UNSUPERVISED, Supervision
from tfstyle.training.training_loop import Account, fit, sheet

_COLUMNS = 6  # pictures on a sheet


def train(
    teacher: Mapping,
    start: Mapping,
    photographs: Sequence[np.ndarray],
    paintings: Sequence[np.ndarray],
    recipe: Recipe,
    reporters: Sequence[Reporter] = (),
    supervision: Supervision = UNSUPERVISED,
) -> tuple[dict[str, tuple[np.ndarray, np.ndarray]], list[Progress]]:
    """Trains the student, from its checkpoint on if there is one.

    Args:
      teacher, start: VGG19's weights and the student's first ones, in hundreds; see `network`.
      photographs, paintings: uint8 `[H, W, 3]`.
      recipe: the options.
      reporters: told of the course.
      supervision: where the state is kept, and what may end the training early.

    Returns:
      The running mean of the student's weights, in hundreds, and what was reported.
    """
    identity = {"recipe": recipe.identity(), "start": _hash(start)}
    with Books(supervision, identity, reporters=reporters) as books:
        learner = _Learner(teacher, start, (photographs, paintings), recipe)
        history = fit(
            learner,
            learner.crops,
            books,
            steps=recipe.steps,
            report_every=recipe.log_every,
            remedy="learning_rate",
        )
    return learner.weights(), history


def _hash(weights: Mapping) -> str:
    digest = hashlib.sha256()
    for pair in weights.values():
        for array in pair:
            digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()[:16]


class _Learner:
    """The student, its running mean, and the pictures that it paints; a `training_loop.Learner`.

    A training that goes on from a checkpoint begins its pictures anew.
    """

    def __init__(self, teacher: Mapping, start: Mapping, kinds: tuple, recipe: Recipe):
        self._recipe, self._kinds = recipe, kinds
        self._teacher = {name: tuple(map(tf.constant, pair)) for name, pair in teacher.items()}
        self._student = {
            name: tuple(tf.Variable(array, trainable=name != LAYERS[0]) for array in pair)
            for name, pair in start.items()
        }
        self._trained = [each for pair in self._student.values() for each in pair if each.trainable]
        self._mean = [tf.Variable(variable, trainable=False) for variable in self._trained]
        self._optimizer = Muon(self._trained)
        self._spread = self._measured_spread()
        self._pool, self._last = None, None

    @property
    def variables(self) -> list[tf.Variable]:
        return [*self._trained, *self._mean, *self._optimizer.state]

    def weights(self) -> dict[str, tuple[np.ndarray, np.ndarray]]:
        """Returns the running mean of the student's weights."""
        means = {id(variable): mean for variable, mean in zip(self._trained, self._mean)}
        return {
            name: tuple(means.get(id(variable), variable).numpy() for variable in pair)
            for name, pair in self._student.items()
        }

    def begin(self, kept) -> str:
        return ""

    def keep(self) -> dict:
        return {}

    def crops(self, first: int) -> Iterator[tf.Tensor]:
        """Yields what a step takes of photographs and paintings, by turns."""
        recipe = self._recipe
        generator = np.random.default_rng([recipe.seed, first])
        self._pool = Pool(self._drawn, recipe.pool, recipe.visits, generator)
        while True:
            drawn = [self._drawn(index % 2, generator) for index in range(recipe.crops)]
            yield tf.constant(np.stack(drawn))

    def _drawn(self, kind: int, generator: np.random.Generator) -> np.ndarray:
        return crop(self._kinds[kind], self._recipe.crop_size, generator)

    def _measured_spread(self) -> dict[str, float]:
        """Returns the variance of VGG19's activations about their filter's mean, a number a layer."""
        generator = np.random.default_rng(self._recipe.seed)
        pictures = np.stack([self._drawn(index % 2, generator) for index in range(24)])
        found = activations(self._teacher, tf.constant(pictures))
        return {
            name: float(tf.reduce_mean(tf.math.reduce_variance(values, [0, 1, 2])))
            for name, values in found.items()
        }

    def step(self, batch: tf.Tensor) -> dict[str, tf.Tensor]:
        """Makes one step on the weights and on some pictures; returns the losses."""
        recipe = self._recipe
        self._optimizer.learning_rate.assign(recipe.rate_after(int(self._optimizer.steps)))
        members = self._pool.chosen(recipe.pairs)
        for member in members:
            if "told" not in member:
                style, content = (tf.constant(member[name][np.newaxis]) for name in ("style", "content"))
                member["told"] = [matrix[0].numpy() for matrix in self._told(style)]
                member["kept"] = self._kept(content)[0].numpy()
        grams = self._targets(stacked(members, "style"))
        content, weights = stacked(members, "kept"), stacked(members, "content_weight")
        told = [
            tf.constant(np.stack([member["told"][index] for member in members]))
            for index in range(len(STYLE_LAYERS))
        ]
        losses, slopes = self._learn(batch, stacked(members, "picture"), grams, told, content, weights)
        self._pool.paint(members, slopes.numpy())
        for _ in range(recipe.strokes - 1):
            slopes = self._slope(stacked(members, "picture"), grams, content, weights)
            self._pool.paint(members, slopes.numpy())
        self._last = members
        return losses

    def account(self, means: Mapping[str, float], pace: float | None) -> Account:
        weights = {
            "activations": 1.0,
            "grams": self._recipe.gram_weight,
            "changes": self._recipe.change_weight,
        }
        rows = [
            tf.split(stacked(self._last, name), len(self._last)) for name in ("content", "picture", "style")
        ]
        return Account(
            losses={name: weight * means[name] for name, weight in weights.items()},
            unweighted={name: means[name] for name in weights},
            metrics={},
            picture=sheet([tf.concat(row, 0) for row in rows], _COLUMNS),
        )

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
        count = self._recipe.crops
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
            loss = fit + self._recipe.gram_weight * match + self._recipe.change_weight * change
            painting = _painting_loss(found, grams, content, weights)
        slopes = tape.gradient(painting, pictures)
        self._optimizer.apply(tape.gradient(loss, self._trained))
        decay = self._recipe.averaging
        for mean, variable in zip(self._mean, self._trained):
            mean.assign(decay * mean + (1 - decay) * variable)
        return {"activations": fit, "grams": match, "changes": change}, slopes


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
    return DEFAULTS.style_weight * tf.reduce_sum(weights * error + tf.add_n(style) / len(style))
