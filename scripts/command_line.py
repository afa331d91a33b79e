"""What the scripts share: flags from config fields, one-line errors, reporters, output.

A script calls `run(main)`; its main calls `read_job`, then one function of the
package, then `write_picture`. TensorFlow is imported inside main, so that
`--help` and mistakes in flags are answered at once.
"""

from __future__ import annotations

import contextlib
import dataclasses
import os
import pathlib
import sys
import tempfile
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from absl import app, flags, logging

# Works from a checkout that is not installed, too.
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

from tfstyle.config import TransferConfig
from tfstyle.durations import interval
from tfstyle.options import numbered
from tfstyle.options import whole_number as whole_number
from tfstyle.presets import DEFAULT_PRESET, PRESETS, default_preset, preset
from tfstyle.supervision import CHECKPOINT_EVERY, Stop, Supervision, deadline, first_of

from interruption import Interruption

FLAGS = flags.FLAGS
INTERRUPTION = Interruption()
flags.DEFINE_bool(
    "deterministic",
    False,
    "make the same to the last bit each time on this machine: choose nothing by speed or free memory"
    " (precision=auto is float32, evaluation=auto goes by memory_limit alone)",
)


@dataclass(frozen=True)
class Job:
    """What the flags ask for: a config, and the picture files by argument (see `given_pictures`)."""

    config: TransferConfig
    pictures: dict[str, str]

    def paths(self, argument: str) -> list[str]:
        """Returns the files of an argument that may have several."""
        return [path for name, path in self.pictures.items() if _argument(name) == argument]


def define_flags(
    task: str, pictures: Mapping[str, str], several: Mapping[str, str] | None = None, **defaults
) -> None:
    """Defines the flags of a script that optimises.

    Args:
      task: the script's name, as records in pictures have it.
      pictures: {argument: help} of its input pictures.
      several: the same of those that may be several, separated by commas.
      **defaults: config fields whose default differs from the preset's.
    """
    define_picture_flags(pictures)
    for name, text in (several or {}).items():
        flags.DEFINE_list(name, None, text)
    flags.DEFINE_string(
        "output", None, "picture to write, .png or .jpg; by default named after the inputs, in this folder"
    )
    flags.DEFINE_string(
        "from", None, f"a picture that {task}.py made: run it again; other flags given here take precedence"
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
        f" (default: {DEFAULT_PRESET}, whose values are shown below; mini with --weights=mini)",
    )
    define_option_flags(dataclasses.replace(PRESETS[DEFAULT_PRESET], **defaults))


def define_option_flags(defaults) -> None:
    """Defines one flag for each field of an options dataclass (see `tfstyle.options`)."""
    for field in dataclasses.fields(defaults):
        value = getattr(defaults, field.name)
        text = f"{field.metadata['help']} (default: {_shown(value)})"
        _DEFINE[type(value)](field.name, text, field.metadata["choices"])


def define_run_flags() -> None:
    """Defines the flags of everything that runs long enough to be watched and to be stopped."""
    flags.DEFINE_string("checkpoint_dir", None, "folder to save the run's state in, and to go on from")
    flags.DEFINE_string(
        "checkpoint_every",
        None,
        "how often to save it: a duration such as 30s or 10m, or a number of steps such as 100; never more"
        f" than 2 % of the run's time is spent on it (default: {CHECKPOINT_EVERY})",
    )
    flags.DEFINE_string(
        "deadline",
        None,
        "when to end the run with the best so far: a duration from now such as 90s, 15m or 2h, or a time such"
        " as 18:30",
    )
    flags.DEFINE_string("logdir", None, "TensorBoard's folder; each run has its own folder below it")
    flags.DEFINE_bool("profile", False, "record a stretch of the run for TensorBoard's profiler, in --logdir")


def supervision() -> Supervision:
    """Returns what the flags of `define_run_flags` say of states and of when to end, signals included.

    Raises:
      ValueError: a flag is not what it should be.
    """
    stop: Stop = INTERRUPTION.awaited()
    if FLAGS.deadline is not None:
        stop = first_of(stop, deadline(FLAGS.deadline))
    every = FLAGS.checkpoint_every
    if every is None:
        return Supervision(FLAGS.checkpoint_dir, stop=stop)
    interval(every)
    if FLAGS.checkpoint_dir is None:
        raise ValueError(f"checkpoint_every={every!r}: needs --checkpoint_dir, where the state goes")
    return Supervision(FLAGS.checkpoint_dir, every, stop)


def _shown(value) -> str:
    if isinstance(value, tuple):
        return ",".join(map(str, value)) or "empty"
    return f"{value:g}" if isinstance(value, float) else str(value).lower()


def _define_text(name: str, text: str, choices: tuple[str, ...]) -> None:
    if choices:
        flags.DEFINE_enum(name, None, choices, text)
    else:
        flags.DEFINE_string(name, None, text)


