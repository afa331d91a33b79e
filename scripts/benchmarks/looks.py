"""How soon the default settings' picture looks as well as neural-style-pt's does in the end.

The objectives differ, so pictures are judged, by VGG19 and as they would be saved:

``gram``: mean over conv1_1 … conv5_1 of |G - A|^2 / |A|^2, G and A Gram matrices per position
  of picture and style.
``sliced``: mean over the same layers of the sliced Wasserstein distance to the style (64
  directions, 512 quantiles), over the photograph's. No Gram loss optimises it.
``content``: |F - P|^2 / |P|^2 at conv4_2.

Lower is better in all three. PyTorch's picture after its last evaluation is the reference.
"""

import json
import math
import pathlib
import tempfile
from dataclasses import replace
from statistics import median

import numpy as np

from benchmarks import tables
from benchmarks.announcer import Announcer
from benchmarks.contestants import CONTESTANTS, DEFAULTS, REFERENCE, run_apart
from benchmarks.inputs import OBJECTIVE, as_saved, load
from benchmarks.own_process import call

SCORES = ("gram", "sliced", "content")
MOMENTS = (20, 40, 80)  # seconds at which pictures are kept
_DIRECTIONS, _QUANTILES = 64, 512
_EVERY = 5  # evaluations, or iterations, between two records


def measure(
    pictures: dict[str, str],
    weights: str,
    image_size: int,
    repeats: int,
    evaluations: int,
    folder: pathlib.Path,
) -> dict:
    """Runs both, by turns, and judges what they had when.

    Args:
      pictures, weights, image_size, repeats: as in `comparison.Plan`.
      evaluations: of PyTorch's L-BFGS, to the reference.
      folder: for the pictures that each had at `MOMENTS` and in the end, of the first repeat.

    Returns:
      ``reference``, the scores of PyTorch's last picture; ``runs``, {contestant: rows of each
      repeat}; and for each contestant of ``reached`` the seconds until no score is worse than the
      reference's, medians; all JSON but for infinities.
    """
    names, runs = (REFERENCE, DEFAULTS), {}
    announcer = Announcer(repeats * len(names))
    with tempfile.TemporaryDirectory() as shared:
        call("benchmarks.inputs:prepare", folder=shared, **pictures, weights=weights, image_size=image_size)
        for repeat in range(repeats):
            for name in names:
                announcer.begin(f"{name}, repeat {repeat + 1} of {repeats}")
                with tempfile.TemporaryDirectory() as own:
                    run_apart(
                        name=name,
                        inputs_folder=shared,
                        run_folder=own,
                        evaluations=evaluations,
                        every=_EVERY,
                        always=[],
                        settings={},
                    )
                    keep = None if repeat else str(folder)
                    rows = call(
                        "benchmarks.looks:judge", name=name, inputs_folder=shared, run_folder=own, keep=keep
                    )
                runs.setdefault(name, []).append(rows)
    references = [rows[-1] for rows in runs[REFERENCE]]
    reached = {
        name: [seconds_until(rows, reference) for rows, reference in zip(repeats, references)]
        for name, repeats in runs.items()
    }
    return {
        "reference": {score: median(row[score] for row in references) for score in SCORES},
        "reached": {name: median(seconds) for name, seconds in reached.items()},
        "spread": {name: (min(seconds), max(seconds)) for name, seconds in reached.items()},
        "runs": runs,
    }


def seconds_until(rows: list[dict], reference: dict) -> float:
    """Returns when a run first had a picture of which no score is worse than the reference's."""
    good = (row["seconds"] for row in rows if all(row[score] <= reference[score] for score in SCORES))
    return next(good, math.inf)


def judge(name: str, inputs_folder: str, run_folder: str, keep: str | None) -> list[dict]:
    """Returns a run's rows, ``seconds`` and ``evaluations``, with the scores of what would have been saved.

    Args:
      name: of the contestant.
      inputs_folder, run_folder: as in `inputs.judge`.
      keep: folder for pictures.
    """
    from tfstyle.cli import common as cli

    with cli.quiet_tensorflow():
        import tensorflow as tf

        import tfstyle
        from tfstyle.evaluation import distances
        from tfstyle.synthesis.scales import enlarged

    inputs = load(inputs_folder)
    content, size = tf.constant(inputs.content), inputs.content.shape[1:3]
    content_layers, style_layers = OBJECTIVE.content_layers, OBJECTIVE.style_layers
    layers = [*content_layers, *style_layers]
    network = tfstyle.feature_extractor(layers, weights=inputs.weights)

    def described(picture):
        found = distances.describe(network, picture, layers, style_layers)
        return found, {layer: quantiles(found.activations[layer]) for layer in style_layers}

    (seen, at_first), (style, wanted) = described(content), described(inputs.style)
    photograph = replace(seen, activations={layer: seen.activations[layer] for layer in content_layers})

    rows = json.loads(pathlib.Path(run_folder, "rows.json").read_text())
    moments = {
        max((i for i, row in enumerate(rows) if row["seconds"] <= at), default=None): at for at in MOMENTS
    }
    for index, row in enumerate(rows):
        made = tf.constant(np.load(pathlib.Path(run_folder, f"{index}.npy")))
        picture = as_saved(enlarged(tf.clip_by_value(made, 0, 1), tuple(size), content))
        seen, reached = described(picture)
        row["gram"] = float(np.mean(list(distances.style_errors(seen, style.grams).values())))
        shares = [
            distance(reached[layer], own) / distance(at_first[layer], own) for layer, own in wanted.items()
        ]
        row["sliced"] = float(np.mean(shares))
        row["content"] = distances.content_error(seen, photograph)
        last = index == len(rows) - 1
        if keep and (index in moments or last):
            at = "end" if last else f"{moments[index]}s"
            tfstyle.save_image(pathlib.Path(keep, f"{name}-{at}.png"), picture)
    return rows


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
    """Returns what `measure` found as tables."""
    rows = []
    for name, (first, *_) in found["runs"].items():
        for at in (*MOMENTS, math.inf):
            if then := [row for row in first if row["seconds"] <= at]:
                ended = then[-1] is first[-1]
                rows.append(
                    (CONTESTANTS[name].description, _moment(then[-1]["seconds"], ended), *_scores(then[-1]))
                )
            if then and ended:
                break
    table = tables.markdown(("contestant", "seconds", *SCORES), rows)
    theirs = found["reached"][REFERENCE]
    lines = [
        f"{CONTESTANTS[name].description}: {seconds:.1f} s until no score is worse than PyTorch's in the end"
        f" ({low:.1f} to {high:.1f}), {seconds / theirs:.2f} of its time."
        for (name, seconds), (low, high) in zip(found["reached"].items(), found["spread"].values())
    ]
    return "\n\n".join([table, *lines])


def _moment(seconds: float, ended: bool) -> str:
    return f"{seconds:.0f}{', the end' if ended else ''}"


def _scores(row: dict) -> list[str]:
    return [f"{row[score]:.3f}" for score in SCORES]
