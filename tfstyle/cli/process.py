"""How a command runs: --help, one-line errors, quiet imports, signals, closed streams, the same again."""

from __future__ import annotations

import contextlib
import faulthandler
import io
import os
import pathlib
import sys
import tempfile
import textwrap
import traceback
from collections.abc import Callable, Iterable, Iterator, Sequence

from absl import app, flags, logging

from tfstyle.cli import foreign_flags, show
from tfstyle.cli.arguments import spelled
from tfstyle.cli.signals import INTERRUPTION
from tfstyle.io.files import reason

FLAGS = flags.FLAGS
_HELP = {f"{dashes}{name}" for dashes in ("-", "--") for name in ("h", "help", "helpshort", "helpfull")}
_FIRST = (
    *("content", "contents", "photos", "style", "styles", "results", "figure", "model", "output", "preset"),
    *("style_strength", "image_size", "color", "iterations", "weights"),
)
_OF_ALL = (
    "--flagfile=FILE reads flags from a file, one a line; --verbosity=1 shows where a mistake came from;"
    " --version prints tfstyle's."
)
_SHARED = ("tfstyle.cli.common", "tfstyle.cli.run_flags", __name__)
flags.DEFINE_bool(
    "deterministic",
    False,
    "make the same to the last bit each time on this machine: choose nothing by speed or free memory"
    " (precision=auto is float32, evaluation=auto goes by memory_limit alone)",
)


@contextlib.contextmanager
def quiet_tensorflow(devices: bool = True) -> Iterator[None]:
    """Hides what TensorFlow's native code prints while it is imported, unless that fails.

    Those lines come before its log level counts, and would bury the one line
    that tells what is wrong. What Python prints, such as the progress of a
    download, is seen. TF_CPP_MIN_LOG_LEVEL=0 or 1 asks for all of it; without
    that variable, later lines are but those of what ends the process.

    Args:
      devices: False leaves it to what follows to have TensorFlow meet its devices.
    """
    asked = os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3") in ("0", "1")
    sys.stderr.flush()
    with tempfile.TemporaryFile() as held, os.fdopen(os.dup(2), "wb") as stderr, INTERRUPTION.at_once():
        if not asked:
            os.dup2(held.fileno(), 2)
        shown = sys.stderr
        sys.stderr = io.TextIOWrapper(stderr, errors="backslashreplace", line_buffering=True)
        try:
            import tensorflow as tf

            # In a process that a command starts, flags are not parsed; see `run`.
            if FLAGS.is_parsed() and FLAGS.deterministic:
                from tfstyle.runtime import determinism

                seed = FLAGS.seed if "seed" in FLAGS else None
                determinism.enable(0 if seed is None else seed)
            if devices:
                tf.config.list_logical_devices()  # it has more to say when it meets its devices
            yield
        except Exception as error:
            if not _ends_in_a_line(error):
                held.seek(0)
                stderr.write(held.read())
            raise
        finally:
            sys.stderr.flush()
            sys.stderr.detach()
            sys.stderr = shown
            os.dup2(stderr.fileno(), 2)


