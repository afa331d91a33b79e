"""Turns a network of `tfstyle train` into a file for LiteRT, as on telephones, or onnxruntime.

    tfstyle convert --model=saved_models/styles --output=styles.onnx
    tfstyle convert --model=saved_models/styles --output=styles.tflite
    tfstyle convert --model=saved_models/styles --output=mosaic.tflite \\
        --style=mosaic --size=640x480 --quantize=float16

The file has built-in ops only. Where it is for all sizes, sides are multiples of 4, from 8 on.
It is compared with the network, and timed against the SavedModel, one process and
all processors for both; what was found goes to standard output, and with the
network's card into a file of the same name, ending in .json.
"""

import json
import statistics
import time

from absl import flags

from tfstyle.cli import common as cli

FLAGS = flags.FLAGS

_PICTURES = cli.pathlib.Path(__file__).parents[1] / "data"
_REPEATS = 3
_ALLOWED = {"none": 2.0, "float16": 2.0}  # steps of 8 bits by which a picture may differ


def define_flags():
    flags.DEFINE_string("model", None, "folder of the network")
    flags.DEFINE_string("output", None, "file to write, .tflite or .onnx")
    flags.DEFINE_string(
        "size", None, "WIDTHxHEIGHT of all pictures, where an accelerator needs it in advance (default: any)"
    )
    flags.DEFINE_list(
        "style",
        None,
        "style that is to be part of the file, as in tfstyle stylize (default: each call brings it)",
    )
    flags.DEFINE_enum(
        "quantize",
        "none",
        ["none", "float16", "dynamic"],
        "how kernels of .tflite are kept: in 32, 16 or 8 bits",
    )
    flags.DEFINE_integer(
        "timing_size", 512, "side in pixels of the picture that is timed, unless there is --size"
    )


def main():
    from tfstyle.feedforward import cards, style_mixing

    model, output = cli.all_required(model="the folder of a network", output="a .tflite or .onnx file")
    output = cli.pathlib.Path(output)
    side = cli.whole_number("timing_size", FLAGS.timing_size, 1)
    size = None if FLAGS.size is None else parsed_size(FLAGS.size)
    card = cards.read_card(model)
    names = cards.style_names(card)
    style = (
        None
        if FLAGS.style is None
        else style_mixing.weights_of(style_mixing.parse(FLAGS.style, names), names)
    )
    with cli.quiet_tensorflow():  # the converter also says much that is of no use to anybody
        from tfstyle.export.conversion import RUNTIMES, check, convert, require_convertible
        from tfstyle.feedforward.loading import load_network
        from tfstyle.io.files import check_outputs, write_atomically

        check_outputs(
            [require_convertible(output), output.with_suffix(".json")],
            [("model", cli.pathlib.Path(model, cards.CARD))],
        )
        network, _ = load_network(model, dtype="float32")
        convert(network, output, size=size, style=style, quantize=FLAGS.quantize)
        file = RUNTIMES[output.suffix](output)
    timed, *others = pictures(size or (side, side), vary=size is None)
    error = check(file, network, [timed, *others], style)
    seconds = seconds_of(file, model, timed, style or style_mixing.weights_of(None, names))
    found = {
        "bytes": output.stat().st_size,
        "largest_error_of_255": error,
        "seconds": seconds,
        "timed_at": [timed.shape[2], timed.shape[1]],
    }
    settings = {"quantize": FLAGS.quantize, "size": size and [size[1], size[0]], "style": style}
    about = {"model": output.suffix[1:], "file": output.name, **settings, **found, "network": card}
    write_atomically(output.with_suffix(".json"), (json.dumps(about, indent=1) + "\n").encode())
    print(
        f"{output}: {found['bytes'] / 1e6:.2f} MB; largest error {error:.3g}/255; {timed.shape[2]} x"
        f" {timed.shape[1]}: {seconds['file']:.3f} s, SavedModel {seconds['saved_model']:.3f} s"
    )
    if error > _ALLOWED.get(FLAGS.quantize, float("inf")):
        raise ValueError(f"quantize={FLAGS.quantize}: pictures differ by {error:.3g}/255 from the network's")


def parsed_size(text: str) -> tuple[int, int]:
    """Returns (height, width) of what reads WIDTHxHEIGHT."""
    width, _, height = text.partition("x")
    if not (width.isdecimal() and height.isdecimal() and int(width) and int(height)):
        raise ValueError(f"size={text!r}: must be a width and a height, such as 640x480")
    return int(height), int(width)


def pictures(size: tuple[int, int], vary: bool) -> list:
    """Returns pictures to compare with, the first to be timed; of other sizes, too, if they may vary."""
    from tfstyle.io import images

    found = [
        images.cover(images.load_image(_PICTURES / name), size) for name in ("harbour.jpg", "swirls.jpg")
    ]
    if vary:  # with sides that are no multiples of anything
        found.append(images.load_fitted(_PICTURES / "harbour.jpg", "image", 301)[:, :-2])
    return found


def seconds_of(file, model: str, picture, weights: list[float]) -> dict[str, float]:
    """Returns the median seconds of the file and of the SavedModel, which take turns."""
    import tensorflow as tf

    saved, style = tf.saved_model.load(model), tf.constant([weights])
    given = style if file.has_style else None
    runs = {
        "file": lambda: file.paint(picture, given),
        "saved_model": lambda: saved.paint(picture, style, tf.constant(1.0)).numpy(),
    }
    took = {name: [] for name in runs}
    for _ in range(1 + _REPEATS):  # of which the first is to get ready
        for name, run in runs.items():
            began = time.monotonic()
            run()
            took[name].append(time.monotonic() - began)
    return {name: round(statistics.median(each[1:]), 4) for name, each in took.items()}
