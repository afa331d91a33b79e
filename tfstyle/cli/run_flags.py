"""The flags of what runs long: states, deadlines, signals, TensorBoard, reports; and what they ask for."""

from __future__ import annotations

import sys
from collections.abc import Mapping

from absl import flags

from tfstyle.cli.signals import INTERRUPTION
from tfstyle.config.options import interval
from tfstyle.runtime.stopping import CHECKPOINT_EVERY, Stop, Supervision, deadline, first_of

FLAGS = flags.FLAGS
_SHOWN = 2048  # pixels of a picture's longer side in TensorBoard


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
    define_tensorboard_flags()


def define_tensorboard_flags() -> None:
    """Defines the flags that `tensorboard_reporters` reads."""
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


def console_reporter():
    """Returns the reporter on standard error; from here on something is seen there."""
    from tfstyle import reporting

    if sys.stderr.isatty():  # the first report, some seconds from now, takes its place
        print("preparing the network and the targets …", end="", file=sys.stderr, flush=True)
    return reporting.ConsoleReporter()


def tensorboard_reporters(name: str, options: Mapping, pictures: Mapping[str, str], size: int) -> list:
    """Returns what --logdir and --profile ask for, for a run of this name below --logdir."""
    from tfstyle import reporting
    from tfstyle.io import images
    from tfstyle.io.files import make_writable_folder

    if FLAGS.logdir is None:
        if FLAGS.profile:
            raise ValueError("profile=true: needs --logdir, where the profile goes")
        return []
    folder = make_writable_folder(FLAGS.logdir, "logdir") / name
    size = min(size or _SHOWN, _SHOWN)
    inputs = {argument: images.load_fitted(path, argument, size) for argument, path in pictures.items()}
    chosen = [reporting.TensorBoardReporter(folder, settings=options, inputs=inputs)]
    return [*chosen, reporting.ProfileReporter(folder)] if FLAGS.profile else chosen
