"""A narrow VGG19, small pictures, and a way to run the scripts as users do."""

import dataclasses
import functools
import gc
import io
import itertools
import json
import os
import pathlib
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import time
import zlib

import numpy as np
import pytest
from PIL import Image

from tfstyle.config import PRESETS

ROOT = pathlib.Path(__file__).parent.parent
WIDTHS = {1: 4, 2: 6, 3: 8, 4: 8, 5: 8}
DEPTHS = {1: 2, 2: 2, 3: 4, 4: 4, 5: 4}

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
# Traced functions are many small objects that stay: to look through them as often as Python does
# took 7 % of the time.
gc.set_threshold(200_000, 20, 20)


def narrow_weights(seed=0):
    """{layer/kernel, layer/bias} of VGG19's layout at a few filters a layer."""
    generator = np.random.default_rng(seed)
    arrays, channels = {}, 3
    for block, depth in DEPTHS.items():
        for conv in range(1, depth + 1):
            filters = WIDTHS[block]
            # He's initialisation; the first layer takes pixels of size 100.
            scale = np.sqrt(2 / (9 * channels)) / (100 if channels == 3 else 1)
            kernel = generator.standard_normal((3, 3, channels, filters)) * scale
            arrays[f"block{block}_conv{conv}/kernel"] = kernel.astype(np.float32)
            arrays[f"block{block}_conv{conv}/bias"] = generator.uniform(0, 0.3, filters).astype(np.float32)
            channels = filters
    return arrays


@pytest.fixture(scope="session")
def narrow_file(tmp_path_factory):
    """An .npz of `narrow_weights`."""
    path = tmp_path_factory.mktemp("weights") / "narrow.npz"
    np.savez(path, **narrow_weights())
    return str(path)


