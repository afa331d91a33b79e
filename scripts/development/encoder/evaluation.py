"""What an extractor is worth: does it know a style, what does each depth keep, what does it cost?"""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence

import numpy as np
import tensorflow as tf

from encoder.retrieval import Retrieval, rank_partners, style_descriptor
from tfstyle.api.transfer import reconstruct_content
from tfstyle.config import TransferConfig
from tfstyle.io import images
from tfstyle.losses.measuring import targets_of
from tfstyle.losses.regions import everywhere
from tfstyle.losses.style import style_terms
from tfstyle.losses.terms import content_terms
from tfstyle.synthesis.objective import Objective


def disjoint_crops(image: tf.Tensor, count: int, size: int) -> list[tf.Tensor]:
    """Cuts a picture into squares that do not overlap, and brings them to one size.

    The grid is the one of at least `count` cells with the largest squares.

    Args:
      image: `[1, H, W, 3]` in [0, 1].
      count: number of crops, 1 or more.
      size: side of the crops returned, in pixels.

    Returns:
      `count` tensors `[1, size, size, 3]`, from the top left on.

    Raises:
      ValueError: the picture has fewer pixels than that on a side.
    """
    height, width = image.shape[1:3]
    grids = [(rows, -(-count // rows)) for rows in range(1, count + 1)]
    rows, columns = max(grids, key=lambda grid: min(height // grid[0], width // grid[1]))
    cell_height, cell_width = height // rows, width // columns
    side = min(cell_height, cell_width)
    if side == 0:
        raise ValueError(f"pictures: one of {width} x {height} pixels cannot be cut into {count} crops")
    crops = []
    for row, column in list(np.ndindex(rows, columns))[:count]:
        top = row * cell_height + (cell_height - side) // 2
        left = column * cell_width + (cell_width - side) // 2
        crops.append(images.resize(image[:, top : top + side, left : left + side], (size, size)))
    return crops


def style_retrieval(
    extractor: tf.keras.Model,
    pictures: Iterable[tf.Tensor],
    *,
    crops: int = 2,
    size: int = 256,
    scales: Sequence[float] = (1.0,),
) -> dict[float, Retrieval]:
    """Measures how well an extractor's Gram matrices know a style.

    From each picture come disjoint crops. Crops of one picture share its
    style, so a crop's nearest neighbours should be its partners.

    Args:
      extractor: its layers are the style layers.
      pictures: `[1, H, W, 3]` in [0, 1], one style each.
      crops: number of crops of each, 2 or more.
      size: side of the crops in pixels.
      scales: at each, the crops scaled by so much are looked up among the unscaled.

    Returns:
      `{scale: Retrieval}`.
    """
    gallery, labels = [], []
    queries: dict[float, list[np.ndarray]] = {scale: [] for scale in scales}
    for label, picture in enumerate(pictures):
        for crop in disjoint_crops(picture, crops, size):
            labels.append(label)
            gallery.append(style_descriptor(extractor, crop))
            for scale in scales:
                side = round(size * scale)
                same = side == size
                scaled = (
                    gallery[-1] if same else style_descriptor(extractor, images.resize(crop, (side, side)))
                )
                queries[scale].append(scaled)
    return {scale: rank_partners(np.stack(queries[scale]), np.stack(gallery), labels) for scale in scales}


def inversion_errors(pictures: Sequence, layers: Iterable[str], config: TransferConfig) -> dict[str, float]:
    """Measures what pictures lose when they are reconstructed from one layer's activations.

    The paper, figure 1: the deeper the layer, the less of the exact pixels is kept.

    Args:
      pictures: as in `tfstyle.transfer`.
      layers: each is reconstructed from for itself.
      config: network, optimiser and size; the start is noise.

    Returns:
      `{layer: root mean square error over pixels and pictures}`, in picture values (0 to 1).
    """
    errors = {}
    for layer in layers:
        squares = []
        for picture in pictures:
            loaded = images.load_image(picture)
            original = images.resize(loaded, images.fitted_size(*loaded.shape[1:3], config.image_size))
            result = reconstruct_content(original, layer, config)
            squares.append(np.mean(np.square(result.image - original)))
        errors[layer] = float(np.sqrt(np.mean(squares)))
    return errors


def seconds_per_evaluation(
    extractor: tf.keras.Model, content_layer: str, style_layers: Sequence[str], size: int, repeats: int = 5
) -> float:
    """Measures one value and gradient of a style transfer, the median of several after the first.

    Args:
      extractor: with those layers among its outputs.
      content_layer, style_layers: Keras' names.
      size: side of the picture in pixels.
      repeats: how many are timed.

    Returns:
      Seconds.
    """
    content, style, image = (tf.random.stateless_uniform([1, size, size, 3], [seed, 0]) for seed in range(3))
    terms = content_terms(extractor, content, [content_layer], weight=1.0, units="gatys_code")
    size = tuple(content.shape[1:3])
    targets = targets_of(extractor, everywhere(style), style_layers, "gram")
    terms += style_terms(extractor, targets, style_layers, size=size, weight=1e3, units="gatys_code")
    objective = Objective(extractor, terms)
    seconds = []
    for _ in range(1 + repeats):
        began = time.perf_counter()
        objective.value_and_gradient(image)[2].numpy()
        seconds.append(time.perf_counter() - began)
    return float(np.median(seconds[1:]))
