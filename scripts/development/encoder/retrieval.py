"""Retrieval by style: Gram matrices as descriptors, and how well they rank.

Top-1 is the share of queries whose nearest neighbour is a partner, which is a
crop of the same picture; mean average precision looks at the whole ranking
(Manning, Raghavan & Schütze 2008, section 8.4).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import tensorflow as tf

from tfstyle.losses.paper import gram_matrix


@dataclass(frozen=True)
class Retrieval:
    """Shares in [0, 1], the higher the better.

    Attributes:
      top1: queries whose nearest neighbour is a partner.
      mean_average_precision: over all queries.
    """

    top1: float
    mean_average_precision: float


def style_descriptor(extractor: tf.keras.Model, image: tf.Tensor) -> np.ndarray:
    """Returns all Gram matrices of a picture as one vector.

    Each layer's matrix is scaled to Frobenius norm 1 first, so that every
    layer counts the same whatever its units.

    Args:
      extractor: from `tfstyle.feature_extractor`; all its layers are used.
      image: `[1, H, W, 3]` in [0, 1].

    Returns:
      `[D]` float32.
    """
    grams = (gram_matrix(activation)[0].numpy().ravel() for activation in extractor(image).values())
    return np.concatenate([gram / max(np.linalg.norm(gram), 1e-30) for gram in grams])


def rank_partners(queries: np.ndarray, gallery: np.ndarray, labels: Sequence[int]) -> Retrieval:
    """Looks each query up among the gallery, by Euclidean distance.

    Args:
      queries: `[N, D]`, one for each crop.
      gallery: `[N, D]` of the same crops, perhaps seen at another scale. A
        query is not compared with its own crop.
      labels: `[N]`, the picture that each crop is of; each at least twice.

    Returns:
      The `Retrieval`.
    """
    labels = np.asarray(labels)
    first, precisions = [], []
    for index, query in enumerate(queries):
        distances = np.sum(np.square(gallery - query), axis=1)
        distances[index] = np.inf
        order = np.argsort(distances, kind="stable")[:-1]  # the last is its own crop
        partner = labels[order] == labels[index]
        ranks = np.flatnonzero(partner) + 1
        first.append(partner[0])
        precisions.append(np.mean(np.arange(1, len(ranks) + 1) / ranks))
    return Retrieval(float(np.mean(first)), float(np.mean(precisions)))