# Every default is None, so that a flag that was given can be told from one that
# was not: the preset, or the picture named by --from, fills in the rest. Ranges
# are the options' to check.
_DEFINE: dict[type, Callable[[str, str, tuple[str, ...]], object]] = {
    bool: lambda name, text, _: flags.DEFINE_bool(name, None, text),
    int: lambda name, text, _: flags.DEFINE_integer(name, None, text),
    float: lambda name, text, _: flags.DEFINE_float(name, None, text),
    str: _define_text,
    tuple: lambda name, text, _: flags.DEFINE_list(name, None, text),
}


def given_options(options: type) -> dict:
    """Returns {field: value} of the flags of an options dataclass that were given."""
    names = [field.name for field in dataclasses.fields(options)]
    given = {name: FLAGS[name].value for name in names if FLAGS[name].value is not None}
    return {name: tuple(value) if isinstance(value, list) else value for name, value in given.items()}


def required(name: str, meaning: str) -> str:
    """Returns a flag's value, which must be given.

    Raises:
      ValueError: it was not.
    """
    if not FLAGS[name].value:
        raise ValueError(f"--{name}: is missing; it must name {meaning}")
    return FLAGS[name].value


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
    base = dataclasses.replace(preset(FLAGS.preset or default_preset(FLAGS.weights)), **defaults)
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
        from tfstyle import images, provenance

        source = f"from={FLAGS['from'].value!r}"
        made = provenance.parse(images.read_note(FLAGS["from"].value), source)
    if made.task != task:
        raise ValueError(f"{source}: was made by {made.task}.py; run that")
    replaced = {*given, *map(_argument, paths)}
    for argument in made.inputs:
        if _argument(argument) not in replaced:
            path = provenance.unchanged_input(made, argument, source)
            if _argument(argument) in pictures:
                paths[argument] = path
    if changed := provenance.changed_versions(made):
        logging.warning("%s: made with %s; the picture may differ", source, ", ".join(changed))
    return Job(dataclasses.replace(made.config, **given), paths)


def output_path(job: Job, suffix: str = "") -> pathlib.Path:
    """Returns where the picture goes, once it is known that it can be written there."""
    from tfstyle import images

    named = [path for name, path in job.pictures.items() if _argument(name) in ("content", "style")]
    stems = "_".join(pathlib.Path(path).stem for path in named)
    path = pathlib.Path(FLAGS.output if FLAGS.output is not None else f"{stems}{suffix}.png")
    images.check_writable(path)
    return path


def reporters(output: pathlib.Path, options: Mapping, pictures: Mapping[str, str], size: int = 0) -> list:
    """Returns the reporters that the flags ask for.

    Args:
      output: the run is called by its stem.
      options: the run's options, by name.
      pictures: {argument: path} of its input pictures.
      size: their longer side in the run; 0 if they keep their own.

    Raises:
      ValueError, OSError: a folder cannot be made, or a picture not be read.
    """
    from tfstyle import reporting
    from tfstyle.files import make_folder

    chosen = [console_reporter(), *tensorboard_reporters(output.stem, options, pictures, size)]
    if "snapshot_dir" in FLAGS and FLAGS.snapshot_dir is not None:
        chosen.append(reporting.SnapshotReporter(make_folder(FLAGS.snapshot_dir, "snapshot_dir")))
    return chosen


def console_reporter():
    """Returns the reporter on standard error; from here on something is seen there."""
    from tfstyle import reporting

    if sys.stderr.isatty():  # the first report, some seconds from now, takes its place
        print("preparing the network and the targets …", end="", file=sys.stderr, flush=True)
    return reporting.ConsoleReporter()


def tensorboard_reporters(name: str, options: Mapping, pictures: Mapping[str, str], size: int) -> list:
    """Returns what --logdir and --profile ask for, for a run of this name below --logdir."""
    from tfstyle import images, reporting
    from tfstyle.files import make_folder

    if FLAGS.logdir is None:
        if FLAGS.profile:
            raise ValueError("profile=true: needs --logdir, where the profile goes")
        return []
    folder = make_folder(FLAGS.logdir, "logdir") / name
    inputs = {argument: images.load_fitted(path, argument, size) for argument, path in pictures.items()}
    chosen = [reporting.TensorBoardReporter(folder, settings=options, inputs=inputs)]
    return [*chosen, reporting.ProfileReporter(folder)] if FLAGS.profile else chosen


def job_reporters(output: pathlib.Path, job: Job) -> list:
    """Returns the reporters that the flags ask for, for a job."""
    return reporters(output, job.config.to_dict(), job.pictures, job.config.image_size)


def describe(task: str, job: Job) -> str:
    """Returns the record of the job; before the run, while its inputs are what they are."""
    from tfstyle import provenance

    return provenance.describe(task, job.config, job.pictures)


