"""Makes the panels of a figure, each once, and only those that are not there yet."""

from __future__ import annotations

import dataclasses
import json
import pathlib
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import tensorflow as tf

from tfstyle.api import provenance
from tfstyle.api.transfer import reconstruct_content, reconstruct_style, transfer
from tfstyle.figures.panels import TRANSFER, Figure, Panel
from tfstyle.io import encode, untrusted
from tfstyle.io.files import opened, write_atomically
from tfstyle.reporting import Progress, Reporter
from tfstyle.runtime.stopping import UNSUPERVISED, Supervision
from tfstyle.synthesis.loop import Result

_LONGEST = 1 << 20  # bytes of a panel's record


@dataclass(frozen=True)
class Rendered:
    """A panel that has been made.

    Attributes:
      panel: what it is.
      path: its picture, which carries its settings.
      losses: {term: weighted value}.
      seconds: that it took.
      evaluations: that it took.
    """

    panel: Panel
    path: pathlib.Path
    losses: dict[str, float]
    seconds: float
    evaluations: int

    @property
    def command(self) -> str:
        """What makes the same picture again."""
        return f"{provenance.command_of(self.panel.task)} --from={self.path.name} --output=again.png"


def render(
    figure: Figure,
    pictures: Mapping[str, str],
    folder: pathlib.Path,
    *,
    reporters: Sequence[Reporter] = (),
    panel_reporters: Callable[[Panel], Sequence[Reporter]] = lambda panel: (),
    supervision: Supervision = UNSUPERVISED,
) -> list[Rendered]:
    """Makes the panels that a folder does not hold yet.

    A panel is there if its picture carries the very settings and input hashes
    that it would be made with now.

    Args:
      figure: what to make.
      pictures: {"content": path, "style": path}; those that its panels need.
      folder: where the panels' pictures are, each with a JSON file of its losses.
      reporters: told of the progress over all panels to be made.
      panel_reporters: gives more of them for one panel.
      supervision: its folder is for the states of panels, each in one of its own.

    Returns:
      One record a panel, in the figure's order; if the run was ended early, only
      of the panels that are there.

    Raises:
      ValueError, OSError: a picture is missing, or as in `transfer`.
    """
    _require_pictures(figure, pictures)
    runs = {panel.name: panel for panel in figure.panels}
    notes = {
        name: provenance.describe(panel.task, panel.config, _chosen(panel, pictures))
        for name, panel in runs.items()
    }
    missing = [name for name in runs if not _is_made(folder / f"{name}.png", notes[name])]
    overall = _Overall(reporters, len(missing))
    for number, name in enumerate(missing):
        overall.begin(number, f"panel {number + 1} of {len(missing)}: {name}")
        panel = runs[name]
        options = {
            "reporters": [overall, *panel_reporters(panel)],
            "checkpoint_dir": supervision.checkpoint_dir and pathlib.Path(supervision.checkpoint_dir, name),
            "checkpoint_every": supervision.checkpoint_every,
            "stop": supervision.stop,
        }
        result = _make(panel, _chosen(panel, pictures), options)
        if result.failed:
            raise FloatingPointError(f"panel {name}: {result.ending}")
        if result.ending:  # the panel is not what it is to be
            break
        record = {"losses": result.losses, "seconds": result.seconds, "evaluations": result.evaluations}
        write_atomically(folder / f"{name}.json", json.dumps(record, indent=1).encode())
        encode.save_image(folder / f"{name}.png", result.image, notes[name])
    made = [panel for panel in figure.panels if _is_made(folder / f"{panel.name}.png", notes[panel.name])]
    return [_read(panel, folder) for panel in made]


def _require_pictures(figure: Figure, pictures: Mapping[str, str]) -> None:
    for panel in figure.panels:
        for argument in panel.pictures:
            if not pictures.get(argument):
                raise ValueError(f"--{argument}: is missing; figure={figure.name} needs a picture file")


def _chosen(panel: Panel, pictures: Mapping[str, str]) -> dict[str, str]:
    return {argument: pictures[argument] for argument in panel.pictures}


def _is_made(path: pathlib.Path, note: str) -> bool:
    if not path.is_file() or not path.with_suffix(".json").is_file():
        return False
    try:
        return encode.read_note(path, "output") == note
    except ValueError:  # another picture of that name
        return False


def _make(panel: Panel, pictures: Mapping[str, str], options: Mapping) -> Result:
    config = panel.config
    if panel.task == TRANSFER:
        return transfer(pictures["content"], pictures["style"], config, **options)
    if "content" in pictures:
        return reconstruct_content(
            pictures["content"], config.content_layers, config, init=config.init, **options
        )
    return reconstruct_style(pictures["style"], config.style_layers, config, init=config.init, **options)


def _read(panel: Panel, folder: pathlib.Path) -> Rendered:
    path = folder / f"{panel.name}.json"
    try:
        with opened(path) as file:
            record = untrusted.parse_json(file.read(_LONGEST + 1), limit=_LONGEST)
        losses = {name: float(value) for name, value in record["losses"].items()}
        seconds, evaluations = float(record["seconds"]), int(record["evaluations"])
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        reason = f"is damaged ({error!s:.200}); remove it, and its panel is made again"
        raise ValueError(f"{str(path)!r}: {reason}") from None
    return Rendered(panel, folder / f"{panel.name}.png", losses, seconds, evaluations)


class _Overall:
    """Turns each panel's progress into that of the whole figure, as if all panels were like this one."""

    def __init__(self, reporters: Sequence[Reporter], panels: int):
        self._reporters = reporters
        self._panels = panels
        self._began = time.monotonic()
        self._number, self._note = 0, ""

    def begin(self, number: int, note: str) -> None:
        self._number, self._note = number, note

    def report(self, progress: Progress, image: tf.Tensor) -> None:
        note, self._note = self._note, ""
        overall = dataclasses.replace(
            progress,
            step=self._number * progress.total_steps + progress.step,
            total_steps=self._panels * progress.total_steps,
            scale=0,
            scales=1,
            remaining=None,
            seconds=time.monotonic() - self._began,
            note="\n".join(filter(None, [note, progress.note])),
        )
        for reporter in self._reporters:
            reporter.report(overall, image)