def picture(height, width, seed=0):
    """Seeded smooth colours with an edge in them, `[H, W, 3]` uint8."""
    generator = np.random.default_rng(seed)
    small = Image.fromarray(generator.integers(0, 256, (4, 4, 3), dtype=np.uint8))
    pixels = np.array(small.resize((width, height), Image.Resampling.BICUBIC))
    pixels[height // 3 : height // 2] = generator.integers(0, 256, 3)
    return pixels


def noise(*shape, seed=0):
    """Seeded values in [0, 1], float32."""
    return np.random.default_rng(seed).uniform(size=shape).astype(np.float32)


def picture_folder(path, count, height, width):
    """Makes a folder of pictures 0.png, 1.png, …, each of the seed that it is named after."""
    path.mkdir()
    for seed in range(count):
        Image.fromarray(picture(height, width, seed)).save(path / f"{seed}.png")


def file_bytes(image, kind="PNG", **options):
    """The bytes of a file that Pillow makes of an array, or of a picture of its own."""
    stream = io.BytesIO()
    (Image.fromarray(image) if isinstance(image, np.ndarray) else image).save(stream, kind, **options)
    return stream.getvalue()


def turned(orientation=6):
    """The EXIF of a picture that is stored turned; by default, it is shown by a quarter to the right."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    return exif


def chunk(kind, data):
    """A chunk of a PNG."""
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png_with(*chunks, at=33):
    """A PNG of `picture(20, 30)` with these chunks: after its header, or at another place."""
    plain = file_bytes(picture(20, 30))
    return plain[:at] + b"".join(chunks) + plain[at:]


def write_examples(path, *records):
    """A TFRecord file, of {feature below ``image/``: bytes} each, or of bytes that are no example."""
    import tensorflow as tf

    with tf.io.TFRecordWriter(str(path)) as writer:
        for record in records:
            if isinstance(record, dict):
                example = tf.train.Example()
                for name, value in record.items():
                    example.features.feature[f"image/{name}"].bytes_list.value.append(value)
                record = example.SerializeToString()
            writer.write(record)
    return str(path)


class Terminal(io.StringIO):
    """A stream that is taken for a terminal."""

    def isatty(self):
        return True


def differing(network):
    """A network of several styles, each with scales and shifts of its own, as if trained."""
    generator = np.random.default_rng(1)
    for layer in network.layers:
        if hasattr(layer, "shift"):
            layer.scale.assign(generator.uniform(0.5, 1.5, layer.scale.shape))
            layer.shift.assign(generator.normal(size=layer.shift.shape))
        if hasattr(layer, "colors"):
            layer.colors.assign(generator.normal(scale=0.1, size=layer.colors.shape))
    return network


def small_inputs(folder):
    """Writes content.png, 48 x 36, style.png, 40 x 40, and narrow.npz, `narrow_weights`; returns the folder."""
    Image.fromarray(picture(36, 48, seed=1)).save(folder / "content.png")
    Image.fromarray(picture(40, 40, seed=2)).save(folder / "style.png")
    np.savez(folder / "narrow.npz", **narrow_weights())
    return folder


@pytest.fixture(scope="session")
def files(tmp_path_factory):
    """`small_inputs`, which all share."""
    return small_inputs(tmp_path_factory.mktemp("files"))


class Recorder:
    """A reporter that keeps what it was told."""

    def __init__(self):
        self.seen = []

    def report(self, progress, image):
        self.seen.append((progress, image.numpy()))

    @property
    def notes(self):
        return [progress.note for progress, _ in self.seen if progress.note]


class Killed(Exception):
    """What a `KillAt` ends a run by."""


class KillAt:
    """A reporter that ends a run at a step, as if it was killed."""

    def __init__(self, step):
        self.step = step

    def report(self, progress, image):
        if progress.step >= self.step:
            raise Killed


def published(**options):
    """Gatys' published settings with a history of ten: tfstyle's own need larger pictures, and more time."""
    return dataclasses.replace(PRESETS["gatys_code"], **{"lbfgs_history": 10, **options})


def shallow(weights, **options):
    """`published`, on layers that need no large pictures, by Adam, which compiles several times faster."""
    layers = {"content_layers": "conv2_1", "style_layers": "conv1_1,conv2_1"}
    usual = {"weights": weights, "optimizer": "adam", "precision": "float32", **layers}
    return published(**usual | options)


def run_script(name, *arguments, cwd, **environment):
    """Runs a script as a user would, but see `Forks`; returns the finished process."""
    return start_script(name, *arguments, cwd=cwd, **environment).finished()


def well(process):
    """A finished process, which must have succeeded."""
    assert process.returncode == 0, process.stderr
    return process


def one_line(process):
    """The line in which a run ended that a mistake stopped: exit status 1, and nothing else is said."""
    assert (process.returncode, process.stdout) == (1, ""), process.stderr
    (line,) = process.stderr.splitlines()
    assert ".py: error: " in line
    return line


def without_tensorflow(*words, cwd=None, first=""):
    """Runs `tfstyle` in a process that fails if it imports TensorFlow; `first` is run before, as Python."""
    end = "\ntry:\n    main()\nfinally:\n    assert 'tensorflow' not in sys.modules"
    command = [sys.executable, "-c", f"import sys; from tfstyle.cli import main\n{first}{end}", *words]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True)


def start_script(name, *arguments, cwd, **environment):
    """Starts a script, or a program of that path, and returns it as `Started`."""
    return forks().start(str(name), [str(each) for each in arguments], str(cwd), environment)


class Forks:
    """Processes that are forks of one which has TensorFlow and tfstyle imported, and no thread of them started.

    The imports, and to take them apart in the end, are most of what a small run takes.
    """

    # It answers a list with the process that it has started, and the number of a process with its
    # exit status, null as long as it runs.
    _SERVER = """
import atexit, gc, importlib, json, os, runpy, signal, sys, threading, traceback
import tensorflow
sys.path[:1] = sys.argv[1:]
from tfstyle import cli
for name in cli.COMMANDS:
    importlib.import_module(f"tfstyle.cli.{name}")
for name in ("api.batch", "api.transfer", "batch.job", "evaluation", "export.savedmodel", "figures", "training.training"):
    importlib.import_module(f"tfstyle.{name}")
gc.freeze()
gc.set_threshold(200_000, 20, 20)

def run(name, arguments, folder, environment, out, err):
    for number, path in enumerate((os.devnull, out, err)):
        os.dup2(os.open(path, os.O_RDWR | os.O_CREAT, 0o666), number)
    # Tests started in the background of a shell would hand on that SIGINT is ignored.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.environ.update(environment)
    os.chdir(folder)
    sys.argv = [os.path.join(sys.argv[1], name), *arguments]
    sys.path[0] = os.path.dirname(sys.argv[0])
    status = 0
    try:
        runpy.run_path(sys.argv[0], run_name="__main__")
    except SystemExit as ended:
        status = ended.code or 0
    except BaseException:
        traceback.print_exc()
        status = 1
    threading._shutdown()
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)

for line in sys.stdin:
    request = json.loads(line)
    if isinstance(request, int):
        ended, status = os.waitpid(request, os.WNOHANG)
        answer = os.waitstatus_to_exitcode(status) if ended else None
    elif not (answer := os.fork()):
        run(*request)
    print(json.dumps(answer), flush=True)