def write_picture(output: pathlib.Path, note: str, result) -> None:
    """Writes the picture with its record, the losses to standard error, the path to standard output.

    Raises:
      FloatingPointError: it is but the best picture of a run that failed.
    """
    from tfstyle import images, provenance

    if result.ending and not result.steps[0]:
        print(f"stopped by {result.ending} before the first step; nothing is written", file=sys.stderr)
        return
    if result.ending:
        note = provenance.unfinished(note, *result.steps)
    images.save_image(output, result.image, note, result.alpha)
    first = result.history[0]
    row = "{:<24}{:>12}{:>12}{:>12}".format
    lines = [row("term", "before", "after", "unweighted")]
    for name, value in result.losses.items():
        lines.append(row(name, f"{first.losses[name]:.4g}", f"{value:.4g}", f"{result.unweighted[name]:.4g}"))
    lines.append(row("total", f"{first.total:.4g}", f"{result.total:.4g}", ""))
    lines.append(f"{result.seconds:.0f} s, {result.evaluations} evaluations")
    print("\n".join(lines), file=sys.stderr)
    print(output)
    if result.failed:
        raise FloatingPointError(
            f"{result.ending}; {str(output)!r} is the best picture of {result.steps[0]} iterations"
        )


@contextlib.contextmanager
def quiet_tensorflow(devices: bool = True) -> Iterator[None]:
    """Hides what TensorFlow's native code prints while it is imported, unless that fails.

    Those lines come before its log level counts, and would bury the one line
    that tells what is wrong.

    Args:
      devices: False leaves it to what follows to have TensorFlow meet its devices.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    sys.stderr.flush()
    with tempfile.TemporaryFile() as held, os.fdopen(os.dup(2), "wb") as stderr:
        os.dup2(held.fileno(), 2)
        try:
            import tensorflow as tf

            # In a process that a script starts, flags are not parsed; see `run`.
            if FLAGS.is_parsed() and FLAGS.deterministic:
                from tfstyle import determinism

                seed = FLAGS.seed if "seed" in FLAGS else None
                determinism.enable(0 if seed is None else seed)
            if devices:
                tf.config.list_logical_devices()  # it has more to say when it meets its devices
            yield
        except ImportError:
            held.seek(0)
            stderr.write(held.read())
            raise
        finally:
            sys.stderr.flush()
            os.dup2(stderr.fileno(), 2)


def run(main: Callable[[], None]) -> None:
    """Runs a script's main; a mistake of the user's ends with one line and exit status 1."""
    # absl lists under --help what the main module itself defines.
    for flag in FLAGS.get_flags_for_module(__name__):
        FLAGS.register_key_flag_for_module(sys.argv[0], flag)

    def guarded(arguments: Sequence[str]) -> int | None:
        if not FLAGS["verbosity"].present:
            # absl's default for programs is INFO, at which TensorFlow tells what it does while it saves.
            logging.set_verbosity(logging.WARNING)
        if FLAGS.deterministic:
            # Also for what never calls `quiet_tensorflow`, such as processes that a benchmark starts.
            os.environ["TF_DETERMINISTIC_OPS"] = "1"
        if len(arguments) > 1:
            return _fail(f"{arguments[1]!r}: is not a flag; pictures are given with flags, see --help")
        try:
            main()
            sys.stdout.flush()
            INTERRUPTION.over()
        except BrokenPipeError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # what is left to be written goes nowhere
            return _fail("standard output: was closed before all was told; what was to be written is written")
        except (ValueError, OSError, FloatingPointError, MemoryError) as error:
            return _fail(_reason(error))
        except KeyboardInterrupt as error:
            print(f"\nstopped by {error}", file=sys.stderr)
            return getattr(error, "status", 130)
        except Exception as error:
            if "tensorflow" not in sys.modules or not isinstance(
                error, sys.modules["tensorflow"].errors.OpError
            ):
                raise
            return _fail(_reason(error))
        return INTERRUPTION.status or None

    sys.stderr = _Forgiving(sys.stderr)
    INTERRUPTION.install()
    app.run(guarded, flags_parser=_parse)


def _reason(error: Exception) -> str:
    """Returns what went wrong in a line, and under --verbosity=1 shows where."""
    if logging.level_debug():
        traceback.print_exc()
    if isinstance(error, (ValueError, OSError, FloatingPointError)):
        return str(error)
    if isinstance(error, MemoryError):
        return "memory: there is not enough; take a smaller image_size or batch_size"
    return str(getattr(error, "message", error)).partition("\n")[0]


class _Forgiving:
    """Standard error that nobody need read: a run does not end because its terminal has."""

    def __init__(self, stream):
        self._stream = stream

    def __getattr__(self, name):
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        with contextlib.suppress(BrokenPipeError):
            return self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        with contextlib.suppress(BrokenPipeError):
            self._stream.flush()


def _parse(arguments: Sequence[str]) -> list[str]:
    try:
        return app.parse_flags_with_usage(arguments) if _asks_for_help(arguments) else FLAGS(arguments)
    except flags.Error as error:
        sys.exit(_fail(str(error)))


def _asks_for_help(arguments: Sequence[str]) -> bool:
    return any(argument.lstrip("-").startswith("help") for argument in arguments[1:])


def _fail(message: str) -> int:
    line = " ".join(message.split())
    if sys.stderr.isatty():
        print("\r\x1b[K", end="", file=sys.stderr)
    print(f"{pathlib.Path(sys.argv[0]).name}: error: {line}", file=sys.stderr)
    return 1
