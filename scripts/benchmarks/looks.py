"""How soon pictures look as well as neural-style-pt's, which any objective may have made.

They are judged by VGG19 and as they would be saved:

``gram``: mean over conv1_1 … conv5_1 of |G - A|^2 / |A|^2, G and A Gram matrices per position
  of picture and style.
``sliced``: mean over the same layers of the sliced Wasserstein distance to the style (64
  directions, 512 quantiles), over the photograph's. No Gram loss optimises it.
``content``: |F - P|^2 / |P|^2 at conv4_2.

Lower is better in all three.
"""

import json
import math
import pathlib
from collections.abc import Sequence
from dataclasses import replace
from statistics import median

import numpy as np

from benchmarks import summary, tables
from benchmarks.contestants import CONTESTANTS, DEFAULTS, REFERENCE
from benchmarks.inputs import OBJECTIVE, as_saved, load

SCORES = ("gram", "sliced", "content")
MOMENTS = (20, 40, 80)  # seconds at which pictures are kept
_DIRECTIONS, _QUANTILES = 64, 512


def summarise(runs: dict[str, list[dict]], marks: Sequence[int]) -> dict:
    """Returns how soon the default settings' pictures look as well as those of PyTorch's L-BFGS.

    Args:
      runs: {contestant: runs}, each with ``looks``, what `judge` returned.
      marks: evaluations of PyTorch's L-BFGS.

    Returns:
      ``course``, {contestant: {second of `MOMENTS`, or ``end``: row of median scores}}, and ``marks``,
      {evaluations: {"scores": …, "seconds": {contestant: …}, "ratio": …, "ratios": […]}}, medians
      over runs, and the ratio of each, of what the runs are long enough for.
    """
    found = {"course": {name: _course(repeats) for name, repeats in runs.items()}, "marks": {}}
    both = [run for name in (REFERENCE, DEFAULTS) for run in runs.get(name, [])]
    raced = runs.keys() >= {REFERENCE, DEFAULTS} and not any(run["diverged"] for run in both)
    for evaluations in marks if raced else ():
        references = [
            row for run in runs[REFERENCE] for row in run["looks"] if row["evaluations"] == evaluations
        ]
        if references:
            ours = [seconds_until(run["looks"], row) for run, row in zip(runs[DEFAULTS], references)]
            theirs = [row["seconds"] for row in references]
            scores = {score: median(row[score] for row in references) for score in SCORES}
            found["marks"][evaluations] = {"scores": scores, **summary.raced(ours, theirs, DEFAULTS)}
    return found


def _course(repeats: list[dict]) -> dict:
    """Returns what a contestant's pictures were like when, medians over its runs."""
    if any(run["diverged"] for run in repeats):
        return {}
    found = {}
    ends = median(run["looks"][-1]["seconds"] for run in repeats)
    for at in (*MOMENTS, math.inf):
        rows = [[row for row in run["looks"] if row["seconds"] <= at] for run in repeats]
        if all(rows) and (at < ends or at == math.inf):
            last = [of_run[-1] for of_run in rows]
            moment = "end" if at == math.inf else at
            found[moment] = {name: median(row[name] for row in last) for name in ("seconds", *SCORES)}
    return found


def seconds_until(rows: list[dict], reference: dict) -> float:
    """Returns when a run first had a picture of which no score is worse than the reference's."""
    good = (row["seconds"] for row in rows if all(row[score] <= reference[score] for score in SCORES))
    return next(good, math.inf)


