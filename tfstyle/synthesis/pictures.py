"""From inputs to results: one run for one picture, or for several of one size together."""

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
from tfstyle.synthesis.inputs import Compositing, Inputs
from tfstyle.synthesis.loop import Result, synthesize_together
from tfstyle.synthesis.objective import Objective, together
from tfstyle.synthesis.objectives import Objectives
from tfstyle.synthesis.plan import Plan
from tfstyle.synthesis.starts import initial_image
from tfstyle.synthesis.term_options import workshop_for
from tfstyle.vgg import sources


def make(
    inputs: Sequence[Inputs],
    config: TransferConfig,
    extractor: tf.keras.Model | None = None,
    reporters: Sequence[Reporter] = (),
    supervision: Supervision = UNSUPERVISED,
    workshop: Workshop | None = None,
) -> list[Result]:
    """Runs the loop on the terms of inputs of one size.

    Args:
      inputs: of each picture to be made.
      config, extractor, reporters, workshop: as in `transfer`.
      supervision: see `synthesize_together`.

    Returns:
      The `Result` of each.
    """
    workshop = workshop or workshop_for(config, extractor)
    choices = choices_in(supervision.checkpoint_dir)
    # Small styles leave some pictures fewer scales than others have.
    of_scales: dict[int, list[tuple[Inputs, Objectives]]] = {}
    for each in inputs:
        own = Objectives(each, config, extractor, workshop, pictures=len(inputs), choices=choices)
        of_scales.setdefault(own.config.scales, []).append((each, own))
    results: dict[int, Result] = {}
    for some in of_scales.values():
        made = _make_together(*zip(*some), extractor, reporters, supervision, workshop)
        results |= {id(each): result for (each, _), result in zip(some, made)}
    return [results[id(each)] for each in inputs]


def _make_together(
    inputs: Sequence[Inputs],
    objectives: Sequence[Objectives],
    extractor: tf.keras.Model | None,
    reporters: Sequence[Reporter],
    supervision: Supervision,
    workshop: Workshop,
) -> list[Result]:
    """Runs the loop on inputs of as many scales."""
    first, compositings = objectives[0], [each.compositing for each in inputs]
    first.plan.require_fit()
    first.plan.warn()

    def joined(own: Sequence[Objective]) -> Objective:
        if len(own) == 1:
            return own[0]
        with workshop.in_use():
            return together(own)

    exact = first.plan.precision == "bfloat16"
    details = [each.detail for each in objectives]
    results = synthesize_together(
        lambda size: joined([each.at(size) for each in objectives]),
        tf.concat([_start(each, first.config) for each in inputs], 0),
        first.config,
        finish_at=(lambda size: joined([each.exact_at(size) for each in objectives])) if exact else None,
        detail=None if details[0] is None else tf.concat(details, 0),
        note="" if extractor is not None else _note(first.config, first.plan, inputs[0]),
        reporters=[_Finishing(reporter, compositings) for reporter in reporters],
        supervision=supervision,
        identity={**_hashes(inputs), "computed in": first.plan.precision},
        choices=first.plan.choices(),
        workshop=workshop,
    )
    return [
        dataclasses.replace(result, image=each.compositing.finished(result.image), alpha=each.opacity)
        for result, each in zip(results, inputs)
    ]


def _start(inputs: Inputs, config: TransferConfig) -> tf.Tensor:
    if inputs.start is not None:
        return inputs.start
    starts = {"content": inputs.content, "style": next(iter(inputs.pictures), None)}
    return initial_image(config.init, inputs.size, **starts, seed=config.seed)


def _note(config: TransferConfig, plan: Plan, inputs: Inputs) -> str:
    """Returns in two lines what was found on this machine and chosen for a run."""
    coded = config.weights == "imagenet" and sources.fetch().coded
    first, last = plan.stages[0], plan.stages[-1]
    (small_height, small_width), (height, width) = first.size, last.size
    growing = f", from {small_width} x {small_height} in {last.scale + 1} sizes" if last.scale else ""
    coarse = f", {plan.coarse_weights} at the smaller sizes" * bool(plan.coarse_weights)
    iterations = sum(stage.iterations for stage in plan.stages)
    reason = f" ({choice(config)})" if config.precision == "auto" else ""
    ways = ", then ".join(dict.fromkeys(_WAYS[way] for way in plan.evaluations.values()))
    count = sum(region.mask is not None for region in inputs.regions)
    masks = f"; masks: {count} region{'s' * (count > 1)}" * bool(count)
    return (
        f"{config.weights} weights{' (8-bit coded)' * coded}{coarse}; {width} x {height} pixels{growing};"
        f" {iterations} iterations of {config.optimizer}\n"
        f"computed in {plan.precision}{reason}, the picture {ways}{masks}"
    )


_WAYS = {"plain": "at once", "recompute": "at once, keeping less", "tiled": "in parts"}


def _hashes(inputs: Sequence[Inputs]) -> dict[str, str]:
    if len(inputs) == 1:
        return dict(inputs[0].hashes)
    return {
        f"{name} of {i}": value for i, each in enumerate(inputs, 1) for name, value in each.hashes.items()
    }


class _Finishing:
    """Shows a reporter pictures as they would be if the run ended there."""

    def __init__(self, reporter: Reporter, compositings: Sequence[Compositing]):
        self._reporter, self._compositings = reporter, compositings

    def report(self, progress: Progress, image: tf.Tensor) -> None:
        pictures = zip(self._compositings, tf.split(image, len(self._compositings)))
        self._reporter.report(progress, tf.concat([each.finished(one) for each, one in pictures], 0))
