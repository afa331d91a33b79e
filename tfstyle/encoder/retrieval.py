"""How well Gram matrices know a style: nearest neighbours among crops of pictures.

From each picture come disjoint crops. Crops of one picture share its style, so
a crop's nearest neighbours in Gram distance should be its partners. Top-1 is
the share of crops whose nearest neighbour is one; mean average precision looks
at the whole ranking (Manning, Raghavan & Schütze 2008, ch. 8.4).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import tensorflow as tf

from tfstyle import images
from tfstyle.losses import gram_matrix


@dataclass(frozen=True)
class Retrieval:
    """Shares in [0, 1], the higher the better.

    Attributes:
      top1: queries whose nearest neighbour is a partner.
      mean_average_precision: over all queries.
    """

    top1: float
    mean_average_precision: float


def disjoint_crops(image: tf.Tensor, count: int, size: int) -> list[tf.Tensor]:
    """Cuts a picture into squares that do not overlap, and brings them to one size.

    The grid is the one of at least `count` cells with the largest squares.

    Args:
      image: `[1, H, W, 3]` in [0, 1].
      count: number of crops, 1 or more.
      size: side of the crops returned, in pixels.

    Returns:
      `count` tensors `[1, size, size, 3]`, from the top left on.
    """
    height, width = image.shape[1:3]
    grids = ((rows, -(-count // rows)) for rows in range(1, count + 1))
    rows, columns = max(grids, key=lambda grid: min(height // grid[0], width // grid[1]))
    cell_height, cell_width = height // rows, width // columns
    side = min(cell_height, cell_width)
    crops = []
    for row, column in list(np.ndindex(rows, columns))[:count]:
        top = row * cell_height + (cell_height - side) // 2
        left = column * cell_width + (cell_width - side) // 2
        crops.append(images.resize(image[:, top : top + side, left : left + side], (size, size)))
    return crops


def style_descriptor(extractor: tf.keras.Model, image: tf.Tensor) -> np.ndarray:
    """Returns all Gram matrices of a picture as one vector.

    Each layer's matrix is scaled to Frobenius norm 1 first, so that every
    layer counts the same whatever its units, and neither size nor contrast of
    the activations counts at all.

    Args:
      extractor: from `tfstyle.feature_extractor`; all its layers are used.
      image: `[1, H, W, 3]` in [0, 1].

    Returns:
      `[D]` float32.
    """
    grams = (gram_matrix(activation)[0].numpy().ravel() for activation in extractor(image).values())
    return np.concatenate([gram / max(np.linalg.norm(gram), 1e-30) for gram in grams])


def rank_partners(
    queries: np.ndarray,
    gallery: np.ndarray,
    labels: Sequence[int],
    gallery_labels: Sequence[int] | None = None,
) -> Retrieval:
    """Looks each query up among the gallery, by Euclidean distance.

    Args:
      queries: `[N, D]`, one for each crop.
      gallery: `[N, D]` of the same crops, perhaps seen at another scale. A
        query is not compared with its own crop.
      labels: `[N]`, the picture that each crop is of.

    Returns:
      The `Retrieval`.
    """
    labels = np.asarray(labels)
    squares = np.sum(queries**2, 1)[:, np.newaxis] + np.sum(gallery**2, 1)
    distances = squares - 2 * queries @ gallery.T
    np.fill_diagonal(distances, np.inf)
    first, precisions = [], []
    for query, row in enumerate(distances):
        order = np.argsort(row, kind="stable")[:-1]  # the last is the crop itself
        relevant = labels[order] == labels[query]
        ranks = np.flatnonzero(relevant) + 1
        first.append(relevant[0])
        precisions.append(np.mean(np.arange(1, len(ranks) + 1) / ranks))
    return Retrieval(float(np.mean(first)), float(np.mean(precisions)))


def style_retrieval(
    extractor: tf.keras.Model,
    pictures: Iterable[tf.Tensor],
    *,
    crops: int = 2,
    size: int = 256,
    scale: float = 1.0,
) -> Retrieval:
    """Measures how well an extractor's Gram matrices know a style.

    Args:
      extractor: its layers are the style layers.
      pictures: `[1, H, W, 3]` in [0, 1], one style each.
      crops: number of crops of each, 2 or more.
      size: side of the crops in pixels.
      scale: queries are the same crops at this multiple of the size.

    Returns:
      The `Retrieval`.
    """
    queries, gallery, labels = [], [], []
    for label, picture in enumerate(pictures):
        for crop in disjoint_crops(picture, crops, size):
            gallery.append(style_descriptor(extractor, crop))
            scaled = images.resize(crop, (round(size * scale),) * 2)
            queries.append(gallery[-1] if scale == 1 else style_descriptor(extractor, scaled))
            labels.append(label)
    return rank_partners(np.stack(queries), np.stack(gallery), labels)
