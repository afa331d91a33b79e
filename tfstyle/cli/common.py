"""What the commands share: flags from config fields, jobs, output; `process` and `run_flags` under one name.

A command's main calls `read_job`, then one function of the package, then
`write_picture`. TensorFlow is imported inside main, so that `--help` and
mistakes in flags are answered at once.
"""

from __future__ import annotations

import dataclasses
import os
import pathlib
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from absl import flags, logging

from tfstyle.cli.process import quiet_tensorflow as quiet_tensorflow
from tfstyle.cli.process import run as run
from tfstyle.cli.run_flags import console_reporter as console_reporter
from tfstyle.cli.run_flags import define_run_flags as define_run_flags
from tfstyle.cli.run_flags import define_tensorboard_flags as define_tensorboard_flags
from tfstyle.cli.run_flags import supervision as supervision
from tfstyle.cli.run_flags import tensorboard_reporters as tensorboard_reporters
from tfstyle.cli.signals import INTERRUPTION as INTERRUPTION
from tfstyle.config import DEFAULT_PRESET, PRESETS, TransferConfig, preset
from tfstyle.config.options import numbered
from tfstyle.config.options import whole_number as whole_number

FLAGS = flags.FLAGS


@dataclass(frozen=True)
class Job:
    """What the flags ask for: a config, and the picture files by argument (see `given_pictures`)."""

    config: TransferConfig
    pictures: dict[str, str]

    def paths(self, argument: str) -> list[str]:
        """Returns the files of an argument that may have several."""
        return [path for name, path in self.pictures.items() if _argument(name) == argument]


def define_flags(pictures: Mapping[str, str], several: Mapping[str, str] | None = None, **defaults) -> None:
    """Defines the flags of a command that optimises.

    Args:
      pictures: {argument: help} of its input pictures.
      several: the same of those that may be several, separated by commas.
      **defaults: config fields whose default differs from the preset's.
    """
    define_picture_flags(pictures)
    for name, text in (several or {}).items():
        flags.DEFINE_list(name, None, text)
    flags.DEFINE_string(
        "output",
        None,
        "picture to write; by default, here, one that is not there yet and is named after the inputs",
    )
    flags.DEFINE_string(
        "from",
        None,
        "a picture that this command made: make it again; other flags given here take precedence",
    )
    define_settings_flags(**defaults)
    define_run_flags()
    flags.DEFINE_string("snapshot_dir", None, "folder to write the picture of every report into")


def define_picture_flags(pictures: Mapping[str, str]) -> None:
    """Defines a flag for each input picture, from {argument: help}."""
    for name, text in pictures.items():
        flags.DEFINE_string(name, None, text)


def define_settings_flags(**defaults) -> None:
    """Defines the flags of a `TransferConfig`; `defaults` differ from the default preset's."""
    flags.DEFINE_string(
        "preset",
        None,
        f"settings to start from: {', '.join(PRESETS)}"
        f" (default: {DEFAULT_PRESET}, whose values are shown below)",
    )
    define_option_flags(dataclasses.replace(PRESETS[DEFAULT_PRESET], **defaults))


def define_option_flags(defaults, names: Sequence[str] = ()) -> None:
    """Defines one flag for each field of an options dataclass (see `tfstyle.config.options`), or for some."""
    for field in dataclasses.fields(defaults):
        if names and field.name not in names:
            continue
        value = getattr(defaults, field.name)
        text = f"{field.metadata['help']} (default: {_shown(value)})"
        if choices := field.metadata["choices"]:
            flags.DEFINE_enum(field.name, None, choices, text)
        else:
            _DEFINE[type(value)](field.name, None, text)


def _shown(value) -> str:
    if isinstance(value, tuple):
        return ",".join(map(str, value)) or "empty"
    return f"{value:g}" if isinstance(value, float) else str(value).lower()


