"""Pictures of any size through a trained network: whole where memory allows, or else in strips."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import tensorflow as tf

from tfstyle.feedforward.large_pictures import paint_in_strips
from tfstyle.feedforward.networks import layout, run
from tfstyle.runtime.memory_model import most_whole_pixels, painting_bytes, strip_pixels

# To compile takes longer than to paint a picture or two of this size without.
_SMALL_PIXELS = 1 << 20


class Painter:
    """A network in use, compiled once for whole pictures of all sizes.

    Args:
      network: from `transformation_network`.

    Attributes:
      largest_whole: of pictures with more pixels than that, each is painted in
        strips, as the whole would take more than 2 GiB. The result is
        the same but for rounding. A picture of 12 megapixels took half as long
        again in strips as whole, and a fifth of the memory.
    """

    def __init__(self, network: tf.keras.Model):
        self.network = network
        self.largest_whole = most_whole_pixels(layout(network)["width"])
        self._dtype = network.input["image"].dtype
        self._used = False
        self._compiled = tf.function(
            self._run,
            input_signature=[
                tf.TensorSpec([None, None, None, 3], self._dtype),
                tf.TensorSpec([None, layout(network)["styles"]], self._dtype),
            ],
            autograph=False,
        )

    def __call__(self, pictures, weights: Sequence[float]) -> np.ndarray:
        """Paints pictures of one size in one style.

        Args:
          pictures: `[B, H, W, 3]` in [0, 1], floats.
          weights: of the styles; see `style_mixing.weights_of`.

        Returns:
          `[B, H, W, 3]` in [0, 1], float32.
        """
        pictures = np.asarray(pictures, self._dtype)
        made = np.empty(pictures.shape, np.float32)
        if pictures.shape[1] * pictures.shape[2] > self.largest_whole:
            for index in range(len(pictures)):
                picture = pictures[index : index + 1]
                for start, stop, rows in paint_in_strips(
                    self.network, picture, [weights], strip_pixels(self.largest_whole)
                ):
                    made[index, start:stop] = rows[0]
        else:
            small = pictures[..., 0].size <= _SMALL_PIXELS
            function = self._run if small and not self._used else self._compiled
            made[:] = function(tf.constant(pictures), tf.constant([weights] * len(pictures), self._dtype))
            self._used = True
        return made

    def needed_bytes(self, pixels: float) -> float:
        """Returns what a picture of so many pixels takes, beside itself."""
        of_network = layout(self.network)
        filters = of_network["width"] * (0.5 if "16" in of_network["dtype"] else 1)
        return painting_bytes(pixels, filters, self.largest_whole)

    def _run(self, pictures: tf.Tensor, style: tf.Tensor) -> tf.Tensor:
        # Keras' own call would hold all activations until the end.
        return run(self.network, pictures, style)
