"""From scenes to results: one run for one picture, or for several of one size together."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import tensorflow as tf

from tfstyle.config import TransferConfig
from tfstyle.reporting import Progress, Reporter
from tfstyle.runtime.checkpoints import choices_in
from tfstyle.runtime.precision import choice
from tfstyle.runtime.stopping import UNSUPERVISED, Supervision
from tfstyle.runtime.workshop import Workshop
from tfstyle.synthesis.batch_objective import JointObjective
from tfstyle.synthesis.color_space import Canvas
from tfstyle.synthesis.inputs import Scene
from tfstyle.synthesis.loop import Result, synthesize_together
from tfstyle.synthesis.objective import Objective
from tfstyle.synthesis.objectives import Assembly
from tfstyle.synthesis.recorded_choices import chosen_in
from tfstyle.synthesis.starts import initial_image
from tfstyle.vgg import weights


def make(
    scenes: Sequence[tuple[Scene, tf.Tensor | None]],
    config: TransferConfig,
    extractor: tf.keras.Model | None = None,
    reporters: Sequence[Reporter] = (),
    supervision: Supervision = UNSUPERVISED,
    workshop: Workshop | None = None,
) -> list[Result]:
    """Runs the loop on the terms of scenes of one size, each with the opacity of what is made.

    Args:
      scenes: from `make_scene`.
      config, extractor, reporters, workshop: as in `transfer`.
      supervision: see `synthesize_together`.

    Returns:
      The `Result` of each scene.
    """
    workshop = workshop or Workshop()
    with workshop.turn():
        choices = choices_in(supervision.checkpoint_dir)
        assemblies = [
            Assembly(scene, config, extractor, workshop, pictures=len(scenes), choices=choices)
            for scene, _ in scenes
        ]
        # Small styles leave some pictures fewer scales than others have.
        of_scales: dict[int, list[int]] = {}
        for index, assembly in enumerate(assemblies):
            of_scales.setdefault(assembly.config.scales, []).append(index)
        results: dict[int, Result] = {}
        for some in of_scales.values():
            chosen = [scenes[index] for index in some], [assemblies[index] for index in some]
            results |= zip(some, _make_together(*chosen, extractor, reporters, supervision, workshop))
    return [results[index] for index in range(len(scenes))]


def _make_together(
    scenes: Sequence[tuple[Scene, tf.Tensor | None]],
    assemblies: Sequence[Assembly],
    extractor: tf.keras.Model | None,
    reporters: Sequence[Reporter],
    supervision: Supervision,
    workshop: Workshop,
) -> list[Result]:
    """Runs the loop on scenes of as many scales."""
    first, pictures = assemblies[0], [scene for scene, _ in scenes]
    config, canvases = first.config, [scene.canvas for scene in pictures]
    first.plan.require_fit()

    def together(objectives: Sequence[Objective]) -> Objective | JointObjective:
        if len(objectives) == 1:
            return objectives[0]
        return workshop.get(("together", *objectives), lambda: JointObjective(objectives))

    exact = first.precision == "bfloat16"
    details = [assembly.detail for assembly in assemblies]
    results = synthesize_together(
        lambda size: together([assembly.objective_at(size) for assembly in assemblies]),
        tf.concat([_start(scene, config, first.size) for scene in pictures], 0),
        config,
        finish_at=(lambda size: together([each.exact_at(size) for each in assemblies])) if exact else None,
        detail=None if details[0] is None else tf.concat(details, 0),
        note="" if extractor is not None else _note(config),
        reporters=[_Finishing(reporter, canvases) for reporter in reporters],
        supervision=supervision,
        identity={**_hashes(pictures), "computed in": first.precision},
        choices=chosen_in(first.plan),
        workshop=workshop,
    )
    return [
        dataclasses.replace(result, image=canvas.finished(result.image), alpha=alpha)
        for result, canvas, (_, alpha) in zip(results, canvases, scenes)
    ]


def _start(scene: Scene, config: TransferConfig, size: tuple[int, int]) -> tf.Tensor:
    starts = {"content": scene.content, "style": scene.styles[0] if scene.styles else None}
    return initial_image(config.init, size, **starts, seed=config.seed)


def _note(config: TransferConfig) -> str:
    """Returns what was found on this machine for a config: weights and precision."""
    found = f"weights: {weights.describe(config.weights)}"
    return "\n".join([found] + [choice()] * (config.precision == "auto"))


def _hashes(scenes: Sequence[Scene]) -> dict[str, str]:
    if len(scenes) == 1:
        return dict(scenes[0].hashes)
    return {
        f"{name} of {i}": value for i, scene in enumerate(scenes, 1) for name, value in scene.hashes.items()
    }


class _Finishing:
    """Shows a reporter pictures as they would be if the run ended there."""

    def __init__(self, reporter: Reporter, canvases: Sequence[Canvas]):
        self._reporter, self._canvases = reporter, canvases

    def report(self, progress: Progress, image: tf.Tensor) -> None:
        pictures = tf.split(image, len(self._canvases))
        finished = [canvas.finished(picture) for canvas, picture in zip(self._canvases, pictures)]
        self._reporter.report(progress, tf.concat(finished, 0))