# Every default is None, so that a flag that was given can be told from one that
# was not: the preset, or the picture named by --from, fills in the rest. Ranges
# are the options' to check.
_DEFINE: dict[type, Callable[..., object]] = {
    bool: flags.DEFINE_bool,
    int: flags.DEFINE_integer,
    float: flags.DEFINE_float,
    str: flags.DEFINE_string,
    tuple: flags.DEFINE_list,
}


def given_options(options: type) -> dict:
    """Returns {field: value} of the flags of an options dataclass that were given."""
    names = [field.name for field in dataclasses.fields(options) if field.name in FLAGS]
    given = {name: FLAGS[name].value for name in names if FLAGS[name].value is not None}
    return {name: tuple(value) if isinstance(value, list) else value for name, value in given.items()}


def required(name: str, meaning: str):
    """Returns the value of a flag that must be given, as `all_required` does."""
    return all_required(**{name: meaning})[0]


def all_required(**meanings: str) -> list:
    """Returns the values of flags that must be given, from {name: what it must name}.

    Raises:
      ValueError: one or more were not; the message names all of them.
    """
    given = {name: FLAGS[name].value for name in meanings}
    require(given, **meanings)
    return list(given.values())


def require(given: Mapping[str, object], **meanings: str) -> None:
    """Checks that there is a value for each flag of {name: what it must name}."""
    missing = {name: meaning for name, meaning in meanings.items() if not given.get(name)}
    if len(missing) > 1:
        listed = ", ".join(f"--{name} ({meaning})" for name, meaning in missing.items())
        raise ValueError(f"are missing: {listed}")
    for name, meaning in missing.items():
        raise ValueError(f"--{name}: is missing; it must name {meaning}")


def given_pictures(pictures: Sequence[str]) -> dict[str, str]:
    """Returns {argument: path} of the picture flags that were given; of several: style, style 2, …"""
    given = {}
    for name in pictures:
        value = FLAGS[name].value
        if value is not None:
            values = value if isinstance(value, list) else [value]
            given |= {numbered(name, index): path for index, path in enumerate(values)}
    return given


def _argument(name: str) -> str:
    return name.split(" ")[0]


def settings(**defaults) -> TransferConfig:
    """Returns the preset, changed by `defaults` and then by the flags given."""
    base = dataclasses.replace(preset(FLAGS.preset or DEFAULT_PRESET), **defaults)
    return dataclasses.replace(base, **given_options(TransferConfig))


def read_job(task: str, pictures: Sequence[str], **defaults) -> Job:
    """Turns the flags into a job: the base (preset or --from), changed by the flags given."""
    paths = given_pictures(pictures)
    if FLAGS["from"].value is None:
        return Job(settings(**defaults), paths)

    given = given_options(TransferConfig)
    if FLAGS.preset is not None:
        raise ValueError(f"preset={FLAGS.preset!r}: cannot be given with --from, which brings all settings")
    with quiet_tensorflow():
        from tfstyle.api import provenance
        from tfstyle.io import encode

        source = f"from={FLAGS['from'].value!r}"
        made = provenance.parse(encode.read_note(FLAGS["from"].value), source)
    if made.task != task:
        raise ValueError(f"{source}: was made by {provenance.command_of(made.task)}; run that")
    replaced = {*given, *map(_argument, paths)}
    for argument in made.inputs:
        if _argument(argument) not in replaced:
            path = provenance.unchanged_input(made, argument, source)
            if _argument(argument) in pictures:
                paths[argument] = path
    if changed := provenance.changed_versions(made):
        logging.warning("%s: made with %s; the picture may differ", source, ", ".join(changed))
    return Job(dataclasses.replace(made.config, **given), paths)


