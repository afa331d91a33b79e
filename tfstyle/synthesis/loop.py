"""The one loop of the package: a picture moves downhill on an objective, coarse to fine.

Python owns scales, reports and checkpoints; TensorFlow owns the step. Whatever
is being made (a transfer, a reconstruction, a texture), only the objective and
the start differ.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import tensorflow as tf

from tfstyle.config import TransferConfig
from tfstyle.io import encode
from tfstyle.reporting import Books, Progress, Reporter
from tfstyle.runtime.checkpoints import tensor_hash
from tfstyle.runtime.stopping import UNSUPERVISED, Supervision
from tfstyle.runtime.workshop import Workshop
from tfstyle.synthesis.objective import Objective
from tfstyle.synthesis.scales import enlarged, stages
from tfstyle.synthesis.session import Session


@dataclass(frozen=True)
class Result:
    """What a run made.

    Attributes:
      image: `[1, H, W, 3]` float32 in [0, 1].
      losses: {term: weighted value} of `image`. TFP's L-BFGS does not keep to
        [0, 1]; with it these differ from the last of `history`, which is unclipped.
      unweighted: {term: value before its weight} of `image`.
      seconds: wall time, from before compilation.
      evaluations: times that value and gradient were computed.
      history: one record before the first step, one every `log_every`
        iterations, one after the last. Of pictures made together, losses in it
        are their means.
      alpha: `[1, H, W, 1]` in [0, 1], the opacity that the content has; None: opaque.
      ending: why the run ended before all iterations were made; '' if it did not.
        `image` is then the best one so far of its last scale, enlarged if that
        was not the last of all; the losses are those at that scale.
      failed: it ended because the objective stopped being finite, or did not
        fall, and nothing helped.
      steps: iterations made, of how many, over all scales.
    """

    image: tf.Tensor
    losses: dict[str, float]
    unweighted: dict[str, float]
    seconds: float
    evaluations: int
    history: list[Progress]
    alpha: tf.Tensor | None = None
    ending: str = ""
    failed: bool = False
    steps: tuple[int, int] = (0, 0)

    @property
    def total(self) -> float:
        """The objective at `image`."""
        return sum(self.losses.values())

    def _repr_png_(self) -> bytes:
        """Returns the picture, which a notebook shows of a result."""
        return encode.encoded(self.image, "PNG")


def synthesize(
    objective_at: Callable[[tuple[int, int]], Objective],
    initial: tf.Tensor,
    config: TransferConfig,
    **options,
) -> Result:
    """Moves a picture downhill on an objective.

    Args:
      objective_at: gives the objective for pictures of (height, width).
      initial: `[1, H, W, 3]` to start from, of the final size; the coarsest
        scale starts from it scaled down.
      config, options: as in `synthesize_together`, also for errors.

    Returns:
      The `Result`.
    """
    if initial.shape[0] != 1:
        raise ValueError(f"initial: of shape {list(initial.shape)}: must be one picture, [1, H, W, 3]")
    return synthesize_together(objective_at, initial, config, **options)[0]


def synthesize_together(
    objective_at: Callable[[tuple[int, int]], Objective],
    initial: tf.Tensor,
    config: TransferConfig,
    *,
    finish_at: Callable[[tuple[int, int]], Objective] | None = None,
    detail: tf.Tensor | None = None,
    note: str = "",
    reporters: Sequence[Reporter] = (),
    supervision: Supervision = UNSUPERVISED,
    identity: Mapping[str, str] | None = None,
    choices: Mapping | None = None,
    workshop: Workshop | None = None,
) -> list[Result]:
    """Moves pictures of one size downhill, each on its own objective.

    Args:
      objective_at: gives the objective for pictures of (height, width); of
        several, see `objective.together`.
      initial: `[B, H, W, 3]` to start from, of the final size; the coarsest
        scale starts from it scaled down.
      config: optimiser, iterations, scales and reports are read from it.
      finish_at: gives the same objective at more precision; the last tenth of
        the last scale's iterations is made on it. None: all are made on one.
      detail: `[B, H, W, 3]` whose fine detail is added where a scale begins,
        such as the content: the scale before could not show any.
      note: for the first report to carry.
      reporters: told of the progress before, between and after the steps.
      supervision: where to save the state, also at the end of each scale, and
        what may end the run early. A run of the same config and start goes on
        from what was saved, and one that was ended, too.
      identity: what else makes this run itself, such as hashes of its inputs.
      choices: what was chosen for this run by what the machine is like, as JSON
        types; `checkpoints.choices_in` gives it back to a run that goes on.
      workshop: keeps the compiled steps for later runs.

    Returns:
      The `Result` of each picture.

    Raises:
      ValueError: the checkpoint is of another run, or damaged.
      FloatingPointError: the objective is not finite where the run begins.
      OSError: the checkpoint's folder cannot be written, or another run works in it.
    """
    planned = stages(tuple(initial.shape[1:3]), config, finish=finish_at is not None)
    # How the picture is evaluated does change its last bits: see `choices`.
    own = {**config.identity(), "tensorflow": tf.__version__, "start": tensor_hash(initial)}
    own |= identity or {}
    image = initial
    with Books(supervision, own, reporters=reporters, note=note) as books:
        run = Session(config, planned, books, choices or {}, workshop or Workshop())
        for index, stage in enumerate(planned):
            if index < run.state.stage:  # done before the checkpoint
                continue
            objective = (finish_at if stage.exact else objective_at)(stage.size)
            begun = stage.scale > 0
            image = run.through(index, objective, enlarged(image, stage.size, detail if begun else None))
            if run.ending:
                break
    image = tf.clip_by_value(image, 0.0, 1.0)
    unweighted = objective.losses(image)
    weighted = objective.weighted(unweighted)
    whole = enlarged(image, tuple(initial.shape[1:3]), detail)
    return [
        Result(
            image=whole[index : index + 1],
            losses={name: float(np.ravel(values)[index]) for name, values in weighted.items()},
            unweighted={name: float(np.ravel(values)[index]) for name, values in unweighted.items()},
            seconds=books.seconds,
            evaluations=run.evaluations,
            history=books.records,
            ending=run.ending,
            failed=run.failed,
            steps=run.steps,
        )
        for index in range(image.shape[0])
    ]
