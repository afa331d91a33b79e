"""Small pictures by one graph that is compiled once: where compiling would cost more than painting."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Sequence

import numpy as np
import tensorflow as tf

from tfstyle.config import TransferConfig
from tfstyle.io import images
from tfstyle.losses.targets import StyleTargets, stacked
from tfstyle.runtime.precision import resolved
from tfstyle.synthesis.graph_transfer import GraphTransfer
from tfstyle.synthesis.loop import Result
from tfstyle.synthesis.style_targets import style_targets

# Pixels of all pictures of a call. A graph is evaluated plainly, in whatever memory that takes, and
# beyond this size compiling is no longer what takes the time.
_MOST = 1 << 20


class Painter:
    """Makes what `transfer` makes, of contents that suit.

    Args:
      config: the run's.
      styles: as `transfer` takes them.

    Raises:
      ValueError, OSError: the weights or a style are not what they should be.
    """

    def __init__(self, config: TransferConfig, styles: Sequence):
        self._config = dataclasses.replace(config, precision=resolved(config))
        self._styles, self._stacks = styles, {}
        try:
            GraphTransfer.require_possible(self._config)
        except ValueError:
            self._graph = None
        else:
            self._graph = GraphTransfer(self._config)
        # What it is called with has the same structure for all styles, so that it is traced once.
        self._make = tf.function(
            lambda *inputs: self._graph.make(*inputs), reduce_retracing=True, autograph=False
        )

    def suits(self, contents: Sequence[np.ndarray]) -> bool:
        """Returns whether contents of one size can be made here."""
        if self._graph is None or contents[0].shape[-1] != 3:
            return False
        size = images.fitted_size(*contents[0].shape[:2], self._config.image_size)
        return min(size) >= self._graph.least and size[0] * size[1] <= _MOST

    def paint(self, contents: Sequence[np.ndarray], number: int) -> list[Result]:
        """Makes contents of one size in the style of that number.

        Raises:
          FloatingPointError: the objective stopped being finite.
        """
        style, steps, results = self._style(number), tf.constant(self._config.iterations), []
        height, width = images.fitted_size(*contents[0].shape[:2], self._config.image_size)
        at_once = max(1, _MOST // (height * width))
        for first in range(0, len(contents), at_once):
            began, some = time.monotonic(), np.stack(contents[first : first + at_once])
            made = self._make(tf.constant(some), style, steps)
            losses = {name: values.numpy() for name, values in made.losses.items()}
            if not all(np.isfinite(values).all() for values in losses.values()):
                raise FloatingPointError("the objective is not finite any more; lower the weights")
            results += [
                Result(
                    image=made.picture[index : index + 1],
                    losses={name: float(values[index]) for name, values in losses.items()},
                    unweighted={},
                    seconds=time.monotonic() - began,
                    evaluations=int(made.evaluations),
                    history=[],
                )
                for index in range(len(some))
            ]
        return results

    def _style(self, number: int):
        if number not in self._stacks:
            style = self._styles[number]
            if self._config.color != "style":
                self._stacks[number] = images.load_image(style, "style")
            else:
                if not isinstance(style, StyleTargets):
                    style = style_targets(style, self._config, extractor=self._graph.extractor)
                self._stacks[number] = stacked(style)
        return self._stacks[number]