def require_pixels_fit(job: Job) -> None:
    """Refuses a picture whose pixels alone are too many for the memory, before TensorFlow is imported.

    All else that a run takes is known, and checked, once there is a network: `plan.require_fit`.

    Raises:
      ValueError, OSError: they are too many, or a file is no picture.
    """
    from tfstyle.io.decode import size_of
    from tfstyle.runtime import memory
    from tfstyle.runtime.memory_model import pixel_bytes

    sized = "content" if job.pictures.get("content") else "style"
    if sized not in job.pictures or not job.config.image_size or memory.shows_gpu() is not False:
        return
    height, width = size_of(job.pictures[sized], sized)
    scale = job.config.style_scale if sized == "style" else 1.0
    of_pixels = pixel_bytes(job.config) * scale**2 * min(height, width) / max(height, width)
    most = memory.Room.now(job.config.memory_limit, on_gpu=False).most
    memory.require_side(
        f"image_size={job.config.image_size}",
        lambda side: of_pixels * side**2,
        job.config.image_size,
        job.config.image_size,
        most,
        "an image_size below {}",
    )


def output_path(job: Job, suffix: str = "") -> pathlib.Path:
    """Returns where the picture goes, once it is known that it can be written there."""
    from tfstyle.io import decode, encode, files
    from tfstyle.synthesis.starts import parse

    named = [path for name, path in job.pictures.items() if _argument(name) in ("content", "style")]
    stems = "_".join(pathlib.Path(path).stem for path in named)
    default = pathlib.Path(f"{stems}{suffix}.png")
    path = files.unused(default) if FLAGS.output is None else pathlib.Path(FLAGS.output)
    weights = [("weights", job.config.weights), ("coarse_weights", job.config.coarse_weights)]
    settings = [*weights, *(("init", start) for _, start in parse(job.config.init))]
    files_of_settings = [(name, value) for name, value in settings if os.path.exists(value)]
    sized = job.pictures.get("content") or job.pictures.get("style")
    side = job.config.image_size or (max(decode.size_of(sized, "content")) if sized else 0)
    encode.check_writable(path, inputs=[*job.pictures.items(), *files_of_settings], side=side)
    return path


def job_reporters(output: pathlib.Path, job: Job) -> list:
    """Returns the reporters that the flags ask for; the run is called by the stem of its output.

    Raises:
      ValueError, OSError: a folder cannot be made, or a picture not be read.
    """
    from tfstyle import reporting
    from tfstyle.io.files import make_writable_folder

    of_board = output.stem, job.config.to_dict(), job.pictures, job.config.image_size
    chosen = [console_reporter(), *tensorboard_reporters(*of_board)]
    if FLAGS.snapshot_dir is not None:
        folder = make_writable_folder(FLAGS.snapshot_dir, "snapshot_dir")
        chosen.append(reporting.SnapshotReporter(folder))
    return chosen


def describe(task: str, job: Job) -> str:
    """Returns the record of the job; before the run, while its inputs are what they are."""
    from tfstyle.api import provenance

    return provenance.describe(task, job.config, job.pictures)


def write_picture(output: pathlib.Path, note: str, result) -> None:
    """Writes the picture with its record, time and losses to standard error, the path to standard output.

    Raises:
      FloatingPointError: it is but the best picture of a run that failed.
    """
    from tfstyle.api import provenance
    from tfstyle.io import encode, files
    from tfstyle.reporting.progress import by_kind

    if result.ending and not result.steps[0]:
        print(f"stopped by {result.ending} before the first step; nothing is written", file=sys.stderr)
        return
    if result.ending:
        note = provenance.unfinished(note, *result.steps)
    if FLAGS.output is None:  # another run may have taken the name meanwhile
        output = files.unused(output)
    encode.save_image(output, result.image, note, result.alpha)
    before, after = (by_kind(losses) for losses in (result.history[0].losses, result.losses))
    fell = [f"{name} {before[name]:.3g} → {value:.3g}" for name, value in after.items()]
    total = f"loss {result.history[0].total:.4g} → {result.total:.4g}"
    took = f"{result.seconds:.0f} s, {result.evaluations} evaluations"
    print(f"{took}; {total} ({', '.join(fell)})", file=sys.stderr)
    print(output)
    if result.failed:
        raise FloatingPointError(
            f"{result.ending}; {str(output)!r} is the best picture of {result.steps[0]} iterations"
        )
