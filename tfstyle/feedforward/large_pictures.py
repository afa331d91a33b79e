"""A picture of any size through a network, strip by strip: what comes out is what the whole picture gives.

The normalisations need statistics of the whole picture, each after those before
it. So the picture is swept once for each of them, in strips as wide as the
picture, and once more to write the result. Maps of half and a quarter of the size
are kept from their sweep on, for as long as they are read. Maps of full size are
never there as a whole; those before the first kept map, and those behind the
last, are computed again in each sweep: two of the network's convolutions, twice each.

The network itself is the one of `networks.connect`, on maps whose rows are
computed when they are asked for: a row asks for the rows that it sees.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np
import tensorflow as tf

from tfstyle.feedforward.layers import (
    ConditionalInstanceNormalization,
    CutToSize,
    DoublingConv2D,
    ReflectedConv2D,
    ReflectedUp,
    reflected_indices,
    reflected_up,
)
from tfstyle.feedforward.networks import connect
from tfstyle.feedforward.sizes import enlarged_side
from tfstyle.feedforward.style_colors import REACH, StyleColors


@dataclass(frozen=True, eq=False)
class LazyMap:
    """A map `[1, height, width, C]` of a whole picture, whose rows are computed when they are asked for.

    Attributes:
      height, width: of the whole map.
      step: how many rows of the picture go to one of the map.
      rows: from start and stop to the rows between, `[1, stop - start, width, C]`.
    """

    height: int
    width: int
    step: int
    rows: Callable[[int, int], tf.Tensor]

    def pointwise(self, function: Callable[..., tf.Tensor], *others: LazyMap) -> LazyMap:
        """Returns the map that a function of each position makes of this and other maps of its size."""
        maps = (self, *others)
        return replace(self, rows=lambda start, stop: function(*(each.rows(start, stop) for each in maps)))


class Moments:
    """Mean and variance over positions that come in parts, `[1, C]`.

    Parts are merged by their means and sums of squared deviations (Chan, Golub
    & LeVeque 1979), in float64: sums of squares would cancel, and in float32 no
    longer count the last of many positions.
    """

    def __init__(self):
        self._count, self._mean, self._squares = 0, 0.0, 0.0

    def add(self, count: int, mean, variance) -> None:
        """Adds a part of so many positions."""
        mean, variance = np.float64(mean), np.float64(variance)
        total, apart = self._count + count, mean - self._mean
        self._squares += variance * count + apart**2 * (self._count * count / total)
        self._mean += apart * (count / total)
        self._count = total

    def result(self, dtype: str) -> tuple[tf.Tensor, tf.Tensor]:
        """Returns mean and variance of all parts."""
        return tf.constant(self._mean, dtype), tf.constant(self._squares / self._count, dtype)


def whole(array: np.ndarray, step: int = 1) -> LazyMap:
    """Returns a map that is there already, `[1, h, w, C]`."""
    return LazyMap(*array.shape[1:3], step, lambda start, stop: tf.constant(array[:, start:stop]))


def paint_in_strips(
    network: tf.keras.Model, picture: np.ndarray, style, strip_pixels: int
) -> Iterator[tuple[int, int, tf.Tensor]]:
    """Gives what a network makes of a picture, strip by strip.

    Args:
      network: a model from `transformation_network`.
      picture: `[1, H, W, 3]` in [0, 1].
      style: `[1, styles]`.
      strip_pixels: about so many pixels of the picture are worked on at once.

    Yields:
      Start and stop of rows, from top to bottom, and what becomes of them,
      `[1, stop - start, W, 3]`.
    """
    sweep = _Sweep(max(1, strip_pixels // picture.shape[2]))
    layers = {layer.name: sweep.lazy(layer) for layer in network.layers}
    made = connect(
        layers,
        whole(picture),
        tf.convert_to_tensor(style, network.input["style"].dtype),
        sweep.normalise,
        relu=lambda activation: activation.pointwise(tf.nn.relu),
    )
    for start, stop in sweep.strips(made):
        yield start, stop, made.rows(start, stop)


class _Sweep:
    """Layers on lazy maps; what needs a whole map sweeps over it, so many rows of the picture at a time."""

    def __init__(self, rows: int):
        self._rows = rows

    def strips(self, activation: LazyMap) -> Iterator[tuple[int, int]]:
        rows = max(1, self._rows // activation.step)
        for start in range(0, activation.height, rows):
            yield start, min(start + rows, activation.height)

    def lazy(self, layer: tf.keras.layers.Layer) -> Callable:
        """Returns what a layer of `transformation_network` does, on lazy maps."""
        if isinstance(layer, ReflectedConv2D):
            return lambda activation: _convolved(layer, activation, layer.kernel_size[0])
        if isinstance(layer, tf.keras.layers.AveragePooling2D):
            return lambda activation: _convolved(layer, activation, layer.pool_size[0])
        if isinstance(layer, DoublingConv2D):
            return lambda activation: _doubled(layer, activation)
        if isinstance(layer, ReflectedUp):
            return _enlarged
        if isinstance(layer, CutToSize):
            return _cut
        if isinstance(layer, tf.keras.layers.Add):
            # Kept, or else each block would read all blocks before it.
            return lambda both: self._kept(both[0].pointwise(lambda *rows: layer(list(rows)), both[1]))
        if isinstance(layer, tf.keras.layers.Activation):
            return lambda activation: activation.pointwise(layer)
        if isinstance(layer, StyleColors):
            return lambda *maps: self._colored(layer, *maps)
        return layer  # a normalisation, which `normalise` takes as it is

    def normalise(self, layer: ConditionalInstanceNormalization, activation: LazyMap, style) -> LazyMap:
        activation, *moments = self._measured(layer, activation)
        return activation.pointwise(lambda rows: layer.normalise(rows, *moments, style))

    def _colored(self, layer: StyleColors, painted: LazyMap, image: LazyMap, style) -> LazyMap:
        _, *moments = self._measured(layer, image)

        def rows(start: int, stop: int) -> tf.Tensor:
            # What smooths takes a strip's edges for the border; what is wrong by it is cut off again.
            first, last = max(0, start - 2 * REACH), min(stop + 2 * REACH, image.height)
            read = (each.rows(first, last) for each in (painted, image))
            return layer.colored(*read, *moments, style)[:, start - first : stop - first]

        return LazyMap(image.height, image.width, 1, rows)

    def _measured(self, layer, activation: LazyMap) -> tuple[LazyMap, tf.Tensor, tf.Tensor]:
        """Returns a map, kept as by `_kept` from then on, and mean and variance as a layer measures them."""
        moments = Moments()

        def measure(rows: tf.Tensor) -> None:
            moments.add(rows.shape[1] * rows.shape[2], *layer.moments(rows))

        return self._kept(activation, measure), *moments.result(layer.variable_dtype)

    def _kept(self, activation: LazyMap, visit: Callable[[tf.Tensor], None] = lambda rows: None) -> LazyMap:
        """Sweeps over a map once; returns it, from then on kept where it is smaller than the picture."""
        kept = None
        for start, stop in self.strips(activation):
            rows = activation.rows(start, stop)
            visit(rows)
            if activation.step > 1:
                if kept is None:
                    shape = (1, activation.height, activation.width, rows.shape[-1])
                    kept = np.empty(shape, rows.dtype.as_numpy_dtype)
                kept[:, start:stop] = rows
        return activation if kept is None else whole(kept, activation.step)


def _convolved(layer: tf.keras.layers.Layer, activation: LazyMap, size: int) -> LazyMap:
    """Returns what a layer that slides windows of a size makes of a map."""
    stride, reach = layer.strides[0], size // 2
    ahead = -(-reach // stride)

    def rows(start: int, stop: int) -> tf.Tensor:
        # The layer takes a strip's edges for the border, too; what is wrong by it is cut off again.
        first, last = max(0, start - ahead), stride * (stop - 1) + reach + 1
        read = activation.rows(stride * first, min(last, activation.height))
        return layer(read)[:, start - first : stop - first]

    height, width = (-(-side // stride) for side in (activation.height, activation.width))
    return LazyMap(height, width, stride * activation.step, rows)


def _doubled(layer: DoublingConv2D, activation: LazyMap) -> LazyMap:
    def rows(start: int, stop: int) -> tf.Tensor:
        # One more to each side, which the layer sees; what it takes for the border is cut off again.
        first, last = max(0, start // 2 - 1), min(-(-stop // 2) + 1, activation.height)
        return layer(activation.rows(first, last))[:, start - 2 * first : stop - 2 * first]

    return LazyMap(2 * activation.height, 2 * activation.width, activation.step // 2, rows)


def _enlarged(picture: LazyMap) -> LazyMap:
    """Returns what `ReflectedUp` makes of a picture."""
    height, width = enlarged_side(picture.height), enlarged_side(picture.width)
    place = reflected_indices(tf.constant(picture.height), tf.constant(height)).numpy()

    def rows(start: int, stop: int) -> tf.Tensor:
        first, last = min(place[start:stop]), max(place[start:stop]) + 1
        read = tf.gather(picture.rows(first, last), place[start:stop] - first, axis=1)
        return reflected_up(read, (stop - start, width))

    return LazyMap(height, width, 1, rows)


def _cut(activation: LazyMap, like: LazyMap) -> LazyMap:
    """Returns what `CutToSize` makes of a map."""

    def rows(start: int, stop: int) -> tf.Tensor:
        return activation.rows(start, stop)[:, :, : like.width]

    return LazyMap(like.height, like.width, like.step, rows)