def judge(name: str, inputs_folder: str, run_folder: str, always: Sequence[int], keep: str) -> list[dict]:
    """Returns a run's rows, ``seconds`` and ``evaluations``, with the scores of what would have been saved.

    Args:
      name: of the contestant; of the default settings, all rows are judged.
      inputs_folder, run_folder: as in `inputs.judge`.
      always: evaluations of others whose rows are judged, beside the first, those at `MOMENTS` and the last.
      keep: what files of pictures at `MOMENTS` begin with; '': they are not kept.
    """
    from tfstyle.cli import common as cli

    with cli.quiet_tensorflow():
        import tensorflow as tf

        import tfstyle
        from tfstyle.synthesis.scales import enlarged

    inputs = load(inputs_folder)
    content, size = tf.constant(inputs.content), inputs.content.shape[1:3]
    content_layers, style_layers = OBJECTIVE.content_layers, OBJECTIVE.style_layers
    look = looker(content_layers, style_layers, inputs.weights)
    photograph, style = look(content), look(inputs.style)

    rows = json.loads(pathlib.Path(run_folder, "rows.json").read_text())
    moments = {at: max(i for i, row in enumerate(rows) if row["seconds"] <= at or not i) for at in MOMENTS}
    moments["end"] = len(rows) - 1
    judged = [
        index
        for index, row in enumerate(rows)
        if name == DEFAULTS or index in (0, *moments.values()) or row["evaluations"] in always
    ]
    for index in judged:
        made = tf.constant(np.load(pathlib.Path(run_folder, f"{index}.npy")))
        picture = as_saved(enlarged(tf.clip_by_value(made, 0, 1), tuple(size), content))
        rows[index] |= scores(look(picture), photograph, style)
        for moment in [at for at, kept in moments.items() if keep and kept == index]:
            tfstyle.save_image(f"{keep}-{moment}{'' if moment == 'end' else 's'}.png", picture)
    return [rows[index] for index in judged]


def looker(content_layers: Sequence[str], style_layers: Sequence[str], weights: str = "imagenet"):
    """Returns what gives, of a picture, what `scores` compares: what a network sees, and its `quantiles`."""
    import tfstyle
    from tfstyle.evaluation import distances

    layers = [*content_layers, *style_layers]
    network = tfstyle.feature_extractor(layers, weights=weights)

    def look(picture):
        found = distances.describe(network, picture, layers, style_layers)
        of_layers = {layer: quantiles(found.activations[layer]) for layer in style_layers}
        return replace(
            found, activations={layer: found.activations[layer] for layer in content_layers}
        ), of_layers

    return look


def scores(picture, photograph, style) -> dict[str, float]:
    """Returns the `SCORES` of a picture, all three as `looker` gives them."""
    from tfstyle.evaluation import distances

    (seen, reached), (at_first, before), (wanted, own) = picture, photograph, style
    shares = [distance(reached[layer], own[layer]) / distance(before[layer], own[layer]) for layer in own]
    return {
        "gram": float(np.mean(list(distances.style_errors(seen, wanted.grams).values()))),
        "sliced": float(np.mean(shares)),
        "content": distances.content_error(seen, at_first),
    }


def quantiles(activation) -> np.ndarray:
    """Returns quantiles of `[1, h, w, N]` along random directions, `[_QUANTILES, _DIRECTIONS]`."""
    channels = activation.shape[-1]
    directions = np.random.default_rng(channels).normal(size=(channels, _DIRECTIONS))
    directions = (directions / np.linalg.norm(directions, axis=0)).astype(np.float32)
    at = (np.arange(_QUANTILES) + 0.5) / _QUANTILES
    return np.quantile(np.reshape(activation, [-1, channels]) @ directions, at, axis=0)


def distance(one: np.ndarray, other: np.ndarray) -> float:
    """Returns the sliced Wasserstein-2 distance of two activations by their `quantiles`."""
    return float(np.sqrt(np.mean((one - other) ** 2)))


def markdown(found: dict) -> str:
    """Returns what `summarise` found as tables."""
    course = [
        (CONTESTANTS[name].description, _moment(moment, row), *_scores(row))
        for name, rows in found["course"].items()
        for moment, row in rows.items()
    ]
    texts = [tables.markdown(("contestant", "seconds", *SCORES), course)]
    if found["marks"]:
        header = ("PyTorch's evaluation", *SCORES, "PyTorch's seconds", "default settings'", "ratio")
        rows = [
            (evaluations, *_scores(mark["scores"]), *tables.race(mark, DEFAULTS))
            for evaluations, mark in found["marks"].items()
        ]
        texts.append(tables.markdown(header, rows))
    return "\n\n".join(texts)


def _moment(moment: int | str, row: dict) -> str:
    return f"{row['seconds']:.0f}, the end" if moment == "end" else str(moment)


def _scores(row: dict) -> list[str]:
    return [f"{row[score]:.3f}" for score in SCORES]
