"""The whole of a transfer as one TensorFlow graph, for pictures of any number and size.

`transfer` has Python between its steps: it reports, saves and measures memory.
Here a `tf.while_loop` goes from scale to scale and another from step to step,
so that the graph can be called from many threads, mapped over a dataset, and
saved for a process that has no tfstyle. Terms, sizes and optimisers are the
same code.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import NamedTuple

import tensorflow as tf

from tfstyle.config import DEFAULT_PRESET, PRESETS, TransferConfig
from tfstyle.io import color
from tfstyle.io.images import fitted_size, resize, scaled
from tfstyle.losses import strength
from tfstyle.losses.measuring import Target, measure
from tfstyle.losses.targets import Measured, StyleTargets, chosen, levels, stacked
from tfstyle.optimizers import advance, make_optimizer
from tfstyle.optimizers.optimizer import Evaluate
from tfstyle.runtime.workshop import Workshop
from tfstyle.synthesis.objective import summands_of, values_of
from tfstyle.synthesis.scales import FINISH, at_level, enlarged, number_of_scales, size_in_graph
from tfstyle.synthesis.starts import initial_image, parse
from tfstyle.synthesis.term_options import TermOptions, extractor_of, weights_of_kinds
from tfstyle.vgg import minimum_size
from tfstyle.vgg.position_sums import plain

# From a network and how many scales there are after the one at hand to what the style comes to.
_MeasuredAt = Callable[[tf.keras.Model, tf.Tensor], Measured]

# From pictures `[B, H, W, 3]` to {term: values `[B]`}.
Losses = Callable[[tf.Tensor], dict[str, tf.Tensor]]


class GraphObjective:
    """A config's objective inside a graph: of pictures of any number and size with a content and a style.

    Args:
      config: layers, weights, units and colours are read from it.
      network: the extractor of all layers that have weight.
      content: `[B, H, W, 3]`, as the objective is to see it.
      style: what 1 or B pictures come to.

    Attributes:
      weights: {term: weight}, floats.
      styles: names of the style's terms.
      unweighted: gives terms' unweighted values.
    """

    def __init__(self, config: TransferConfig, network: tf.keras.Model, content: tf.Tensor, style: Measured):
        self._config = config
        height, width = tf.unstack(tf.cast(tf.shape(content)[1:3], tf.float32))
        self._terms = TermOptions.of(config).terms(network, content, [Target((style,))], size=(height, width))
        kinds = weights_of_kinds(config)
        self.weights = {term.name: term.weight * kinds[term.kind] for term in self._terms}
        self.styles = frozenset(term.name for term in self._terms if term.kind == "style")
        sums = plain(network, summands_of(self._terms))
        self.unweighted: Losses = lambda image: values_of(
            self._terms, sums, color.grey(image) if config.color == "content" else image
        )

    def balanced(self) -> dict[str, tf.Tensor]:
        """Returns the weights with those of the style brought to `config.style_strength`, `[B]` each."""
        return strength.balanced(self._terms, self.weights, self._config.style_strength)

    def losses(self) -> Losses:
        """Returns what gives terms' weighted values."""
        weights = self.balanced() if self._config.style_strength > 0 else self.weights
        return self.weighted(weights)

    def weighted(self, weights: Mapping[str, float | tf.Tensor]) -> Losses:
        """Returns what gives terms' values times these weights."""
        return lambda image: {name: weights[name] * value for name, value in self.unweighted(image).items()}


class Made(NamedTuple):
    """What a call makes.

    Attributes:
      picture: `[B, H', W', 3]` float32 in [0, 1], with `config.image_size` on the longer side.
      losses: {term: weighted value `[B]`} of the pictures.
      evaluations: scalar, times that values and gradients of all were computed.
    """

    picture: tf.Tensor
    losses: dict[str, tf.Tensor]
    evaluations: tf.Tensor


