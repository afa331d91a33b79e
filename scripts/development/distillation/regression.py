"""The student's start: each layer fitted to VGG19's by least squares, with no training.

A layer of the student takes over some of VGG19's filters, those that tell most
of the others (pivoted Cholesky of the second moments of activations). Its kernels
are fitted to VGG19's values before the ReLU from what the student's layers before
it give (He, Zhang & Sun 2017, channel pruning, but that errors of earlier layers
are made up for, as in Zhang et al. 2015), and its head likewise to all of VGG19's
filters. An error below zero costs nothing: where a value is below 0, and its
prediction too, the prediction is taken for the value, and the fit repeated.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

import numpy as np
import tensorflow as tf

from distillation.network import WIDTHS, activations, convolved, pixels, pooled, without_heads
from tfstyle.vgg.network import head

_ROUNDS = 5
_RIDGE = 3e-3  # of the mean of the diagonal
_POSITIONS = 256  # of a crop, at most
_BATCH = 16


def start(
    teacher: Mapping,
    crops: np.ndarray,
    more: Iterable[np.ndarray],
    report: Callable[[str], None],
    widths: Mapping[str, int] = WIDTHS,
) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Returns the student's weights, fitted layer by layer.

    Args:
      teacher: VGG19's weights, in hundreds; see `network`.
      crops: `[N, S, S, 3]` in [0, 1]; held in memory as activations, for all but the last block.
      more: batches of such, for the last block, which has few positions a picture and many values to fit.
      report: takes a line for each layer.
      widths: filters of the student's layers, in network order; the first is VGG19's whole.
    """
    *_, deepest = widths
    names = list(teacher)[: list(teacher).index(deepest) + 1]
    block = deepest.partition("_")[0]
    first, last = ([name for name in names if name.startswith(block) == within] for within in (False, True))
    weights: dict[str, tuple[np.ndarray, np.ndarray]] = {}
    own = [pixels(batch).numpy() for batch in np.split(crops, range(_BATCH, len(crops), _BATCH))]
    _fit(weights, teacher, first, own, own, widths, report)
    ends = [name for name in first if name in widths][-1], first[-1]
    before = [(_before(weights, batch, ends[0]), _before(teacher, batch, ends[1])) for batch in more]
    _fit(weights, teacher, last, *map(list, zip(*before)), widths, report)
    return weights


def _before(weights: Mapping, pictures: np.ndarray, layer: str) -> np.ndarray:
    return activations(without_heads(weights), tf.constant(pictures), (layer,))[layer].numpy()


def _fit(weights, teacher, names, own, theirs, widths, report) -> None:
    """Adds the student's layers among `names`, from activations of both before the first of them."""
    for name in names:
        if name.endswith("conv1") and weights:
            own, theirs = ([pooled(batch).numpy() for batch in kind] for kind in (own, theirs))
        values = [convolved(batch, teacher[name]).numpy() for batch in theirs]
        if not weights:
            weights[name] = teacher[name]
            own = [np.maximum(batch, 0) for batch in values]
        elif name in widths:
            picked = _positions(values, np.random.default_rng(len(weights)))
            wanted = np.concatenate([batch[places] for batch, places in zip(values, picked)])
            chosen = _telling(np.maximum(wanted, 0), widths[name])
            seen = np.concatenate([_patches(batch)[places] for batch, places in zip(own, picked)])
            kernel, bias = _fitted(seen, wanted[:, chosen])
            weights[name] = kernel.reshape(3, 3, -1, len(chosen)), bias
            own = [tf.nn.relu(convolved(batch, weights[name])).numpy() for batch in own]
            seen = np.concatenate([batch[places] for batch, places in zip(own, picked)])
            kernel, bias = _fitted(seen, wanted)
            weights[head(name)] = kernel[np.newaxis, np.newaxis], bias
            made, real = np.maximum(seen @ kernel + bias, 0), np.maximum(wanted, 0)
            unexplained = np.square(made - real).sum() / np.square(real - real.mean(0)).sum()
            report(f"{name}: R2 {1 - unexplained:.3f}")
        theirs = [np.maximum(batch, 0) for batch in values]


def _positions(values, generator):
    picked = []
    for batch in values:
        count, height, width, _ = batch.shape
        each = min(_POSITIONS, height * width)
        places = np.concatenate([generator.choice(height * width, each, replace=False) for _ in range(count)])
        picked.append((np.repeat(np.arange(count), each), places // width, places % width))
    return picked


def _patches(activation: np.ndarray) -> np.ndarray:
    """Returns `[B, h, w, 9 C]`, what a convolution sees at each position."""
    padded = np.pad(activation, [(0, 0), (1, 1), (1, 1), (0, 0)], "reflect")
    windows = np.lib.stride_tricks.sliding_window_view(padded, (3, 3), axis=(1, 2))
    return np.moveaxis(windows, 3, -1).reshape(*activation.shape[:3], -1)


def _telling(activations: np.ndarray, count: int) -> np.ndarray:
    """Returns the filters from which the others are best predicted, one after the other."""
    moments = activations.T.astype(np.float64) @ activations / len(activations)
    chosen = []
    for _ in range(count):
        diagonal = np.maximum(np.diag(moments), 0)
        explained = np.square(moments).sum(0) / np.maximum(diagonal, 1e-9 * diagonal.max())
        explained[chosen] = -1
        best = int(np.argmax(explained))
        chosen.append(best)
        column = moments[:, best] / max(moments[best, best], 1e-12)
        moments = moments - np.outer(column, moments[best])
    return np.array(chosen)


def _fitted(seen: np.ndarray, wanted: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Returns `[features, N]` and `[N]` with which ReLU(seen @ kernel + bias) comes near ReLU(wanted)."""
    mean = seen.mean(0)
    centred = (seen - mean).astype(np.float32)
    moments = centred.T @ centred
    moments[np.diag_indices_from(moments)] += _RIDGE * np.trace(moments) / len(moments)
    factor = np.linalg.inv(moments.astype(np.float64)).astype(np.float32)
    target = wanted
    for _ in range(_ROUNDS):
        middle = target.mean(0)
        kernel = factor @ (centred.T @ (target - middle))
        made = centred @ kernel + middle
        target = np.where(wanted > 0, wanted, np.minimum(made, 0))
    return kernel, middle - mean @ kernel
