"""Saves models for TensorFlow Serving, and for processes that have TensorFlow but no tfstyle.

    tfstyle export --model=extractor --layers=conv4_2,conv5_1
    tfstyle export --model=transfer --style=painting.jpg --output=saved_models/painting/1

A transfer with --style paints in that style; without, each call brings one. The
folder gets a SavedModel and a card, tfstyle.json, which names its signatures; an
older export there is replaced. TensorFlow Serving wants the folder's name to be
a number, the version. tfstyle/export/signatures.py says what the signatures take and give.
"""

import subprocess
import time

from tfstyle.cli import common as cli

FLAGS = cli.flags.FLAGS

# A process that cannot import tfstyle, however it is installed, calls the model on the smallest picture.
_VERIFICATION = """
import json, math, pathlib, sys
sys.modules["tfstyle"] = None
import tensorflow as tf
folder = pathlib.Path(sys.argv[1])
card = json.loads((folder / "tfstyle.json").read_text())
name = "with_steps" if "with_steps" in card["signatures"] else "serving_default"
# A style is made smaller by its scale, and must still be large enough.
side = math.ceil(card["minimum_size"] / min(card.get("config", {}).get("style_scale", 1), 1))
picture = tf.cast(tf.reshape(tf.range(3 * side**2) % 256, [1, side, side, 3]), tf.uint8)
inputs = {key: tf.constant(1) if key == "steps" else picture for key in card["signatures"][name]["inputs"]}
try:
    tf.saved_model.load(str(folder)).signatures[name](**inputs)
    print(f"{side} x {side} pixels")
except tf.errors.OpError as error:
    sys.exit(" ".join(error.message.split()))
"""


def define_flags():
    cli.flags.DEFINE_enum("model", "transfer", ("extractor", "transfer"), "what to save")
    cli.define_picture_flags({"style": "picture whose style to take, or its targets (.npz); of a transfer"})
    cli.flags.DEFINE_list("layers", None, "layers of an extractor (default: content_layers and style_layers)")
    cli.flags.DEFINE_string("output", None, "folder to save into (default: saved_models/MODEL)")
    cli.flags.DEFINE_bool(
        "verify", True, "load what was saved where tfstyle cannot be imported, and call it once"
    )
    cli.define_settings_flags()


def main():
    is_extractor = FLAGS.model == "extractor"
    style = FLAGS.style
    if is_extractor and style is not None:
        raise ValueError(f"style={style!r}: an extractor has none; leave it out, or give --model=transfer")
    if FLAGS.layers is not None and not is_extractor:
        raise ValueError(
            f"layers={','.join(FLAGS.layers)!r}: are an extractor's; give content_layers or style_layers"
        )
    config = cli.settings()
    output = FLAGS.output or f"saved_models/{FLAGS.model}"
    started = time.monotonic()
    with cli.quiet_tensorflow():
        import tfstyle
        from tfstyle.export import savedmodel
        from tfstyle.io.files import check_outputs
        from tfstyle.losses.targets import StyleTargets

    cli.logging.set_verbosity(cli.logging.WARNING)  # TensorFlow tells where it writes
    print(f"{FLAGS.model}: making the graph, which may take a minute …", file=cli.sys.stderr)
    weights = [("weights", config.weights)] * cli.os.path.exists(config.weights)
    check_outputs([output], [*cli.given_pictures(["style"]).items(), *weights])
    if is_extractor:
        options = {name: getattr(config, name) for name in ("weights", "pooling", "padding")}
        layers = FLAGS.layers or dict.fromkeys((*config.content_layers, *config.style_layers))
        folder = savedmodel.export_extractor(output, tfstyle.feature_extractor(layers, **options), options)
    else:
        measured = style is not None and style.endswith(".npz")
        folder = savedmodel.export_transfer(
            output, config, StyleTargets.load(style, "style") if measured else style
        )
    size = sum(file.stat().st_size for file in folder.rglob("*"))
    print(f"saved: {size / 1e6:.1f} MB, {time.monotonic() - started:.0f} s", file=cli.sys.stderr)
    if FLAGS.verify:
        verify(folder)
    print(folder)


def verify(folder: cli.pathlib.Path) -> None:
    """Calls what was saved as a stranger would."""
    started = time.monotonic()
    process = subprocess.run(
        [cli.sys.executable, "-I", "-c", _VERIFICATION, str(folder)], capture_output=True, text=True
    )
    if process.returncode:
        reason = process.stderr.strip().splitlines()[-1:]
        raise ValueError(f"output={str(folder)!r}: saved, but does not work ({''.join(reason)})")
    took = f"{time.monotonic() - started:.0f} s"
    print(f"works without tfstyle: {process.stdout.strip()}, {took}", file=cli.sys.stderr)