class GraphTransfer(tf.Module):
    """A transfer as a graph.

    Options that need more than a graph are refused: masks, photographs,
    the normalised network, TFP's L-BFGS, a start from a file. ``evaluation``
    is plain, and ``precision=auto`` float32, whatever the machine.

    Args:
      config: the options.
      targets: what the style comes to; None: each call brings a style picture.

    Attributes:
      least: shortest side that a picture may have, in pixels; a scale at which
        one would have less is left out.
      extractor: the network of the last scale, in float32.

    Raises:
      ValueError: an option is refused, or the targets are of other options.
      OSError: the weights cannot be read.
    """

    def __init__(self, config: TransferConfig = PRESETS[DEFAULT_PRESET], targets: StyleTargets | None = None):
        super().__init__(name="transfer")
        self.require_possible(config, targets)
        self._config = config
        self._options = TermOptions.of(config)
        # Of a content to be painted, fine detail belongs into the result.
        self._detailed = bool(self._options.content_layers and self._options.style_layers)
        workshop, dtype = Workshop(), "bfloat16" if config.precision == "bfloat16" else "float32"
        self.extractor = extractor_of(config, workshop=workshop)
        self._network, self._coarse = (
            extractor_of(config, coarse=coarse, dtype=dtype, workshop=workshop) for coarse in (False, True)
        )
        self.least = minimum_size(self.extractor)
        if targets is not None:
            targets.require_for(config, "style")
            targets.require_network(self.extractor)
        self._baked = None if targets is None else stacked(targets)

    @staticmethod
    def require_possible(config: TransferConfig, targets: StyleTargets | None = None) -> None:
        """Checks that a graph can do what a config asks for.

        Raises:
          ValueError: it cannot; the message names the option.
        """
        starts = {name for _, name in parse(config.init)}
        refused = {
            "photorealistic": config.photorealistic,
            "postprocess": config.postprocess != "none",
            "normalize": config.normalize,
            "line_search": config.optimizer == "lbfgs" and config.line_search == "hager_zhang",
            "evaluation": config.evaluation in ("recompute", "tiled"),
            "color": config.color == "matched" or (config.color == "content" and targets is not None),
            "init": not starts <= {"content", "noise"},
        }
        for name, given in refused.items():
            if given:
                raise ValueError(
                    f"{name}={getattr(config, name)}: is not possible in a graph for pictures of any size;"
                    " use transfer or transfer_batch"
                )

    def paint(self, content: tf.Tensor, style: tf.Tensor | Measured | None, steps: tf.Tensor) -> tf.Tensor:
        """Returns the pictures of `make`."""
        return self.make(content, style, steps).picture

    def make(self, content: tf.Tensor, style: tf.Tensor | Measured | None, steps: tf.Tensor) -> Made:
        """Makes the pictures that `transfer` makes.

        Args:
          content: `[B, H, W, 3]` float32 in [0, 1].
          style: `[1 or B, h, w, 3]` float32 in [0, 1], or targets (see `stacked`);
            None where targets were given before.
          steps: int32 scalar, in place of `config.iterations`.

        Raises:
          tf.errors.InvalidArgumentError: a picture is too small, or steps are below 1.
        """
        config = self._config
        style = self._baked if style is None else style
        enough = tf.debugging.Assert(steps >= 1, ["steps: must be 1 or above, not", steps])
        with tf.control_dependencies([enough]):
            size = fitted_size(*size_in_graph(content), config.image_size)
        content = resize(content, size)
        checks = [self._large_enough("content", size)]
        if tf.is_tensor(style):
            style_size = fitted_size(*size_in_graph(style), config.image_size, config.style_scale)
            style = resize(style, style_size)
            checks.append(self._large_enough("style", style_size))
            scales = number_of_scales(size, config, least=self.least, pictures=[size, style_size])
            if config.color == "content":
                light = color.match_luminance(color.luminance(style), color.luminance(content))
                style = tf.repeat(light, 3, axis=-1)
            measured = functools.partial(self._measured, style)
        else:
            scales = number_of_scales(size, config, least=self.least, pictures=[size])
            scales = tf.minimum(scales, levels(style))

            def measured(network: tf.keras.Model, level: tf.Tensor) -> Measured:
                return chosen(style, level)

        seen = color.grey(content) if config.color == "content" else content
        # Whatever the loop begins with waits for them: none of it is done of what is too small.
        with tf.control_dependencies(checks):
            start = initial_image(config.init, size, content=seen, seed=config.seed)
            start, scales = tf.broadcast_to(start, tf.shape(seen)), tf.identity(scales)

        def of_one_scale(last, scale, image, evaluations):
            level = scales - 1 - scale
            of_scale = at_level(size, config.scale_factor, level)
            begun = scale > 0
            detail = seen if self._detailed else None
            image = tf.cond(begun, lambda: enlarged(image, of_scale, detail), lambda: resize(image, of_scale))
            iterations = tf.where(begun, scaled(steps, config.finer_share), steps)
            optimizer = make_optimizer(config, tf.unstack(tf.shape(image)))
            legs = self._legs(resize(seen, of_scale), measured, level, iterations, last)
            (evaluate, number), *finish = legs
            state = advance(optimizer, evaluate, optimizer.init(evaluate, image), number)
            for evaluate, number in finish:
                state = advance(optimizer, evaluate, optimizer.again(evaluate, state), number)
            return scale + 1, state.image, evaluations + state.evaluations

        shapes = tf.TensorShape([]), tf.TensorShape([None, None, None, 3]), tf.TensorShape([])
        found = tf.constant(0), start, tf.constant(0)
        # Up to where scales have another network than the last has, and on to the end.
        for last in (True,) if self._coarse is self._network else (False, True):
            end = scales if last else scales - 1
            found = tf.while_loop(
                lambda scale, *_, end=end: scale < end,
                functools.partial(of_one_scale, last),
                found,
                shape_invariants=shapes,
                parallel_iterations=1,
            )
        _, image, evaluations = found
        image = tf.clip_by_value(image, 0.0, 1.0)
        style = measured(self.extractor, tf.constant(0))
        losses = GraphObjective(config, self.extractor, seen, style).losses()(image)
        if config.color == "content":
            image = color.with_luminance(content, color.luminance(image))
        return Made(image, losses, evaluations)

    def _measured(self, style: tf.Tensor, network: tf.keras.Model, level: tf.Tensor) -> Measured:
        """Returns what style pictures come to at a scale."""
        picture = resize(style, at_level(size_in_graph(style), self._config.scale_factor, level))
        return measure(network, picture, self._options.style_layers, self._config.style_loss)

    def _legs(
        self, content: tf.Tensor, measured: _MeasuredAt, level: tf.Tensor, iterations: tf.Tensor, last: bool
    ) -> list[tuple[Evaluate, tf.Tensor]]:
        """Returns objectives for one scale, and how many iterations on each.

        All are one function; in bfloat16, it is exact in the last of all iterations.

        Args:
          last: the network is that of the last scale.
        """

        def leg(network: tf.keras.Model, iterations: tf.Tensor) -> tuple[Evaluate, tf.Tensor]:
            return self._evaluate(network, content, measured(network, level)), iterations

        if not last:
            return [leg(self._coarse, iterations)]
        if self._network is self.extractor:
            return [leg(self._network, iterations)]
        exact = tf.where(level == 0, scaled(iterations, FINISH), 0)
        return [leg(self._network, iterations - exact), leg(self.extractor, exact)]

    def _evaluate(self, network: tf.keras.Model, content: tf.Tensor, style: Measured):
        """Returns the objective of pictures of the content's size: values, named losses, gradients."""
        losses = GraphObjective(self._config, network, content, style).losses()

        def evaluate(image: tf.Tensor):
            with tf.GradientTape() as tape:
                tape.watch(image)
                values = losses(image)
                total = tf.add_n(list(values.values()))
            return total, values, tape.gradient(total, image)

        return evaluate

    def _large_enough(self, name: str, size: tuple[tf.Tensor, tf.Tensor]):
        height, width = size
        message = [
            f"{name}: too small; these layers need at least {self.least} pixels on each side, and it has"
            " (width, height)",
            width,
            height,
        ]
        return tf.debugging.Assert(tf.minimum(height, width) >= self.least, message)