"""

    def __init__(self, **environment):
        self._folder = tempfile.TemporaryDirectory()
        self._server = subprocess.Popen(
            [sys.executable, "-c", self._SERVER, str(ROOT / "scripts"), str(ROOT)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            # What TensorFlow says where it meets its devices, the scripts hide only if they import it.
            env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", **environment},
            text=True,
        )
        self._numbers = itertools.count()

    def ask(self, request):
        self._server.stdin.write(json.dumps(request) + "\n")
        self._server.stdin.flush()
        return json.loads(self._server.stdout.readline())

    def start(self, name, arguments, folder, environment):
        number = next(self._numbers)
        out, err = (pathlib.Path(self._folder.name, f"{number}.{which}") for which in ("out", "err"))
        for path in (out, err):  # who reads them at once finds them
            path.touch()
        pid = self.ask([name, arguments, folder, environment, str(out), str(err)])
        return Started(self, [name, *arguments], pid, out, err)


@dataclasses.dataclass
class Started:
    """A process of `Forks`; `out` and `err` are the files that it writes to."""

    forks: Forks
    command: list[str]
    pid: int
    out: pathlib.Path
    err: pathlib.Path
    returncode: int | None = None

    def poll(self):
        if self.returncode is None:
            self.returncode = self.forks.ask(self.pid)
        return self.returncode

    def wait(self, timeout=300):
        until = time.monotonic() + timeout
        while self.poll() is None:
            if time.monotonic() > until:
                raise subprocess.TimeoutExpired(self.command, timeout)
            time.sleep(0.01)
        return self.returncode

    def send_signal(self, number):
        if self.poll() is None:
            os.kill(self.pid, number)

    def finished(self, timeout=300):
        """Waits for its end, and makes an end of it after `timeout` seconds."""
        try:
            status = self.wait(timeout)
        finally:
            self.send_signal(signal.SIGKILL)
        return subprocess.CompletedProcess(self.command, status, self.out.read_text(), self.err.read_text())


@functools.cache
def forks():
    """Returns the server that all share."""
    return Forks()


@pytest.fixture(scope="session")
def browser():
    """A headless Chromium, where there is one; CI says that there must be."""
    from selenium import webdriver

    missing = [program for program in ("chromium", "chromedriver") if shutil.which(program) is None]
    if missing:
        message = f"needs {' and '.join(missing)}"
        if os.environ.get("TFSTYLE_BROWSER") == "required":
            pytest.fail(message)
        pytest.skip(message)
    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium")
    # No page is to need anything from elsewhere.
    here_alone = "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost"
    size = "--window-size=1400,1000"
    for argument in ("--headless=new", "--no-sandbox", "--disable-gpu", size, here_alone):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options, webdriver.ChromeService(shutil.which("chromedriver")))
    yield driver
    driver.quit()


_STRANGER = """
import json, sys
sys.modules["tfstyle"] = None
import numpy as np, tensorflow as tf
given, found, models = np.load("given.npz"), {}, {}
for number, (folder, signature, names) in enumerate(json.load(open("calls.json"))):
    if folder not in models:
        models[folder] = tf.saved_model.load(folder)
    inputs = {name: tf.constant(given[f"{number}/{name}"]) for name in names}
    try:
        answer = models[folder].signatures[signature](**inputs)
        for name, value in answer.items():
            found[f"{number}/{name}"] = value.numpy().astype("S") if value.dtype == tf.string else value.numpy()
    except tf.errors.InvalidArgumentError as error:
        found[f"{number}/error"] = error.message
assert not [name for name in sys.modules if name.startswith("tfstyle.")]
np.savez("found.npz", **found)
"""


def answers_to_a_stranger(folder, calls):
    """What SavedModels answer in a process that cannot import tfstyle, which works in an empty folder.

    Calls are (model's folder, signature, {input: array}) each; answers {output: array}, or {"error": its text}.
    """
    given = {f"{number}/{name}": each for number, call in enumerate(calls) for name, each in call[2].items()}
    np.savez(folder / "given.npz", **given)
    (folder / "calls.json").write_text(
        json.dumps([(str(model), how, list(with_)) for model, how, with_ in calls])
    )
    (folder / "stranger.py").write_text(_STRANGER)
    # No fork: those have tfstyle imported.
    command = [sys.executable, "stranger.py"]
    well(subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300))
    answers = [{} for _ in calls]
    for name, value in np.load(folder / "found.npz").items():
        number, _, output = name.partition("/")
        answers[int(number)][output] = value
    return answers


def terms_of_styles(extractor, regions, layers, *, statistic="gram", tile=None, **options):
    """The style's terms of regions of pictures, measured in tiles or whole."""
    from tfstyle.losses.measuring import targets_of
    from tfstyle.losses.style import style_terms

    targets = targets_of(extractor, regions, layers, statistic, tile=tile)
    return style_terms(extractor, targets, layers, statistic=statistic, **options)


def values_of_transfers(config, contents, styles, images):
    """{term: weighted value} that each of a batch of pictures has for `transfer`, in a style `[1, h, w, 3]` each."""
    from tfstyle import feature_extractor
    from tfstyle.losses.regions import everywhere
    from tfstyle.losses.terms import content_terms, variation_terms
    from tfstyle.synthesis.objective import Objective

    layers, options = [*config.content_layers, *config.style_layers], {"units": config.units}
    extractor = feature_extractor(layers, weights=config.weights, padding=config.padding)
    for content, style, image in zip(contents, styles, images):
        terms = content_terms(extractor, content[None], config.content_layers, weight=1.0, **options)
        terms += terms_of_styles(
            extractor, everywhere(style), config.style_layers, size=content.shape[:2], weight=config.style_weight,
            statistic=config.style_loss, **options,
        )  # fmt: skip
        objective = Objective(extractor, [*terms, *variation_terms(config.tv_weight, **options)])
        yield objective.weighted(objective.losses(image[None]))