def run(main: Callable[..., None], words: Sequence[str] = (), places: Sequence[str] = ()) -> None:
    """Runs a command's main; a mistake of the user's ends with one line and exit status 1.

    Args:
      main: takes nothing or, where there are `words`, the one that was given.
      words: of which one must follow, without dashes.
      places: flags of what may be given without any (see `arguments.spelled`).
    """

    def guarded(arguments: Sequence[str]) -> int | None:
        if not FLAGS["verbosity"].present:
            # absl's default for programs is INFO, at which TensorFlow tells what it does while it saves.
            logging.set_verbosity(logging.WARNING)
        if FLAGS.deterministic:
            # Also for what never calls `quiet_tensorflow`, such as processes that a benchmark starts.
            os.environ["TF_DETERMINISTIC_OPS"] = "1"
        if "keras" not in sys.modules:
            # Which backend Keras has in the user's other programs is not meant for this one.
            os.environ["KERAS_BACKEND"] = "tensorflow"
            os.environ.pop("TF_USE_LEGACY_KERAS", None)
        faulthandler.enable(os.dup(2))  # a crash is seen, also where TensorFlow is kept quiet
        given = arguments[1:]
        if words and (len(given) != 1 or given[0] not in words):
            return _fail(f"{' '.join(given)!r}: must be one of {', '.join(words)}")
        if given and not words:
            return _fail(
                f"{given[0]!r}: is not a flag; pictures are given with flags, several with commas, see --help"
            )
        try:
            main(*given)
            sys.stdout.flush()
            INTERRUPTION.over()
        except BrokenPipeError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # what is left to be written goes nowhere
            return _fail("standard output: was closed before all was told; what was to be written is written")
        except Exception as error:
            if not _ends_in_a_line(error):
                raise
            return _fail(_reason(error))
        return INTERRUPTION.status or None

    def parsed(arguments: Sequence[str]) -> list[str]:
        if not _HELP.isdisjoint(arguments[1:]):
            modules = (main.__module__, arguments[0], *_SHARED)
            found = [flag for module in modules for flag in FLAGS.get_flags_for_module(module)]
            show(manual(sys.modules[main.__module__].__doc__, found))
            sys.exit()
        try:
            rest = FLAGS([arguments[0], *spelled(arguments[1:], FLAGS, places)])
            _expand_home()
            return rest
        except flags.UnrecognizedFlagError as error:  # of a flagfile
            sys.exit(_fail(foreign_flags.explained([error.flagname], (), FLAGS)))
        except (flags.Error, ValueError) as error:
            sys.exit(_fail(str(error)))

    sys.stderr = _Forgiving(sys.stderr)
    with INTERRUPTION.handled():
        app.run(guarded, flags_parser=parsed)


def manual(about: str, found: Iterable[flags.Flag]) -> str:
    """Returns the help of a command.

    Args:
      about: the documentation of its module, which begins with what it does and an example.
      found: its flags, in the order in which they are to be listed.
    """
    by_name = {flag.name: flag for flag in found}
    first = [by_name.pop(name) for name in _FIRST if name in by_name]
    lines = [about.strip(), "", *map(_described, first)]
    if by_name:
        lines += [""] * bool(first) + ["further flags:", *map(_described, by_name.values())]
    return "\n".join([*lines, "", textwrap.fill(_OF_ALL, 90)])


def _described(flag: flags.Flag) -> str:
    shown = flag.default_as_str.strip("'") if flag.default else ""
    default = f" (default: {shown})" if shown and "(default" not in flag.help else ""
    line = f"--{'[no]' * flag.boolean}{flag.name}: {flag.help}{default}"
    return textwrap.fill(line, 90, initial_indent="  ", subsequent_indent="      ")


def _ends_in_a_line(error: Exception) -> bool:
    """Returns whether somebody is told in a line what to do; other errors are mistakes of tfstyle's own."""
    known = (ValueError, OSError, FloatingPointError, MemoryError)
    if "tensorflow" in sys.modules:
        known += (sys.modules["tensorflow"].errors.OpError,)
    return isinstance(error, known)


def _reason(error: Exception) -> str:
    """Returns what went wrong in a line, and under --verbosity=1 shows where."""
    if logging.level_debug():
        traceback.print_exc()
    if isinstance(error, (ValueError, OSError, FloatingPointError)):
        return reason(error)
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


def _expand_home() -> None:
    """Puts the home folder for ~ in flags, where shells leave it, as behind --output=."""
    for name in FLAGS:
        value = FLAGS[name].value
        if isinstance(value, str) and value.startswith("~"):
            FLAGS[name].value = os.path.expanduser(value)
        elif isinstance(value, list) and any(str(each).startswith("~") for each in value):
            FLAGS[name].value = [os.path.expanduser(each) for each in value]


def _fail(message: str) -> int:
    line = " ".join(message.split())
    if sys.stderr.isatty():
        print("\r\x1b[K", end="", file=sys.stderr)
    print(f"{pathlib.Path(sys.argv[0]).name}: error: {line}", file=sys.stderr)
    return 1
